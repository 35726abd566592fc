"""Conversations and their items."""

from typing import Any

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.object_store import StoredConversation
from azure_responses.emulator.operations.fields import list_page, read_metadata
from azure_responses.emulator.response_store import drop_nulls, listed_items
from azure_responses.emulator.service_errors import invalid_request, not_found, too_many

__all__ = [
    "add_items", "create", "delete", "delete_item", "list_items", "retrieve", "retrieve_item",
    "update",
]  # fmt: skip

# OpenAI's reference: "up to 20 items at a time".
_MOST_ITEMS = 20


def _as_object(conversation: StoredConversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": conversation.created_at,
        "metadata": conversation.metadata,
    }


def _find(call: EmulatedCall) -> StoredConversation:
    conversation = call.account.objects.conversations.get(call.route.ids[0])
    if conversation is None:
        raise not_found("Conversation", call.route.ids[0])
    return conversation


def _items(call: EmulatedCall, conversation: StoredConversation) -> list[dict[str, Any]]:
    items = drop_nulls(call.optional_body.get("items") or [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid_request("Invalid type for 'items': expected an array of objects.", "items")
    if not all(isinstance(item.get("type", ""), str) for item in items):
        raise invalid_request("Invalid type for 'items[].type': expected a string.", "items")
    if len(items) > _MOST_ITEMS:
        raise too_many("items", len(items), _MOST_ITEMS)
    # The seed of the ids holds the place, so that equal items get different ids.
    return listed_items(items, f"{conversation.id}/{len(conversation.items)}")


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /conversations`."""
    conversation = call.account.objects.add_conversation(read_metadata(call.optional_body))
    conversation.add(_items(call, conversation))
    return json_reply(_as_object(conversation))


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /conversations/{id}`."""
    return json_reply(_as_object(_find(call)))


def update(call: EmulatedCall) -> PlannedReply:
    """`POST /conversations/{id}`: other metadata."""
    conversation = _find(call)
    conversation.metadata = read_metadata(call.body)
    return json_reply(_as_object(conversation))


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /conversations/{id}`."""
    conversation = _find(call)
    del call.account.objects.conversations[conversation.id]
    return json_reply({"id": conversation.id, "object": "conversation.deleted", "deleted": True})


def add_items(call: EmulatedCall) -> PlannedReply:
    """`POST /conversations/{id}/items`."""
    conversation = _find(call)
    added = _items(call, conversation)
    conversation.add(added)
    return json_reply(list_page(added, {"limit": "100"}, default_order="asc"))


def list_items(call: EmulatedCall) -> PlannedReply:
    """`GET /conversations/{id}/items`."""
    return json_reply(list_page(_find(call).items, call.query))


def _position(call: EmulatedCall, conversation: StoredConversation) -> int:
    for index, item in enumerate(conversation.items):
        if item.get("id") == call.route.ids[1]:
            return index
    raise not_found("Item", call.route.ids[1])


def retrieve_item(call: EmulatedCall) -> PlannedReply:
    """`GET /conversations/{id}/items/{item}`."""
    conversation = _find(call)
    return json_reply(conversation.items[_position(call, conversation)])


def delete_item(call: EmulatedCall) -> PlannedReply:
    """Answers with the conversation, as the specification says."""
    conversation = _find(call)
    del conversation.items[_position(call, conversation)]
    return json_reply(_as_object(conversation))
