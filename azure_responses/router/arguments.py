"""What the calls of a router take besides what a client's do."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import httpx

from azure_responses.bridge import ReasoningCache, ReasoningKnowledge
from azure_responses.call_options import (
    CallOptions,
    ChatArguments,
    CompactArguments,
    CreateArguments,
)
from azure_responses.errors import BadRequestError, ConfigurationError
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.settings import OnOriginDown

__all__ = [
    "EXTRAS",
    "ChatOptions",
    "RoutedOptions",
    "RouterArguments",
    "RouterChatArguments",
    "RouterCompactArguments",
    "check_end_user",
    "check_id",
    "check_options",
    "check_start",
    "end_user_of",
    "is_altered",
    "list_messages",
    "query_of",
    "read_history",
]

EXTRAS = ("extra_headers", "extra_query", "extra_body")
"""What a call may add to what is sent."""

_END_USERS = ("safety_identifier", "user")
# Headers by which a caller says as whom, or where, Azure (or API Management before it) is called.
_ALTERING = frozenset(
    {"api-key", "authorization", "host", "ocp-apim-subscription-key", "x-api-key"}
)
_ALTERING_START = "x-ms-oai-"


class RoutedOptions(CallOptions, total=False):
    """What any call of a router may add."""

    owner: str | None
    """Who asks; ids given out for an owner are of use to that owner alone."""
    on_origin_down: OnOriginDown | None
    """For this call, in place of the router's own."""
    history: Iterable[Any] | None
    """Input items to send in place of `previous_response_id` where on_origin_down="replay" needs
    them; None reads the stored ones."""


class RouterArguments(CreateArguments, RoutedOptions, total=False):
    """Every parameter of a response, and the options of a routed call."""


class RouterChatArguments(ChatArguments, RoutedOptions, total=False):
    """Every parameter of a chat completion, and the options of a routed call."""


class RouterCompactArguments(CompactArguments, RoutedOptions, total=False):
    """Every parameter of a compaction, and the options of a routed call."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How chat completions are served.

    Attributes:
        drop_params: leave out, with a warning, what the Responses API cannot do.
        reasoning_cache: restores what chat clients dropped.
    """

    drop_params: bool = False
    reasoning_cache: ReasoningCache | None = None
    knowledge: dict[str, ReasoningKnowledge] = field(default_factory=dict)

    def knowledge_of(self, deployment: Deployment) -> ReasoningKnowledge:
        """What has been learned of a deployment's reasoning."""
        known = self.knowledge.get(deployment.id)
        if known is None:
            known = self.knowledge.setdefault(deployment.id, ReasoningKnowledge())
        return known


def check_options(given: Mapping[str, Any]) -> None:
    """Refuse options of a call that mean nothing, before anything is sent.

    Raises:
        ConfigurationError: naming the option.
    """
    owner = given.get("owner")
    if owner is not None and not isinstance(owner, str):
        raise _refuse("owner", owner, "Pass a string, or None for ids of use to everybody.")
    _check_timeout(given.get("timeout"))
    choice = given.get("on_origin_down")
    if choice is not None and choice not in get_args(OnOriginDown):
        names = ", ".join(get_args(OnOriginDown))
        raise _refuse("on_origin_down", choice, f"Use one of {names}.")
    history = given.get("history")
    if isinstance(history, str | bytes | Mapping) or not isinstance(history, Iterable | None):
        raise _refuse("history", history, "Pass a list of input items.")


def read_history(given: Iterable[Any] | None) -> list[Any] | None:
    """The items of `history`, which more than one attempt may need.

    Raises:
        ConfigurationError: one of them is no input item.
    """
    if given is None:
        return None
    items = list(given)
    for place, item in enumerate(items):
        if not (isinstance(item, Mapping) or hasattr(item, "model_dump")):
            hint = "Pass input items, such as {'role': 'user', 'content': …}."
            raise _refuse(f"history[{place}]", item, hint)
    return items


def check_id(response_id: Any, field: str = "response_id") -> str:
    """The id, if it may be one.

    Raises:
        BadRequestError: it is no string, or none of any length.
    """
    if isinstance(response_id, str) and response_id:
        return response_id
    raise BadRequestError(
        f"{field} is a string, not {_show(response_id)}.",
        status_code=400,
        param=field,
        hint="Pass an id as the router gave it.",
    )


def end_user_of(body: Mapping[str, Any]) -> str | None:
    """For whom a request is made, where it says so."""
    for name in _END_USERS:
        found = body.get(name)
        if found and isinstance(found, str):
            return found
    metadata = body.get("metadata")
    found = metadata.get("user_id") if metadata and isinstance(metadata, Mapping) else None
    return found if found and isinstance(found, str) else None


def is_altered(options: Mapping[str, Any]) -> bool:
    """True where a caller's `extra_…` change as whom or what a deployment is called.

    What Azure refuses of that (401, 403, 404) says nothing about the deployment.
    """
    if options.get("extra_query"):
        return True
    extra = options.get("extra_body")
    if isinstance(extra, Mapping) and "model" in extra:
        return True
    headers = options.get("extra_headers")
    if not isinstance(headers, Mapping):
        return False
    names = (str(name).lower() for name in headers)
    return any(name in _ALTERING or name.startswith(_ALTERING_START) for name in names)


def list_messages(messages: Any) -> Any:
    """Messages that can be read again and again; what are none is for the bridge to refuse."""
    is_one = not isinstance(messages, Iterable) or isinstance(messages, str | bytes | Mapping)
    return messages if is_one else list(messages)


def check_start(starting_after: int | None, *, stream: bool) -> None:
    """Refuse a place to start from where nothing is streamed.

    Raises:
        ConfigurationError: it would be lost.
    """
    if starting_after is not None and not stream:
        raise _refuse("starting_after", starting_after, "Pass stream=True as well.")


def query_of(include: Any = None, **given: Any) -> dict[str, Any]:
    """The query of a call about a stored response, as the service names it.

    Raises:
        ConfigurationError: `include` is a name alone, which is a list of letters to Python.
    """
    if isinstance(include, str):
        raise _refuse("include", include, f"Pass include=[{include!r}].")
    query = {name: str(value) for name, value in given.items() if value is not None}
    return {**query, "include[]": list(include)} if include else query


def check_end_user(end_user: Any) -> str:
    """The end user, if somebody is meant: a purge for nobody must not pass for a complete one.

    Raises:
        ConfigurationError: nobody is.
    """
    if isinstance(end_user, str) and end_user:
        return end_user
    raise _refuse("end_user", end_user, "Name whose responses are to be deleted.")


def _check_timeout(timeout: Any) -> None:
    if timeout is None or isinstance(timeout, httpx.Timeout):
        return
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not is_number or math.isnan(timeout):
        raise _refuse("timeout", timeout, "Pass seconds, an httpx.Timeout, or None for no limit.")


def _refuse(name: str, value: Any, hint: str) -> ConfigurationError:
    return ConfigurationError(f"{name} is {_show(value)}.", hint=hint)


def _show(value: Any) -> str:
    return repr(value)[:60]
