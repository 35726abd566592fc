"""Files, as far as responses refer to them."""

from azure_responses.emulator.call import Call
from azure_responses.emulator.exchange import Reply, json_reply
from azure_responses.emulator.holdings import StoredFile
from azure_responses.emulator.operations.multipart import read_upload
from azure_responses.emulator.paging import list_page
from azure_responses.emulator.refusals import invalid_request

__all__ = ["create", "delete", "list_files", "read_content", "retrieve"]

_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "evals")


def create(call: Call) -> Reply:
    """Microsoft's Responses page: purpose `user_data` is not supported, `assistants` is."""
    upload = read_upload(call.received)
    purpose = upload.fields.get("purpose")
    if upload.content is None or upload.filename is None:
        raise invalid_request("Missing required parameter: 'file'.", "file")
    if purpose is None:
        raise invalid_request("Missing required parameter: 'purpose'.", "purpose")
    if purpose not in _PURPOSES:
        raise invalid_request(f"Invalid value for purpose: '{purpose}'.", "purpose")
    file = call.account.holdings.add_file(upload.filename, purpose, upload.content)
    return json_reply(file.as_object())


def _find(call: Call) -> StoredFile:
    file = call.account.holdings.files.get(call.route.ids[0])
    if file is None:
        raise invalid_request(f"No such File object: {call.route.ids[0]}", "id", status=404)
    return file


def list_files(call: Call) -> Reply:
    """`GET /files`, of one purpose where the query says so."""
    purpose = call.query.get("purpose")
    files = [
        file.as_object()
        for file in call.account.holdings.files.values()
        if purpose in (None, file.purpose)
    ]
    return json_reply(list_page(files, call.query, maximum=10_000))


def retrieve(call: Call) -> Reply:
    """`GET /files/{id}`."""
    return json_reply(_find(call).as_object())


def read_content(call: Call) -> Reply:
    """`GET /files/{id}/content`."""
    return Reply(200, [("content-type", "application/octet-stream")], _find(call).content)


def delete(call: Call) -> Reply:
    """`DELETE /files/{id}`; vector stores let go of the file too."""
    file = _find(call)
    call.account.holdings.drop_file(file.id)
    return json_reply({"object": "file", "id": file.id, "deleted": True})
