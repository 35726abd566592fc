"""Where ids and ciphertexts stand in requests and replies.

Only these places are ever looked at: text, arguments, metadata and instructions may hold what
looks like an id, and mean nothing by it. The fields are those of the published descriptions of
the Responses API (August 2026), of chat messages as this package's bridge writes them, and of the
other collections as the openai package 3.57 has them.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from azure_responses.types.tools import FACTS

__all__ = ["REPLY", "REQUEST", "Kind", "Place", "reply_place", "request_place"]


class Kind(Enum):
    """What an id or ciphertext at a place means.

    STORED: names something one resource stores: a response, a conversation, a file, a container,
        a vector store, a prompt.
    ITEM: names the item it stands in, which may be there in full or by its id alone.
    REASONING_ITEM: the same in a chat message, where an item that is not in full is left out
        unless the response is stored.
    ITEM_NAME: names an item that stands elsewhere.
    CALL: names a tool call of a chat message; only some kinds of call have an item's id.
    CITED: names a file the model drew on; the service does not look it up when it comes back.
    CIPHERTEXT: only the resource that wrote it can read it.
    REASONING: the same, of reasoning in a chat message.
    UNREADABLE: not a string, a list or an object where the API has one, or a field's name in
        capitals: whatever it holds cannot be told from an id.
    """

    STORED = 0
    ITEM = 1
    REASONING_ITEM = 2
    ITEM_NAME = 3
    CALL = 4
    CITED = 5
    CIPHERTEXT = 6
    REASONING = 7
    UNREADABLE = 8


class Place(NamedTuple):
    """What may stand in a field; a list of it may, too, unless it is an id.

    Attributes:
        kind: of a string there; None when it is no id.
        fields: of an object there.
        values: of an object there whose names callers choose.
        is_list: the field is a list of ids.
    """

    kind: Kind | None = None
    fields: "Mapping[str, Place] | None" = None
    values: "Place | None" = None
    is_list: bool = False


_STORED = Place(Kind.STORED)
_CITED = Place(Kind.CITED)
_ITEM_NAME = Place(Kind.ITEM_NAME)
_CIPHERTEXT = Place(Kind.CIPHERTEXT)

# Chat completions puts the details of an annotation under the name of its type.
_CITATION = {"file_id": _CITED, "container_id": _CITED}
_ANNOTATION = Place(
    fields={
        **_CITATION,
        "file_citation": Place(fields=_CITATION),
        "container_file_citation": Place(fields=_CITATION),
        "file_path": Place(fields=_CITATION),
    }
)
_FILE = Place(fields={"file_id": _STORED})
_PART = Place(
    fields={
        "file_id": _STORED,
        "annotations": _ANNOTATION,
        "encrypted_content": _CIPHERTEXT,
        # Chat completions' own parts.
        "file": _FILE,
        "image_url": _FILE,
    }
)


def _places(paths: Iterable[tuple[Kind, str]]) -> dict[str, Place]:
    """Places at paths such as `environment.file_ids[]`, the kind of each given."""
    fields: dict[str, Place] = {}
    for kind, path in paths:
        _add(fields, path.split("."), kind)
    return fields


def _add(fields: dict[str, Place], names: list[str], kind: Kind) -> None:
    name = names[0].removesuffix("[]")
    place = fields.get(name, Place())
    if len(names) > 1:
        inner = dict(place.fields or {})
        _add(inner, names[1:], kind)
        fields[name] = place._replace(fields=inner)
    else:
        fields[name] = place._replace(kind=kind, is_list=names[0] != name)


# Each tool's module says where ids stand in the tool and in its items.
_TOOL_FIELDS = _places((Kind.STORED, path) for facts in FACTS for path in facts.stored_in_tool)
_TOOL_ITEM_FIELDS = _places(
    [(Kind.STORED, path) for facts in FACTS for path in facts.stored_in_item]
    + [(Kind.ITEM_NAME, path) for facts in FACTS for path in facts.named_in_item]
    + [(Kind.CITED, path) for facts in FACTS for path in facts.cited_in_item]
)
_TOOL = Place(fields={**_TOOL_FIELDS, "tools": Place(fields=_TOOL_FIELDS)})
_ITEM = Place(
    fields={
        "encrypted_content": _CIPHERTEXT,
        "id": Place(Kind.ITEM),
        "content": _PART,
        "output": _PART,
        **_TOOL_ITEM_FIELDS,
        "tools": _TOOL,
        # What the bridge keeps of a message's part of an unknown kind.
        "part": _PART,
    }
)
_REASONING = Place(
    fields={"encrypted_content": Place(Kind.REASONING), "id": Place(Kind.REASONING_ITEM)}
)
_MESSAGE = Place(
    fields={
        "content": _PART,
        "reasoning_items": _REASONING,
        "thinking_blocks": _REASONING,
        "hosted_items": _ITEM,
        "hosted_events": Place(
            fields={"item": Place(fields={"id": _ITEM_NAME}), "item_id": _ITEM_NAME}
        ),
        "annotations": _ANNOTATION,
        "tool_calls": Place(fields={"id": Place(Kind.CALL), "item": _ITEM}),
        "tool_call_id": Place(Kind.CALL),
    }
)
_SETTINGS = {
    "previous_response_id": _STORED,
    "conversation": Place(Kind.STORED, {"id": _STORED}),
    "prompt": Place(Kind.STORED, {"id": _STORED, "variables": Place(values=_PART)}),
    "prompt_cache_options": Place(Kind.STORED, {"comparison_response_id": _STORED}),
    "tools": _TOOL,
    "input": _ITEM,
}
_ASKED = {**_SETTINGS, "messages": _MESSAGE}
_RESPONSE = {"id": _STORED, **_SETTINGS, "instructions": _ITEM, "output": _ITEM}

REQUEST = Place(fields={**_ASKED, "extra_body": Place(fields=_ASKED)})
"""The body of a create call, of Responses or of chat completions."""

REPLY = Place(
    fields={
        **_RESPONSE,
        # Pages of items.
        "data": _ITEM,
        "first_id": _ITEM_NAME,
        "last_id": _ITEM_NAME,
        # Events.
        "response": Place(fields=_RESPONSE),
        "response_id": _STORED,
        "item": _ITEM,
        "item_id": _ITEM_NAME,
        "part": _PART,
        "annotation": _ANNOTATION,
        "steer": Place(fields={"previous_response_id": _STORED}),
        "required_input": _ITEM,
        # Chat completions.
        "choices": Place(fields={"message": _MESSAGE, "delta": _MESSAGE}),
    }
)
"""A response, a page of items, a deletion, an event, a chat completion or a chunk of one."""

# What is sent, by collection: of bodies and of forms.
_OBJECT_REQUESTS: Mapping[str, Mapping[str, Place]] = {
    "uploads": _places([(Kind.STORED, "part_ids[]")]),
    "containers": _places(
        (Kind.STORED, path) for path in ("file_id", "file_ids[]", "skills.skill_id")
    ),
    "conversations": {"items": _ITEM},
    "vector_stores": _places(
        (Kind.STORED, path) for path in ("file_id", "file_ids[]", "files.file_id")
    ),
    "batches": _places([(Kind.STORED, "input_file_id")]),
}
# What comes back, of one object and of each entry of a page.
_OBJECT_REPLIES: Mapping[str, tuple[str, ...]] = {
    "files": ("id",),
    "uploads": ("id", "upload_id", "file.id"),
    "containers": ("id", "container_id"),
    "conversations": ("id",),
    "vector_stores": ("id", "vector_store_id", "file_id"),
    "batches": ("id", "input_file_id", "output_file_id", "error_file_id"),
    "skills": ("id", "skill_id"),
}
_ENDS = {"first_id": _STORED, "last_id": _STORED}


def _object_reply(paths: Iterable[str]) -> Place:
    fields = _places((Kind.STORED, path) for path in paths)
    entry = Place(fields=fields)
    # One sample of Azure's lists has its entries under `value`.
    return Place(fields={**fields, **_ENDS, "data": entry, "value": entry})


_NOTHING = Place(fields={})
_BY_COLLECTION = {name: _object_reply(paths) for name, paths in _OBJECT_REPLIES.items()}
_REQUESTS_BY_COLLECTION = {name: Place(fields=fields) for name, fields in _OBJECT_REQUESTS.items()}
_ITEM_PAGE = Place(fields={"data": _ITEM, "first_id": _ITEM_NAME, "last_id": _ITEM_NAME})
_BY_OPERATION = {
    "conversations.items.create": _ITEM_PAGE,
    "conversations.items.list": _ITEM_PAGE,
    "conversations.items.retrieve": _ITEM,
}


def request_place(collection: str) -> Place:
    """Where ids stand in the bodies and forms that one collection is sent."""
    return _REQUESTS_BY_COLLECTION.get(collection, _NOTHING)


def reply_place(operation: str) -> Place:
    """Where ids stand in the reply of an operation of the table of objects."""
    found = _BY_OPERATION.get(operation)
    return found or _BY_COLLECTION.get(operation.partition(".")[0], _NOTHING)
