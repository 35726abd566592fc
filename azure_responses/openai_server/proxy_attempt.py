"""What both shells note of an attempt, an answer and a stream, without waiting for anything."""

import math
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic_core import to_json

from azure_responses.bridge import (
    ReasoningKnowledge,
    is_reasoning_model_name,
    without_sampling,
)
from azure_responses.errors import (
    APIStatusError,
    AzureResponsesError,
    ConfigurationError,
    InternalServerError,
    NotFoundError,
    ResponseFailedError,
    UnsupportedOperationError,
)
from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.openai_server.raw_calls import RawCalls
from azure_responses.openai_server.raw_stream import RawStream
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.openai_server.upstream_result import (
    entry_of,
    failure_of,
    outcome_of,
    read_answer,
    stored_ids,
    stream_failure,
    tokens_of,
)
from azure_responses.protocol.call import Call
from azure_responses.protocol.http_message import Reply
from azure_responses.router.attempts import OpenAttempt
from azure_responses.router.replay import as_continuation
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.id_rewriter import IdRewriter
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Outcome
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.transport import Timeout, patience_of
from azure_responses.types.response import Response
from azure_responses.types.result import Result

__all__ = [
    "Abandoned",
    "Dropping",
    "FailedAnswer",
    "UpstreamResult",
    "ProxyAttempt",
    "note_attempt",
    "resumption_pause",
    "settle_stream",
    "shorter",
    "shows_group",
    "unusable_credential",
]

# Operations that Azure has on some of its surfaces only.
_NOT_EVERYWHERE = frozenset({"compact", "input_tokens"})
_ROUTERS = frozenset({"model-router", "model_router"})
# A dropped stream of a background response is read on from its last event: how often without a
# further one, and after how long.
_MOST_RESUMPTIONS = 6
_RESUME_SECONDS = 0.1
_LONGEST_RESUME_SECONDS = 4.0


class Abandoned:
    """What a watch is told of a stream that nobody wanted the rest of."""

    final_response = None

    def __init__(self, headers: Mapping[str, str], partial: Any) -> None:
        self.headers = headers
        self.partial_response = partial


class FailedAnswer(ResponseFailedError):
    """A response that Azure says has failed, to be shown as Azure said it.

    `answer` is a `UpstreamResult`, or of a stream the events.
    """

    def __init__(self, error: ResponseFailedError, answer: Any) -> None:
        super().__init__(
            error.message, code=error.code, request_id=error.request_id, hint=error.hint
        )
        self.answer = answer


class UpstreamResult:
    """A whole answer as JSON, unlabelled so far."""

    __slots__ = ("body", "headers", "labels", "size", "status")

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        body: dict[str, Any],
        labels: IdRewriter,
        size: int = 0,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.labels = labels
        self.size = size

    def finish(self, summary: CallSummary) -> bytes:
        """The JSON for the caller: with labels, and the model named as they named it."""
        body = self.labels.label(self.body)
        # Azure's own name of the model is what it is priced by.
        summary.result = {**body}
        if "model" in body and shows_group(summary):
            body["model"] = summary.group
        return to_json(body)


class Dropping(NamedTuple):
    """What is left out of a request to one deployment.

    Attributes:
        knowledge: what is known of its reasoning.
        drops_params: leave out what a model that reasons refuses.
    """

    knowledge: ReasoningKnowledge
    drops_params: bool

    def apply(
        self, body: Mapping[str, Any], deployment: Deployment, name: str
    ) -> tuple[Mapping[str, Any], list[str]]:
        """The body without it, the very same where nothing is left out, and what was."""
        dropped = deployment.dropped_params
        if not dropped.isdisjoint(body):
            body = {name: value for name, value in body.items() if name not in dropped}
        if not self.drops_params or not self._reasons(body, deployment, name):
            return body, []
        return without_sampling(body)

    def _reasons(self, body: Mapping[str, Any], deployment: Deployment, name: str) -> bool:
        known = self.knowledge.of(name)
        if known is not None:
            return known
        return bool(body.get("reasoning")) or is_reasoning_model_name(deployment.base_model or name)


class ProxyAttempt:
    """One attempt on one deployment, and what it sends."""

    def __init__(
        self,
        served: ServedRequest,
        deployment: Deployment,
        routed: RoutedCall,
        raw_calls: RawCalls,
        dropping: "Dropping",
    ) -> None:
        self.deployment = deployment
        self._dropping = dropping
        self.began = time.monotonic()
        self.raw_calls = raw_calls
        self._served = served
        self._routed = routed
        note_attempt(served.summary, deployment, routed)
        self.labels: IdRewriter
        self.call: Call
        if served.stored is not None:
            self._prepare_stored(served)
        else:
            self._prepare_posted(served)

    def open_stream(self) -> RawStream:
        """The state of the stream that answers."""
        summary, body = self._served.summary, self._served.body
        is_background = body.get("background") is True or self._served.stored is not None
        name = summary.group if shows_group(summary) else None
        return RawStream(self.labels, model=name, shows_queue=is_background)

    def read(self, reply: Reply, now: float) -> UpstreamResult:
        """The answer in a reply; `now` is unix seconds.

        Raises:
            FailedAnswer: the response has failed for a reason no HTTP status stands for.
            APIStatusError: it has failed for one, or the reply is none.
        """
        body = read_answer(self.call, reply, now)
        answer = UpstreamResult(reply.status, reply.headers, body, self.labels, len(reply.body))
        failure = failure_of(self.call, body, reply.headers, now)
        if isinstance(failure, ResponseFailedError):
            raise FailedAnswer(failure, answer)
        if failure is not None:
            raise failure
        return answer

    def explain_missing(self, error: NotFoundError) -> APIStatusError:
        """What a 404 stands for: an operation that the deployment's API does not offer.

        That is the request's fault, and no reason to leave the deployment alone for a while.
        """
        if self._served.operation not in _NOT_EVERYWHERE or type(error) is not NotFoundError:
            return error
        return UnsupportedOperationError(
            f"The deployment does not offer {self._served.operation}.",
            status_code=404,
            code="unsupported_operation",
            type="invalid_request_error",
            request_id=error.request_id,
            region=error.region,
        )

    def note_failure(self, error: BaseException) -> None:
        """The attempt failed: it took its time, and may name ids the caller does not know."""
        self.note_latency()
        if isinstance(error, AzureResponsesError):
            self.label_error(error)

    def note_latency(self) -> float:
        """Seconds since the attempt began, which count as Azure's."""
        latency = time.monotonic() - self.began
        self._served.summary.upstream_seconds += latency
        return latency

    def outcome(self, answer: Mapping[str, Any], headers: Mapping[str, str]) -> Outcome:
        """What routing looks at; reading a stored response uses no tokens up."""
        latency = self.note_latency()
        stored = self._served.stored
        if stored is not None:
            if self._served.operation == "delete":
                self.raw_calls.note_deleted(stored.inner)
            # Made in the background, its tokens are known only now.
            ids, tokens = stored_ids(answer), tokens_of(answer)
            return Outcome(headers, 0, latency, stored_ids=ids, stored_tokens=tokens)
        return outcome_of(answer, headers, latency)

    def entry(self, answer: Mapping[str, Any] | None) -> LedgerEntry | None:
        """What the ledger remembers; has to be asked before labels are put on the answer."""
        served = self._served
        found = answer.get("id") if answer is not None else None
        if served.operation != "create" or not isinstance(found, str):
            return None
        self.raw_calls.note_created(found, time.monotonic())
        summary, reading = served.summary, served.reading
        if summary.end_user is None:
            return None
        assert reading is not None
        return entry_of(
            answer if reading.is_stored else None,
            self.deployment,
            response_id=found,
            end_user=summary.end_user,
            owner=summary.owner,
            now=time.time(),
        )

    def failure_of(
        self, state: RawStream, headers: Mapping[str, str]
    ) -> AzureResponsesError | None:
        """The error that a stream has ended with, or None."""
        return stream_failure(self.call, state, headers, time.time())

    def resumption(self, state: RawStream) -> Call | None:
        """Asks for what follows the last event of a background response's stream.

        None where that cannot be asked for: only such streams can be read again.
        """
        served, number = self._served, state.last_sequence_number
        stored, query = served.stored, served.query
        if stored is not None:
            found: Any = stored.inner
        elif served.body.get("background") is True and state.response is not None:
            found, query = (
                state.response.get("id"),
                {"include[]": served.body.get("include") or []},
            )
        else:
            return None
        if number is None or state.failures or not isinstance(found, str):
            return None
        query = {**query, "stream": "true", "starting_after": str(number)}
        return self.raw_calls.stored("retrieve", found, query, call_id=served.summary.call_id)

    def typed(self, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Result:
        """The answer as those who watch calls know it."""
        result: Result
        try:
            result = Response.model_validate(body or {})
        except ValueError:
            result = Result.model_validate(body or {})
        result.attach(headers, self._price)
        return result

    def _price(self, result: Any) -> Decimal | None:
        return self._served.summary.price()

    def label_error(self, error: AzureResponsesError) -> None:
        """Note a failure, and let it name ids as the caller knows them."""
        self._served.failures.append(error)
        error.message = self.labels.label_text(error.message)

    def _prepare_posted(self, served: ServedRequest) -> None:
        reading, summary, deployment = served.reading, served.summary, self.deployment
        assert reading is not None
        reader = reading.reader
        body: Mapping[str, Any] = reading.body
        labelled = reading.labelled
        given: Mapping[str, str] | None = None
        if self._routed.replays_history:
            body = as_continuation(body, reading.history or ())
            labelled = reader.affinity.read(body, summary.owner)
        if labelled is not None:
            unlabelled = labelled.unlabel(
                deployment.resource,
                strip_raw=reader.facts_of(reading.route_request.group).sole_resource is None,
            )
            body, given = unlabelled.body, unlabelled.given
            summary.warnings = unlabelled.warnings
        name = deployment.name_for(self._routed.group)
        body, dropped = self._dropping.apply(body, deployment, name)
        summary.warnings = (*summary.warnings, *dropped)
        self.labels = IdRewriter(
            reader.signer,
            deployment,
            summary.owner,
            given=given,
            is_stored=reading.is_stored,
        )
        self.call = self.raw_calls.post(
            served.operation,
            served.content(body, name),
            body,
            deployment=name,
            call_id=summary.call_id,
            is_stream=served.is_stream,
        )

    def _prepare_stored(self, served: ServedRequest) -> None:
        stored = served.stored
        assert stored is not None
        self.labels = IdRewriter(
            stored.reader.signer, self.deployment, stored.owner, given=stored.given
        )
        self.call = self.raw_calls.stored(
            served.operation, stored.inner, served.query, call_id=served.summary.call_id
        )


def shows_group(summary: CallSummary) -> bool:
    """True where the answer names the model as the caller did, as LiteLLM's proxy answers.

    After a fallback, and behind a model router, who answered is news to the caller.
    """
    return summary.group is not None and not summary.fallbacks and summary.group not in _ROUTERS


def note_attempt(summary: CallSummary, deployment: Deployment, routed: RoutedCall) -> None:
    """Note who is asked, and which attempt this is."""
    summary.deployment_id = deployment.id
    summary.deployment = deployment.name_for(routed.group)
    summary.base_model = deployment.base_model
    summary.attempts = routed.attempts
    summary.fallbacks = len(routed.fallbacks)


def unusable_credential(error: ConfigurationError) -> InternalServerError:
    """What a deployment's own configuration is to a caller, who can do nothing about it."""
    return InternalServerError(
        "The deployment cannot be called as it is configured.",
        status_code=503,
        code="deployment_misconfigured",
        type="server_error",
    ).with_traceback(error.__traceback__)


def settle_stream(
    open_attempt: OpenAttempt,
    attempt: ProxyAttempt,
    state: RawStream,
    headers: Mapping[str, str],
    latency: float,
    *,
    broken: AzureResponsesError | None,
) -> AzureResponsesError | None:
    """Tell the open_attempt how a stream has ended, and say with what error, if any.

    `broken` is why its connection broke off, or None if it closed in order.
    """
    error = attempt.failure_of(state, headers)
    if error is not None:
        error = error if state.failures or broken is None else broken
        attempt.label_error(error)
        open_attempt.failed(error, has_output=True, tokens=tokens_of(state.response))
        return error
    open_attempt.answered(outcome_of(state.response, headers, latency, has_output=True))
    return None


def resumption_pause(resumed: int) -> float | None:
    """Seconds until a dropped stream is read on, the attempt in a row being `resumed`.

    None where it has been tried often enough. 0 is the first after an event that came.
    """
    if resumed >= _MOST_RESUMPTIONS:
        return None
    return min(_RESUME_SECONDS * 2.0**resumed, _LONGEST_RESUME_SECONDS)


def shorter(timeout: Timeout, left: float | None) -> Timeout:
    """The caller's timeout, but no more than what is left of the call's."""
    if left is None or left == math.inf:
        return timeout
    patience = patience_of(timeout)
    return left if patience is None else min(patience, left)
