"""The text of one string field of a JSON object that arrives in pieces.

A custom tool takes free text. Over function calling its text is the field `input` of the function's
arguments, and the caller's stream wants the text itself, piece by piece. Escapes and surrogate
pairs may be cut at any place. `read_string_field` reads whole arguments by the same decoder, so
that a stream and a whole reply say the same of any arguments, broken ones included.
"""

import json
import re

__all__ = ["StringFieldDecoder", "read_string_field"]

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}
_PLAIN = re.compile(r'[^"\\]+')
_SPACES = " \t\r\n"
_REPLACEMENT = "�"


def read_string_field(arguments: str, field: str) -> str:
    """The text of a field; all of `arguments` where they are no object with such a field."""
    decoder = StringFieldDecoder(field)
    return decoder.feed(arguments) + decoder.finish()


class StringFieldDecoder:
    """Decodes one object.

    The text streams as long as the field is the first of the object, which it is when it is the
    only one of the schema. Anything else is kept until `finish`.
    """

    def __init__(self, field: str) -> None:
        self._field = field
        self._opening = re.compile(rf'\s*\{{\s*"{re.escape(field)}"\s*:\s*"')
        # All of the arguments until the field is found, then what of its text is not decoded yet.
        self._held: list[str] = []
        self._rest = ""
        self._can_open = True
        self._is_open = False
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """The field is complete: nothing that follows adds to its text."""
        return self._is_closed

    def feed(self, text: str) -> str:
        """The text that is certain after this piece of the arguments."""
        if self._is_closed:
            return ""
        if self._is_open:
            self._rest += text
            return self._decode()
        self._held.append(text)
        # Without a quote no opening becomes complete.
        return self._open() if self._can_open and '"' in text else ""

    def finish(self) -> str:
        """The text that only the end of the arguments makes certain."""
        if self._is_closed:
            return ""
        self._is_closed = True
        if self._is_open:
            # The arguments broke off inside the text, perhaps in the middle of an escape.
            return _REPLACEMENT if _hex_at(self._rest, 2) is not None else ""
        whole = "".join(self._held)
        try:
            value = json.loads(whole)
        except (ValueError, RecursionError):
            return _without_surrogates(whole)
        text = value.get(self._field) if isinstance(value, dict) else None
        return _without_surrogates(text if isinstance(text, str) else whole)

    def _open(self) -> str:
        whole = "".join(self._held)
        match = self._opening.match(whole)
        if match is None:
            # Three quotes are a complete opening, or they are none: long text is not read again.
            self._can_open = whole.count('"') < 3
            return ""
        self._is_open = True
        self._rest = whole[match.end() :]
        return self._decode()

    def _decode(self) -> str:
        decoded, text, at = [], self._rest, 0
        while at < len(text):
            plain = _PLAIN.match(text, at)
            if plain is not None:
                decoded.append(plain[0])
                at = plain.end()
                continue
            if text[at] == '"':
                self._is_closed = True
                break
            length, character = _read_escape(text, at)
            if length == 0:
                break
            decoded.append(character)
            at += length
        self._rest = "" if self._is_closed else text[at:]
        return _without_surrogates("".join(decoded))


def _read_escape(text: str, at: int) -> tuple[int, str]:
    """The length of the escape at a place and its character; 0 where the escape is cut."""
    if at + 1 >= len(text):
        return 0, ""
    kind = text[at + 1]
    if kind != "u":
        # An escape that JSON does not have is what the model wrote: a regular expression, mostly.
        return 2, _ESCAPES.get(kind, "\\" + kind)
    if len(text) < at + 6:
        return 0, ""
    code = _hex_at(text, at + 2)
    if code is None:
        return 2, "\\u"
    if not 0xD800 <= code < 0xDC00:
        return 6, chr(code)
    return _read_pair(text, at, code)


def _read_pair(text: str, at: int, high: int) -> tuple[int, str]:
    """The same for the escape that begins a surrogate pair."""
    following = text[at + 6 : at + 12]
    if len(following) < 6 and "\\u".startswith(following[:2]):
        return 0, ""
    low = _hex_at(following, 2) if following.startswith("\\u") else None
    if low is None or not 0xDC00 <= low < 0xE000:
        return 6, _REPLACEMENT
    return 12, chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)


def _hex_at(text: str, at: int) -> int | None:
    digits = text[at : at + 4]
    if len(digits) < 4 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return None
    return int(digits, 16)


def _without_surrogates(text: str) -> str:
    if text.isascii():
        return text
    # A lone surrogate cannot be written as UTF-8, so the event that holds it could not be sent.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
