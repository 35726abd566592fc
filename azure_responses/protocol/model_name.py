"""The names of models as LiteLLM writes them → the deployment, and what the name says of it.

| Name | Deployment |
|---|---|
| `D`, `azure/D` | `D`, a model of OpenAI |
| `azure/responses/D` | `D`, over the Responses API |
| `azure/o_series/D`, `azure/gpt5_series/D` | `D`, whose name does not say that it is such a model |
| `azure_ai/D` | `D`, any model of a Foundry resource |
| `azure_ai/model_router/D` | `D`, a model router |
| `azure_ai/agents/NAME[:VERSION]` | an agent of a Foundry project |
"""

from dataclasses import dataclass

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.environment import Provider
from azure_responses.protocol.families import facts_of

__all__ = ["ModelName", "read_deployment", "read_model_name", "without_provider"]

_RESPONSES = "azure/responses/"
# Taken off once each, from the front: a deployment may have a slash in its own name.
_PROVIDERS: tuple[tuple[str, Provider], ...] = (
    ("azure_ai/", "azure_ai"),
    (_RESPONSES, "azure"),
    ("azure/", "azure"),
)
_FAMILIES = {
    "o_series/": "o-series",
    "gpt5_series/": "gpt-5",
    "model_router/": "model-router",
    "model-router/": "model-router",
}
_AGENTS = "agents/"


@dataclass(frozen=True, slots=True)
class ModelName:
    """What a name says.

    Attributes:
        deployment: sent as `model`; of an agent `agents/NAME[:VERSION]`, which is not sent.
        provider: whose environment counts; None where the name has no prefix.
        family: the family that the prefix names; None leaves it to the deployment's name.
        agent: `NAME[:VERSION]` of an agent.
        api: the API that the prefix names.
    """

    deployment: str
    provider: Provider | None = None
    family: str | None = None
    agent: str | None = None
    api: APIName | None = None


def read_model_name(model: str) -> ModelName:
    """Read the name of a model.

    Raises:
        ConfigurationError: an agent without a name, or with an empty version.
    """
    for prefix, provider in _PROVIDERS:
        rest = model.removeprefix(prefix)
        if rest and rest != model:
            if prefix == _RESPONSES:
                return ModelName(rest, provider, api="responses")
            return _of_provider(rest, provider)
    return ModelName(model)


def _of_provider(rest: str, provider: Provider) -> ModelName:
    if provider == "azure_ai" and rest.startswith(_AGENTS):
        return ModelName(rest, provider, agent=_agent(rest.removeprefix(_AGENTS)))
    for prefix, family in _FAMILIES.items():
        name = rest.removeprefix(prefix)
        if name and name != rest:
            # What the name itself tells is more exact: gpt-5.4 is of the GPT-5 series too.
            return ModelName(name, provider, None if facts_of(name).family else family)
    if provider == "azure_ai" and facts_of(rest).family == "claude":
        return ModelName(rest, "claude")
    return ModelName(rest, provider)


def _agent(text: str) -> str:
    name, colon, version = text.partition(":")
    if not name or (colon and not version):
        raise ConfigurationError(
            f"The agent {text!r} has no name or an empty version.",
            hint="Write azure_ai/agents/NAME or azure_ai/agents/NAME:VERSION.",
        )
    return text


def read_deployment(model: str) -> str:
    """The deployment that a name means, such as `D` of `azure/D`."""
    return read_model_name(model).deployment


def without_provider(model: str | None) -> str | None:
    """The deployment in `azure_ai/D`; any other name as it is.

    For clients, which send names as they are given: a gateway may serve `azure/gpt-5` by that name.
    """
    if isinstance(model, str) and model.startswith("azure_ai/"):
        return read_deployment(model)
    return model
