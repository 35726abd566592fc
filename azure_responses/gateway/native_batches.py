"""Batches of batch deployments: admitted when they begin, priced when they have ended."""

import time
from typing import Any

from azure_responses.batches.batch import ENDED
from azure_responses.errors import BadRequestError
from azure_responses.gateway.admission import Admission, Admitted
from azure_responses.gateway.asgi_reply import ErrorResponse
from azure_responses.gateway.background_prices import BackgroundPrices
from azure_responses.gateway.batch_price import read_batch
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.openai_server import ApiReply, ApiRequest, AsyncOpenAIServer
from azure_responses.openai_server.request_json import read_object
from azure_responses.router import Router
from azure_responses.routing.deployment import Deployment

__all__ = ["NativeBatches", "error_of"]

Reply = ApiReply[Any]


class NativeBatches:
    """Passes calls about batches on; used from one event loop.

    Args:
        router: knows the batch deployments.
        server: makes the calls.
        prices: counts what batches have cost, once they have ended.
        admission: lets keys begin them.
    """

    def __init__(
        self,
        router: Router,
        server: AsyncOpenAIServer,
        prices: BackgroundPrices,
        admission: Admission,
    ) -> None:
        self._router = router
        self._server = server
        self._prices = prices
        self._admission = admission

    async def answer(self, caller: ApiCaller, request: ApiRequest, *, is_new: bool) -> Reply:
        """The answer to a request that makes, shows or cancels a batch.

        Raises:
            AzureResponsesError: the key may not begin one, or the request is invalid.
        """
        admitted = self._admit(caller, request) if is_new else None
        try:
            reply: Reply = await self._server.answer(self._server.read(request))
        finally:
            if admitted is not None:
                self._admission.settle(admitted, tokens=0)
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

    def _admit(self, caller: ApiCaller, request: ApiRequest) -> Admitted | None:
        """Let a key begin a batch at a batch deployment.

        Raises BadRequestError where it may not call the model, or its budget is spent.
        """
        file_id = read_object(request.body).get("input_file_id")
        found = None
        if isinstance(file_id, str):
            found = self._router.parts.reader.affinity.read_id(file_id, caller.owner)
        deployment = None if found is None else self._batch_deployment(found.resource)
        if deployment is None:
            return None
        admitted = self._admission.admit(
            caller,
            model=deployment.group,
            tokens=0,
            cost=0,
            now=time.time(),
            tick=time.monotonic(),
        )
        if isinstance(admitted, ErrorResponse):
            raise error_of(admitted)
        return admitted

    def _batch_deployment(self, resource: str) -> Deployment | None:
        there = self._router.parts.reader.routing.of_resource(resource)
        return next((one for one in there if one.is_batch), None)


def error_of(refused: ErrorResponse) -> BadRequestError:
    """The exception of a refusal."""
    error = refused.body["error"]
    return BadRequestError(
        str(error["message"]),
        status_code=refused.status,
        code=refused.code,
        type=error["type"],
        retry_after=refused.retry_after,
    )
