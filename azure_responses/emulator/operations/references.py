"""What a create call refers to: earlier responses, conversations, items, files and containers."""

from dataclasses import dataclass, field
from typing import Any

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.object_store import EmulatedContainer, StoredConversation
from azure_responses.emulator.response_store import EmulatedResponse, drop_nulls
from azure_responses.emulator.service_errors import (
    invalid_request,
    item_not_found,
    not_found,
    previous_response_not_found,
    reasoning_missing,
)

__all__ = ["Context", "check_skills", "find_container", "find_context"]


@dataclass
class Context:
    """The body with its references resolved, and what went before.

    Attributes:
        body: the request with every stored `item_reference` replaced by its item.
        history: items of earlier turns, oldest first.
        parent: the response continued, if any.
        conversation: the conversation continued, if any.
    """

    body: dict[str, Any]
    history: list[dict[str, Any]] = field(default_factory=list)
    parent: EmulatedResponse | None = None
    conversation: StoredConversation | None = None


def find_context(call: EmulatedCall) -> Context:
    """The context of a create call; raises ServiceError for what this resource does not hold."""
    context = Context(_resolve_items(call, call.body))
    _check_tools(call, call.body.get("tools"))
    previous = call.body.get("previous_response_id")
    if previous is not None:
        context.parent = _find_parent(call, previous)
        context.history = context.parent.history(call.now)
    conversation = call.body.get("conversation")
    if conversation is not None:
        context.conversation = _find_conversation(call, conversation)
        context.history = list(context.conversation.items)
    if call.account.assumptions.requires_reasoning:
        _check_reasoning(call, context)
    return context


def _check_reasoning(call: EmulatedCall, context: Context) -> None:
    """What was made with reasoning is sent back with it.

    Reasoning without an id stands for any: callers strip the id where it is sealed.
    """
    given = context.body.get("input")
    present = {item.get("id") for item in context.history}
    for item in given if isinstance(given, list) else ():
        if item.get("type") == "reasoning":
            present.add(item.get("id"))
        elif item.get("id") and item.get("role", "assistant") == "assistant":
            reasoning_id = call.account.store.find_reasoning(item["id"], call.now)
            if reasoning_id and not present & {reasoning_id, None}:
                raise reasoning_missing(item, reasoning_id)


def _find_parent(call: EmulatedCall, response_id: str) -> EmulatedResponse:
    turn = call.received.turn
    remembered = turn.memory.find(response_id) if turn else None
    if remembered is not None:
        return remembered
    record = call.account.store.find(response_id, call.now)
    # Also a background response that still runs, or was cancelled.
    if record is None or not record.has_finished(call.now):
        raise previous_response_not_found(response_id)
    return record


def _find_conversation(call: EmulatedCall, reference: Any) -> StoredConversation:
    identifier = str(reference.get("id") if isinstance(reference, dict) else reference)
    conversation = call.account.objects.conversations.get(identifier)
    if conversation is None:
        raise not_found("Conversation", identifier)
    return conversation


def _resolve_items(call: EmulatedCall, body: dict[str, Any]) -> dict[str, Any]:
    items = body.get("input")
    if not isinstance(items, list):
        return body
    # The error for a lost item depends on it: the usual reason is that nothing was stored.
    stores = body.get("store") is not False
    return {**body, "input": [_resolve(call, drop_nulls(item), stores) for item in items]}


def _refers(item: Any) -> bool:
    """References, and reasoning replayed by id alone, which the service looks up too."""
    # A reference may leave its type out, and is then an id and nothing else.
    if item.get("type") == "item_reference" or item.keys() == {"id"}:
        return True
    return item.get("type") == "reasoning" and "id" in item and not item.get("encrypted_content")


def _resolve(call: EmulatedCall, item: Any, stores: bool) -> Any:
    if not _refers(item):
        return item
    found = call.account.store.find_item(item["id"], call.now)
    # Items of a conversation can be referred to from outside of it.
    if found is None:
        found = _conversation_item(call, item["id"])
    if found is None:
        raise item_not_found(item["id"], stores)
    return found


def _conversation_item(call: EmulatedCall, item_id: str) -> dict[str, Any] | None:
    conversations = call.account.objects.conversations.values()
    items = (item for conversation in conversations for item in conversation.items)
    return next((item for item in items if item.get("id") == item_id), None)


def _check_tools(call: EmulatedCall, tools: Any) -> None:
    for tool in tools if isinstance(tools, list) else ():
        kind = tool.get("type")
        if kind == "file_search":
            _check_vector_stores(call, tool.get("vector_store_ids") or ())
        elif kind == "code_interpreter":
            _check_container(call, tool.get("container"))
        elif kind == "shell":
            _check_environment(call, tool.get("environment") or {})


def _check_vector_stores(call: EmulatedCall, store_ids: Any) -> None:
    missing = [name for name in store_ids if name not in call.account.objects.vector_stores]
    if missing:
        # A list without the quotes of the other messages.
        raise invalid_request(f"Vector store with id {missing} not found.", "tools", status=404)


def _check_environment(call: EmulatedCall, environment: dict[str, Any]) -> None:
    if environment.get("type") == "container_reference":
        _check_container(call, str(environment.get("container_id")))
        return
    _check_container(call, environment)
    # The skills of a local environment are folders of the caller's machine.
    if environment.get("type") == "container_auto":
        check_skills(call, environment.get("skills"), "tools")


def check_skills(call: EmulatedCall, skills: Any, param: str) -> None:
    """Raise ServiceError for references to skills, or versions, that the resource lacks."""
    if skills is None:
        return
    if not isinstance(skills, list) or not all(isinstance(skill, dict) for skill in skills):
        raise invalid_request("Invalid type for 'skills': expected an array of objects.", param)
    for reference in skills:
        if reference.get("type") == "skill_reference":
            _check_skill(call, reference, param)


def _check_skill(call: EmulatedCall, reference: dict[str, Any], param: str) -> None:
    skill_id, version = reference.get("skill_id"), reference.get("version")
    skill = call.account.objects.skills.get(str(skill_id))
    if skill is None:
        raise not_found("Skill", skill_id, param)
    if version is not None and skill.find(str(version)) is None:
        raise not_found("Skill version", version, param)


def find_container(call: EmulatedCall, container_id: str) -> EmulatedContainer | None:
    """A container of the resource; None for an expired one where those are not shown."""
    found = call.account.objects.containers.get(container_id)
    if found is None or call.account.assumptions.shows_expired_containers:
        return found
    return None if found.has_expired(call.now) else found


def _check_container(call: EmulatedCall, container: Any) -> None:
    if isinstance(container, dict):
        for file_id in container.get("file_ids") or ():
            if file_id not in call.account.objects.files:
                raise not_found("File", file_id, "tools")
    if not isinstance(container, str):
        return
    found = find_container(call, container)
    if found is None:
        raise not_found("Container", container, "tools")
    if found.has_expired(call.now):
        raise invalid_request("Container is expired.", "tools")
    # A call that may use a container keeps it alive.
    found.last_active_at = call.now
