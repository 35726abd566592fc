"""An id ↔ its prefix and a few bytes.

Azure's ids are a prefix and 48 or 50 hexadecimal digits (`resp_0742d3…`, recorded August 2026);
packed, they take half the room. Whatever else an id may be is kept as it is.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64

__all__ = ["NO_PREFIX", "from_base64", "pack", "split_prefix", "to_base64", "unpack"]

NO_PREFIX = "id_"
"""What stands before the label of an id that has no prefix of its own."""

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{0,23}[_-]")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_TEXT, _HEX, _ODD_HEX, _BASE64 = range(4)


def split_prefix(inner: str) -> tuple[str, str]:
    """`resp_abc` → `resp_`, `abc`; the prefix is empty where there is none."""
    # Nearly every id is of this form, and is seen sooner than the pattern is matched.
    head, mark, rest = inner.partition("_")
    if mark and len(head) <= 24 and head.isascii() and head.isalnum() and head[0].isalpha():
        return head + mark, rest
    found = _PREFIX.match(inner)
    end = found.end() if found else 0
    return inner[:end], inner[end:]


def pack(rest: str) -> tuple[int, bytes]:
    """The shortest of four forms: which one (0 to 3), and the bytes."""
    if (packed := _pack_hex(rest)) is not None:
        return _HEX, packed
    if (packed := _pack_hex("0" + rest)) is not None:
        return _ODD_HEX, packed
    return _pack_text(rest)


def _pack_hex(digits: str) -> bytes | None:
    try:
        packed = bytes.fromhex(digits)
    except ValueError:
        return None
    # fromhex also takes capitals and spaces, which would not come back.
    return packed if packed.hex() == digits else None


def _pack_text(rest: str) -> tuple[int, bytes]:
    encoded = rest.encode("utf-8", "surrogatepass")
    if len(encoded) % 4 == 0 and encoded:
        try:
            packed = urlsafe_b64decode(encoded)
        except ValueError:
            packed = b""
        if urlsafe_b64encode(packed) == encoded and not encoded.endswith(b"="):
            return _BASE64, packed
    return _TEXT, encoded


def unpack(form: int, packed: bytes) -> str:
    """What `pack` was given."""
    if form == _HEX:
        return packed.hex()
    if form == _ODD_HEX:
        return packed.hex()[1:]
    if form == _BASE64:
        return urlsafe_b64encode(packed).decode("ascii")
    return packed.decode("utf-8", "surrogatepass")


def to_base64(data: bytes) -> str:
    """Base64 in letters, digits, `-` and `_`, without padding."""
    # What urlsafe_b64encode does, in half the time.
    encoded = b2a_base64(data, newline=False)
    return encoded.translate(_URL_SAFE).rstrip(b"=").decode("ascii")


def from_base64(text: str) -> bytes | None:
    """What `to_base64` was given, or None for text that it never makes."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    # Bits beyond the last byte could be changed unseen.
    return data if to_base64(data) == text else None
