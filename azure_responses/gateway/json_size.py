"""How many values a JSON body holds, before anything reads it."""

import re
from collections.abc import Iterator

__all__ = ["count_values", "has_long_number"]

_WINDOW = 256 * 1024
_BEGINNINGS = b",[{"
# Strings full of escapes take their time as well.
_ESCAPES_PER_VALUE = 20
# Reading a whole number takes the square of its length. Every sixteenth byte is looked at first.
_STEP = 16
_LONGEST_NUMBER = 512
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % _LONGEST_NUMBER)
_MANY_DIGITS = re.compile(rb"[0-9]{%d}" % (_LONGEST_NUMBER // _STEP))


def count_values(body: bytes, most: int) -> int:
    """About how many values a body holds; more than `most` may be counted in part.

    Every twenty escapes in strings count as a value. It counts bytes, which is a hundredth of the
    work of reading them, and stops where there are too many.
    """
    # Commas and brackets in strings are no values: only where all together are too many do they
    # have to be told apart.
    count = _count_anywhere(body, most)
    return count if count <= most else _count_outside_strings(body, most)


def _count_anywhere(text: bytes, most: int) -> int:
    count = 0
    for start in range(0, len(text), _WINDOW):
        end = start + _WINDOW
        for byte in _BEGINNINGS:
            count += text.count(byte, start, end)
        count += text.count(b"\\", start, end) // _ESCAPES_PER_VALUE
        if count > most:
            break
    return count


def _count_outside_strings(body: bytes, most: int) -> int:
    count = 0
    for window, structure in _split(body):
        count += window.count(b"\\") // _ESCAPES_PER_VALUE
        count += sum(structure.count(byte) for byte in _BEGINNINGS)
        if count > most:
            break
    return count


def has_long_number(body: bytes) -> bool:
    """True where a number has more than about 512 digits, which takes long to read."""
    steps = (body[start : start + _WINDOW : _STEP] for start in range(0, len(body), _WINDOW))
    # Nearly no text has so many digits on end, but some may.
    return any(_MANY_DIGITS.search(digits) for digits in steps) and any(
        _LONG_NUMBER.search(structure) for _, structure in _split(body)
    )


def _split(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Pieces of a body, and what of them stands outside strings."""
    start, is_inside = 0, False
    while start < len(body):
        window = body[start : start + _WINDOW]
        if (len(window) - len(window.rstrip(b"\\"))) % 2 and start + len(window) < len(body):
            # The escape ends in the next window.
            window = window[:-1]
        start += len(window)
        parts = window.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        yield window, b"".join(parts[is_inside::2])
        is_inside ^= len(parts) % 2 == 0
