"""What one attempt does at its target, awaited: labels are taken off, and put on the answer."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import ValidationError

from azure_responses._async.chat import AsyncChatCompletionStream, AsyncCompletions
from azure_responses._async.concurrency import compute
from azure_responses.errors import AzureResponsesError, ConfigurationError, CredentialError
from azure_responses.router._async.routed_stream import AsyncRoutedStream
from azure_responses.router.arguments import ChatOptions
from azure_responses.router.attempts import Answer, NotSent
from azure_responses.router.replay import MOST_TURNS
from azure_responses.router.requests import RouterRequest, Sent
from azure_responses.router.stream_outcome import (
    StreamOutcome,
    label_error,
    outcome_of,
    response_of,
)
from azure_responses.router.targets import AsyncTarget, AsyncTargets
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.timeouts import for_stream
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.result import Result

__all__ = ["AsyncLabelledAttempt"]


class AsyncLabelledAttempt:
    """One attempt of a create-like call.

    `create` is what the chat bridge takes for a client's.

    Args:
        request: what is asked.
        target: who is asked.
        call: the call so far.
        left: seconds it may take.
        targets: where a history is read.
        remember: puts an entry into the ledger.
    """

    def __init__(
        self,
        request: RouterRequest,
        target: AsyncTarget,
        call: RoutedCall,
        left: float | None,
        targets: AsyncTargets,
        remember: Callable[[LedgerEntry], None],
    ) -> None:
        self._request = request
        self._target = target
        self._call = call
        self._left = left
        self._targets = targets
        self._remember = remember
        self._answer: Answer[Any] | None = None
        self.stream: AsyncRoutedStream[Any] | None = None

    async def send(self, operation: str, **more: Any) -> Answer[Any]:
        """`create`, `parse` or `compact`, not streamed."""
        await self.find_history()
        await self._send(
            operation, self._request.sent_by(self._target, self._call, self._left), **more
        )
        assert self._answer is not None
        return self._answer

    async def open(self, **more: Any) -> Answer[AsyncRoutedStream[Any]]:
        """`create`, streamed: returns once output has begun."""
        await self.find_history()
        stream = await self._open(
            self._request.sent_by(self._target, self._call, self._left), **more
        )
        assert self._answer is not None
        return Answer(stream, self._answer.outcome, self._answer.entry)

    async def chat(self, options: ChatOptions, *, stream: bool) -> Answer[Any]:
        """A chat completion; streamed, it returns once output has begun."""
        await self.find_history()
        deployment = self._target.deployment
        # The bridge only ever calls `create`.
        responses: Any = self
        completions: Any = AsyncCompletions(
            responses,
            deployment=None,
            resource_tag=deployment.resource,
            drop_params=options.drop_params or self._target.drops_params,
            reasoning_cache=options.reasoning_cache,
            knowledge=options.knowledge_of(deployment),
        )
        result: ChatCompletion | AsyncChatCompletionStream
        try:
            result = await completions.create(
                model=deployment.name_for(self._call.group),
                stream=stream,
                **self._request.body_for(deployment),
                **self._request.options,
            )
        except CredentialError:
            raise
        except ConfigurationError as error:
            raise NotSent(error) from error
        assert self._answer is not None
        return Answer(result, self._answer.outcome, self._answer.entry)

    async def create(self, /, *, stream: bool = False, **bridged: Any) -> Any:
        """`client.responses.create` with the arguments the bridge made."""
        sent = await compute(self._request.sent_by, self._target, self._call, self._left, bridged)
        if stream:
            return await self._open(sent)
        return await self._send("create", sent)

    async def _send(self, operation: str, sent: Sent, **more: Any) -> Any:
        perform = getattr(self._target.client.responses, operation)
        unparsed: ValidationError | None = None
        began = time.monotonic()
        try:
            result: Result = await perform(**sent.parameters, **more)
        except CredentialError:
            raise
        except ConfigurationError as error:
            raise NotSent(error) from error
        except ValidationError as error:
            # The deployment has answered, and what it answered is not of the caller's type.
            result, unparsed = response_of(error), error
        except AzureResponsesError as error:
            label_error(error, sent.labels)
            raise
        headers = result.headers if self._request.reader.reads_headers else {}
        outcome = outcome_of(result, headers, time.monotonic() - began)
        entry = self._request.entry(getattr(result, "id", ""), self._target.deployment)
        labelled = sent.labels.label(result)
        self._answer = Answer(labelled if unparsed is None else unparsed, outcome, entry)
        return result

    async def _open(self, sent: Sent, **more: Any) -> AsyncRoutedStream[Any]:
        request, own = self._request, self._target.deployment.timeout
        sent.parameters["timeout"] = for_stream(request.timeout, self._left, own)
        outcome_so_far = StreamOutcome(
            is_background=request.is_background,
            # Not a method of ours: the stream would then keep itself alive, and its connection.
            entry_of=partial(request.entry, deployment=self._target.deployment),
            remember=self._remember,
        )
        try:
            stream_of = self._target.client.responses.stream
            inner = await compute(stream_of, **sent.parameters, **more)
            stream = AsyncRoutedStream(inner, sent.labels, outcome_so_far)
            outcome = await stream.begin()
        except CredentialError:
            raise
        except ConfigurationError as error:
            raise NotSent(error) from error
        self.stream = stream
        self._answer = Answer(stream, outcome, outcome_so_far.entry(inner) if outcome else None)
        return stream

    async def find_history(self) -> None:
        """Get what the response that is continued held, where this attempt has to carry it."""
        request = self._request
        if not self._call.replays_history or request.history is not None:
            return
        try:
            request.history = await self._read_history(request.continued_id)
        except AzureResponsesError as error:
            reason = f" and does not give it out either: {error.message}"
            raise NotSent(request.nothing_to_replay(reason)) from error

    async def _read_history(self, response_id: str | None) -> list[Any]:
        """The turns up to a stored response, the oldest first, as far as its resource tells."""
        origin = self._request.origin()
        if origin is None or response_id is None:
            raise ConfigurationError("No entry of model_list is on its resource.")
        responses = self._targets.of(origin).client.responses
        turns: list[list[Any]] = []
        while response_id is not None and len(turns) < MOST_TURNS:
            # The turns together may take no longer than the call.
            left = self._call.attempt_timeout(time.monotonic())
            response = await responses.retrieve(response_id, timeout=left)
            pages = responses.input_items.list(response_id, order="asc", limit=100, timeout=left)
            turns.append([*[item async for item in pages], *response.output])
            response_id = response.previous_response_id
        return [item for turn in reversed(turns) for item in turn]
