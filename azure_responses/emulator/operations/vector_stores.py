"""Vector stores, their files one by one or in batches, and what is found in them."""

from collections.abc import Sequence
from typing import Any

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.object_store import EmulatedFile
from azure_responses.emulator.operations.attributes import matches, read_chunking
from azure_responses.emulator.operations.fields import (
    list_page,
    read_metadata,
    read_object,
    read_texts,
)
from azure_responses.emulator.operations.files import find_file, find_files
from azure_responses.emulator.service_errors import (
    invalid_request,
    invalid_type,
    invalid_value,
    missing_parameter,
    not_found,
    too_many,
)
from azure_responses.emulator.validation.shapes import Integer
from azure_responses.emulator.vector_store import AttachedFile, EmulatedVectorStore, FileBatch

__all__ = [
    "attach_batch", "attach_file", "cancel_batch", "create", "delete", "detach_file",
    "list_batch_files", "list_files", "list_stores", "read_content", "retrieve", "retrieve_batch",
    "retrieve_file", "search", "update", "update_file",
]  # fmt: skip

_STATUSES = ("in_progress", "completed", "failed", "cancelled")
# The OpenAI package's description; a batch of more is refused.
_MOST_BATCHED, _MOST_RESULTS = 2000, 50
# Azure's list of supported types for file search has text, office documents and PDF.
_UNSUPPORTED = (".png", ".jpg", ".jpeg", ".gif", ".mp3", ".wav", ".mp4", ".zip", ".exe")


# --- stores ---------------------------------------------------------------------------------------


def _as_object(call: EmulatedCall, store: EmulatedVectorStore) -> dict[str, Any]:
    files, now = call.account.objects.files, call.now
    size = sum(
        files[file.file_id].content.size
        for file in store.files.values()
        if file.status(now) == "completed"
    )
    return store.as_object(size, now)


def _find(call: EmulatedCall) -> EmulatedVectorStore:
    store = call.account.objects.vector_stores.get(call.route.ids[0])
    # What has expired meanwhile must not be counted.
    _ = call.account.objects.files
    if store is None:
        raise not_found("Vector store", call.route.ids[0])
    return store


def _use(call: EmulatedCall) -> EmulatedVectorStore:
    store = _find(call)
    if store.has_expired(call.now):
        raise invalid_request(f"Vector store with id '{store.id}' is expired.")
    store.last_active_at = call.now
    return store


def _read_days(body: dict[str, Any]) -> int | None:
    expiry = read_object(body, "expires_after")
    if not expiry:
        return None
    if expiry.get("anchor") != "last_active_at":
        raise invalid_value("expires_after.anchor", expiry.get("anchor"), ("last_active_at",))
    days: Any = expiry.get("days")
    Integer(1, 365).check(days, "expires_after.days")
    return int(days)


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /vector_stores`."""
    body = call.optional_body
    files, metadata, days = find_files(call, "file_ids"), read_metadata(body), _read_days(body)
    chunking = read_chunking(body)
    store = call.account.objects.add_vector_store(body.get("name"), metadata)
    store.days = days
    for file in files:
        _attach(call, store, file, {}, chunking)
    return json_reply(_as_object(call, store))


def list_stores(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores`."""
    stores = call.account.objects.vector_stores.values()
    return json_reply(list_page([_as_object(call, store) for store in stores], call.query))


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}`."""
    return json_reply(_as_object(call, _find(call)))


def update(call: EmulatedCall) -> PlannedReply:
    """`POST /vector_stores/{id}`: what is not named stays."""
    store, body = _find(call), call.body
    name = body.get("name", store.name)
    if name is not None and not isinstance(name, str):
        raise invalid_type("name", "a string", name)
    days = _read_days(body) if "expires_after" in body else store.days
    store.metadata = read_metadata(body) if "metadata" in body else store.metadata
    store.name, store.days = name, days
    return json_reply(_as_object(call, store))


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /vector_stores/{id}`."""
    store = _find(call)
    del call.account.objects.vector_stores[store.id]
    return json_reply({"id": store.id, "object": "vector_store.deleted", "deleted": True})


# --- files ----------------------------------------------------------------------------------------


def _attach(
    call: EmulatedCall,
    store: EmulatedVectorStore,
    file: EmulatedFile,
    attributes: dict[str, Any],
    chunking: dict[str, Any] | None,
) -> AttachedFile:
    ready_at = call.now + call.account.indexing_seconds
    error = _indexing_error(file)
    attached = AttachedFile(file.id, call.now, ready_at, attributes, chunking, error)
    store.files[file.id] = attached
    return attached


def _indexing_error(file: EmulatedFile) -> dict[str, str] | None:
    if file.filename.lower().endswith(_UNSUPPORTED):
        message = "The file type is not supported."
        return {"code": "unsupported_file", "message": message}
    if file.content.size == 0:
        return {"code": "invalid_file", "message": "The file could not be parsed: it is empty."}
    return None


def _file_object(
    call: EmulatedCall, store: EmulatedVectorStore, file: AttachedFile
) -> dict[str, Any]:
    size = call.account.objects.files[file.file_id].content.size
    return file.as_object(store.id, size, call.now)


def _find_attached(call: EmulatedCall) -> tuple[EmulatedVectorStore, AttachedFile]:
    store, file_id = _find(call), call.route.ids[1]
    if file_id not in store.files:
        raise invalid_request(f"No file found with id '{file_id}'.", status=404)
    return store, store.files[file_id]


def attach_file(call: EmulatedCall) -> PlannedReply:
    """`POST /vector_stores/{id}/files`."""
    store, file = _use(call), find_file(call, call.body.get("file_id"))
    attributes, chunking = read_metadata(call.body, "attributes"), read_chunking(call.body)
    return json_reply(_file_object(call, store, _attach(call, store, file, attributes, chunking)))


def _page(
    call: EmulatedCall, store: EmulatedVectorStore, files: Sequence[AttachedFile]
) -> PlannedReply:
    status = call.query.get("filter")
    if status is not None and status not in _STATUSES:
        raise invalid_value("filter", status, _STATUSES)
    shown = [_file_object(call, store, file) for file in files]
    kept = [file for file in shown if status in (None, file["status"])]
    return json_reply(list_page(kept, call.query))


def list_files(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}/files`, of one status where the query has a `filter`."""
    store = _find(call)
    return _page(call, store, list(store.files.values()))


def retrieve_file(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}/files/{file}`."""
    return json_reply(_file_object(call, *_find_attached(call)))


def update_file(call: EmulatedCall) -> PlannedReply:
    """`POST /vector_stores/{id}/files/{file}`: other attributes."""
    store, file = _find_attached(call)
    if "attributes" not in call.body:
        raise missing_parameter("attributes")
    file.attributes = read_metadata(call.body, "attributes")
    return json_reply(_file_object(call, store, file))


def detach_file(call: EmulatedCall) -> PlannedReply:
    """`DELETE /vector_stores/{id}/files/{file}`; the file itself stays."""
    store, file = _find_attached(call)
    del store.files[file.file_id]
    return json_reply({"id": file.file_id, "object": "vector_store.file.deleted", "deleted": True})


def read_content(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}/files/{file}/content`: the text that was indexed."""
    _, file = _find_attached(call)
    stored = call.account.objects.files[file.file_id]
    text = stored.content.read().decode("utf-8", "replace")
    page = {"object": "vector_store.file_content.page", "has_more": False, "next_page": None}
    return json_reply({**page, "data": [{"type": "text", "text": text}]})


# --- batches of files -----------------------------------------------------------------------------


def attach_batch(call: EmulatedCall) -> PlannedReply:
    """`POST /vector_stores/{id}/file_batches`: `file_ids`, or `files` with their own options."""
    store = _use(call)
    # Nothing is attached where one of them is invalid.
    attached = [_attach(call, store, *given) for given in _read_batch(call)]
    batch = FileBatch("vsfb_" + call.account.mint.digits(32), int(call.now), attached)
    store.batches[batch.id] = batch
    return json_reply(batch.as_object(store.id, call.now))


def _read_batch(
    call: EmulatedCall,
) -> list[tuple[EmulatedFile, dict[str, Any], dict[str, Any] | None]]:
    """Each file with its attributes and how it is cut; raises ServiceError for an invalid one."""
    body, files = call.body, call.body.get("files")
    if (files is None) == (body.get("file_ids") is None):
        raise invalid_request("Exactly one of 'file_ids' and 'files' is required.", "file_ids")
    if files is None:
        listed = [{**body, "file_id": file_id} for file_id in read_texts(body, "file_ids")]
    elif isinstance(files, list) and all(isinstance(file, dict) for file in files):
        listed = files
    else:
        raise invalid_type("files", "an array of objects", files)
    if len(listed) > _MOST_BATCHED:
        raise too_many("file_ids" if files is None else "files", len(listed), _MOST_BATCHED)
    found = [find_file(call, options.get("file_id")) for options in listed]
    return [
        (file, read_metadata(options, "attributes"), read_chunking(options))
        for file, options in zip(found, listed, strict=True)
    ]


def _find_batch(call: EmulatedCall) -> tuple[EmulatedVectorStore, FileBatch]:
    store = _find(call)
    batch = store.batches.get(call.route.ids[1])
    if batch is None:
        raise not_found("File batch", call.route.ids[1])
    return store, batch


def retrieve_batch(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}/file_batches/{batch}`."""
    store, batch = _find_batch(call)
    return json_reply(batch.as_object(store.id, call.now))


def cancel_batch(call: EmulatedCall) -> PlannedReply:
    """Stops the indexing of what is in progress; a batch that has ended stays as it is."""
    store, batch = _find_batch(call)
    for file in batch.files:
        file.cancel(call.now)
        batch.is_cancelled = batch.is_cancelled or file.is_cancelled
    return json_reply(batch.as_object(store.id, call.now))


def list_batch_files(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}/file_batches/{batch}/files`: those that are still attached."""
    store, batch = _find_batch(call)
    kept = [file for file in batch.files if store.files.get(file.file_id) is file]
    return _page(call, store, kept)


# --- search ---------------------------------------------------------------------------------------


def search(call: EmulatedCall) -> PlannedReply:
    """Word overlap stands in for embeddings; the score falls with the rank."""
    query, most = _read_query(call.body), _read_most(call.body)
    filters, threshold = read_object(call.body, "filters"), _read_threshold(call.body)
    store = _use(call)
    found = [
        row
        for row in call.account.objects.search([store.id], " ".join(query))
        if not filters or matches(store.files[row[0]].attributes, filters)
    ]
    data = [
        {
            "file_id": file_id,
            "filename": filename,
            "score": round(0.9 / (rank + 1), 4),
            "attributes": store.files[file_id].attributes,
            "content": [{"type": "text", "text": text}],
        }
        for rank, (file_id, filename, text) in enumerate(found[:most])
        if round(0.9 / (rank + 1), 4) >= threshold
    ]
    page = {"object": "vector_store.search_results.page", "search_query": query, "data": data}
    return json_reply({**page, "has_more": False, "next_page": None})


def _read_query(body: dict[str, Any]) -> list[str]:
    query = body.get("query")
    if not query:
        raise missing_parameter("query", code=None)
    return [query] if isinstance(query, str) else read_texts(body, "query")


def _read_most(body: dict[str, Any]) -> int:
    most = body.get("max_num_results")
    if most is None:
        return 10
    Integer(1, _MOST_RESULTS).check(most, "max_num_results")
    return int(most)


def _read_threshold(body: dict[str, Any]) -> float:
    threshold = read_object(body, "ranking_options").get("score_threshold", 0)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        raise invalid_type("ranking_options.score_threshold", "a number", threshold)
    return float(threshold)
