"""What is wrong or unclear in a configuration file."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Severity", "show_path"]

Severity = Literal["error", "warning"]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at.

    Attributes:
        severity: "error" keeps the gateway from starting; "warning" does not.
        message: what is found.
        path: where, as `model_list[0].litellm_params.api_key`; empty for the file as a whole.
        line: in the file, from 1; None where it has none.
        hint: what to change, or None.
    """

    severity: Severity
    message: str
    path: str = ""
    line: int | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        subject = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.severity}: {place}{subject}{self.message}{hint}"


def show_path(path: Path) -> str:
    """A path as people write it."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
