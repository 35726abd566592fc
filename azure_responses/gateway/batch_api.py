"""The routes of batches that the gateway executes, and of their files.

What is not here, such as a batch of a batch deployment, is left to the router.
"""

import re
import time
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote

from pydantic_core import to_json

from azure_responses.batches.batch import read_request
from azure_responses.batches.lines import MOST_BYTES, LineError
from azure_responses.errors import AzureResponsesError, BadRequestError, NotFoundError
from azure_responses.gateway.admission import check_model
from azure_responses.gateway.batch_records import StoredBatch, StoredFile
from azure_responses.gateway.batch_runner import BatchRunner, new_id
from azure_responses.gateway.batch_uploads import NativeUpload, first_line
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.spend import show_dollars
from azure_responses.openai_server import ApiReply, ApiRequest, CallSummary
from azure_responses.openai_server.exchange import AsyncStreamBody
from azure_responses.openai_server.replies import describe_call, json_reply, refusal
from azure_responses.openai_server.request_json import invalid_request, read_object
from azure_responses.openai_server.route import MethodNotAllowedError
from azure_responses.router import Router

__all__ = ["BatchAPI", "concerns"]

_PATH = re.compile(
    r"(?:/openai)?(?:/v1)?/(files|batches)(?:/([^/]+)(?:/(content|cancel))?)?/?", re.ASCII
)
_PART = 512 * 1024
_MOST_FILES = 500
_EXPIRY = range(3600, 30 * 86_400 + 1)
_PRICE = (
    "The gateway executes this batch by single calls, at their price: "
    "the discount of batches is given by batch deployments only."
)
_NO_DATABASE = (
    "Set general_settings.database_url, so that the gateway can execute batches and keep their "
    "files, or add a batch deployment (model_info.mode: batch)."
)

_Asked = tuple[str, str, str | None, str | None]
Reply = ApiReply[Any]


def concerns(path: str) -> bool:
    """True for a path of batches or files, whoever serves it."""
    return "/batches" in path or "/files" in path


class BatchAPI:
    """Answers requests; used from one event loop.

    Args:
        runner: runs the batches; None where there is no database.
        router: knows the batch deployments.
    """

    def __init__(self, runner: BatchRunner | None, router: Router) -> None:
        self._runner = runner
        self._router = router
        self._routing = router.parts.reader.routing
        self._has_native = any(
            self._routing.batch_deployments(name) for name in self._routing.groups
        )

    def takes_form(self, fields: Mapping[str, str]) -> bool:
        """True for an input file of a batch that is to be kept here, or rewritten."""
        return fields.get("purpose") == "batch" and (self._runner is not None or self._has_native)

    async def answer(self, caller: ApiCaller, request: ApiRequest) -> Reply | None:
        """The answer; None for what the router has to answer."""
        match = _PATH.fullmatch(request.path)
        if match is None:
            return None
        named = None if match[2] is None else unquote(match[2])
        asked: _Asked = (request.method, match[1], named, match[3])
        summary = CallSummary(request.call_id or "", _operation(asked), owner=caller.owner)
        try:
            if self._runner is None:
                return self._without_database(asked)
            if match[1] == "batches":
                return await self._batches(self._runner, caller, request, asked, summary)
            return await self._files(self._runner, caller, asked, summary)
        except LineError as error:
            refused = invalid_request(error.message, param=error.param)
            return refusal(request, refused, summary)
        except AzureResponsesError as error:
            return refusal(request, error, summary)

    async def upload(
        self,
        caller: ApiCaller,
        request: ApiRequest,
        content: AsyncIterable[bytes],
        filename: str,
        fields: Mapping[str, str],
    ) -> Reply:
        """Receive an input file that `takes_form` is true for.

        Args:
            content: the bytes of the file.
            filename: as it was sent.
            fields: of the form, those before the file at least.
        """
        summary = CallSummary(request.call_id or "", "files.create", owner=caller.owner)
        try:
            first, content = await first_line(content)
            model = None if first is None else first.model
            deployments = self._routing.batch_deployments(model or "")
            if deployments and model is not None:
                refused = check_model(caller, model)
                if refused is not None:
                    raise BadRequestError(
                        str(refused.body["error"]["message"]),
                        status_code=refused.status,
                        code=refused.code,
                        type="permission_denied",
                    )
                summary.group = model
                with NativeUpload(self._router, caller, deployments) as native:
                    body = await native.send(content, filename, fields, request.call_id)
                return json_reply(summary, body)
            if self._runner is None:
                raise _not_available()
            file = await self.store(caller, filename, content, fields)
            return json_reply(summary, to_json(file.to_dict()))
        except AzureResponsesError as error:
            return refusal(request, error, summary)

    async def store(
        self,
        caller: ApiCaller,
        filename: str,
        content: AsyncIterable[bytes],
        fields: Mapping[str, str],
    ) -> StoredFile:
        """Keep an input file.

        Args:
            content: the bytes of the file.
            fields: of the form, for `expires_after[seconds]`.

        Raises:
            BadRequestError: it is too long, or the caller has too many.
        """
        assert self._runner is not None
        ask, tables = self._runner.ask, self._runner.tables
        now, expires = time.time(), _read_expiry(fields)
        known = await ask(tables.list_files, caller.owner, now, "batch")
        if expires is None and sum(file.expires is None for file in known) >= _MOST_FILES:
            raise invalid_request(
                f"There are {_MOST_FILES} batch files that do not expire.",
                code="quota_exceeded",
                hint="Delete some, or send expires_after.",
            )
        until = None if expires is None else now + expires
        file = StoredFile(new_id("file-"), caller.owner, "batch", filename[:512], 0, now, until)
        await ask(tables.add_file, file)
        try:
            size = await self._store_parts(file.id, content)
        except BaseException:
            await ask(tables.drop_file, file.id)
            raise
        await ask(tables.finish_file, file.id, size)
        found = await ask(tables.find_file, file.id, caller.owner, now)
        assert found is not None
        return found

    async def _store_parts(self, file_id: str, content: AsyncIterable[bytes]) -> int:
        assert self._runner is not None
        ask, tables = self._runner.ask, self._runner.tables
        held, size, number = bytearray(), 0, 0
        async for piece in content:
            held += piece
            size += len(piece)
            if size > MOST_BYTES:
                megabytes = MOST_BYTES // 1024 // 1024
                raise invalid_request(
                    f"The file has more than {megabytes} MB.", param="file", code="file_too_large"
                )
            while len(held) >= _PART:
                await ask(tables.add_part, file_id, number, bytes(held[:_PART]))
                number += 1
                del held[:_PART]
        if held:
            await ask(tables.add_part, file_id, number, bytes(held))
        return size

    def _without_database(self, asked: _Asked) -> Reply | None:
        if asked[:2] == ("POST", "batches") and asked[2] is None and not self._has_native:
            raise _not_available()
        return None

    async def _batches(
        self,
        runner: BatchRunner,
        caller: ApiCaller,
        request: ApiRequest,
        asked: _Asked,
        summary: CallSummary,
    ) -> Reply | None:
        method, _, name, action = asked
        if name is None:
            if method == "POST":
                return await self._create(runner, caller, request, summary)
            _check_method(request, "GET", "POST")
            return await self._list(runner, caller, request, summary)
        if action == "cancel":
            _check_method(request, "POST")
            found = await runner.ask(runner.tables.cancel_batch, name, caller.owner, time.time())
        else:
            _check_method(request, "GET")
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
        await runner.ask(tables.add_batch, batch, caller.owner, caller.key_id)
        runner.wake()
        summary.warnings = [_PRICE]
        return _show(StoredBatch(batch), summary)

    async def _list(
        self, runner: BatchRunner, caller: ApiCaller, request: ApiRequest, summary: CallSummary
    ) -> Reply:
        query = parse_qs(request.query)
        after, limit = query.get("after", [None])[0], _read_limit(query.get("limit", ["20"])[0])
        found = await runner.ask(runner.tables.list_batches, caller.owner, after, limit + 1)
        return _show_page([one.to_dict() for one in found[:limit]], len(found) > limit, summary)

    async def _files(
        self, runner: BatchRunner, caller: ApiCaller, asked: _Asked, summary: CallSummary
    ) -> Reply | None:
        method, _, name, action = asked
        if name is None:
            return None
        file = await runner.ask(runner.tables.find_file, name, caller.owner, time.time())
        if file is None:
            return None
        if action == "content" and method == "GET":
            return _download(runner, file, summary)
        if action is None and method == "GET":
            return json_reply(summary, to_json(file.to_dict()))
        if action is None and method == "DELETE":
            await runner.ask(runner.tables.drop_file, file.id)
            deleted = {"id": file.id, "object": "file", "deleted": True}
            return json_reply(summary, to_json(deleted))
        return None


def _not_available() -> BadRequestError:
    return BadRequestError(
        "This gateway cannot execute batches: it has no database.",
        status_code=400,
        code="batches_not_available",
        type="invalid_request_error",
        hint=_NO_DATABASE,
    )


def _operation(asked: _Asked) -> str:
    method, collection, name, action = asked
    if action is not None:
        return f"{collection}.{action}"
    if name is None:
        return f"{collection}.{'create' if method == 'POST' else 'list'}"
    return f"{collection}.{'delete' if method == 'DELETE' else 'retrieve'}"


def _check_method(request: ApiRequest, *allowed: str) -> None:
    if request.method not in allowed:
        raise MethodNotAllowedError(request.method, request.path, allowed)


def _read_limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise invalid_request("limit is not a number from 1 to 100.", param="limit")
    return int(text)


def _read_expiry(fields: Mapping[str, str]) -> int | None:
    text = fields.get("expires_after[seconds]")
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 9 or int(text) not in _EXPIRY:
        raise invalid_request(
            f"expires_after[seconds] is not from {_EXPIRY[0]} to {_EXPIRY[-1]}.",
            param="expires_after",
        )
    return int(text)


def _show(stored: StoredBatch, summary: CallSummary) -> Reply:
    shown = stored.to_dict()
    # What was spent, since the batch has no discount: see docs/batches.md.
    shown["azure_responses"] = {
        "executed_by": "gateway",
        "discount": False,
        "cost": show_dollars(stored.cost, 6),
    }
    return json_reply(summary, to_json(shown))


def _show_page(data: Sequence[Mapping[str, Any]], has_more: bool, summary: CallSummary) -> Reply:
    page = {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }
    return json_reply(summary, to_json(page))


def _download(runner: BatchRunner, file: StoredFile, summary: CallSummary) -> Reply:
    async def pieces() -> AsyncGenerator[bytes, None]:
        place: int | None = 0
        while place is not None:
            piece, place = await runner.ask(runner.tables.read_file, file, place)
            if piece:
                yield piece

    summary.status = 200
    headers = [
        (b"content-type", b"application/jsonl"),
        (b"content-length", b"%d" % file.size),
        (b"x-content-type-options", b"nosniff"),
        *describe_call(summary, with_cost=False),
    ]
    return ApiReply(200, headers, AsyncStreamBody(pieces()), summary)
