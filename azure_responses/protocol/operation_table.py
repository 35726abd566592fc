"""The operations of the API, one row each: what the client, the server and their logs need to know.

A new operation starts here. The client builds its path from `upstream`; the OpenAI server finds it
by `method` and `path`; the gateway describes it from `summary`, `request` and `answer`; telemetry
names and prices it by `span`, `is_billed` and `returns_usage`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from azure_responses.protocol.conversion import APIName

__all__ = ["OPERATIONS", "QUERY_PARAMETERS", "APIOperation"]


@dataclass(frozen=True, slots=True)
class APIOperation:
    """One operation.

    Attributes:
        name: as code, logs and metrics name it.
        method: of HTTP.
        path: where it is served, below a prefix such as `/v1`; each `{…}` names a variable part.
        summary: one sentence for the OpenAPI document.
        upstream: the path of the same request at Azure, in segments; a variable part stands as
            None.
        is_local: the server answers by itself and sends nothing to Azure.
        needs_model: the request goes to the deployment that its `model` names. Without it, and
            without a stored response in the path, any deployment can serve it.
        streams: what asks for events: a field of the body, the query, or nothing can.
        ids: where ids of stored objects stand, in the path (and its query) or in the body.
        query: the parameters that are sent on to Azure.
        request: schema of the body in the OpenAPI document; empty where there is no body.
        answer: schema of the answer there.
        is_billed: it uses up tokens. Reading a response again costs nothing.
        returns_usage: its answer says which tokens were used; that of a background response does
            so only when the response is retrieved.
        instead: what a caller does where a resource does not offer it, which a 404 then means; None
            of what every resource offers.
        gone: what a caller does where an object of this kind is not found.
        by_deployment: also served at `/openai/deployments/{deployment}/…`.
        span: name for OpenTelemetry; of `create` its semantic conventions say "chat".
        caller: the API that its callers use: it decides the shape of answers, events and errors.
        collection: the first segment of the path for operations on stored objects other than
            responses, such as "files"; empty for all others.
        is_form: the body is a multipart form, which may hold files.
        returns: an object, one page of a list, or bytes as they are stored.
        is_served: the OpenAI server offers it too; False where only the client does.
        variables: the names of the variable parts of the path, for example "response_id".
    """

    name: str
    method: str
    path: str
    summary: str
    upstream: tuple[str | None, ...] = ()
    is_local: bool = False
    needs_model: bool = False
    streams: Literal["body", "query"] | None = None
    ids: Literal["body", "path"] | None = None
    query: tuple[str, ...] = ()
    request: str = ""
    answer: str = "Object"
    is_billed: bool = False
    returns_usage: bool = False
    instead: str | None = None
    gone: str | None = None
    by_deployment: bool = False
    span: str = ""
    caller: APIName = "responses"
    collection: str = ""
    is_form: bool = False
    returns: Literal["object", "page", "bytes"] = "object"
    is_served: bool = True
    variables: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        found = tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))
        object.__setattr__(self, "variables", found)

    @property
    def variable(self) -> str | None:
        """The name of the first variable part of the path; None without."""
        return self.variables[0] if self.variables else None

    @property
    def is_stored(self) -> bool:
        """True if the operation is about a stored response, which its path names."""
        return self.variable == "response_id"


_CREATE = APIOperation(
    "create",
    "POST",
    "/responses",
    "Create a response, plain or streamed.",
    upstream=("responses",),
    needs_model=True,
    streams="body",
    ids="body",
    request="ResponseRequest",
    answer="Response",
    is_billed=True,
    returns_usage=True,
    by_deployment=True,
    span="chat",
)
# To a deployment that speaks Responses it goes as a response.
_CHAT = APIOperation(
    "chat",
    "POST",
    "/chat/completions",
    "Create a chat completion, whatever the deployment speaks.",
    caller="chat",
    upstream=("responses",),
    needs_model=True,
    streams="body",
    ids="body",
    request="ChatRequest",
    answer="ChatCompletion",
    is_billed=True,
    returns_usage=True,
    by_deployment=True,
    span="chat",
)
_MESSAGES = APIOperation(
    "messages",
    "POST",
    "/messages",
    "Create a message as Anthropic's API does, whatever the deployment speaks.",
    caller="messages",
    upstream=("messages",),
    needs_model=True,
    streams="body",
    request="MessagesRequest",
    answer="Message",
    is_billed=True,
    returns_usage=True,
    span="chat",
)
_COUNT_TOKENS = APIOperation(
    "count_tokens",
    "POST",
    "/messages/count_tokens",
    "Count the input tokens of a message; an estimate where the deployment is not Claude's.",
    caller="messages",
    upstream=("messages", "count_tokens"),
    needs_model=True,
    request="MessagesRequest",
    answer="TokenCount",
)
_COMPACT = APIOperation(
    "compact",
    "POST",
    "/responses/compact",
    "Compact a conversation.",
    upstream=("responses", "compact"),
    needs_model=True,
    ids="body",
    request="ResponseRequest",
    is_billed=True,
    returns_usage=True,
    instead="Not every resource offers it yet: call a deployment of another one, or leave out the "
    "oldest items of the conversation.",
    by_deployment=True,
    span="compact_response",
)
_INPUT_TOKENS = APIOperation(
    "input_tokens",
    "POST",
    "/responses/input_tokens",
    "Count the input tokens of a request; an estimate over chat completions.",
    upstream=("responses", "input_tokens"),
    needs_model=True,
    ids="body",
    request="ResponseRequest",
    # Azure knew no such URL in March and May 2026 (inspect_ai #3371, openai-dotnet #1165).
    instead="Azure does not offer it yet: `usage` of a response has the count, and a tokenizer "
    "estimates it before.",
)
_RETRIEVE = APIOperation(
    "retrieve",
    "GET",
    "/responses/{response_id}",
    "Read a stored response, plain or streamed again.",
    upstream=("responses", None),
    streams="query",
    ids="path",
    query=("stream", "starting_after", "include[]", "include", "include_obfuscation"),
    answer="Response",
    returns_usage=True,
    span="fetch_response",
)
_DELETE = APIOperation(
    "delete",
    "DELETE",
    "/responses/{response_id}",
    "Delete a stored response.",
    upstream=("responses", None),
    ids="path",
    answer="Deleted",
    span="delete_response",
)
_CANCEL = APIOperation(
    "cancel",
    "POST",
    "/responses/{response_id}/cancel",
    "Cancel a background response.",
    upstream=("responses", None, "cancel"),
    ids="path",
    answer="Response",
    span="cancel_response",
)
_INPUT_ITEMS = APIOperation(
    "input_items",
    "GET",
    "/responses/{response_id}/input_items",
    "List the input items of a stored response.",
    upstream=("responses", None, "input_items"),
    ids="path",
    query=("limit", "order", "after", "before", "include[]", "include"),
    answer="ItemList",
    span="list_input_items",
)
# The server lists its own model names; only the client asks Azure.
_MODELS = APIOperation(
    "models",
    "GET",
    "/models",
    "List the models.",
    upstream=("models",),
    is_local=True,
    answer="ModelList",
    span="list_models",
)
_MODEL = APIOperation(
    "model", "GET", "/models/{model}", "Describe one model.", is_local=True, answer="Model"
)

OPERATIONS: Mapping[str, APIOperation] = {
    row.name: row
    for row in (
        _CREATE,
        _COMPACT,
        _INPUT_TOKENS,
        _RETRIEVE,
        _DELETE,
        _CANCEL,
        _INPUT_ITEMS,
        _CHAT,
        _MESSAGES,
        _COUNT_TOKENS,
        _MODELS,
        _MODEL,
    )
}
"""The rows by name."""

QUERY_PARAMETERS = frozenset(name for row in OPERATIONS.values() for name in row.query)
"""Every query parameter that is sent on to Azure; `api-version` is chosen per deployment."""
