"""A dict that stays small."""

from collections.abc import Callable
from typing import TypeVar

__all__ = ["BoundedDict"]

_Value = TypeVar("_Value")


class BoundedDict(dict[str, _Value]):
    """A dict that drops what was added first once it has more than `most` entries.

    Args:
        most: entries that are kept.
        on_drop: called with the key of an entry instead of dropping it; it has to remove the entry.
    """

    def __init__(self, most: int, on_drop: Callable[[str], object] | None = None) -> None:
        super().__init__()
        self._most = most
        self._drop = on_drop or self.pop

    def __setitem__(self, key: str, value: _Value) -> None:
        super().__setitem__(key, value)
        if len(self) > self._most:
            self._drop(next(iter(self)))
