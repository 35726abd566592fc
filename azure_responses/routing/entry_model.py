"""What an entry of a model list says of its model: deployment, provider, API and facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, get_args

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.deployment_apis import APISetting
from azure_responses.protocol.families import FamilyFacts, facts_of
from azure_responses.protocol.model_name import ModelName, read_model_name
from azure_responses.protocol.pasted_url import PastedURL
from azure_responses.routing.deployment import ANY_MODEL

__all__ = [
    "CHAT_API",
    "DROP_TOOLS",
    "MERGING",
    "Entry",
    "read_api",
    "read_batch",
    "read_dropped_tools",
    "read_executes",
    "read_facts",
    "read_merging",
    "read_model",
    "read_websocket",
]

CHAT_API = "use_chat_completions_api"
DROP_TOOLS = "drop_tools"
MERGING = "merge_reasoning_content_in_choices"
_PROVIDERS = ("azure", "azure_ai")
# The names of the deployment types in Azure's templates and its portal, without their spaces.
_BATCH_TYPES = frozenset({"globalbatch", "datazonebatch"})


@dataclass(frozen=True)
class Entry:
    """One entry with its environment variables put in; `place` names it in messages."""

    place: str
    name: str
    params: Mapping[str, Any]
    info: Mapping[str, Any]

    def refuse(self, problem: str, hint: str) -> NoReturn:
        """Raise ConfigurationError about the entry."""
        raise ConfigurationError(f"{self.place}: {problem}", hint=hint)


def read_model(entry: Entry) -> ModelName:
    """The deployment and provider of `model`.

    Raises ConfigurationError for no model, a pattern, and models of other providers.
    """
    model = entry.params.get("model")
    if not isinstance(model, str) or not model:
        entry.refuse("params have no model.", "Write model: azure/<deployment name>.")
    provider = entry.params.get("custom_llm_provider")
    if provider in _PROVIDERS and not model.startswith(f"{provider}/"):
        model = f"{provider}/{model}"
    served = next((one for one in _PROVIDERS if model.startswith(f"{one}/")), None)
    if served is None and provider is None and "/" in model:
        provider = model.partition("/")[0]
    # Under Azure's endpoint the model of another provider would only fail with each call.
    if served is None and provider is not None:
        entry.refuse(
            f"provider {provider!r} is not served; this router calls models of Azure only.",
            "Write model: azure/<deployment name> or azure_ai/<deployment name>, or remove the "
            f"entry for {model!r}.",
        )
    try:
        named = read_model_name(model)
    except ConfigurationError as error:
        entry.refuse(error.message, error.hint or "")
    deployment = named.deployment
    if model.endswith("/"):
        entry.refuse(f"the model {model!r} names no deployment.", "Write it behind the slash.")
    # LiteLLM matches patterns such as azure/gpt-* against the name asked for; here only "*" does.
    if "*" in deployment and deployment != ANY_MODEL:
        entry.refuse(f"the model {model!r} is a pattern.", "Write azure/*, or name the deployment.")
    return named


def read_facts(entry: Entry, named: ModelName, base_model: str | None) -> Mapping[str, Any]:
    """The entry's `facts`, and the family that the model's prefix names where no name tells it.

    LiteLLM's `model_info.max_output_tokens` is such a fact, too: each request to Claude has a
    limit.

    Raises ConfigurationError for facts that a model cannot have.
    """
    given = entry.params.get("facts") or entry.info.get("facts") or {}
    if not isinstance(given, Mapping):
        entry.refuse("facts is not a mapping.", "Write facts: {takes_strict: false}.")
    is_told = named.family is None or facts_of(base_model).family
    facts = {**given} if is_told else {"family": named.family, **given}
    limit = entry.info.get("max_output_tokens")
    if type(limit) is int and limit > 0:
        facts.setdefault("max_output_tokens", limit)
    try:
        facts_of(base_model, named.deployment, overrides=facts)
    except ConfigurationError as error:
        entry.refuse(error.message, error.hint or "")
    return facts


def read_api(entry: Entry, named: ModelName, facts: FamilyFacts, url: PastedURL) -> APISetting:
    """The entry's `api`, else the one that the model's prefix names, else "auto".

    Raises ConfigurationError for what is not an API, or not one of the deployment.
    """
    own = entry.params.get("api") or entry.info.get("api")
    if own is None and entry.params.get(CHAT_API) is True:
        own = "chat"
    api = own or named.api or "auto"
    if api not in get_args(APISetting):
        entry.refuse(f"api is {api!r}.", f"Write one of {', '.join(get_args(APISetting))}.")
    is_agents = url.shape in ("project", "agent") and api in ("responses", "auto")
    if named.agent is not None and not is_agents:
        entry.refuse(
            "an agent is called over the Responses API of a Foundry project.",
            "Write api_base: https://<resource>.services.ai.azure.com/api/projects/<project>, and "
            "leave api out.",
        )
    if api == "chat" and facts.chat_tools != "always":
        entry.refuse(
            f"api is 'chat', where models of the family {facts.family} take no function tools "
            "while they reason.",
            "Leave api out, or write facts: {chat_tools: always} if this deployment takes them.",
        )
    setting: APISetting = api
    return setting


def read_batch(entry: Entry) -> bool:
    """True for a batch deployment: `batch: true`, `sku: GlobalBatch`, LiteLLM's `mode: batch`.

    Raises ConfigurationError for a `batch` that is neither true nor false.
    """
    given = entry.params.get("batch", entry.info.get("batch"))
    if given is not None and not isinstance(given, bool):
        entry.refuse(f"batch is {given!r}.", "Write batch: true for a batch deployment.")
    sku = str(entry.params.get("sku", entry.info.get("sku"))).lower()
    is_batch_type = "".join(c for c in sku if c.isalnum()) in _BATCH_TYPES
    return bool(given) or is_batch_type or entry.info.get("mode") == "batch"


def read_executes(entry: Entry) -> Literal["native", "gateway"]:
    """Who executes the batches of the group, as the entry's `execute` says.

    Raises ConfigurationError for another word.
    """
    given = entry.params.get("execute", entry.info.get("execute"))
    if given not in (None, "native", "gateway"):
        entry.refuse(f"execute is {given!r}.", "Write execute: gateway, or leave it out.")
    return "gateway" if given == "gateway" else "native"


def read_dropped_tools(entry: Entry) -> frozenset[str]:
    """The types of tools that the deployment is not sent.

    Raises ConfigurationError for anything but names.
    """
    given = entry.params.get(DROP_TOOLS)
    names = [given] if isinstance(given, str) else given or []
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        entry.refuse(f"{DROP_TOOLS} is {given!r}.", f"Write {DROP_TOOLS}: [web_search].")
    return frozenset(names)


def read_merging(entry: Entry) -> bool:
    """True where answers to chats have their reasoning in their content.

    Raises ConfigurationError for a value that is neither true nor false.
    """
    given = entry.params.get(MERGING)
    if given is not None and not isinstance(given, bool):
        entry.refuse(f"{MERGING} is {given!r}.", f"Write {MERGING}: true, or leave it out.")
    return bool(given)


def read_websocket(entry: Entry, api: APISetting) -> bool:
    """True where the deployment is called over WebSocket: `websocket: true`.

    Raises ConfigurationError for a value that is neither true nor false, and beside another API.
    """
    given = entry.params.get("websocket", entry.info.get("websocket"))
    if given is not None and not isinstance(given, bool):
        entry.refuse(f"websocket is {given!r}.", "Write websocket: true, or leave it out.")
    if given and api in ("chat", "messages"):
        entry.refuse(
            f"websocket is true, where api is {api!r}.",
            "Only the Responses API has WebSockets: leave one of the two out.",
        )
    return bool(given)
