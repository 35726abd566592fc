"""The input file of a batch, line by line: the request of a line, and its errors.

The limits and codes are those of Microsoft's page on batches (November 2026). The file is never
whole in memory: bytes come in pieces, and lines go out one by one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

__all__ = [
    "ENDPOINTS",
    "MOST_BYTES",
    "MOST_LINES",
    "BatchInput",
    "BatchLine",
    "LineError",
    "LineSplitter",
    "read_line",
]

MOST_LINES = 100_000
MOST_BYTES = 200 * 1024 * 1024
ENDPOINTS: Mapping[str, str] = {
    "/v1/responses": "/v1/responses",
    "/responses": "/v1/responses",
    "/v1/chat/completions": "/v1/chat/completions",
    "/chat/completions": "/v1/chat/completions",
}
"""Each spelling of an endpoint, and the one that stands for it here."""

_BOM = b"\xef\xbb\xbf"
_MOST_ERRORS = 100
_LONGEST_ID = 512
_FIELDS = "custom_id, method, url and body"
# An answer in a file has neither events nor a second answer later.
_REFUSED_MODES = ("stream", "background")


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One request of a batch.

    Attributes:
        number: of the line in the file; the first is 1.
        custom_id: names the request in the output.
        url: "/v1/responses" or "/v1/chat/completions".
        body: of the request.
    """

    number: int
    custom_id: str
    url: str
    body: Mapping[str, Any]

    @property
    def model(self) -> str | None:
        """The model that the body names, or None."""
        model = self.body.get("model")
        return model if isinstance(model, str) and model else None


class LineError(ValueError):
    """An error of a file, or of one of its lines.

    Attributes:
        code: as Azure names it.
        message: one or two sentences.
        param: the field of the line, or None.
        line: its number, or None for the file.
    """

    def __init__(
        self, code: str, message: str, *, param: str | None = None, line: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.line = line

    def to_dict(self) -> dict[str, Any]:
        """The error as `errors.data` of a batch shows it."""
        return {
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "line": self.line,
        }


class LineSplitter:
    """Bytes in pieces of any size → whole lines, without their ends."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The lines that end in this piece."""
        head, *lines = piece.split(b"\n")
        self._rest.append(head)
        for line in lines:
            yield self._take()
            self._rest.append(line)

    def end(self) -> Iterator[bytes]:
        """The last line, where the file does not end with a line's end."""
        last = self._take()
        if last:
            yield last

    def _take(self) -> bytes:
        line = b"".join(self._rest)
        self._rest = []
        return line.removesuffix(b"\r")


def read_line(text: bytes, number: int) -> BatchLine:
    """Read a line.

    Raises:
        LineError: it is not a request that a batch can make.
    """
    if text.startswith(_BOM):
        raise LineError(
            "invalid_json_line",
            "The file begins with a byte order mark. Write it as UTF-8 without one.",
            line=number,
        )
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise LineError(
            "invalid_json_line", f"The line is not valid JSON: {error}.", line=number
        ) from None
    if not isinstance(value, dict):
        raise LineError(
            "invalid_json_line", f"The line is not a JSON object with {_FIELDS}.", line=number
        )
    return _read_fields(value, number)


def _read_fields(value: Mapping[str, Any], number: int) -> BatchLine:
    custom_id, body = value.get("custom_id"), value.get("body")
    if not isinstance(custom_id, str) or not 0 < len(custom_id) <= _LONGEST_ID:
        raise _invalid("custom_id", f"is not a text of 1 to {_LONGEST_ID} characters", number)
    method = value.get("method", "POST")
    if method != "POST":
        raise _invalid("method", "is not POST", number)
    url = value.get("url")
    known = ENDPOINTS.get(url) if isinstance(url, str) else None
    if known is None:
        raise LineError(
            "url_mismatch",
            "url is not one of " + ", ".join(ENDPOINTS) + ".",
            param="url",
            line=number,
        )
    if not isinstance(body, dict):
        raise _invalid("body", "is not a JSON object", number)
    for mode in _REFUSED_MODES:
        if body.get(mode):
            raise _invalid(f"body.{mode}", "is not possible in a batch", number)
    return BatchLine(number, custom_id, known, body)


def _invalid(param: str, problem: str, line: int) -> LineError:
    return LineError("invalid_request", f"{param} {problem}.", param=param, line=line)


class BatchInput:
    """Checks a file while it is read.

    Args:
        endpoint: that of the batch, in any spelling; None takes that of the first line. Azure takes
            "/chat/completions" for files of responses too, and so does this.
        model: of lines that name none.

    Attributes:
        total: requests so far.
        errors: what is wrong; at most a hundred are kept.
    """

    def __init__(self, endpoint: str | None = None, model: str | None = None) -> None:
        self.total = 0
        self.errors: list[LineError] = []
        self._expected = ENDPOINTS.get(endpoint or "")
        self._url: str | None = None
        self._default = model
        self._model: str | None = None
        self._ids: set[str] = set()
        self._number = 0
        self._size = 0

    @property
    def model(self) -> str | None:
        """The model that every line names."""
        return self._model

    def add(self, text: bytes) -> BatchLine | None:
        """Check the next line; None for one that is empty or has an error."""
        self._number += 1
        self._size += len(text) + 1
        self._check_size()
        if not text.strip():
            return None
        self.total += 1
        if self.total == MOST_LINES + 1:
            self._note(
                LineError("too_many_tasks", f"The file has more than {MOST_LINES:,} requests.")
            )
        try:
            line = read_line(text, self._number)
            self._compare(line)
        except LineError as error:
            self._note(error)
            return None
        return line

    def end(self) -> list[LineError]:
        """End the file; returns all of its errors."""
        if not self.total:
            self._note(LineError("empty_file", "The input file has no requests."))
        return self.errors

    def _check_size(self) -> None:
        before = self._size - MOST_BYTES - 1
        if before > 0 and not any(error.param == "file" for error in self.errors):
            megabytes = MOST_BYTES // 1024 // 1024
            message = f"The file has more than {megabytes} MB."
            self._note(LineError("invalid_request", message, param="file"))

    def _compare(self, line: BatchLine) -> None:
        """Raise where a line does not fit the lines before it."""
        if line.custom_id in self._ids:
            raise LineError(
                "duplicate_custom_id",
                f"The custom_id {line.custom_id!r} is that of an earlier line too.",
                param="custom_id",
                line=line.number,
            )
        self._ids.add(line.custom_id)
        self._compare_url(line)
        model = line.model or self._default
        if model is None:
            raise _invalid("body.model", "is missing", line.number)
        self._model = self._model or model
        if model != self._model:
            raise LineError(
                "model_mismatch",
                f"The model {model[:200]!r} is not that of earlier lines, {self._model[:200]!r}.",
                param="body.model",
                line=line.number,
            )

    def _compare_url(self, line: BatchLine) -> None:
        self._url = self._url or line.url
        fits = self._expected in (None, line.url, "/v1/chat/completions")
        if line.url != self._url or not fits:
            expected = self._url if fits else self._expected
            raise LineError(
                "url_mismatch",
                f"The url is not that of the batch, {expected}.",
                param="url",
                line=line.number,
            )

    def _note(self, error: LineError) -> None:
        if len(self.errors) < _MOST_ERRORS:
            self.errors.append(error)
