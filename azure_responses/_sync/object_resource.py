# Written by scripts/unasync: change the file of this name in ../_async instead.
"""What the resources of stored objects have in common: `files`, `vector_stores`, …."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, TypeVar

from azure_responses._sync.downloads import StreamedContent, collect
from azure_responses._sync.object_calls import Download, ObjectCalls
from azure_responses._sync.pages import Pages
from azure_responses._sync.raw_results import RawMethods
from azure_responses._sync.waiting import wait_for_end
from azure_responses.call_options import CallOptions, split_arguments
from azure_responses.downloaded_content import BinaryContent
from azure_responses.protocol.object_request import Form, ObjectRequest
from azure_responses.protocol.options import Options, query_of
from azure_responses.protocol.polling import Poll, Pollable
from azure_responses.transport import Timeout
from azure_responses.types.page import Page
from azure_responses.types.result import Result

__all__ = ["ObjectResource"]

R = TypeVar("R", bound=Result)
P = TypeVar("P", bound=Pollable)


class ObjectResource:
    """A group of operations on stored objects.

    Args:
        calls: performs them: at a client's resource, or where a router finds the object.
        timeout: of calls that give none.
    """

    def __init__(self, calls: ObjectCalls, timeout: Timeout) -> None:
        self._calls = calls
        self._timeout = timeout

    @property
    def with_raw_response(self) -> RawMethods:
        """The same operations, answering with status, headers and body."""
        return RawMethods(self)

    def _perform(
        self,
        operation: str,
        model: type[R],
        options: Mapping[str, Any],
        *ids: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        form: Form | None = None,
    ) -> R:
        """The reply of an operation, read as `model`; of `query` None values are left out."""
        given, timeout = self._split(options)
        request = ObjectRequest(operation, ids, query_of(query), body, form)
        return self._calls.perform(request, model, given, timeout)

    def _list(
        self,
        operation: str,
        item: type[R],
        options: Mapping[str, Any],
        *ids: str,
        after: str | None = None,
        **query: Any,
    ) -> Pages[R]:
        """The pages of a list; of `query` None values are left out."""
        given, timeout = self._split(options)
        page: type[Page[R]] = Page[item]  # type: ignore[valid-type]

        def fetch(position: str | None) -> Page[R]:
            request = ObjectRequest(operation, ids, query_of({**query, "after": position}))
            return self._calls.perform(request, page, given, timeout)

        return Pages(fetch, after)

    def _page(
        self,
        operation: str,
        item: type[R],
        options: Mapping[str, Any],
        *ids: str,
        body: Mapping[str, Any] | None = None,
    ) -> Pages[R]:
        """A list that is not cut into pages: a second one is never asked for."""
        given, timeout = self._split(options)
        page: type[Page[R]] = Page[item]  # type: ignore[valid-type]

        def fetch(position: str | None) -> Page[R]:
            if position is not None:
                return page()
            request = ObjectRequest(operation, ids, body=body)
            return self._calls.perform(request, page, given, timeout)

        return Pages(fetch, None)

    def _wait(
        self,
        retrieve: Callable[[CallOptions], P],
        poll: Poll,
        options: CallOptions,
        on_progress: Callable[[P], object] | None,
    ) -> P:
        """An object once it has ended; `options` are those of each poll."""

        def ask(limit: CallOptions) -> P:
            every: CallOptions = {**options, **limit}
            return retrieve(every)

        _, timeout = self._split(options)
        return wait_for_end(ask, poll, timeout, on_progress)

    def _download(self, operation: str, options: Mapping[str, Any], *ids: str) -> BinaryContent:
        """The whole of a download; a large one is kept on disk."""
        return collect(self._open(operation, options, *ids))

    @contextmanager
    def _stream(
        self, operation: str, options: Mapping[str, Any], *ids: str
    ) -> Iterator[StreamedContent]:
        """A download as it arrives."""
        with closing(self._open(operation, options, *ids)) as download:
            yield StreamedContent(download)

    def _open(self, operation: str, options: Mapping[str, Any], *ids: str) -> Download:
        given, timeout = self._split(options)
        return self._calls.open(ObjectRequest(operation, ids), given, timeout)

    def _split(self, options: Mapping[str, Any]) -> tuple[Options, Timeout]:
        """Raise TypeError for a name that is not an option of a call."""
        unknown, given, timeout = split_arguments(options, self._timeout)
        if unknown:
            raise TypeError(f"unexpected argument {next(iter(unknown))!r}")
        return given, timeout
