"""The lines of a batch on their way to a batch deployment, and the answers on their way back.

Requests name the deployment, and ids as its resource knows them. Answers name the model, and ids
as callers know them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic_core import from_json, to_json

from azure_responses.batches.lines import LineSplitter

__all__ = ["OutputRewriter", "rewrite_request"]

Change = Callable[[dict[str, Any]], Mapping[str, Any]]

# A file whose first line is longer passes as it is: the line would have to be held whole.
_LONGEST = 64 * 1024 * 1024


def rewrite_request(text: bytes, body: Mapping[str, Any], deployment: str) -> bytes:
    """A line of an input file as a batch deployment reads it, without its end.

    Args:
        text: a line that has been checked.
        body: of the request, with the ids that its resource knows.
        deployment: its name at Azure.
    """
    return to_json({**from_json(text), "body": {**body, "model": deployment}})


class OutputRewriter:
    """The lines of an output or error file as callers know them; bytes in, bytes out.

    A file whose first line is not an answer of a batch passes as it is.

    Args:
        label: a body with the ids that callers know; it may change the body in place.
        model: what callers call the model; None leaves the service's name.
    """

    def __init__(self, label: Change, model: str | None) -> None:
        self._label = label
        self._model = model
        self._splitter = LineSplitter()
        # What came before the first line was whole.
        self._beginning = b""
        self._is_output: bool | None = None

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What can be sent on after this piece."""
        if self._is_output is None:
            piece = self._beginning = self._beginning + piece
            if not self._decide():
                return
        if not self._is_output:
            yield piece
            return
        for line in self._splitter.feed(piece):
            yield self._rewrite(line) + b"\n"

    def end(self) -> Iterator[bytes]:
        """The last line, where the file does not end with a line's end."""
        if self._is_output is None:
            yield self._rewrite(self._beginning)
        for line in self._splitter.end():
            yield self._rewrite(line)

    def _decide(self) -> bool:
        """True once the beginning says whether this is a file of answers."""
        line, end, _ = self._beginning.partition(b"\n")
        if end:
            self._is_output = _read(line) is not None
        elif not line.startswith(b"{") or len(line) > _LONGEST:
            self._is_output = False
        if self._is_output is None:
            return False
        self._beginning = b""
        return True

    def _rewrite(self, line: bytes) -> bytes:
        value = _read(line)
        if value is None:
            return line
        response = value.get("response")
        body = response.get("body") if isinstance(response, dict) else None
        if not isinstance(body, dict) or not isinstance(response, dict):
            return line
        labelled = {**self._label(body)}
        if self._model is not None and "model" in labelled:
            labelled["model"] = self._model
        response["body"] = labelled
        return to_json(value)


def _read(line: bytes) -> dict[str, Any] | None:
    """An answer of a batch; None for another line."""
    try:
        value = from_json(line)
    except ValueError:
        return None
    if not isinstance(value, dict) or "custom_id" not in value or "response" not in value:
        return None
    return value
