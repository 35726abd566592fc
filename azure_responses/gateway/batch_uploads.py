"""Input files of batches as they are uploaded: kept here, or sent to a batch deployment.

The model of the first line decides. A file for a batch deployment is written to a temporary file
first: each line is rewritten for the deployment and its resource, the ids in all lines say which
resource that is, and nothing is sent of a file that is not received whole.
"""

import asyncio
import random
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO

from azure_responses.batches.lines import MOST_BYTES, BatchLine, LineError, LineSplitter, read_line
from azure_responses.batches.rewriting import rewrite_request
from azure_responses.errors import BadRequestError
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.openai_server.request_json import invalid_request, refuse_connection_fields
from azure_responses.protocol.object_request import Form, FormFile
from azure_responses.protocol.object_table import OBJECT_OPERATIONS
from azure_responses.router import Router
from azure_responses.router._async.object_calls import AsyncRoutedObjects
from azure_responses.router.routed_object import ObjectCall
from azure_responses.router.routed_request import RoutedRequest
from azure_responses.routing.deployment import Deployment

__all__ = ["NativeUpload", "first_line"]

_PIECE = 1024 * 1024
_SENT = ("purpose", "expires_after")


async def first_line(
    content: AsyncIterable[bytes],
) -> tuple[BatchLine | None, AsyncGenerator[bytes, None]]:
    """The first request of a file, and the whole file to be read from its beginning.

    None where the file has none that can be read: the batch reports its errors.
    """
    held, pieces = bytearray(), aiter(content)
    while b"\n" not in held.lstrip() and len(held) < _PIECE * 16:
        try:
            held += await anext(pieces)
        except StopAsyncIteration:
            break
    found = None
    with suppress(LineError):
        found = read_line(bytes(held).lstrip().split(b"\n", 1)[0].removesuffix(b"\r"), 1)

    async def whole() -> AsyncGenerator[bytes, None]:
        yield bytes(held)
        async for piece in pieces:
            yield piece

    return found, whole()


class NativeUpload:
    """One input file on its way to a batch deployment; a context manager.

    Args:
        router: knows the deployments and reads ids.
        caller: whose file it is.
        deployments: that may execute it.
    """

    def __init__(
        self, router: Router, caller: ApiCaller, deployments: Sequence[Deployment]
    ) -> None:
        self._router = router
        self._reader = router.parts.reader
        self._caller = caller
        self._deployments = list(deployments)
        # Closed with this object.
        self._received: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._written: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115

    def __enter__(self) -> "NativeUpload":
        return self

    def __exit__(self, *_: object) -> None:
        self._received.close()
        self._written.close()

    async def send(
        self,
        content: AsyncIterable[bytes],
        filename: str,
        fields: Mapping[str, str],
        call_id: str | None,
        end_user: str | None = None,
    ) -> bytes:
        """Upload the file; returns the answer, whose id names the resource.

        Args:
            content: the bytes of the file.
            filename: as it was sent.
            fields: of the form.
            call_id: of the request.
            end_user: for whom it is, so that a purge finds it.

        Raises:
            BadRequestError: it is too long, or its lines name objects of different resources.
            AzureResponsesError: what the service or the network ends with.
        """
        size = 0
        async for piece in content:
            size += len(piece)
            if size > MOST_BYTES:
                megabytes = MOST_BYTES // 1024 // 1024
                raise invalid_request(
                    f"The file has more than {megabytes} MB.", param="file", code="file_too_large"
                )
            await asyncio.to_thread(self._received.write, piece)
        deployment = await asyncio.to_thread(self._rewrite)
        return await self._upload(deployment, filename, fields, call_id, end_user)

    def _rewrite(self) -> Deployment:
        """Choose the deployment by the ids of all lines, and write the lines for it."""
        for line, _ in self._lines():
            if line is not None:
                self._follow(self._read(line))
        deployment = random.choice(self._deployments)
        name = deployment.name_for(deployment.group)
        for line, text in self._lines():
            if line is not None:
                ids = self._read(line).ids
                body = line.body if ids is None else ids.unlabel(deployment.resource).body
                text = rewrite_request(text, body, name)
            self._written.write(text + b"\n")
        self._written.seek(0)
        return deployment

    def _read(self, line: BatchLine) -> RoutedRequest:
        """The resources and deployments that the ids of a request name."""
        body = dict(line.body)
        refuse_connection_fields(body, {})
        owner = self._caller.owner
        is_chat = line.url.endswith("/chat/completions")
        return self._reader.read(
            {**body, "model": line.model or self._deployments[0].group}
            | ({} if owner is None else {"owner": owner}),
            operation="chat" if is_chat else "create",
            caller="chat" if is_chat else "responses",
            must_own=owner is not None,
        )

    def _follow(self, request: RoutedRequest) -> None:
        """Keep only the deployments that have the objects of a request."""
        pin = request.route_request.pin
        if pin is None or pin.is_wish:
            return
        left = [one for one in self._deployments if one.resource in pin.resources]
        if not left:
            raise BadRequestError(
                f"{pin.field} of a line names something of a resource without a batch deployment "
                "of the model, or of another resource than the lines before.",
                status_code=400,
                code="invalid_request_error",
                type="invalid_request_error",
                param=pin.field,
                hint="Write lines about objects of one resource into a file of their own.",
            )
        self._deployments = left

    def _lines(self) -> Iterator[tuple[BatchLine | None, bytes]]:
        """Each line and its text; the line is None if it is not a valid request."""
        self._received.seek(0)
        splitter, number = LineSplitter(), 0
        while piece := self._received.read(_PIECE):
            for text in splitter.feed(piece):
                number += 1
                yield _request_of(text, number), text
        for text in splitter.end():
            yield _request_of(text, number + 1), text

    async def _upload(
        self,
        deployment: Deployment,
        filename: str,
        fields: Mapping[str, str],
        call_id: str | None,
        end_user: str | None,
    ) -> bytes:
        caller = self._caller
        sent = {name: value for name, value in fields.items() if name.startswith(_SENT)}
        given = (filename or "batch.jsonl", self._written, "application/jsonl")
        call = ObjectCall(
            OBJECT_OPERATIONS["files.create"],
            body=sent,
            form=Form(list(sent.items()), [FormFile("file", given)]),
            model=deployment.group,
            owner=caller.owner,
            must_own=caller.owner is not None,
            may_call=caller.may_call,
            call_id=call_id,
            end_user=end_user,
        )
        routed = self._reader.objects.read(call).at(deployment.resource)
        calls = self._router.parts.async_calls
        reply = await AsyncRoutedObjects(calls).forward(routed)
        assert isinstance(reply.body, bytes)
        return reply.body


def _request_of(text: bytes, number: int) -> BatchLine | None:
    try:
        return read_line(text, number)
    except LineError:
        return None
