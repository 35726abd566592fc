"""A reply with its status and headers, for callers who want more than the parsed body."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from azure_responses.protocol.exchange import Reply
from azure_responses.types.result import request_id_of

__all__ = ["RawResponse"]

R = TypeVar("R")


class RawResponse(Generic[R]):
    """Status, headers and body of a successful reply; `parse()` gives the typed result."""

    def __init__(self, reply: Reply, parse: Callable[[Reply], R]) -> None:
        self.status_code = reply.status
        self.headers: Mapping[str, str] = reply.headers
        self.content = reply.body
        self._reply = reply
        self._parse = parse
        self._parsed: R | None = None

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`."""
        return request_id_of(self.headers)

    def parse(self) -> R:
        """The typed result, the same object every time."""
        if self._parsed is None:
            self._parsed = self._parse(self._reply)
        return self._parsed

    def __repr__(self) -> str:
        return f"RawResponse(status_code={self.status_code}, request_id={self.request_id!r})"
