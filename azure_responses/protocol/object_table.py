"""The operations on what responses refer to: files, vector stores, containers, conversations, ….

The rows are those of the openai package 3.57 (November 2026), below `/openai/v1` at Azure. Azure's
own description of v1 lists neither uploads nor skills; both are sent all the same, and a 404 gets
the row's hint.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from azure_responses.protocol.operation_table import OPERATIONS, APIOperation

__all__ = ["EVERY_OPERATION", "OBJECT_OPERATIONS", "PASSED_OPERATIONS", "SERVED_OPERATIONS"]

_PAGE = ("after", "limit", "order")
_BOTH_WAYS = ("after", "before", "limit", "order")
_INCLUDE = ("include[]", "include")
# A resource answered 404 in January 2026, although its description lists them.
_USE_PROJECT = (
    "Conversations are offered by Foundry projects: use the URL of a project, "
    "https://RESOURCE.services.ai.azure.com/api/projects/PROJECT."
)
_USE_FILES = "Azure may not offer uploads in parts: files.create streams a file of up to 512 MB."
_NO_SKILLS = "The resource may not offer skills yet: the OpenAI API and newer resources do."
# The description of v1 lists embeddings, and neither images nor audio.
_OTHER_VERSION = (
    "The deployment may serve another model, or its API version may not offer this: images and "
    "audio need api_version: preview, or a dated version such as 2025-04-01-preview."
)
_AZURE_WEBHOOKS = "/dashboard/webhook_endpoints"
_ONLY_OPENAI = "Azure creates, lists, reads, updates and deletes webhook endpoints only."
_GONE = "A container ends after 20 minutes without use: create another one."

# name, method, path, summary, and what differs from a plain JSON object.
_Row = tuple[str, str, str, str, dict[str, Any]]

_FILES: tuple[_Row, ...] = (
    ("create", "POST", "", "Upload a file.", {"is_form": True}),
    ("list", "GET", "", "List files.", {"query": (*_PAGE, "purpose")}),
    ("retrieve", "GET", "/{file_id}", "Describe a file.", {}),
    ("delete", "DELETE", "/{file_id}", "Delete a file.", {}),
    ("content", "GET", "/{file_id}/content", "Download a file.", {"returns": "bytes"}),
)
_UPLOADS: tuple[_Row, ...] = (
    ("create", "POST", "", "Begin an upload in parts.", {}),
    ("parts.create", "POST", "/{upload_id}/parts", "Upload one part.", {"is_form": True}),
    ("complete", "POST", "/{upload_id}/complete", "Make a file of the parts.", {}),
    ("cancel", "POST", "/{upload_id}/cancel", "Give up an upload.", {}),
)
_CONTAINERS: tuple[_Row, ...] = (
    # It begins a session of the code interpreter, which is paid for.
    ("create", "POST", "", "Create a container.", {"is_billed": True}),
    ("list", "GET", "", "List containers.", {"query": (*_PAGE, "name")}),
    ("retrieve", "GET", "/{container_id}", "Describe a container.", {}),
    ("delete", "DELETE", "/{container_id}", "Delete a container.", {}),
    ("files.create", "POST", "/{container_id}/files", "Put a file into it.", {"is_form": True}),
    ("files.list", "GET", "/{container_id}/files", "List its files.", {"query": _PAGE}),
    ("files.retrieve", "GET", "/{container_id}/files/{file_id}", "Describe a file of it.", {}),
    ("files.delete", "DELETE", "/{container_id}/files/{file_id}", "Delete a file of it.", {}),
    (
        "files.content",
        "GET",
        "/{container_id}/files/{file_id}/content",
        "Download a file of a container, such as one that code interpreter wrote.",
        {"returns": "bytes"},
    ),
)
_CONVERSATIONS: tuple[_Row, ...] = (
    ("create", "POST", "", "Create a conversation.", {}),
    ("retrieve", "GET", "/{conversation_id}", "Describe a conversation.", {}),
    ("update", "POST", "/{conversation_id}", "Change its metadata.", {}),
    ("delete", "DELETE", "/{conversation_id}", "Delete a conversation.", {}),
    (
        "items.create",
        "POST",
        "/{conversation_id}/items",
        "Add up to 20 items.",
        {"query": _INCLUDE, "returns": "page"},
    ),
    (
        "items.list",
        "GET",
        "/{conversation_id}/items",
        "List its items.",
        {"query": (*_PAGE, *_INCLUDE)},
    ),
    (
        "items.retrieve",
        "GET",
        "/{conversation_id}/items/{item_id}",
        "Read an item.",
        {"query": _INCLUDE},
    ),
    ("items.delete", "DELETE", "/{conversation_id}/items/{item_id}", "Delete an item.", {}),
)
_STORE_FILE = "/{vector_store_id}/files/{file_id}"
_STORE_BATCH = "/{vector_store_id}/file_batches"
_VECTOR_STORES: tuple[_Row, ...] = (
    ("create", "POST", "", "Create a vector store.", {}),
    ("list", "GET", "", "List vector stores.", {"query": _BOTH_WAYS}),
    ("retrieve", "GET", "/{vector_store_id}", "Describe a vector store.", {}),
    ("update", "POST", "/{vector_store_id}", "Change a vector store.", {}),
    ("delete", "DELETE", "/{vector_store_id}", "Delete a vector store.", {}),
    ("search", "POST", "/{vector_store_id}/search", "Search it.", {"returns": "page"}),
    ("files.create", "POST", "/{vector_store_id}/files", "Add a file to it.", {}),
    (
        "files.list",
        "GET",
        "/{vector_store_id}/files",
        "List its files.",
        {"query": (*_BOTH_WAYS, "filter")},
    ),
    ("files.retrieve", "GET", _STORE_FILE, "Describe a file of it.", {}),
    ("files.update", "POST", _STORE_FILE, "Change a file's attributes.", {}),
    ("files.delete", "DELETE", _STORE_FILE, "Take a file out of it.", {}),
    ("files.content", "GET", f"{_STORE_FILE}/content", "Read a file's text.", {"returns": "page"}),
    ("file_batches.create", "POST", _STORE_BATCH, "Add many files to it.", {}),
    ("file_batches.retrieve", "GET", _STORE_BATCH + "/{batch_id}", "Describe that work.", {}),
    ("file_batches.cancel", "POST", _STORE_BATCH + "/{batch_id}/cancel", "Stop that work.", {}),
    (
        "file_batches.list_files",
        "GET",
        _STORE_BATCH + "/{batch_id}/files",
        "List the files of that work.",
        {"query": (*_BOTH_WAYS, "filter")},
    ),
)
_BATCHES: tuple[_Row, ...] = (
    ("create", "POST", "", "Create a batch.", {}),
    ("list", "GET", "", "List batches.", {"query": ("after", "limit")}),
    ("retrieve", "GET", "/{batch_id}", "Describe a batch.", {}),
    ("cancel", "POST", "/{batch_id}/cancel", "Cancel a batch.", {}),
)
_VERSION = "/{skill_id}/versions/{version}"
_SKILLS: tuple[_Row, ...] = (
    ("create", "POST", "", "Upload a skill.", {"is_form": True}),
    ("list", "GET", "", "List skills.", {"query": _PAGE}),
    ("retrieve", "GET", "/{skill_id}", "Describe a skill.", {}),
    ("update", "POST", "/{skill_id}", "Choose its default version.", {}),
    ("delete", "DELETE", "/{skill_id}", "Delete a skill.", {}),
    ("content", "GET", "/{skill_id}/content", "Download a skill.", {"returns": "bytes"}),
    ("versions.create", "POST", "/{skill_id}/versions", "Upload a version.", {"is_form": True}),
    ("versions.list", "GET", "/{skill_id}/versions", "List its versions.", {"query": _PAGE}),
    ("versions.retrieve", "GET", _VERSION, "Describe a version.", {}),
    ("versions.delete", "DELETE", _VERSION, "Delete a version.", {}),
    ("versions.content", "GET", _VERSION + "/content", "Download it.", {"returns": "bytes"}),
)
_WEBHOOKS: tuple[_Row, ...] = (
    ("create", "POST", "", "Create a webhook endpoint.", {}),
    ("list", "GET", "", "List webhook endpoints.", {"query": ("after", "limit")}),
    ("retrieve", "GET", "/{webhook_endpoint_id}", "Describe a webhook endpoint.", {}),
    ("update", "POST", "/{webhook_endpoint_id}", "Change a webhook endpoint.", {}),
    ("delete", "DELETE", "/{webhook_endpoint_id}", "Delete a webhook endpoint.", {}),
    (
        "rotate_secret",
        "POST",
        "/{webhook_endpoint_id}/rotate_secret",
        "Make a new signing secret.",
        {"instead": _ONLY_OPENAI},
    ),
    (
        "test",
        "POST",
        "/{webhook_endpoint_id}/test",
        "Send a test event.",
        {"instead": _ONLY_OPENAI},
    ),
)
_EVENT_TYPES: tuple[_Row, ...] = (
    ("event_types.list", "GET", "", "List the types of events.", {"instead": _ONLY_OPENAI}),
)


def _rows(
    collection: str, rows: tuple[_Row, ...], path: str = "", azure: str = "", **every: Any
) -> Iterator[APIOperation]:
    """The rows of one collection, served below `path` and asked for below `azure`."""
    path = path or f"/{collection}"
    for name, method, rest, summary, more in rows:
        if name.endswith(("list", "list_files")):
            more = {"returns": "page", **more}
        full_name = f"{collection}.{name}"
        terms = {**every, **more, "collection": collection, "span": full_name}
        upstream = _segments((azure or path) + rest)
        yield APIOperation(full_name, method, path + rest, summary, upstream, **terms)


def _segments(path: str) -> tuple[str | None, ...]:
    return tuple(None if part.startswith("{") else part for part in path.split("/")[1:])


OBJECT_OPERATIONS: Mapping[str, APIOperation] = {
    row.name: row
    for row in (
        *_rows("files", _FILES),
        *_rows("uploads", _UPLOADS, instead=_USE_FILES),
        *_rows("containers", _CONTAINERS, gone=_GONE),
        *_rows("conversations", _CONVERSATIONS, instead=_USE_PROJECT),
        *_rows("vector_stores", _VECTOR_STORES),
        *_rows("batches", _BATCHES),
        *_rows("skills", _SKILLS, instead=_NO_SKILLS),
        # A gateway's callers do not manage the webhooks of its resources.
        *_rows("webhooks", _WEBHOOKS, "/webhook_endpoints", _AZURE_WEBHOOKS, is_served=False),
        *_rows("webhooks", _EVENT_TYPES, "/webhook_event_types", is_served=False),
    )
}
"""The rows by name, such as "files.create" and "vector_stores.files.list"."""


def _passed(name: str, summary: str, **more: Any) -> APIOperation:
    path = "/" + name.replace(".", "/")
    return APIOperation(
        name,
        "POST",
        path,
        summary,
        upstream=_segments(path),
        needs_model=True,
        is_billed=True,
        by_deployment=True,
        span=name,
        instead=_OTHER_VERSION,
        **more,
    )


_STREAMED: dict[str, Any] = {"streams": "body", "returns_usage": True}


PASSED_OPERATIONS: Mapping[str, APIOperation] = {
    row.name: row
    for row in (
        _passed("embeddings", "Create embeddings.", returns_usage=True),
        _passed("images.generations", "Create images.", **_STREAMED),
        _passed("images.edits", "Change images.", is_form=True, **_STREAMED),
        _passed("images.variations", "Create variations of an image.", is_form=True),
        _passed("audio.transcriptions", "Write down speech.", is_form=True, **_STREAMED),
        _passed("audio.translations", "Write down speech in English.", is_form=True),
        _passed("audio.speech", "Read a text aloud.", returns="bytes"),
    )
}
"""Rows of other APIs that the gateway passes on as they are, to what the body's `model` names."""

EVERY_OPERATION: Mapping[str, APIOperation] = {
    **OPERATIONS,
    **OBJECT_OPERATIONS,
    **PASSED_OPERATIONS,
}
"""All rows by name, for logs, metrics and others that know only the name of an operation."""

SERVED_OPERATIONS: Mapping[str, APIOperation] = {
    name: row for name, row in EVERY_OPERATION.items() if row.is_served
}
"""The rows that the OpenAI server offers."""
