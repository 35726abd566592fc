"""Files, and vector stores of them."""

from typing import Any

from azure_responses.emulator.contents import Content
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.forms import read_form
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.object_store import StoredFile, VectorStore
from azure_responses.emulator.operations.batch_work import advance_batches
from azure_responses.emulator.operations.fields import (
    list_page,
    read_expiry,
    read_object,
    read_texts,
)
from azure_responses.emulator.service_errors import (
    gateway_error,
    invalid_request,
    missing_parameter,
    not_found,
)

__all__ = [
    "attach_file", "check_quota", "content_reply", "create", "create_store", "delete",
    "delete_store", "detach_file", "find_files", "list_attached", "list_files", "list_stores",
    "read_content", "retrieve", "retrieve_attached", "retrieve_store", "search_store",
]  # fmt: skip

_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "evals")
_MEGABYTE = 1024 * 1024
_LARGEST_FILE = 512 * _MEGABYTE
_LARGEST = {"batch": 200 * _MEGABYTE}
_MOST_LASTING, _MOST_EXPIRING = 500, 10_000
# Smaller ones are sent in one piece.
_WHOLE_BYTES = 1024 * 1024


def content_reply(content: Content) -> PlannedReply:
    """The bytes of a file, in pieces where they are many."""
    headers = [("content-type", "application/octet-stream")]
    if content.size <= _WHOLE_BYTES:
        return PlannedReply(200, headers, content.read())
    headers.append(("content-length", str(content.size)))
    return PlannedReply(200, headers, steps=content.pieces())


# --- files ----------------------------------------------------------------------------------------


def create(call: EmulatedCall) -> PlannedReply:
    """Microsoft's Responses page: purpose `user_data` is not supported, `assistants` is."""
    form = read_form(call.received)
    file, purpose = form.file(), form.fields.get("purpose")
    if purpose is None:
        raise missing_parameter("purpose", code=None)
    if purpose not in _PURPOSES:
        raise invalid_request(f"Invalid value for purpose: '{purpose}'.", "purpose")
    expires_in = read_expiry(form.object("expires_after"), purpose)
    check_quota(call, purpose, file.content.size, expires_in is not None)
    stored = call.account.objects.add_file(file.filename, purpose, file.content, expires_in)
    return json_reply(stored.as_object())


def check_quota(call: EmulatedCall, purpose: str, size: int, expires: bool) -> None:
    """Raise the ServiceError (400) for a file that is too large, or one too many.

    The body for too many is that of azure-sdk-for-java#47401, the one for a large file OpenAI's
    (curator#111). Microsoft's quota page has the numbers.
    """
    if size > _LARGEST.get(purpose, _LARGEST_FILE):
        raise invalid_request("File is too large.")
    files = call.account.objects.files.values()
    if purpose != "batch":
        return
    # Output files count, too.
    alike = sum(
        file.purpose.startswith("batch") and (file.expires_at is not None) == expires
        for file in files
    )
    most = _MOST_EXPIRING if expires else _MOST_LASTING
    if alike >= most:
        kind = "with" if expires else "without"
        message = f"The quota for files {kind} expiry is reached. The maximum is {most}."
        raise gateway_error(400, "quotaExceeded", message)


def _find(call: EmulatedCall) -> StoredFile:
    file = call.account.objects.files.get(call.route.ids[0])
    if file is None:
        raise invalid_request(f"No such File object: {call.route.ids[0]}", "id", status=404)
    return file


def find_files(call: EmulatedCall, name: str) -> list[StoredFile]:
    """The stored files that a field of the body lists; raises ServiceError for unknown ones."""
    files = call.account.objects.files
    identifiers = read_texts(call.optional_body, name)
    for identifier in identifiers:
        if identifier not in files:
            raise not_found("File", identifier, name)
    return [files[identifier] for identifier in identifiers]


def list_files(call: EmulatedCall) -> PlannedReply:
    """`GET /files`, of one purpose where the query says so."""
    # The outputs of batches that have ended meanwhile are among them.
    advance_batches(call.account, call.script)
    purpose, files = call.query.get("purpose"), call.account.objects.files.values()
    shown = [file.as_object() for file in files if purpose in (None, file.purpose)]
    return json_reply(list_page(shown, call.query, maximum=10_000))


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /files/{id}`."""
    return json_reply(_find(call).as_object())


def read_content(call: EmulatedCall) -> PlannedReply:
    """`GET /files/{id}/content`."""
    return content_reply(_find(call).content)


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /files/{id}`; vector stores lose the file too."""
    file = _find(call)
    call.account.objects.drop_file(file.id)
    return json_reply({"object": "file", "id": file.id, "deleted": True})


# --- vector stores --------------------------------------------------------------------------------


def _as_object(call: EmulatedCall, store: VectorStore) -> dict[str, Any]:
    files = call.account.objects.files
    counts = {"in_progress": 0, "completed": len(store.files), "failed": 0, "cancelled": 0}
    return {
        "id": store.id,
        "object": "vector_store",
        "created_at": store.created_at,
        "name": store.name,
        "usage_bytes": sum(files[file_id].content.size for file_id in store.files),
        "file_counts": {**counts, "total": len(store.files)},
        "status": "completed",
        "expires_after": None,
        "expires_at": None,
        "last_active_at": store.created_at,
        "metadata": store.metadata,
    }


def _attached_object(call: EmulatedCall, store: VectorStore, file_id: str) -> dict[str, Any]:
    return {
        "id": file_id,
        "object": "vector_store.file",
        "usage_bytes": call.account.objects.files[file_id].content.size,
        "created_at": store.files[file_id],
        "vector_store_id": store.id,
        "status": "completed",
        "last_error": None,
    }


def _find_store(call: EmulatedCall) -> VectorStore:
    store = call.account.objects.vector_stores.get(call.route.ids[0])
    if store is None:
        raise not_found("Vector store", call.route.ids[0])
    return store


def _find_attached(call: EmulatedCall) -> tuple[VectorStore, str]:
    store, file_id = _find_store(call), call.route.ids[1]
    if file_id not in store.files:
        raise invalid_request(f"No file found with id '{file_id}'.", status=404)
    return store, file_id


def create_store(call: EmulatedCall) -> PlannedReply:
    """`POST /vector_stores`."""
    files, metadata = find_files(call, "file_ids"), read_object(call.optional_body, "metadata")
    store = call.account.objects.add_vector_store(call.optional_body.get("name"), metadata)
    store.files |= {file.id: int(call.now) for file in files}
    return json_reply(_as_object(call, store))


def list_stores(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores`."""
    stores = call.account.objects.vector_stores.values()
    return json_reply(list_page([_as_object(call, store) for store in stores], call.query))


def retrieve_store(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}`."""
    return json_reply(_as_object(call, _find_store(call)))


def delete_store(call: EmulatedCall) -> PlannedReply:
    """`DELETE /vector_stores/{id}`."""
    store = _find_store(call)
    del call.account.objects.vector_stores[store.id]
    return json_reply({"id": store.id, "object": "vector_store.deleted", "deleted": True})


def attach_file(call: EmulatedCall) -> PlannedReply:
    """`POST /vector_stores/{id}/files`."""
    store, file_id = _find_store(call), call.body.get("file_id")
    if not isinstance(file_id, str) or file_id not in call.account.objects.files:
        raise not_found("File", file_id, "file_id")
    # Indexed at once; Azure takes a moment.
    store.files[file_id] = int(call.now)
    return json_reply(_attached_object(call, store, file_id))


def list_attached(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}/files`."""
    store = _find_store(call)
    files = [_attached_object(call, store, file_id) for file_id in store.files]
    return json_reply(list_page(files, call.query))


def retrieve_attached(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}/files/{file}`."""
    return json_reply(_attached_object(call, *_find_attached(call)))


def detach_file(call: EmulatedCall) -> PlannedReply:
    """`DELETE /vector_stores/{id}/files/{file}`; the file itself stays."""
    store, file_id = _find_attached(call)
    del store.files[file_id]
    return json_reply({"id": file_id, "object": "vector_store.file.deleted", "deleted": True})


def search_store(call: EmulatedCall) -> PlannedReply:
    """Word overlap stands in for embeddings; the score falls with the rank."""
    store, query = _find_store(call), call.body.get("query")
    if not query:
        raise missing_parameter("query", code=None)
    queries = query if isinstance(query, list) else [query]
    limit = call.body.get("max_num_results")
    most = limit if isinstance(limit, int) else 10
    found = call.account.objects.search([store.id], " ".join(map(str, queries)))
    data = [
        {
            "file_id": file_id,
            "filename": filename,
            "score": round(0.9 / (rank + 1), 4),
            "attributes": {},
            "content": [{"type": "text", "text": text}],
        }
        for rank, (file_id, filename, text) in enumerate(found[:most])
    ]
    page = {"object": "vector_store.search_results.page", "search_query": queries, "data": data}
    return json_reply({**page, "has_more": False, "next_page": None})
