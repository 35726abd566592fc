"""Uploads in parts: a file that is sent piece by piece within an hour."""

import hashlib
from typing import Any

from azure_responses.emulator.contents import ContentWriter, StoredContent
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.object_store import StoredUpload
from azure_responses.emulator.operations.fields import (
    read_expiry,
    read_object,
    read_text,
    read_texts,
)
from azure_responses.emulator.operations.files import check_purpose, check_quota
from azure_responses.emulator.service_errors import (
    invalid_request,
    missing_parameter,
    not_found,
)
from azure_responses.emulator.validation.shapes import Integer

__all__ = ["add_part", "cancel", "complete", "create"]

# OpenAI's reference: parts of 64 MB, 8 GB in all.
_LARGEST_PART, _LARGEST_UPLOAD = 64 * 1024**2, 8 * 1024**3


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /uploads`: says what will come."""
    body = call.body
    filename, purpose = read_text(body, "filename"), read_text(body, "purpose")
    read_text(body, "mime_type")
    size = body.get("bytes")
    if size is None:
        raise missing_parameter("bytes")
    Integer(1, _LARGEST_UPLOAD).check(size, "bytes")
    check_purpose(purpose)
    expires_in = read_expiry(read_object(body, "expires_after") or None, purpose)
    upload = call.account.objects.add_upload(filename, purpose, size, expires_in)
    return json_reply(upload.as_object(call.now))


def _find(call: EmulatedCall) -> StoredUpload:
    upload = call.account.objects.uploads.get(call.route.ids[0])
    if upload is None:
        raise not_found("Upload", call.route.ids[0])
    return upload


def _find_pending(call: EmulatedCall) -> StoredUpload:
    upload = _find(call)
    status = upload.status(call.now)
    if status != "pending":
        raise invalid_request(f"Upload '{upload.id}' has the status '{status}'.")
    return upload


def add_part(call: EmulatedCall) -> PlannedReply:
    """`POST /uploads/{id}/parts`: parts may come in any order, and at the same time."""
    upload = _find_pending(call)
    content = call.form.file("data").content
    if content.size > _LARGEST_PART:
        raise invalid_request("Part is too large: at most 64 MB are allowed.", "data")
    # Only the parts that `complete` names are counted, so there may be more than were announced.
    if upload.received + content.size > _LARGEST_UPLOAD:
        raise invalid_request("The parts have more than 8 GB.", "data")
    call.account.objects.make_room(content)
    part_id = "part_" + call.account.mint.digits(32)
    upload.parts[part_id] = content
    shown = {"id": part_id, "object": "upload.part", "created_at": int(call.now)}
    return json_reply({**shown, "upload_id": upload.id})


def complete(call: EmulatedCall) -> PlannedReply:
    """`POST /uploads/{id}/complete`: the parts in the order named make the file."""
    upload = _find_pending(call)
    content = ContentWriter.join(_named_parts(call, upload))
    if content.size != upload.size:
        raise invalid_request(
            f"The parts have {content.size} bytes, but the upload was created with {upload.size}.",
            "part_ids",
        )
    md5 = call.body.get("md5")
    if md5 is not None and md5 != _digest(content):
        raise invalid_request("The MD5 of the parts is another one.", "md5")
    check_quota(call, upload.purpose, content.size, upload.expires_in is not None)
    upload.file = call.account.objects.add_file(
        upload.filename, upload.purpose, content, upload.expires_in
    )
    upload.parts = {}
    return json_reply(upload.as_object(call.now))


def _named_parts(call: EmulatedCall, upload: StoredUpload) -> list[StoredContent]:
    identifiers: list[Any] = read_texts(call.body, "part_ids")
    if not identifiers:
        raise missing_parameter("part_ids")
    if len(set(identifiers)) < len(identifiers):
        raise invalid_request("A part is named twice.", "part_ids")
    for identifier in identifiers:
        if identifier not in upload.parts:
            raise not_found("Part", identifier, "part_ids")
    return [upload.parts[identifier] for identifier in identifiers]


def _digest(content: StoredContent) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for piece in content.pieces():
        digest.update(piece)
    return digest.hexdigest()


def cancel(call: EmulatedCall) -> PlannedReply:
    """`POST /uploads/{id}/cancel`: no part can be added any more."""
    upload = _find_pending(call)
    upload.is_cancelled, upload.parts = True, {}
    return json_reply(upload.as_object(call.now))
