"""A request to the OpenAI surface and its answer, whatever carries them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.openai_server.stream_body import AsyncStreamBody, StreamBody

__all__ = ["ApiReply", "ApiRequest", "Header"]

Header = tuple[bytes, bytes]

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
        owner: who asks; ids are bound to them. None binds ids to nobody.
        call_id: names the call in logs, and to Azure as `x-ms-client-request-id`; None makes one.
        may_call: which models to list; None lists all.
        is_operator: who asks has configured the deployments too. To others a deployment's refused
            credential is an error of the server, not of theirs.
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


@dataclass(slots=True)
class ApiReply(Generic[Body]):
    """One answer.

    Attributes:
        status: the HTTP status.
        headers: names in lower case; `content-length` is there unless the body is iterated.
        body: the bytes, or an iterator of pieces that are to be sent as they come. An iterator has
            to be closed when nobody wants the rest: that cancels what Azure is doing.
        summary: what is known of the call; of a stream it is complete when the body has ended.
    """

    status: int
    headers: list[Header]
    body: Body
    summary: CallSummary
