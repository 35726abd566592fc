"""Files, as far as responses refer to them."""

import json
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, ReceivedRequest, json_reply
from azure_responses.emulator.object_store import StoredFile
from azure_responses.emulator.operations.fields import list_page
from azure_responses.emulator.service_errors import invalid_request

__all__ = [
    "create",
    "delete",
    "list_files",
    "read_content",
    "read_upload",
    "retrieve",
    "Upload",
]


@dataclass
class Upload:
    """The fields of a form, and its file where it has one."""

    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None
    content: bytes | None = None


def read_upload(received: ReceivedRequest) -> Upload:
    """Raises Refusal (400) for a body that is neither a form nor a JSON object of strings.

    In JSON the file is `{"filename": …, "content": text, …}`, which Azure itself does not take.
    """
    content_type = received.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        return _form(content_type, received.body)
    try:
        data = json.loads(received.body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise invalid_request(
            "Expected a multipart/form-data body with a file, or a JSON object with a filename."
        )
    return _object(data)


def _object(data: dict[str, object]) -> Upload:
    fields = {name: str(value) for name, value in data.items() if name != "content"}
    filename = fields.pop("filename", None)
    content = data.get("content")
    if filename is not None or content is not None:
        return Upload(fields, filename or "file.txt", str(content or "").encode())
    return Upload(fields)


def _form(content_type: str, body: bytes) -> Upload:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    upload = Upload()
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        raw = payload if isinstance(payload, bytes) else b""
        if part.get_filename() is not None:
            upload.filename, upload.content = part.get_filename(), raw
        else:
            upload.fields[str(name)] = raw.decode("utf-8", "replace")
    return upload


_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "evals")


def create(call: EmulatedCall) -> PlannedReply:
    """Microsoft's Responses page: purpose `user_data` is not supported, `assistants` is."""
    upload = read_upload(call.received)
    purpose = upload.fields.get("purpose")
    if upload.content is None or upload.filename is None:
        raise invalid_request("Missing required parameter: 'file'.", "file")
    if purpose is None:
        raise invalid_request("Missing required parameter: 'purpose'.", "purpose")
    if purpose not in _PURPOSES:
        raise invalid_request(f"Invalid value for purpose: '{purpose}'.", "purpose")
    file = call.account.objects.add_file(upload.filename, purpose, upload.content)
    return json_reply(file.as_object())


def _find(call: EmulatedCall) -> StoredFile:
    file = call.account.objects.files.get(call.route.ids[0])
    if file is None:
        raise invalid_request(f"No such File object: {call.route.ids[0]}", "id", status=404)
    return file


def list_files(call: EmulatedCall) -> PlannedReply:
    """`GET /files`, of one purpose where the query says so."""
    purpose = call.query.get("purpose")
    files = [
        file.as_object()
        for file in call.account.objects.files.values()
        if purpose in (None, file.purpose)
    ]
    return json_reply(list_page(files, call.query, maximum=10_000))


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /files/{id}`."""
    return json_reply(_find(call).as_object())


def read_content(call: EmulatedCall) -> PlannedReply:
    """`GET /files/{id}/content`."""
    return PlannedReply(200, [("content-type", "application/octet-stream")], _find(call).content)


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /files/{id}`; vector stores let go of the file too."""
    file = _find(call)
    call.account.objects.drop_file(file.id)
    return json_reply({"object": "file", "id": file.id, "deleted": True})
