"""Vector stores, as far as file search refers to them."""

from typing import Any

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.object_store import VectorStore
from azure_responses.emulator.operations.fields import list_page, read_object, read_texts
from azure_responses.emulator.service_errors import invalid_request

__all__ = [
    "attach_file",
    "create",
    "delete",
    "detach_file",
    "list_files",
    "list_stores",
    "retrieve",
    "retrieve_file",
    "search",
]


def _as_object(call: EmulatedCall, store: VectorStore) -> dict[str, Any]:
    files = call.account.objects.files
    counts = {"in_progress": 0, "completed": len(store.files), "failed": 0, "cancelled": 0}
    return {
        "id": store.id,
        "object": "vector_store",
        "created_at": store.created_at,
        "name": store.name,
        "usage_bytes": sum(len(files[file_id].content) for file_id in store.files),
        "file_counts": {**counts, "total": len(store.files)},
        "status": "completed",
        "expires_after": None,
        "expires_at": None,
        "last_active_at": store.created_at,
        "metadata": store.metadata,
    }


def _file_object(call: EmulatedCall, store: VectorStore, file_id: str) -> dict[str, Any]:
    return {
        "id": file_id,
        "object": "vector_store.file",
        "usage_bytes": len(call.account.objects.files[file_id].content),
        "created_at": store.files[file_id],
        "vector_store_id": store.id,
        "status": "completed",
        "last_error": None,
    }


def _find(call: EmulatedCall) -> VectorStore:
    store = call.account.objects.vector_stores.get(call.route.ids[0])
    if store is None:
        raise invalid_request(f"Vector store with id '{call.route.ids[0]}' not found.", status=404)
    return store


def _attach(call: EmulatedCall, store: VectorStore, file_id: Any) -> None:
    if not isinstance(file_id, str) or file_id not in call.account.objects.files:
        raise invalid_request(f"File with id '{file_id}' not found.", "file_id", status=404)
    store.files[file_id] = int(call.now)


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /vector_stores`."""
    body = call.optional_body
    holdings = call.account.objects
    file_ids = read_texts(body, "file_ids")
    for file_id in file_ids:
        if file_id not in holdings.files:
            raise invalid_request(f"File with id '{file_id}' not found.", "file_ids", status=404)
    store = holdings.add_vector_store(body.get("name"), read_object(body, "metadata"))
    for file_id in file_ids:
        _attach(call, store, file_id)
    return json_reply(_as_object(call, store))


def list_stores(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores`."""
    stores = call.account.objects.vector_stores.values()
    return json_reply(list_page([_as_object(call, store) for store in stores], call.query))


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}`."""
    return json_reply(_as_object(call, _find(call)))


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /vector_stores/{id}`."""
    store = _find(call)
    del call.account.objects.vector_stores[store.id]
    return json_reply({"id": store.id, "object": "vector_store.deleted", "deleted": True})


def attach_file(call: EmulatedCall) -> PlannedReply:
    """`POST /vector_stores/{id}/files`."""
    store = _find(call)
    file_id = call.body.get("file_id")
    _attach(call, store, file_id)
    return json_reply(_file_object(call, store, str(file_id)))


def list_files(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}/files`."""
    store = _find(call)
    files = [_file_object(call, store, file_id) for file_id in store.files]
    return json_reply(list_page(files, call.query))


def _attached(call: EmulatedCall) -> tuple[VectorStore, str]:
    store, file_id = _find(call), call.route.ids[1]
    if file_id not in store.files:
        raise invalid_request(f"No file found with id '{file_id}'.", status=404)
    return store, file_id


def retrieve_file(call: EmulatedCall) -> PlannedReply:
    """`GET /vector_stores/{id}/files/{file}`."""
    return json_reply(_file_object(call, *_attached(call)))


def detach_file(call: EmulatedCall) -> PlannedReply:
    """`DELETE /vector_stores/{id}/files/{file}`; the file itself stays."""
    store, file_id = _attached(call)
    del store.files[file_id]
    return json_reply({"id": file_id, "object": "vector_store.file.deleted", "deleted": True})


def search(call: EmulatedCall) -> PlannedReply:
    """Word overlap stands in for embeddings; the score falls with the rank."""
    store = _find(call)
    query = call.body.get("query")
    if not query:
        raise invalid_request("Missing required parameter: 'query'.", "query")
    queries = query if isinstance(query, list) else [query]
    found = call.account.objects.search([store.id], " ".join(map(str, queries)))
    data = [
        {
            "file_id": file_id,
            "filename": filename,
            "score": round(0.9 / (rank + 1), 4),
            "attributes": {},
            "content": [{"type": "text", "text": text}],
        }
        for rank, (file_id, filename, text) in enumerate(found[: _most(call)])
    ]
    page = {"object": "vector_store.search_results.page", "search_query": queries, "data": data}
    return json_reply({**page, "has_more": False, "next_page": None})


def _most(call: EmulatedCall) -> int:
    most = call.body.get("max_num_results")
    return most if isinstance(most, int) else 10
