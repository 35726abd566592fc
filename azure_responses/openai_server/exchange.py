"""A request to the OpenAI surface and its answer, whatever carries them."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.protocol.object_request import ReceivedForm
from azure_responses.router.connection_turn import ConnectionTurn

__all__ = ["ApiReply", "ApiRequest", "AsyncStreamBody", "Header", "StreamBody"]

Header = tuple[bytes, bytes]


class StreamBody:
    """Bytes to send on, as they arrive.

    Args:
        pieces: a generator that has its first piece ready and cleans up when it ends.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._has_begun = False

    def __iter__(self) -> Iterator[bytes]:
        self._has_begun = True
        return self._pieces

    def close(self) -> None:
        """Give up the rest, and the call with it."""
        if not self._has_begun:
            # A generator that never ran would be closed without its clean-up.
            self._has_begun = True
            next(self._pieces, None)
        self._pieces.close()  # type: ignore[attr-defined]


class AsyncStreamBody:
    """`StreamBody`, awaited."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._has_begun = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._has_begun = True
        return self._pieces

    async def aclose(self) -> None:
        """Give up the rest, and the call with it."""
        # As in StreamBody: the clean-up of a generator that never ran would not run.
        if not self._has_begun:
            self._has_begun = True
            await anext(self._pieces, None)
        await self._pieces.aclose()  # type: ignore[attr-defined]


Body = TypeVar("Body", bound=bytes | StreamBody | AsyncStreamBody)


@dataclass(slots=True)
class ApiRequest:
    """One request.

    Attributes:
        method: in upper case.
        path: percent-encoded, as received.
        query: what follows the question mark, encoded.
        headers: names in lower case.
        body: the bytes as received, decompressed.
        owner: who asks; ids are bound to them. None binds ids to no owner.
        call_id: names the call in logs, and to Azure as `x-ms-client-request-id`; None makes one.
        may_call: which models to list; None lists all.
        form: a multipart form in place of `body`, which may be too long to be held.
        is_operator: who asks has configured the deployments too. To others a deployment's refused
            credential is an error of the server, not of theirs.
        turn: of the WebSocket connection that the request came over; None over HTTP.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    owner: str | None = None
    call_id: str | None = None
    may_call: Callable[[str], bool] | None = None
    is_operator: bool = True
    form: ReceivedForm | None = None
    turn: ConnectionTurn | None = None


@dataclass(slots=True)
class ApiReply(Generic[Body]):
    """One answer.

    Attributes:
        status: the HTTP status.
        headers: names in lower case; `content-length` is there unless the body is iterated.
        body: the bytes, or an iterator of pieces that are to be sent as they come. An iterator has
            to be closed when the caller leaves: that cancels what Azure is doing.
        summary: what is known of the call; of a stream it is complete when the body has ended.
    """

    status: int
    headers: list[Header]
    body: Body
    summary: CallSummary
