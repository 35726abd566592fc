"""Reads a multipart form in pieces, and holds no more of it than the head of one part.

It accepts what browsers, curl, httpx and aiohttp write, and refuses what two readers may read in
two ways: a gateway decides by the fields of a form that the service reads once more.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from azure_responses.errors import BadRequestError

__all__ = ["FormError", "FormPart", "FormReader", "find_boundary", "is_multipart"]

_LONGEST_HEAD = 8 * 1024
# Azure takes 500 files of a skill; every part costs work, however short it is.
_MOST_PARTS = 1000
# RFC 2046, 5.1.1: up to 70 of these characters, the last of them not a space.
_BOUNDARY = re.compile(r"[\w'()+,\-./:=? ]{0,69}[\w'()+,\-./:=?]", re.ASCII)
# A parameter of a header: a token, or text in quotation marks.
_PARAMETER = re.compile(r';[ \t]*([\w!#$&+\-.^`|~*]+)=("(?:[^"\\]|\\.)*"|[^\s";]+)[ \t]*', re.ASCII)
# Without quotation marks, backslashes and percent signs, which not all readers unescape alike.
_NAME = re.compile(r"[ !#$&-\[\]-~]{1,256}")
# Some readers end a line at any of them.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n")
_PLAIN_ENCODINGS = ("", "7bit", "8bit", "binary")


class FormError(BadRequestError):
    """The form is invalid, or is one that readers may read differently."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message, status_code=400, code="invalid_form", type="invalid_request_error"
        )


@dataclass(frozen=True, slots=True)
class FormPart:
    """The beginning of a part; its bytes follow.

    Attributes:
        name: of the field.
        filename: as it was sent, without its quotation marks; None of a plain field.
        content_type: of the part, or empty.
        start: bytes of the form before the boundary that begins this part.
    """

    name: str
    filename: str | None
    content_type: str
    start: int

    @property
    def is_file(self) -> bool:
        """True for a part that names a file."""
        return self.filename is not None


def is_multipart(content_type: str) -> bool:
    """True for the header of a multipart form."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def find_boundary(content_type: str) -> bytes:
    """The boundary that the header names.

    Raises:
        FormError: it is not the header of a form, or names no valid boundary.
    """
    _, mark, rest = content_type.partition(";")
    if not is_multipart(content_type):
        raise FormError("The body is not declared as multipart/form-data.")
    found = [value for name, value in _parameters(mark + rest) if name == "boundary"]
    if len(found) != 1 or not _BOUNDARY.fullmatch(found[0]):
        raise FormError("The content-type of the form has no valid boundary.")
    return found[0].encode()


class FormReader:
    """The state of one form while its bytes arrive.

    Args:
        content_type: the header, which names the boundary.

    Attributes:
        is_over: the last boundary has come.
        boundary: with its dashes, as it stands at the beginning of a line.
        last_start: bytes of the form before the latest boundary.

    Raises:
        FormError: it is not the header of a form, or names no valid boundary.
    """

    def __init__(self, content_type: str) -> None:
        self.boundary = b"--" + find_boundary(content_type)
        self._delimiter = b"\r\n" + self.boundary
        # The first boundary has no line before it.
        self._held = b"\r\n"
        # How many bytes of the form came before those that are held.
        self._offset = -2
        self._step: Callable[[], FormPart | bytes | None] = self._read_opening
        self.last_start = 0
        self._parts = 0
        self.is_over = False

    def feed(self, data: bytes) -> Iterator[FormPart | bytes]:
        """What the bytes contain: beginnings of parts, each followed by the bytes of the part.

        Read it to the end before more is fed.

        Raises:
            FormError: the form is invalid, or ambiguous.
        """
        self._held += data
        while True:
            before = self._offset, self._step
            found = self._step()
            if found:
                yield found
            elif before == (self._offset, self._step):
                return

    def finish(self) -> None:
        """The bytes have ended; raises FormError where the form has not."""
        if not self.is_over:
            raise FormError("The form ends before its last boundary.")

    def _drop(self, size: int) -> bytes:
        """Take bytes from those that are held."""
        taken, self._held = self._held[:size], self._held[size:]
        self._offset += size
        return taken

    def _read_opening(self) -> None:
        size = len(self._delimiter)
        if not self._delimiter.startswith(self._held[:size]):
            raise FormError("The form does not begin with its boundary.")
        if len(self._held) >= size:
            self._step = self._read_boundary

    def _read_boundary(self) -> None:
        """What follows a boundary says whether another part begins."""
        size = len(self._delimiter)
        end = self._held[size : size + 2]
        if len(end) < 2:
            return
        self.last_start = self._offset + 2
        self._drop(size + 2)
        if end == b"\r\n":
            self._step = self._read_head
        elif end == b"--":
            self.is_over = True
            self._step = self._read_ending
        else:
            raise FormError("A boundary of the form is followed by other text.")

    def _read_head(self) -> FormPart | None:
        end = self._held.find(b"\r\n\r\n")
        if end > _LONGEST_HEAD or (end < 0 and len(self._held) > _LONGEST_HEAD + 4):
            raise FormError(f"The headers of a part are longer than {_LONGEST_HEAD:,} bytes.")
        if end < 0:
            return None
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise FormError(f"The form has more than {_MOST_PARTS:,} parts.")
        self._step = self._begin_content
        return _read_part(self._drop(end + 2)[:-2], self.last_start)

    def _begin_content(self) -> None:
        """Drop the empty line, unless a boundary follows: some readers take that for content."""
        size = len(self._delimiter)
        if self._delimiter.startswith(self._held[:size]):
            if len(self._held) >= size:
                raise FormError("A part has neither content nor an empty line in its place.")
            return
        self._drop(2)
        self._step = self._read_content

    def _read_content(self) -> bytes | None:
        end = self._held.find(self._delimiter)
        if end == 0:
            self._step = self._read_boundary
            return None
        if end < 0:
            # A boundary may be cut in two by the end of what has arrived.
            end = self._last_line()
        return self._drop(end) if end > 0 else None

    def _last_line(self) -> int:
        """Where a boundary may begin whose end has not arrived."""
        size = len(self._held)
        start = self._held.rfind(b"\r", max(0, size - len(self._delimiter) + 1))
        while start >= 0 and not self._delimiter.startswith(self._held[start:]):
            start = self._held.rfind(b"\r", max(0, size - len(self._delimiter) + 1), start)
        return size if start < 0 else start

    def _read_ending(self) -> None:
        # Most writers end the last line.
        if self._held.strip(b"\r\n") or len(self._held) > 2:
            raise FormError("Bytes follow the last boundary of the form.")


def _read_part(head: bytes, start: int) -> FormPart:
    headers: dict[str, str] = {}
    if _CONTROL.search(head):
        raise FormError("A header of a part holds control characters.")
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or name != name.strip() or not name or name in headers:
            raise FormError("A header of a part is invalid, or is there twice.")
        headers[name] = value.strip()
    if headers.get("content-transfer-encoding", "").lower() not in _PLAIN_ENCODINGS:
        raise FormError("A part is encoded. Send its bytes as they are.")
    kind, mark, rest = headers.get("content-disposition", "").partition(";")
    if kind.strip().lower() != "form-data":
        raise FormError("A part has no content-disposition: form-data.")
    return _describe(mark + rest, headers.get("content-type", ""), start)


def _describe(parameters: str, content_type: str, start: int) -> FormPart:
    given = list(_parameters(parameters))
    found = dict(given)
    if len(found) != len(given) or "name*" in found:
        raise FormError("A part is named twice.")
    name = found.get("name", "")
    if not _NAME.fullmatch(name):
        raise FormError(
            "The name of a part is missing or invalid: it has up to 256 printable ASCII "
            "characters, and neither quotation marks, backslashes nor percent signs."
        )
    # RFC 7578 rules out `filename*`, but older writers send it for names that are not ASCII.
    return FormPart(name, found.get("filename", found.get("filename*")), content_type, start)


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    """The parameters of a header from its first semicolon on; names in lower case."""
    place = 0
    while place < len(text):
        found = _PARAMETER.match(text, place)
        if found is None:
            # A semicolon at the end is common.
            if text[place:].strip("; \t"):
                raise FormError("The parameters of a header of the form are invalid.")
            return
        value = found[2]
        yield found[1].lower(), value[1:-1] if value.startswith('"') else value
        place = found.end()
