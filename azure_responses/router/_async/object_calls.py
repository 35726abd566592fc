"""Calls on stored objects through a router's loop: as bytes for servers, typed for programs."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import nullcontext
from typing import Any, NamedTuple, TypeVar

from azure_responses._async.object_calls import AsyncDownload
from azure_responses.batches.rewriting import OutputRewriter
from azure_responses.protocol.object_request import ObjectRequest
from azure_responses.protocol.options import Options
from azure_responses.protocol.warning import warn_caller
from azure_responses.router._async.attempt import AsyncAttempt
from azure_responses.router._async.file_copies import AsyncFileCopies
from azure_responses.router._async.object_lists import AsyncObjectLists, AttemptNote
from azure_responses.router._async.routed_calls import AsyncRoutedCalls
from azure_responses.router._async.typed_attempt import typed_answer
from azure_responses.router.attempts import Answer, finished
from azure_responses.router.object_reader import ObjectReader
from azure_responses.router.routed_object import ObjectCall, RoutedObject
from azure_responses.router.targets import AsyncTarget
from azure_responses.router.upstream_reply import to_bytes
from azure_responses.routing.object_lists import MERGED_LISTS
from azure_responses.routing.route_request import Outcome
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.transport import Timeout
from azure_responses.types.result import Result, Route

__all__ = ["AsyncRoutedObjects", "AsyncRouterObjectCalls", "ObjectReply"]

R = TypeVar("R", bound=Result)


class ObjectReply(NamedTuple):
    """The reply to a call on a stored object.

    Attributes:
        status: of HTTP.
        headers: of the service; names in lower case.
        body: JSON with the ids as the caller knows them, or a download still to be read.
        route: what the router did; None of a list of several resources.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | AsyncDownload
    route: Route | None


class AsyncBatchDownload:
    """A download; the ids in the answers of a batch are rewritten while it is read.

    Args:
        opened: as the service sends it.
        rewriter: of its lines.
    """

    def __init__(self, opened: AsyncDownload, rewriter: OutputRewriter) -> None:
        self._opened = opened
        self._rewriter = rewriter

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the reply, without its length: labels are longer than ids."""
        return {k: value for k, value in self._opened.headers.items() if k != "content-length"}

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces as they arrive."""
        async for piece in self._opened:
            for changed in self._rewriter.feed(piece):
                yield changed
        for changed in self._rewriter.end():
            yield changed

    async def aclose(self) -> None:
        """Release the connection."""
        await self._opened.aclose()


class AsyncRoutedObjects:
    """Makes calls on stored objects where the objects are.

    Args:
        calls: the router's loop.
    """

    def __init__(self, calls: AsyncRoutedCalls) -> None:
        self._calls = calls

    async def forward(self, request: RoutedObject, note: AttemptNote | None = None) -> ObjectReply:
        """The reply as bytes: fields that are unknown here survive.

        Raises:
            AzureResponsesError: the last failure, with the ids as the caller knows them.
        """
        calls = self._calls
        joined = await self._join(request, note)
        if joined is not None:
            return ObjectReply(200, {}, to_bytes(joined), None)

        async def attempt(target: AsyncTarget, call: RoutedCall, left: float | None) -> Answer[Any]:
            made = AsyncAttempt(request, target, call, left, calls)
            with nullcontext() if note is None else note(target.deployment, call):
                if request.row.returns == "bytes":
                    opened = self._as_callers_know(request, await made.open_download(), target)
                    found = 200, opened.headers, opened
                    # What follows is between the resource and the reader: no limit counts it.
                    return Answer(found, Outcome(opened.headers, 0, None))
                reply = await made.send()
            body = to_bytes(reply.rewritten())
            return Answer((reply.status, reply.headers, body), reply.outcome, reply.entry)

        routed = await calls.perform(request.route_request, attempt)
        status, headers, body = routed.result
        return ObjectReply(status, headers, body, routed.route)

    async def _join(self, request: RoutedObject, note: AttemptNote | None) -> dict[str, Any] | None:
        """The reply to a call that several resources answer; None for all other calls."""
        calls = self._calls
        if request.operation in MERGED_LISTS:
            return await AsyncObjectLists(request, calls, note).page()
        if request.resources:
            return await AsyncFileCopies(request, calls, note).upload()
        if request.operation == "files.delete" and request.copied:
            return await AsyncFileCopies(request, calls, note).delete()
        return None

    def _as_callers_know(
        self, request: RoutedObject, opened: AsyncDownload, target: AsyncTarget
    ) -> AsyncDownload:
        """A download, in which answers of a batch have the ids and the model that callers know."""
        if request.operation != "files.content":
            return opened
        origin = self._calls.routing.batch_origin(target.deployment.resource)
        if origin is None:
            return opened
        deployment, model = origin
        rewriter = OutputRewriter(
            lambda body: request.answer_rewriter(deployment).label(body), model
        )
        return AsyncBatchDownload(opened, rewriter)

    async def perform(self, request: RoutedObject, model: type[R]) -> R:
        """The reply, read as `model`; raises what `forward` raises."""
        calls = self._calls
        joined = await self._join(request, None)
        if joined is not None:
            return model.model_validate(joined)

        async def attempt(target: AsyncTarget, call: RoutedCall, left: float | None) -> Answer[Any]:
            return await typed_answer(AsyncAttempt(request, target, call, left, calls), model)

        result: R = finished(await calls.perform(request.route_request, attempt))
        return result


class AsyncRouterObjectCalls:
    """Performs the calls of `router.files` and the other resources of stored objects.

    Args:
        reader: decides where they go.
        calls: the loop of the running event loop.
        model: at whose resource objects are made; None leaves it to the only resource.
        owner, end_user: who asks, for whom.
        replicates: files are uploaded to every resource of the model; None leaves it to the
            settings.
    """

    def __init__(
        self,
        reader: ObjectReader,
        calls: Callable[[], AsyncRoutedCalls],
        *,
        model: str | None = None,
        owner: str | None = None,
        end_user: str | None = None,
        replicates: bool | None = None,
    ) -> None:
        self._reader = reader
        self._calls = calls
        self._scope = {
            "model": model,
            "owner": owner,
            "end_user": end_user,
            "replicates": replicates,
        }

    async def perform(
        self, request: ObjectRequest, model: type[R], options: Options, timeout: Timeout
    ) -> R:
        """The reply, read as `model`; raises what the service or the network ends with."""
        routed = self._read(request, options, timeout)
        return await AsyncRoutedObjects(self._calls()).perform(routed, model)

    async def open(
        self, request: ObjectRequest, options: Options, timeout: Timeout
    ) -> AsyncDownload:
        """The bytes of a download."""
        reply = await AsyncRoutedObjects(self._calls()).forward(
            self._read(request, options, timeout)
        )
        assert not isinstance(reply.body, bytes)
        return reply.body

    def _read(self, request: ObjectRequest, options: Options, timeout: Timeout) -> RoutedObject:
        # The router's own is no deadline that the caller chose.
        given = {
            **({} if timeout == self._reader.timeout else {"timeout": timeout}),
            "extra_headers": options.extra_headers,
            "extra_query": options.extra_query,
            "extra_body": options.extra_body,
        }
        named = {n: value for n, value in given.items() if n == "timeout" or value is not None}
        routed = self._reader.read(ObjectCall.of(request, options=named, **self._scope))
        for text in routed.warnings:
            warn_caller(text)
        return routed
