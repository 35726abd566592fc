"""Warnings that point at the caller's line, however deep inside the package they arise."""

import re
import sys
import warnings

__all__ = ["CallerWarnings", "warn_caller"]

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


# What `drop_params` says of a parameter; of a part of a message it says where that stands.
_LEFT_OUT = re.compile(r"(?:^|\. )([\w.]+) was (?:left out|dropped)\b")
_MOST_PARAMETERS = 1000


class CallerWarnings:
    """The warnings of one client: of a parameter that is left out it warns once.

    A program that moves here learns what it has to change, and is not told again at every call.
    Losses of content are said each time.
    """

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, text: str) -> None:
        """Warn of something, unless it was said."""
        found = _LEFT_OUT.search(text)
        if found is not None:
            if found[1] in self._told:
                return
            if len(self._told) < _MOST_PARAMETERS:
                self._told.add(found[1])
        warn_caller(text)
