"""Foundry agents: a response of an agent instead of a model.

An agent of a Foundry project is named by `agent_reference` in the body of a response, in the place
of `model`. What its definition decides cannot be set by a call; the service answers 400 "Not
allowed when agent is specified" (microsoft/agent-framework #2573 and #6657), which names one
parameter at a time. Here all of them are named before anything is sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.conversion import APIName, Conversion, StreamConversion
from azure_responses.protocol.endpoint import Endpoint
from azure_responses.protocol.model_name import read_model_name
from azure_responses.types.parameters import AgentReference

__all__ = [
    "AGENT_PREFIX",
    "AgentConversion",
    "agent_of",
    "body_for_agent",
    "check_project",
    "complete_reference",
    "for_agent",
    "is_agents_own",
    "names_agent",
]

AGENT_PREFIX = "agents/"
"""How the name of a deployment begins that stands for an agent."""

# LiteLLM 1.110.2 (llms/azure_ai/agents) leaves these out, too.
_REFUSED = ("model", "tools", "tool_choice", "temperature", "top_p", "text", "reasoning")


def agent_of(parameters: Mapping[str, Any]) -> str | None:
    """The agent that a call asks for, as `NAME[:VERSION]`; None for a model.

    Raises:
        ConfigurationError: `agent` is not the name of an agent.
    """
    agent, model = parameters.get("agent"), parameters.get("model")
    if agent is not None:
        if not isinstance(agent, str):
            raise ConfigurationError(
                f"agent is a {type(agent).__name__}, not a string.",
                hint="Pass agent='NAME' or agent='NAME:VERSION'.",
            )
        return read_model_name(f"azure_ai/{AGENT_PREFIX}{agent}").agent
    if isinstance(model, str) and AGENT_PREFIX in model:
        return read_model_name(model).agent
    return None


def for_agent(
    parameters: Mapping[str, Any], agent: str, *, drops_params: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body of a response of an agent, and what was left out of it.

    Args:
        parameters: of the response; without `agent` its `model` is the name of the agent.
        agent: `NAME[:VERSION]`.
        drops_params: what the agent's definition decides is left out with a warning.

    Raises:
        ConfigurationError: a parameter that agents refuse.
    """
    name, _, version = agent.partition(":")
    reference = {"type": "agent_reference", "name": name}
    if version:
        reference["version"] = version
    body = dict(parameters)
    if body.pop("agent", None) is None:
        body.pop("model", None)
    refused = [key for key in _REFUSED if body.get(key) is not None]
    # Microsoft's page on the responses of agents: instructions are of the first turn.
    if body.get("instructions") is not None and body.get("previous_response_id") is not None:
        refused.append("instructions")
    if refused and not drops_params:
        error = ConfigurationError(
            f"{', '.join(refused)}: the definition of the agent {name!r} decides this.",
            hint="Leave it out, change the agent's definition, or pass drop_params=True.",
        )
        error.param = refused[0]
        raise error
    for key in refused:
        del body[key]
    warnings = tuple(
        f"{key} was left out. The definition of the agent {name!r} decides it." for key in refused
    )
    return {"agent_reference": reference, **body}, warnings


def body_for_agent(
    parameters: dict[str, Any], endpoint: Endpoint, *, drops_params: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body of a call that an agent answers, which names no model, and what was left out of it.

    Args:
        parameters: of the response.
        endpoint: of the client.
        drops_params: as of `for_agent`.

    Raises:
        ConfigurationError: the endpoint has no agents, or a parameter that agents refuse.
    """
    agent = agent_of(parameters)
    if agent is None:
        # Given as an object, or by the endpoint; what else is wrong with it the service says.
        return complete_reference(parameters), ()
    check_project(endpoint, agent)
    return for_agent(parameters, agent, drops_params=drops_params)


class AgentConversion:
    """A conversion to the Responses API whose requests an agent answers instead of a model.

    Args:
        conversion: from another API, as for a model.
        agent: `NAME[:VERSION]`.
        drops_params: as of `for_agent`.
    """

    def __init__(self, conversion: Conversion, agent: str, *, drops_params: bool) -> None:
        self.caller: APIName = conversion.caller
        self.upstream: APIName = conversion.upstream
        self.warnings: tuple[str, ...] = ()
        self.input_items: list[dict[str, Any]] = []
        self._conversion = conversion
        self._agent = agent
        self._drops_params = drops_params

    def write(self, history: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """As of every conversion; raises ConfigurationError for what agents refuse, too."""
        body, warnings = for_agent(
            self._conversion.write(history), self._agent, drops_params=self._drops_params
        )
        self.warnings = (*self._conversion.warnings, *warnings)
        self.input_items = self._conversion.input_items
        # The conversion asks for encrypted reasoning, which an agent whose model does not reason
        # refuses; which model that is, only its definition says.
        body.pop("include", None)
        return body

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """As of every conversion."""
        return self._conversion.read(body)

    def shortened(self, message: str = "") -> dict[str, Any] | None:
        """None: the conversation with an agent is its service's to shorten."""
        return None

    def stream(self) -> StreamConversion:
        """As of every conversion."""
        return self._conversion.stream()


def complete_reference(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with an `agent_reference` that says what it is; callers may leave that out."""
    reference: Any = body.get("agent_reference")
    if isinstance(reference, AgentReference):
        reference = reference.to_dict()
    if not isinstance(reference, Mapping):
        return dict(body)
    return {**body, "agent_reference": {"type": "agent_reference", **reference}}


def is_agents_own(endpoint: Endpoint) -> bool:
    """True for the endpoint of one agent, which needs neither `model` nor `agent`."""
    return endpoint.path.endswith("/protocols/openai")


def check_project(endpoint: Endpoint, agent: str) -> None:
    """Raise ConfigurationError where the endpoint has no agents."""
    if endpoint.surface != "project":
        raise ConfigurationError(
            f"The agent {agent!r} is called on a Foundry project, and the endpoint is not one.",
            hint="Pass endpoint='https://<resource>.services.ai.azure.com/api/projects/<project>'.",
        )


def names_agent(model: Any) -> bool:
    """True for a model's name that stands for an agent."""
    return isinstance(model, str) and model.startswith(f"azure_ai/{AGENT_PREFIX}")
