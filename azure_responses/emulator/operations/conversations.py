"""Conversations and their items."""

from typing import Any

from azure_responses.emulator.call import Call
from azure_responses.emulator.exchange import Reply, json_reply
from azure_responses.emulator.holdings import Conversation
from azure_responses.emulator.nulls import drop_nulls
from azure_responses.emulator.operations.fields import read_object
from azure_responses.emulator.paging import list_page
from azure_responses.emulator.refusals import conversation_not_found, invalid_request
from azure_responses.emulator.store import listed_items

__all__ = [
    "add_items",
    "create",
    "delete",
    "delete_item",
    "list_items",
    "retrieve",
    "retrieve_item",
    "update",
]

_MOST_ITEMS = 20


def _as_object(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": conversation.created_at,
        "metadata": conversation.metadata,
    }


def _find(call: Call) -> Conversation:
    conversation = call.account.holdings.conversations.get(call.route.ids[0])
    if conversation is None:
        raise conversation_not_found(call.route.ids[0])
    return conversation


def _items(call: Call, conversation: Conversation) -> list[dict[str, Any]]:
    items = drop_nulls(call.optional_body.get("items") or [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid_request("Invalid type for 'items': expected an array of objects.", "items")
    if not all(isinstance(item.get("type", ""), str) for item in items):
        raise invalid_request("Invalid type for 'items[].type': expected a string.", "items")
    if len(items) > _MOST_ITEMS:
        raise invalid_request(
            f"Invalid 'items': array too long. Expected an array with maximum length "
            f"{_MOST_ITEMS}, but got an array with length {len(items)} instead.",
            "items",
            "array_above_max_length",
        )
    return listed_items(items, f"{conversation.id}/{len(conversation.items)}")


def create(call: Call) -> Reply:
    """`POST /conversations`."""
    conversation = call.account.holdings.add_conversation(
        read_object(call.optional_body, "metadata")
    )
    conversation.add(_items(call, conversation))
    return json_reply(_as_object(conversation))


def retrieve(call: Call) -> Reply:
    """`GET /conversations/{id}`."""
    return json_reply(_as_object(_find(call)))


def update(call: Call) -> Reply:
    """`POST /conversations/{id}`: other metadata."""
    conversation = _find(call)
    conversation.metadata = read_object(call.body, "metadata")
    return json_reply(_as_object(conversation))


def delete(call: Call) -> Reply:
    """`DELETE /conversations/{id}`."""
    conversation = _find(call)
    del call.account.holdings.conversations[conversation.id]
    return json_reply({"id": conversation.id, "object": "conversation.deleted", "deleted": True})


def add_items(call: Call) -> Reply:
    """`POST /conversations/{id}/items`."""
    conversation = _find(call)
    added = _items(call, conversation)
    conversation.add(added)
    return json_reply(list_page(added, {"limit": "100"}, default_order="asc"))


def list_items(call: Call) -> Reply:
    """`GET /conversations/{id}/items`."""
    return json_reply(list_page(_find(call).items, call.query))


def _position(call: Call, conversation: Conversation) -> int:
    for index, item in enumerate(conversation.items):
        if item.get("id") == call.route.ids[1]:
            return index
    raise invalid_request(f"Item with id '{call.route.ids[1]}' not found.", status=404)


def retrieve_item(call: Call) -> Reply:
    """`GET /conversations/{id}/items/{item}`."""
    conversation = _find(call)
    return json_reply(conversation.items[_position(call, conversation)])


def delete_item(call: Call) -> Reply:
    """Answers with the conversation, as the specification says."""
    conversation = _find(call)
    del conversation.items[_position(call, conversation)]
    return json_reply(_as_object(conversation))
