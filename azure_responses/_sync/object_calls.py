# Written by scripts/unasync: change the file of this name in ../_async instead.
"""What performs the calls of `files`, `vector_stores` and the other resources of stored objects."""

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

from azure_responses.protocol.object_request import ObjectRequest
from azure_responses.protocol.operations import Options
from azure_responses.transport import Timeout
from azure_responses.types.result import Result

__all__ = ["Download", "ObjectCalls"]

R = TypeVar("R", bound=Result)


class Download(Protocol):
    """Bytes of the service, still to be read; closed at their end, or by `close`."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the reply, in lower case."""

    def __iter__(self) -> Iterator[bytes]:
        """The pieces as they arrive."""

    def close(self) -> None:
        """Release the connection."""


class ObjectCalls(Protocol):
    """Performs calls: a client at its resource, a router where the object is."""

    def perform(
        self, request: ObjectRequest, model: type[R], options: Options, timeout: Timeout
    ) -> R:
        """The reply, read as `model`; raises what the service or the network ends with."""

    def open(self, request: ObjectRequest, options: Options, timeout: Timeout) -> Download:
        """The bytes of a download."""
