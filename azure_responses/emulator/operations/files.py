"""Files."""

from typing import Any

from azure_responses.emulator.contents import StoredContent
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.object_store import EmulatedFile
from azure_responses.emulator.operations.batch_work import advance_batches
from azure_responses.emulator.operations.fields import (
    list_page,
    read_expiry,
    read_texts,
)
from azure_responses.emulator.service_errors import (
    gateway_error,
    invalid_request,
    missing_parameter,
    not_found,
)

__all__ = [
    "check_purpose", "check_quota", "content_reply", "create", "delete", "find_file",
    "find_files", "list_files", "read_content", "retrieve",
]  # fmt: skip

_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "evals")
_MEGABYTE = 1024 * 1024
_LARGEST_FILE = 512 * _MEGABYTE
_LARGEST = {"batch": 200 * _MEGABYTE}
_MOST_LASTING, _MOST_EXPIRING = 500, 10_000
# Smaller ones are sent in one piece.
_WHOLE_BYTES = 1024 * 1024


def content_reply(
    content: StoredContent, content_type: str = "application/octet-stream"
) -> PlannedReply:
    """The bytes of a file, in pieces where they are many."""
    headers = [("content-type", content_type)]
    if content.size <= _WHOLE_BYTES:
        return PlannedReply(200, headers, content.read())
    headers.append(("content-length", str(content.size)))
    return PlannedReply(200, headers, steps=content.pieces())


def create(call: EmulatedCall) -> PlannedReply:
    """Microsoft's Responses page: purpose `user_data` is not supported, `assistants` is."""
    form = call.form
    file, purpose = form.file(), form.fields.get("purpose")
    if purpose is None:
        raise missing_parameter("purpose", code=None)
    check_purpose(purpose)
    expires_in = read_expiry(form.object("expires_after"), purpose)
    check_quota(call, purpose, file.content.size, expires_in is not None)
    stored = call.account.objects.add_file(file.filename, purpose, file.content, expires_in)
    return json_reply(stored.as_object())


def check_purpose(purpose: str) -> None:
    """Raise the ServiceError (400) for a purpose that Azure does not take."""
    if purpose not in _PURPOSES:
        raise invalid_request(f"Invalid value for purpose: '{purpose}'.", "purpose")


def check_quota(call: EmulatedCall, purpose: str, size: int, expires: bool) -> None:
    """Raise the ServiceError (400) for a file that is too large, or one too many.

    The body for too many is that of azure-sdk-for-java#47401, those for a large file and for a
    full storage are OpenAI's (curator#111, curator#189). Microsoft's quota page has the numbers.
    """
    if size > _LARGEST.get(purpose, _LARGEST_FILE):
        raise invalid_request("File is too large.")
    files = call.account.objects.files.values()
    room = call.account.resource.file_bytes
    if room is not None and sum(file.content.size for file in files) + size > room:
        raise invalid_request(
            f"You have exceeded your file storage quota. Resources are limited to {room} bytes of "
            "files. Please delete old files or attempt with a smaller file size."
        )
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


def _find(call: EmulatedCall) -> EmulatedFile:
    file = call.account.objects.files.get(call.route.ids[0])
    if file is None:
        raise invalid_request(f"No such File object: {call.route.ids[0]}", "id", status=404)
    return file


def find_file(call: EmulatedCall, file_id: Any, param: str = "file_id") -> EmulatedFile:
    """The stored file that a parameter names; raises ServiceError for an unknown one."""
    file = call.account.objects.files.get(file_id) if isinstance(file_id, str) else None
    if file is None:
        raise not_found("File", file_id, param)
    return file


def find_files(call: EmulatedCall, name: str) -> list[EmulatedFile]:
    """The stored files that a field of the body lists; raises ServiceError for unknown ones."""
    return [find_file(call, file_id, name) for file_id in read_texts(call.optional_body, name)]


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
