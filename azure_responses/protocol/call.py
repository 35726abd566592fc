"""One call and its retries: what to send, and whether and when to send it again.

The executor loops: it sends `request`, and after a failure asks `next_attempt`, which returns how
long to wait or raises. Nothing here sleeps, sends or reads a clock.

Responses this client made or deleted moments ago, and what the service says of them.

Stored responses are eventually consistent: retrieving or continuing one answers "not found" for
5 to 7 seconds in the median and 32.7 at worst (79 samples in dotnet/extensions #7704).

A deletion whose answer was lost may have been done: when it is tried again, not finding the
response confirms it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from azure_responses.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AuthenticationError,
    AzureResponsesError,
    NotFoundError,
    ResponseNotFoundError,
)
from azure_responses.http_exchange import without_secrets
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.error_body import failure_from_reply, failure_from_response
from azure_responses.protocol.http_message import CREDENTIAL_HEADERS, Reply, Request
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.retry import RetryPolicy, backoff, is_transient
from azure_responses.protocol.stored_response import BRIDGED_PREFIX
from azure_responses.types.model import Model
from azure_responses.types.response import DeletedResponse, ParsedResponse, Response
from azure_responses.types.result import Pricer, Result
from azure_responses.types.tools.functions import FunctionCall

if TYPE_CHECKING:
    from azure_responses.protocol.call_conversion import CallConversion
    from azure_responses.protocol.pydantic_tools import ArgumentReaders
    from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.fork import new_lock

__all__ = [
    "ApiType",
    "Call",
    "Continuation",
    "Creation",
    "Deletion",
    "ObjectDeletion",
    "RecentResponses",
    "RetryDecision",
    "TypedCall",
]


class RecentResponses:
    """The last ids this client created, with their birth times in monotonic seconds.

    Bounded, and safe to share between threads and tasks.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self._capacity = capacity
        self._born: dict[str, float] = {}
        self._perhaps_deleted: dict[str, None] = {}
        self._lock = new_lock()

    def remember(self, response_id: str, now: float) -> None:
        """Note that a response was created; a known id keeps its birth time."""
        # What is stored in this process can be read at once.
        if response_id.startswith(BRIDGED_PREFIX):
            return
        with self._lock:
            self._born.setdefault(response_id, now)
            if len(self._born) > self._capacity:
                del self._born[next(iter(self._born))]

    def forget(self, response_id: str) -> None:
        """Note that a response was deleted: not finding it is the right answer from now on."""
        with self._lock:
            self._born.pop(response_id, None)
            self._perhaps_deleted.pop(response_id, None)

    def doubt(self, response_id: str) -> None:
        """Note that a response may have been deleted: the answer to its deletion was lost."""
        with self._lock:
            self._perhaps_deleted[response_id] = None
            if len(self._perhaps_deleted) > self._capacity:
                del self._perhaps_deleted[next(iter(self._perhaps_deleted))]

    def is_doubtful(self, response_id: str) -> bool:
        """True when the response may have been deleted already."""
        return response_id in self._perhaps_deleted

    def born(self, response_id: str | None) -> float | None:
        """When the response was created, or None if this client did not create it lately."""
        return self._born.get(response_id) if response_id else None


R = TypeVar("R", bound=Result)
C = TypeVar("C", bound=Response)

ApiType = Literal["responses", "chat_completions", "messages"]
"""The API a caller used, as telemetry names it."""

_FIRST_LAG_DELAY = 0.5
_LONGEST_LAG_DELAY = 4.0
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """Another attempt: after `delay` seconds, with a fresh token if `refreshes_token`.

    `refusal` is what the service said of the token that it refused.
    """

    delay: float
    refreshes_token: bool = False
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Continuation:
    """How a call continues a response on the WebSocket that still knows it.

    Attributes:
        previous_id: of the response.
        content: the body that is sent where the WebSocket knows `previous_id`: with the new items
            only. None is for the call's own body.
        is_adopted: nothing is sent. The response is the successor that the service begins by
            itself after a steer.
    """

    previous_id: str
    content: bytes | None = None
    is_adopted: bool = False


class Call:
    """The state of one call across its attempts.

    Args:
        request: what every attempt sends.
        context: what is being done, for errors and hints.
        policy: how hard to try.
        can_refresh_token: the credential can produce another token.
        born: when this client created the response that the call reads, in monotonic seconds;
            None if it did not, or not lately.
        parameters: what the body was made of; empty without a body.
        api_type: the API as the caller used it.
        pricer: says what the result cost.

    Attributes:
        api: what is sent to the deployment.
        conversion: from the caller's API to the deployment's, where they differ.
        switch: makes the call over for the API that a refusal names, and says whether it did; None
            where the API is certain.
        stored_id: of the response that the call is about, where it is stored on our side.
        continuation: how it is sent over a WebSocket that knows what it continues; None elsewhere.
        has_begun: a WebSocket has brought the first event of its response, so that a lost
            connection is no reason to send it again.
    """

    def __init__(
        self,
        request: Request,
        context: RequestContext,
        policy: RetryPolicy,
        *,
        can_refresh_token: bool = False,
        born: float | None = None,
        parameters: Mapping[str, Any] = _NOTHING,
        api_type: ApiType = "responses",
        pricer: Pricer | None = None,
    ) -> None:
        self.request = request
        self.policy = policy
        self.parameters = parameters
        self.api_type = api_type
        self.pricer = pricer
        self.retries = 0
        self.api: APIName = "responses"
        self.conversion: CallConversion | None = None
        self.switch: Callable[[Call, AzureResponsesError], bool] | None = None
        self.stored_id: str | None = None
        self.secret: str | None = None
        self.continuation: Continuation | None = None
        self.has_begun = False
        self._context = context
        self._can_refresh_token = can_refresh_token
        self._readable_by = None if born is None else born + policy.fresh_window
        self._lag_retries = 0
        self._lag_waited = 0.0

    @property
    def context(self) -> RequestContext:
        """What is being done, with the secrets that were sent, so that no error repeats them."""
        # Made only when an error is, since most calls have none.
        # A credential may also be among the headers the caller passed.
        own = [self.request.headers.get(name) for name in CREDENTIAL_HEADERS]
        given = [value.rpartition(" ")[2] for value in own if value]
        secrets = tuple(filter(None, [self.secret, *given]))
        return replace(self._context, secrets=secrets) if secrets else self._context

    def put_body(self, body: bytes) -> None:
        """Replace what every attempt sends."""
        given = self.request
        self.request = Request(given.method, given.url, given.headers, body)

    def failure(
        self, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> APIStatusError:
        """The error a reply stands for; `now` is unix seconds."""
        return failure_from_reply(status, headers, body, self.context, now)

    def outcome(self, reply: Reply, now: float) -> Reply | APIStatusError:
        """The reply of a success, or the error that the reply stands for; `now` is unix seconds."""
        # A redirect is an error too: following one would carry the credential to another host.
        if 200 <= reply.status < 300:
            return reply
        return self.failure(reply.status, reply.headers, reply.body, now)

    def next_attempt(self, error: AzureResponsesError, now: float, jitter: float) -> RetryDecision:
        """How to try again after `error`.

        Args:
            error: what the last attempt ended with.
            now: monotonic seconds.
            jitter: uniform in [0, 1).

        Raises:
            AzureResponsesError: `error` itself, when another attempt would not help, is used up,
                or would have to wait longer than the caller does.
        """
        if isinstance(error, APIError) and not error.request.method:
            given = self.request
            error.request = without_secrets(given.method, given.url, given.headers)
        # 0. Content that is gone cannot be sent again, whatever the failure was.
        body = self.request.body
        if body is not None and not isinstance(body, bytes) and not body.is_repeatable:
            raise error
        # A response that has begun goes on at the service, although its WebSocket was lost.
        if self.has_begun and isinstance(error, APIConnectionError):
            raise error
        # 1. A refused token is replaced once, which does not count as a retry: it may have been
        #    revoked. A second refusal has another reason.
        if self._can_refresh_token and _speaks_of_token(error):
            self._can_refresh_token = False
            return RetryDecision(0.0, refreshes_token=True, refusal=error.message)
        # 2. A deployment that does not speak the API says so once.
        if self.switch is not None and self.switch(self, error):
            self.switch = None
            return RetryDecision(0.0)
        # 3. A response that this client has just created becomes readable after a while.
        if isinstance(error, ResponseNotFoundError) and self._readable_by is not None:
            return self._wait_for_write(error, now, jitter)
        # 4. Everything else is tried again as often as the policy says.
        if not is_transient(error) or self.retries >= self.policy.max_retries:
            raise error
        delay = self._delay(error, jitter)
        self.retries += 1
        return RetryDecision(delay)

    def _delay(self, error: AzureResponsesError, jitter: float) -> float:
        hint = error.retry_after if isinstance(error, APIStatusError) else None
        if hint is None:
            return backoff(self.policy, self.retries, jitter)
        if self.policy.patience is not None and hint > self.policy.patience:
            raise error
        return hint

    def _wait_for_write(
        self, error: AzureResponsesError, now: float, jitter: float
    ) -> RetryDecision:
        assert self._readable_by is not None
        ceiling = min(_LONGEST_LAG_DELAY, _FIRST_LAG_DELAY * 2.0 ** min(self._lag_retries, 9))
        # Half of the delay is fixed: with full jitter a run of small draws would spend the
        # attempts of the whole window in its first second.
        delay = ceiling * (0.5 + jitter / 2)
        waited = self._lag_waited + delay
        patience = self.policy.patience
        is_over = now + delay > self._readable_by or (patience is not None and waited > patience)
        if is_over or not self.policy.waits_for_writes:
            raise error
        self._lag_retries += 1
        self._lag_waited = waited
        return RetryDecision(delay)


def _speaks_of_token(error: AzureResponsesError) -> bool:
    """True for a 401 about the token; a missing role would be refused with a new token as well."""
    if not isinstance(error, AuthenticationError):
        return False
    message = error.message.lower()
    return any(word in message for word in ("token", "audience", "expired", "unauthorized"))


class TypedCall(Call, Generic[R]):
    """A call that knows what its reply is: `decode` reads it as `model`."""

    def __init__(self, model: type[R], *call: Any, **more: Any) -> None:
        super().__init__(*call, **more)
        self.model = model

    def failure_of(self, result: R, now: float) -> AzureResponsesError | None:
        """The error that a result stands for, or None; `now` is unix seconds."""
        return None

    def remember(self, result: R, now: float) -> None:
        """Note what the result says for later calls; `now` is monotonic seconds."""

    def watched(self, result: R) -> Result:
        """The result as those who watch calls know it."""
        return result

    def finish(self, result: R) -> None:
        """Do with the result what its caller asked for; an error here is not one of the call."""


class Creation(TypedCall[C]):
    """The call that creates a response.

    Args:
        recent: where the response is noted.
        output: the type of the answer, where the caller wants one.
        call: as of every call.
    """

    def __init__(
        self,
        recent: RecentResponses,
        output: "StructuredOutput[Any] | None",
        *call: Any,
        **more: Any,
    ) -> None:
        super().__init__(*call, **more)
        self.output = output
        self.argument_readers: ArgumentReaders | None = None
        self._recent = recent

    def failure_of(self, result: C, now: float) -> AzureResponsesError | None:
        """The error of a response with status "failed"."""
        if result.status != "failed":
            return None
        error = result.error
        fields: Any = error.to_dict() if isinstance(error, Model) else error
        return failure_from_response(result, fields, result.headers, self.context, now)

    def remember(self, result: C, now: float) -> None:
        """The service may need a while until the response can be read, if it can be at all."""
        if result.store is not False:
            self._recent.remember(result.id, now)

    def finish(self, result: C) -> None:
        """Attach what was parsed; raises pydantic.ValidationError if it does not fit."""
        if self.output is not None and isinstance(result, ParsedResponse):
            result.attach_parsed(self.output.read(result))
        # Of a response that was cut short the arguments may be cut, too.
        if self.argument_readers is not None and result.status == "completed":
            for item in result.output:
                if isinstance(item, FunctionCall):
                    item.attach_parsed(self.argument_readers.read(item.name, item.arguments))


class Deletion(TypedCall[DeletedResponse]):
    """The call that deletes a response, which may have been done although its answer was lost.

    Args:
        recent: serves all the calls of a client, so that a router's next attempt knows of the one
            before.
        response_id: of the response.
        call: as of every call.
    """

    def __init__(self, recent: RecentResponses, response_id: str, *call: Any, **more: Any) -> None:
        super().__init__(*call, **more)
        self._recent = recent
        self._response_id = response_id

    def outcome(self, reply: Reply, now: float) -> Reply | APIStatusError:
        """As of every call; two more replies confirm a deletion.

        An empty one, which some gateways send, and a 404 after an attempt whose answer was lost.
        """
        outcome = super().outcome(reply, now)
        if isinstance(outcome, Reply):
            return outcome if outcome.body.strip() else self._confirmation(reply)
        is_gone = isinstance(outcome, ResponseNotFoundError)
        if is_gone and self._recent.is_doubtful(self._response_id):
            return self._confirmation(reply)
        return outcome

    def next_attempt(self, error: AzureResponsesError, now: float, jitter: float) -> RetryDecision:
        """As of every call; notes an error that leaves open whether the response was deleted."""
        if _may_be_done(error):
            self._recent.doubt(self._response_id)
        return super().next_attempt(error, now, jitter)

    def remember(self, result: DeletedResponse, now: float) -> None:
        """Not finding the response is the right answer from now on."""
        self._recent.forget(self._response_id)

    def _confirmation(self, reply: Reply) -> Reply:
        body = {"id": self._response_id, "object": "response.deleted", "deleted": True}
        return Reply(200, reply.headers, json.dumps(body).encode())


class ObjectDeletion(TypedCall[R]):
    """The call that deletes another stored object; its answer, too, may be lost."""

    def __init__(self, *call: Any, **more: Any) -> None:
        super().__init__(*call, **more)
        self._may_be_done = False

    def outcome(self, reply: Reply, now: float) -> Reply | APIStatusError:
        """As of every call; a 404 after an attempt whose answer was lost confirms the deletion."""
        outcome = super().outcome(reply, now)
        is_gone = isinstance(outcome, NotFoundError) and self._may_be_done
        if not is_gone and (isinstance(outcome, APIStatusError) or outcome.body.strip()):
            return outcome
        body = {"id": self.context.object_id, "deleted": True}
        return Reply(200, reply.headers, json.dumps(body).encode())

    def next_attempt(self, error: AzureResponsesError, now: float, jitter: float) -> RetryDecision:
        """As of every call; notes an error that leaves open whether the object was deleted."""
        self._may_be_done = self._may_be_done or _may_be_done(error)
        return super().next_attempt(error, now, jitter)


def _may_be_done(error: AzureResponsesError) -> bool:
    if isinstance(error, APIStatusError):
        return error.status_code == 408 or error.status_code >= 500
    return isinstance(error, APIConnectionError)
