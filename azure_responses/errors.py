"""Every exception this package raises.

```
AzureResponsesError
├── ConfigurationError                     before anything is sent
│   └── CredentialError ── CredentialTimeoutError (also an APITimeoutError)
├── APIError                               a call was made and failed
│   ├── APIConnectionError ── APITimeoutError
│   ├── APIStatusError
│   │   ├── BadRequestError ── ContentFilterError · ContextWindowExceededError
│   │   │                      · UnprocessableEntityError 422 · UnsupportedOperationError
│   │   ├── AuthenticationError 401 · PermissionDeniedError 401/403
│   │   ├── NotFoundError 404 ── DeploymentNotFoundError · ResponseNotFoundError
│   │   ├── ConflictError 409 · RateLimitError 429 · InternalServerError 5xx
│   ├── ResponseFailedError                a response whose status is "failed"
│   ├── UnreadableResponseError            an answer in a shape that cannot be read
│   └── StreamInterruptedError             a stream that ended before its terminal event
├── MaxTurnsError                          a tool loop whose model would still call functions
├── LengthFinishReasonError                a chat completion to be parsed that was cut short
├── ContentFilterFinishReasonError         a chat completion to be parsed that was filtered
├── InvalidWebhookSignatureError           a webhook that the service did not sign (a ValueError)
└── SteeringError                          steering input that has no effect, or not yet
```

`OpenAIError` and `APIResponseValidationError` are the openai package's names of
`AzureResponsesError` and `UnreadableResponseError`.

Exceptions carry plain values, never the HTTP library's objects, so that they pickle, log and
compare without dragging a connection (or an `api-key` header) along.
"""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from azure_responses.http_exchange import Headers, HttpRequest, HttpResponse

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "AzureResponsesError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "ContentFilterError",
    "ContentFilterFinishReasonError",
    "ContextWindowExceededError",
    "CredentialError",
    "CredentialTimeoutError",
    "DeploymentNotFoundError",
    "InternalServerError",
    "InvalidWebhookSignatureError",
    "LengthFinishReasonError",
    "MaxTurnsError",
    "NotFoundError",
    "OpenAIError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseFailedError",
    "ResponseNotFoundError",
    "SteeringError",
    "StreamInterruptedError",
    "UnprocessableEntityError",
    "UnreadableResponseError",
    "UnsupportedOperationError",
]


class AzureResponsesError(Exception):
    """The root of everything this package raises.

    `message` is what went wrong; `hint` is one sentence that says what to change, or None.
    `partial` is what had arrived of a stream that failed or broke off after its first output: a
    `Response`, or of a chat stream a `ChatCompletion`; None for any other error.
    `deployment` is the id of the router's deployment whose own credential was refused or gave no
    token, else None.

    `fallback` names the list of a router's fallbacks for failures of this kind, and `litellm_name`
    LiteLLM's exception of the same meaning where its status does not tell. Other packages read
    these two, so that a new class needs no change in them.
    """

    partial: Any = None
    deployment: str | None = None
    fallback: ClassVar[Literal["context window", "content policy"] | None] = None
    litellm_name: ClassVar[str | None] = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} (hint: {self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own __reduce__ calls the class with positional args only, which loses the
        # keyword-only fields; rebuilding from __dict__ keeps them.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    kind: type[AzureResponsesError], args: tuple[Any, ...], state: dict[str, Any]
) -> AzureResponsesError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(AzureResponsesError):
    """The call cannot be made as configured; nothing was sent.

    `param` is the parameter at fault, or the place in it such as `messages[2].content[0]`, where a
    request is refused before it is sent; else None.
    """

    param: str | None = None


class APIError(AzureResponsesError):
    """A call was made and failed.

    Attributes:
        request: what was sent, without credentials; empty where the error was made without a call.
        body, code, param, type: what the service said; None where it said nothing.
    """

    request: HttpRequest = HttpRequest()
    body: Any = None
    code: str | None = None
    param: str | None = None
    type: str | None = None


class APIConnectionError(APIError):
    """The service could not be reached, or the connection broke before a reply arrived."""


class APITimeoutError(APIConnectionError):
    """The service did not answer within the timeout."""


class CredentialError(ConfigurationError):
    """The credential or token provider of the call gave no token; nothing was sent."""


class CredentialTimeoutError(CredentialError, APITimeoutError):
    """No token came within the call's timeout; nothing was sent.

    `waited` is for how many seconds the credential had been asked by then, for this call or for
    others.
    """

    def __init__(self, message: str, *, hint: str | None = None, waited: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.waited = waited


class APIStatusError(APIError):
    """The service answered with an error.

    Attributes:
        status_code: the HTTP status, or the status an in-stream error stands for (429 for a
            rate limit that arrived inside an HTTP 200 stream).
        code, type, param: the fields of Azure's error object, where the body had them.
        body: the parsed JSON body, or the text (shortened) when it was not JSON, or None.
        request_id: `apim-request-id`, else `x-request-id`; quote it to Azure support.
        region: `x-ms-region`, a display name such as "East US 2".
        retry_after: seconds the service asked to wait, or None.
        rate_limits: the `x-ratelimit-*` headers by their names; empty where there were none.
    """

    rate_limits: Mapping[str, str] = MappingProxyType({})
    _reply: tuple[Headers, bytes] | None = None

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        code: str | None = None,
        type: str | None = None,
        param: str | None = None,
        body: Any = None,
        request_id: str | None = None,
        region: str | None = None,
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status_code = status_code
        self.code = code
        self.type = type
        self.param = param
        self.body = body
        self.request_id = request_id
        self.region = region
        self.retry_after = retry_after

    @property
    def response(self) -> HttpResponse:
        """The reply, with the attributes of an `httpx.Response`: status, headers, text, JSON.

        Of an error inside a stream, or one that a router made itself, it has the status that the
        error stands for, and its body.
        """
        headers, content = self._reply or (Headers({}), _as_content(self.body))
        return HttpResponse(self.status_code, headers, content, self.request)

    def attach_reply(self, headers: Mapping[str, str], content: bytes | None) -> None:
        """Keep the reply, from which all secrets are gone; None stands for `body`."""
        kept = _as_content(self.body) if content is None else content
        self._reply = (Headers(headers), kept)

    def __str__(self) -> str:
        label = _label(str(self.status_code), self.code, self.message)
        request = f" [request {self.request_id}]" if self.request_id else ""
        hint = f" (hint: {self.hint})" if self.hint else ""
        return f"{label}{self.message}{request}{hint}"


def _as_content(body: Any) -> bytes:
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


# What services, and the router, put before a status that a message begins with.
_BEFORE_STATUS = r"(?:Deployment '[^']{0,200}': )?(?:(?:HTTP|error|status|code)[ :=]{1,2}){0,3}"


def _label(status: str, code: str | None, message: str) -> str:
    """What stands in front of a message, without what is said anyway."""
    says_status = re.match(_BEFORE_STATUS + rf"{status}\b", message, re.IGNORECASE) is not None
    # Azure's code of a plain refusal is its status.
    words = [None if says_status else status, None if code == status else code]
    return f"{' '.join(filter(None, words))}: " if any(words) else ""


class BadRequestError(APIStatusError):
    """The service refused the request as it stands (HTTP 400 or another 4xx)."""


class ContentFilterError(BadRequestError):
    """Azure's content filter blocked the prompt.

    `content_filters` holds Azure's verdicts as plain dicts: one entry per filtered source, with
    `blocked`, `source_type` and `content_filter_results`; empty when Azure sent none.
    """

    fallback = "content policy"
    litellm_name = "ContentPolicyViolationError"

    def __init__(
        self, message: str, *, content_filters: list[dict[str, Any]] | None = None, **fields: Any
    ) -> None:
        super().__init__(message, **fields)
        self.content_filters = content_filters or []


class ContextWindowExceededError(BadRequestError):
    """The input is longer than the model's context window."""

    fallback = "context window"
    litellm_name = "ContextWindowExceededError"


class UnprocessableEntityError(BadRequestError):
    """The service can read the request and refuses what it says (HTTP 422)."""


class UnsupportedOperationError(BadRequestError):
    """The model, API version or deployment does not offer this operation."""


class AuthenticationError(APIStatusError):
    """The key or token was missing, wrong, expired or meant for another audience (HTTP 401)."""

    litellm_name = "AuthenticationError"


class PermissionDeniedError(APIStatusError):
    """The caller is known but may not do this: role, firewall or disabled keys (401 or 403)."""


class NotFoundError(APIStatusError):
    """The URL or the thing it names does not exist (HTTP 404)."""


class DeploymentNotFoundError(NotFoundError):
    """The resource has no deployment of that name."""


class ResponseNotFoundError(NotFoundError):
    """The stored response, or the `previous_response_id`, is not known to this resource.

    Azure answers 404 to a retrieve and 400 `previous_response_not_found` to a create that
    continues an unknown response; both become this error.
    """


class ConflictError(APIStatusError):
    """The request conflicts with the state of what it names (HTTP 409)."""


class RateLimitError(APIStatusError):
    """Too many requests or tokens; `retry_after` says how long to wait, where Azure said so."""

    litellm_name = "RateLimitError"


class InternalServerError(APIStatusError):
    """The service failed (HTTP 5xx, or an in-stream server error)."""


class ResponseFailedError(APIError):
    """A response ended with status "failed" for a reason that has no HTTP equivalent.

    `response` is the failed `Response`; its `error` field names the cause.
    """

    def __init__(
        self,
        message: str,
        *,
        response: Any = None,
        code: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.response = response
        self.code = code
        self.request_id = request_id


class MaxTurnsError(AzureResponsesError):
    """A tool loop had its `max_turns` responses, and the model would still call functions.

    `response` is the last one, whose calls were not carried out. `checkpoint` goes on from there:
    `run_tools(resume=error.checkpoint, …)` carries them out and has as many turns again.
    """

    def __init__(
        self,
        message: str,
        *,
        response: Any = None,
        checkpoint: Any = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.response = response
        self.checkpoint = checkpoint


class LengthFinishReasonError(AzureResponsesError):
    """A chat completion that was to be parsed was cut short: its `finish_reason` is "length".

    `completion` is what arrived.
    """

    def __init__(self, message: str, *, completion: Any = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.completion = completion


class ContentFilterFinishReasonError(AzureResponsesError):
    """The content filter stopped a chat completion that was to be parsed.

    `completion` is what arrived.
    """

    def __init__(self, message: str, *, completion: Any = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.completion = completion


class UnreadableResponseError(APIError):
    """The service answered, but in a shape that cannot be read; the message names the fields.

    `response` is the result with all that could be read of it: usage, cost, other items. The call
    has been billed, so it is not tried again.
    """

    def __init__(
        self,
        message: str,
        *,
        response: Any = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.response = response
        self.request_id = request_id


class InvalidWebhookSignatureError(AzureResponsesError, ValueError):
    """A webhook does not come from the service, or came too late; answer it with HTTP 400."""


class SteeringError(AzureResponsesError):
    """Steering input has no effect, or not yet: no successor of the response begins.

    `code` is that of the service's `response.steer.failed`; after a `response.steer.pending` it is
    its reason, "waiting_for_required_input". `input` is what was sent, to be sent again in a
    `create`; None while the service still keeps it. `required_input` has the beginnings of the
    items that the service waits for, as dicts.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        input: Any = None,
        required_input: tuple[Mapping[str, Any], ...] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.input = input
        self.required_input = required_input


class StreamInterruptedError(APIError):
    """A stream stopped before its terminal event.

    Attributes:
        partial: the `Response` as far as it had arrived (status, output items, text), or None
            when nothing had.
        resumable: True when the response was stored in background mode, so that
            `retrieve(partial.id, stream=True, starting_after=…)` can continue it.
    """

    def __init__(
        self,
        message: str,
        *,
        partial: Any = None,
        resumable: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.partial = partial
        self.resumable = resumable


OpenAIError = AzureResponsesError
APIResponseValidationError = UnreadableResponseError
