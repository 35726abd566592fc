"""The routes of batches that the gateway executes, and of their files.

Other calls, such as those on a batch of a batch deployment, are left to the router.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pydantic_core import from_json, to_json

from azure_responses.batches.batch import read_request
from azure_responses.batches.lines import LineError
from azure_responses.errors import AzureResponsesError, BadRequestError, NotFoundError
from azure_responses.gateway.batch_records import KeptFile, StoredBatch, digest_of
from azure_responses.gateway.batch_runner import BatchRunner, new_id
from azure_responses.gateway.batch_uploads import NativeUpload, first_line
from azure_responses.gateway.input_files import store_input
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.native_batches import NativeBatches, refuse_model
from azure_responses.gateway.spend import show_dollars
from azure_responses.gateway.upload import ReceivedUpload
from azure_responses.openai_server import ApiReply, ApiRequest, AsyncOpenAIServer, CallSummary
from azure_responses.openai_server.exchange import AsyncStreamBody
from azure_responses.openai_server.replies import describe_call, json_reply, refusal
from azure_responses.openai_server.request_json import invalid_request, read_object
from azure_responses.openai_server.route import ServedRoute
from azure_responses.openai_server.served_object import object_end_user
from azure_responses.protocol.operation_table import APIOperation
from azure_responses.router import Router
from azure_responses.routing.signed_id import is_label

__all__ = ["BatchAPI"]

_PRICE = (
    "The gateway executes this batch by single calls, at their price: "
    "the discount of batches is given by batch deployments only."
)
_NO_DATABASE = (
    "Set general_settings.database_url, so that the gateway can execute batches and keep their "
    "files, or add a batch deployment (model_info.mode: batch)."
)

Reply = ApiReply[Any]


class BatchAPI:
    """Answers requests; used from one event loop.

    Args:
        runner: runs the batches; None where there is no database.
        router: knows the batch deployments.
        server: lists what is at the resources.
        native: answers about batches of batch deployments.
    """

    def __init__(
        self,
        runner: BatchRunner | None,
        router: Router,
        server: AsyncOpenAIServer,
        native: NativeBatches,
    ) -> None:
        self._runner = runner
        self._server = server
        self._native = native
        self._router = router
        self._routing = router.parts.reader.routing
        self._has_native = any(
            self._routing.batch_deployments(name) for name in self._routing.groups
        )

    def takes_form(self, row: APIOperation, fields: Mapping[str, str]) -> bool:
        """True for an input file of a batch that is to be kept here, or rewritten."""
        is_input = row.name == "files.create" and fields.get("purpose") == "batch"
        return is_input and (self._runner is not None or self._has_native)

    def may_answer(self, row: APIOperation) -> bool:
        """True for an operation that `answer` may have an answer to."""
        return row.collection in ("batches", "files")

    async def answer(
        self,
        caller: ApiCaller,
        request: ApiRequest,
        route: ServedRoute,
        upload: ReceivedUpload | None,
        summary: CallSummary,
    ) -> Reply | None:
        """The answer; None if the router has to answer.

        Whether the caller may call the route has been checked, and the request is counted.

        Args:
            upload: the form of a request that has files.
        """
        if upload is not None and not self.takes_form(route.row, upload.values):
            return None
        try:
            if upload is None:
                return await self._object(caller, request, route, summary)
            async with aclosing(upload.file()) as content:
                return await self._upload(
                    caller, request, content, upload.filename, upload.values, summary
                )
        except LineError as error:
            refused = invalid_request(error.message, param=error.param)
            return refusal(request, refused, summary)
        except AzureResponsesError as error:
            return refusal(request, error, summary)

    async def _object(
        self, caller: ApiCaller, request: ApiRequest, route: ServedRoute, summary: CallSummary
    ) -> Reply | None:
        """The answer to a request about files or batches that has no form."""
        named = next(iter(route.values.values()), None)
        reply = await self._own(caller, request, route.operation, named, summary)
        if reply is None and self._has_native and route.row.collection == "batches":
            is_new = route.operation == "batches.create"
            if is_new or named is not None:
                reply = await self._native.answer(caller, request, is_new=is_new)
        return reply

    async def _own(
        self,
        caller: ApiCaller,
        request: ApiRequest,
        operation: str,
        named: str | None,
        summary: CallSummary,
    ) -> Reply | None:
        """The answer about a file or batch that is kept here; None otherwise."""
        if self._runner is None:
            if operation == "batches.create" and not self._has_native:
                raise _not_available()
            return None
        if operation == "batches.create":
            return await self._create(self._runner, caller, request, summary)
        if operation == "batches.list":
            return await self._list(self._runner, caller, request, summary)
        if operation == "files.list":
            return await self._list_files(self._runner, caller, request, summary)
        if named is None:
            return None
        if operation.startswith("batches."):
            return await self._batch(self._runner, caller, operation, named, summary)
        return await self._file(self._runner, caller, operation, named, summary)

    async def _upload(
        self,
        caller: ApiCaller,
        request: ApiRequest,
        content: AsyncIterable[bytes],
        filename: str,
        fields: Mapping[str, str],
        summary: CallSummary,
    ) -> Reply:
        """Receive an input file that `takes_form` is true for.

        Args:
            content: the bytes of the file.
            filename: as it was sent.
            fields: of the form, those before the file at least.
        """
        first, content = await first_line(content)
        model = None if first is None else first.model
        end_user = object_end_user({}, request.headers)
        deployments = self._routing.batch_deployments(model or "")
        refuse_model(caller, model)
        if deployments and model is not None:
            summary.group = model
            with NativeUpload(self._router, caller, deployments) as native:
                body = await native.send(content, filename, fields, request.call_id, end_user)
            return json_reply(summary, body)
        if self._runner is None:
            raise _not_available()
        file = await store_input(self._runner, caller, filename, content, fields, end_user)
        return json_reply(summary, to_json(file.to_dict()))

    async def _batch(
        self,
        runner: BatchRunner,
        caller: ApiCaller,
        operation: str,
        name: str,
        summary: CallSummary,
    ) -> Reply | None:
        if operation == "batches.cancel":
            found = await runner.ask(runner.tables.cancel_batch, name, caller.owner, time.time())
        else:
            found = await runner.ask(runner.tables.find_batch, name, caller.owner)
        return None if found is None else _show(found, summary)

    async def _create(
        self, runner: BatchRunner, caller: ApiCaller, request: ApiRequest, summary: CallSummary
    ) -> Reply | None:
        body, tables = read_object(request.body), runner.tables
        file_id, now = body.get("input_file_id"), time.time()
        file = None
        if isinstance(file_id, str):
            file = await runner.ask(tables.find_file, file_id, caller.owner, now)
        if file is None and self._has_native:
            return None
        batch = read_request(body, new_id("batch_"), now)
        if file is None:
            raise NotFoundError(
                f"There is no file {batch.input_file_id[:200]!r}.",
                status_code=404,
                code="file_not_found",
                type="invalid_request_error",
                param="input_file_id",
                hint="Upload it here with purpose batch.",
            )
        if file.purpose != "batch":
            raise invalid_request("The file's purpose is not batch.", param="input_file_id")
        async with aclosing(_read(runner, file)) as content:
            # Another key of the owner may have uploaded it.
            first, _ = await first_line(content)
        refuse_model(caller, None if first is None else first.model)
        digest = digest_of(object_end_user(body, request.headers)) or file.end_user_digest
        await runner.ask(tables.add_batch, batch, caller.owner, caller.key_id, digest)
        runner.wake()
        summary.warnings = [_PRICE]
        return _show(StoredBatch(batch), summary)

    async def _list(
        self, runner: BatchRunner, caller: ApiCaller, request: ApiRequest, summary: CallSummary
    ) -> Reply | None:
        """A page of batches: those of the gateway first, then those of batch deployments."""
        query = dict(parse_qsl(request.query))
        after, limit = query.get("after"), _read_limit(query.get("limit", "20"))
        if after is not None and self._has_native and is_label(after):
            return None
        stored = await runner.ask(runner.tables.list_batches, caller.owner, after, limit + 1)
        own = [_shown(one) for one in stored]
        rest = _Rest(request, query) if self._has_native else None
        return await self._page(own, limit, rest, summary)

    async def _list_files(
        self, runner: BatchRunner, caller: ApiCaller, request: ApiRequest, summary: CallSummary
    ) -> Reply | None:
        """A page of files: those kept here first, then those of the resources."""
        query = dict(parse_qsl(request.query))
        after, limit = query.get("after"), _read_limit(query.get("limit", "20"))
        purpose = query.get("purpose")
        files = await runner.ask(runner.tables.list_files, caller.owner, time.time(), purpose)
        if query.get("order") == "asc":
            files.reverse()
        names = [file.id for file in files]
        if not names or (after is not None and after not in names):
            return None
        start = 0 if after is None else names.index(after) + 1
        own = [file.to_dict() for file in files[start : start + limit + 1]]
        return await self._page(own, limit, _Rest(request, query), summary)

    async def _page(
        self,
        own: Sequence[Mapping[str, Any]],
        limit: int,
        rest: "_Rest | None",
        summary: CallSummary,
    ) -> Reply:
        """A page of what is kept here, filled up by what the router lists."""
        data, has_more = [*own[:limit]], len(own) > limit
        if rest is not None and not has_more:
            request = rest.request_for(max(1, limit - len(data)))
            reply: Reply = await self._server.handle(request)
            # Who may use no resource has no objects there. Other failures must not look like an
            # end of the list.
            if reply.status >= 429:
                return reply
            if reply.status == 200:
                page = from_json(reply.body)
                has_more = bool(page.get("has_more"))
                if len(data) < limit:
                    data += page["data"]
                else:
                    has_more = bool(page["data"])
        return _show_page(data, has_more, summary)

    async def _file(
        self,
        runner: BatchRunner,
        caller: ApiCaller,
        operation: str,
        name: str,
        summary: CallSummary,
    ) -> Reply | None:
        file = await runner.ask(runner.tables.find_file, name, caller.owner, time.time())
        if file is None:
            return None
        if operation == "files.content":
            return _download(runner, file, summary)
        if operation == "files.retrieve":
            return json_reply(summary, to_json(file.to_dict()))
        await runner.ask(runner.tables.drop_file, file.id)
        deleted = {"id": file.id, "object": "file", "deleted": True}
        return json_reply(summary, to_json(deleted))


def _not_available() -> BadRequestError:
    return BadRequestError(
        "This gateway cannot execute batches: it has no database.",
        status_code=400,
        code="batches_not_available",
        type="invalid_request_error",
        hint=_NO_DATABASE,
    )


def _read_limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise invalid_request("limit is not a number from 1 to 100.", param="limit")
    return int(text)


@dataclass(frozen=True, slots=True)
class _Rest:
    """What the router lists, behind what is kept here."""

    request: ApiRequest
    query: Mapping[str, str]

    def request_for(self, limit: int) -> ApiRequest:
        """The request of its first page."""
        query = {**self.query, "limit": str(limit)}
        query.pop("after", None)
        return replace(self.request, query=urlencode(query), body=b"")


def _shown(stored: StoredBatch) -> dict[str, Any]:
    # What was spent, since the batch has no discount: see docs/batches.md.
    said = {
        "executed_by": "gateway",
        "discount": False,
        "cost": show_dollars(stored.cost, 6),
    }
    return {**stored.to_dict(), "azure_responses": said}


def _show(stored: StoredBatch, summary: CallSummary) -> Reply:
    return json_reply(summary, to_json(_shown(stored)))


def _show_page(data: Sequence[Mapping[str, Any]], has_more: bool, summary: CallSummary) -> Reply:
    page = {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }
    return json_reply(summary, to_json(page))


async def _read(runner: BatchRunner, file: KeptFile) -> AsyncGenerator[bytes, None]:
    place: int | None = 0
    while place is not None:
        piece, place = await runner.ask(runner.tables.read_file, file, place)
        if piece:
            yield piece


def _download(runner: BatchRunner, file: KeptFile, summary: CallSummary) -> Reply:
    summary.status = 200
    headers = [
        (b"content-type", b"application/jsonl"),
        (b"content-length", b"%d" % file.size),
        (b"x-content-type-options", b"nosniff"),
        *describe_call(summary, with_cost=False),
    ]
    return ApiReply(200, headers, AsyncStreamBody(_read(runner, file)), summary)
