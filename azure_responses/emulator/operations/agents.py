"""Agents of a Foundry project: their definitions, and responses that they give."""

from dataclasses import replace
from typing import Any

from azure_responses.emulator.agent_store import AgentVersion
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.operations.fields import list_page, read_object
from azure_responses.emulator.service_errors import (
    ServiceError,
    agent_not_found,
    invalid_payload,
    missing_parameter,
    preview_feature_required,
)

__all__ = [
    "create_version", "delete", "delete_version", "list_agents", "list_versions", "retrieve",
    "retrieve_version", "with_agent",
]  # fmt: skip

# agent-framework#2573 and #6657 report the first ones, LiteLLM leaves the others out.
_REFUSED = ("tools", "tool_choice", "temperature", "top_p", "text", "reasoning")
_NOT_ALLOWED = "Not allowed when agent is specified."
# What a definition gives to each of its responses.
_GIVEN = ("tools", "tool_choice", "temperature", "top_p", "text", "reasoning")
# Kinds in preview, by azure-ai-projects and azure-dev#8442.
_FEATURES = {
    "hosted": "HostedAgents=V1Preview",
    "workflow": "WorkflowAgents=V1Preview",
    "external": "ExternalAgents=V1Preview",
    "voice": "VoiceAgents=V1Preview",
}


# --- definitions ----------------------------------------------------------------------------------


def _as_agent(latest: AgentVersion) -> dict[str, Any]:
    return {
        "object": "agent",
        "id": latest.name,
        "name": latest.name,
        "state": "enabled",
        "configuration_state": "enabled",
        "versions": {"latest": latest.as_object()},
    }


def _find(call: EmulatedCall, name: str, version: str | None = None) -> AgentVersion:
    found = call.account.agents.find(name, version)
    if found is None:
        raise agent_not_found(name, version)
    return found


def list_agents(call: EmulatedCall) -> PlannedReply:
    """`GET /agents`."""
    agents = [_as_agent(latest) for latest in call.account.agents.latest()]
    return json_reply(list_page(agents, call.query))


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /agents/{name}`."""
    return json_reply(_as_agent(_find(call, call.route.ids[0])))


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /agents/{name}`: all its versions."""
    (name,) = call.route.ids
    if not call.account.agents.discard(name):
        raise agent_not_found(name)
    return json_reply({"object": "agent.deleted", "name": name, "deleted": True})


def create_version(call: EmulatedCall) -> PlannedReply:
    """`POST /agents/{name}/versions`."""
    definition = read_object(call.body, "definition")
    if not definition:
        raise missing_parameter("definition")
    kind = definition.get("kind")
    if not isinstance(kind, str):
        raise missing_parameter("definition.kind")
    if kind == "prompt" and not isinstance(definition.get("model"), str):
        raise missing_parameter("definition.model")
    _check_feature(call, kind)
    fields = {**call.body, "definition": definition, "metadata": read_object(call.body, "metadata")}
    made = call.account.agents.add(call.route.ids[0], fields, int(call.now))
    return json_reply(made.as_object())


def list_versions(call: EmulatedCall) -> PlannedReply:
    """`GET /agents/{name}/versions`."""
    _find(call, call.route.ids[0])
    versions = [one.as_object() for one in call.account.agents.versions(call.route.ids[0])]
    return json_reply(list_page(versions, call.query))


def retrieve_version(call: EmulatedCall) -> PlannedReply:
    """`GET /agents/{name}/versions/{version}`."""
    return json_reply(_find(call, *call.route.ids).as_object())


def delete_version(call: EmulatedCall) -> PlannedReply:
    """`DELETE /agents/{name}/versions/{version}`."""
    name, version = call.route.ids
    if not call.account.agents.discard(name, version):
        raise agent_not_found(name, version)
    return json_reply(
        {"object": "agent.version.deleted", "name": name, "version": version, "deleted": True}
    )


# --- responses ------------------------------------------------------------------------------------


def with_agent(call: EmulatedCall) -> EmulatedCall:
    """The call with the agent's definition in its body; the call itself where it names no agent.

    Raises:
        ServiceError: there is no such agent, or the body holds what the definition decides.
    """
    body = call.body
    if call.route.project is None:
        return call
    if body.get("agent") is not None:
        text = "The 'agent' property is deprecated. Use 'agent_reference' instead."
        raise invalid_payload(text, [])
    agent = _find_agent(call, body)
    if agent is None:
        return call
    _check_feature(call, agent.kind)
    _check_body(call, body, agent)
    return replace(call, given=_apply(body, agent), consent_link=agent.consent_link)


def _find_agent(call: EmulatedCall, body: dict[str, Any]) -> AgentVersion | None:
    if call.route.agent is not None:
        return _find(call, call.route.agent)
    reference = body.get("agent_reference")
    if reference is None:
        return None
    name = reference.get("name") if isinstance(reference, dict) else None
    if not isinstance(name, str) or reference.get("type") != "agent_reference":
        raise _invalid("agent_reference", "The value is invalid.")
    version = reference.get("version")
    return _find(call, name, None if version is None else str(version))


def _check_feature(call: EmulatedCall, kind: str) -> None:
    """The opt-in of a kind in preview, which version v1 enforces (azure-dev#8441)."""
    feature = _FEATURES.get(kind)
    sent = call.received.headers.get("foundry-features", "")
    if feature is not None and feature not in [one.strip() for one in sent.split(",")]:
        raise preview_feature_required(kind, feature)


def _check_body(call: EmulatedCall, body: dict[str, Any], agent: AgentVersion) -> None:
    refused = [name for name in _REFUSED if body.get(name) is not None]
    if body.get("model") not in (None, "", agent.definition.get("model")):
        refused.insert(0, "model")
    # Refused only in a follow-up. LiteLLM moves instructions into the input for this reason.
    if body.get("instructions") is not None and body.get("previous_response_id") is not None:
        refused.append("instructions")
    # The agent's own endpoint names it in the path already.
    if call.route.agent is not None and body.get("agent_reference") is not None:
        refused.append("agent_reference")
    if refused:
        details = [
            {"code": "ValidationError", "message": _NOT_ALLOWED, "param": name, "type": "error"}
            for name in refused
        ]
        raise invalid_payload("Invalid payload", details)


def _invalid(param: str, message: str) -> ServiceError:
    detail = {"code": "ValidationError", "message": message, "param": param, "type": "error"}
    return invalid_payload("Invalid payload", [detail])


def _apply(body: dict[str, Any], agent: AgentVersion) -> dict[str, Any]:
    definition = agent.definition
    given = {name: definition[name] for name in _GIVEN if definition.get(name) is not None}
    said = [definition.get("instructions"), body.get("instructions")]
    instructions = "\n".join(text for text in said if isinstance(text, str) and text)
    reference = {"type": "agent_reference", "name": agent.name, "version": agent.version}
    return {
        **body,
        "model": definition.get("model") or "gpt-4.1",
        **given,
        "instructions": instructions or None,
        "agent_reference": reference,
    }
