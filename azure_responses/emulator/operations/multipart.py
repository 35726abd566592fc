"""Uploads: `multipart/form-data` bodies, or JSON for callers who find that easier."""

import json
from email import policy
from email.parser import BytesParser

from azure_responses.emulator.exchange import Received
from azure_responses.emulator.refusals import invalid_request

__all__ = ["Upload", "read_upload"]

from dataclasses import dataclass, field


@dataclass
class Upload:
    """The fields of a form, and its file where it has one."""

    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None
    content: bytes | None = None


def read_upload(received: Received) -> Upload:
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
