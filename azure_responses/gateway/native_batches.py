"""Batches of batch deployments: their model is checked at the start, their price at the end."""

from contextlib import aclosing
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from azure_responses.batches.batch import ENDED
from azure_responses.errors import BadRequestError
from azure_responses.gateway.admission import check_model
from azure_responses.gateway.background_prices import BackgroundPrices
from azure_responses.gateway.batch_price import pieces_of, read_batch
from azure_responses.gateway.batch_uploads import first_line
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.openai_server import ApiReply, ApiRequest, AsyncOpenAIServer
from azure_responses.openai_server.request_json import read_object
from azure_responses.router import Router
from azure_responses.routing.deployment import Deployment

__all__ = ["NativeBatches", "refuse_model"]

Reply = ApiReply[Any]


class NativeBatches:
    """Passes calls about batches on; used from one event loop.

    Args:
        router: knows the batch deployments.
        server: makes the calls.
        prices: counts what batches have cost, once they have ended.
    """

    def __init__(
        self,
        router: Router,
        server: AsyncOpenAIServer,
        prices: BackgroundPrices,
    ) -> None:
        self._router = router
        self._server = server
        self._prices = prices

    async def answer(self, caller: ApiCaller, request: ApiRequest, *, is_new: bool) -> Reply:
        """The answer to a request that makes, shows or cancels a batch.

        Raises:
            AzureResponsesError: the key may not begin one, or the request is invalid.
        """
        refused = await self._refuse_file(caller, request) if is_new else None
        if refused is not None:
            return refused
        reply: Reply = await self._server.answer(self._server.read(request))
        batch = read_batch(reply)
        found = None
        if batch is not None:
            affinity = self._router.parts.reader.affinity
            found = affinity.read_id(str(batch.get("id")), caller.owner)
        if batch is None or found is None:
            return reply
        if is_new:
            deployment = self._batch_deployment(found.resource)
            if deployment is not None:
                reply.summary.group = deployment.group
                await self._prices.open(caller, reply.summary, batch, deployment=deployment)
        elif batch.get("status") in ENDED:
            await self._prices.look_at(found.inner)
        return reply

    async def _refuse_file(self, caller: ApiCaller, request: ApiRequest) -> Reply | None:
        """The failure to read the input file; None if its batch may begin.

        Raises BadRequestError if the caller may not call the model of the file.
        """
        file_id = read_object(request.body).get("input_file_id")
        if not caller.models or not isinstance(file_id, str):
            return None
        found = self._router.parts.reader.affinity.read_id(file_id, caller.owner)
        if found is None:
            return None
        # Another key of the owner may have uploaded it, and an upload in parts is not read.
        path = f"/v1/files/{quote(file_id, safe='')}/content"
        asked = replace(request, method="GET", path=path, query="", body=b"")
        reply: Reply = await self._server.handle(asked)
        if reply.status != 200:
            return reply
        async with aclosing(pieces_of(reply.body)) as content:
            first, _ = await first_line(content)
        model = None if first is None else first.model
        routing = self._router.parts.reader.routing
        there = routing.of_resource(found.resource)
        groups = [one.group for one in there if one.is_batch and one.name_for(one.group) == model]
        if not any(routing.callable_name(group, caller.may_call) for group in groups):
            refuse_model(caller, groups[0] if groups else model)
        return None

    def _batch_deployment(self, resource: str) -> Deployment | None:
        there = self._router.parts.reader.routing.of_resource(resource)
        return next((one for one in there if one.is_batch), None)


def refuse_model(caller: ApiCaller, model: str | None) -> None:
    """Raise BadRequestError for a model that the caller may not call."""
    refused = check_model(caller, model)
    if refused is not None:
        error = refused.body["error"]
        raise BadRequestError(
            str(error["message"]), status_code=refused.status, code=refused.code, type=error["type"]
        )
