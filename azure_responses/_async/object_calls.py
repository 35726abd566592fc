"""What performs the calls of `files`, `vector_stores` and the other resources of stored objects."""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol, TypeVar

from azure_responses.protocol.object_request import ObjectRequest
from azure_responses.protocol.operations import Options
from azure_responses.transport import Timeout
from azure_responses.types.result import Result

__all__ = ["AsyncDownload", "AsyncObjectCalls"]

R = TypeVar("R", bound=Result)


class AsyncDownload(Protocol):
    """Bytes of the service, still to be read; closed at their end, or by `aclose`."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the reply, in lower case."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces as they arrive."""

    async def aclose(self) -> None:
        """Release the connection."""


class AsyncObjectCalls(Protocol):
    """Performs calls: a client at its resource, a router where the object is."""

    async def perform(
        self, request: ObjectRequest, model: type[R], options: Options, timeout: Timeout
    ) -> R:
        """The reply, read as `model`; raises what the service or the network ends with."""

    async def open(
        self, request: ObjectRequest, options: Options, timeout: Timeout
    ) -> AsyncDownload:
        """The bytes of a download."""
