"""Warnings that point at the caller's line, however deep inside the package they arise."""

import sys
import warnings

__all__ = ["warn_caller"]

# Between a program and us stand what enters our context managers and what runs our coroutines.
_NEVER_THE_CALLER = frozenset({"azure_responses", "contextlib", "asyncio", "anyio", "trio"})


def warn_caller(text: str) -> None:
    """Warn of something at the line that called into this package."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and _is_passed_over(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
        level += 1
    warnings.warn(text, UserWarning, stacklevel=level)


def _is_passed_over(module: str) -> bool:
    return module.partition(".")[0] in _NEVER_THE_CALLER
