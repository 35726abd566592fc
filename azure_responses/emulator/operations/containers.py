"""Containers of the code interpreter, and their files."""

from typing import Any

from azure_responses.emulator.contents import StoredContent
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.object_store import EmulatedContainer
from azure_responses.emulator.operations.fields import list_page, read_minutes
from azure_responses.emulator.operations.files import content_reply, find_file, find_files
from azure_responses.emulator.operations.references import check_skills, find_container
from azure_responses.emulator.service_errors import (
    invalid_request,
    invalid_type,
    invalid_value,
    missing_parameter,
    not_found,
)

__all__ = [
    "create", "create_file", "delete", "delete_file", "list_containers", "list_files",
    "read_content", "retrieve", "retrieve_file",
]  # fmt: skip


_MEMORY_LIMITS = ("1g", "4g", "16g", "64g")


def _as_object(call: EmulatedCall, container: EmulatedContainer) -> dict[str, Any]:
    minutes = int(container.idle_seconds // 60)
    return {
        "id": container.id,
        "object": "container",
        "created_at": int(container.created_at),
        "status": "expired" if container.has_expired(call.now) else "running",
        "expires_after": {"anchor": "last_active_at", "minutes": minutes},
        "last_active_at": int(container.last_active_at),
        "name": container.name,
        "memory_limit": container.memory_limit,
    }


def _find(call: EmulatedCall) -> EmulatedContainer:
    container = find_container(call, call.route.ids[0])
    if container is None:
        raise not_found("Container", call.route.ids[0])
    return container


def _use(call: EmulatedCall) -> EmulatedContainer:
    # Any use of its files counts as activity; looking at the container itself does not.
    container = _find(call)
    if container.has_expired(call.now):
        raise invalid_request("Container is expired.", status=400)
    container.last_active_at = call.now
    return container


def _use_file(call: EmulatedCall) -> tuple[EmulatedContainer, str]:
    container, file_id = _use(call), call.route.ids[1]
    if file_id not in container.files:
        raise not_found("Container file", file_id)
    return container, file_id


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /containers`."""
    name = call.body.get("name")
    if not name:
        raise missing_parameter("name", code=None)
    if not isinstance(name, str):
        raise invalid_type("name", "a string", name)
    minutes = read_minutes(call.body, "expires_after", 20)
    memory_limit = call.body.get("memory_limit") or "1g"
    if memory_limit not in _MEMORY_LIMITS:
        raise invalid_value("memory_limit", memory_limit, _MEMORY_LIMITS)
    check_skills(call, call.body.get("skills"), "skills")
    files = find_files(call, "file_ids")
    container = call.account.objects.add_container(name, 60.0 * minutes)
    container.memory_limit = memory_limit
    for file in files:
        _add_file(call, container, file.filename, file.content)
    return json_reply(_as_object(call, container))


def list_containers(call: EmulatedCall) -> PlannedReply:
    """`GET /containers`, of one name where the query says so."""
    name, containers = call.query.get("name"), call.account.objects.containers
    found = [one for key in containers if (one := find_container(call, key))]
    shown = [_as_object(call, one) for one in found if name in (None, one.name)]
    return json_reply(list_page(shown, call.query))


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /containers/{id}`."""
    return json_reply(_as_object(call, _find(call)))


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /containers/{id}`."""
    container = _find(call)
    del call.account.objects.containers[container.id]
    return json_reply({"id": container.id, "object": "container.deleted", "deleted": True})


def _add_file(
    call: EmulatedCall, container: EmulatedContainer, filename: str, content: StoredContent
) -> dict[str, Any]:
    call.account.objects.make_room(content)
    file_id = "cfile_" + call.account.mint.digits(32)
    return container.add_file(filename, content, "user", call.now, file_id)


def create_file(call: EmulatedCall) -> PlannedReply:
    """`POST /containers/{id}/files`: an upload, or a copy of a stored file."""
    container, form = _use(call), call.form
    file_id = form.fields.get("file_id")
    if file_id is None:
        filename, content = form.file().filename, form.file().content
    else:
        stored = find_file(call, file_id)
        filename, content = stored.filename, stored.content
    return json_reply(_add_file(call, container, filename, content))


def list_files(call: EmulatedCall) -> PlannedReply:
    """`GET /containers/{id}/files`."""
    return json_reply(list_page(list(_use(call).files.values()), call.query))


def retrieve_file(call: EmulatedCall) -> PlannedReply:
    """`GET /containers/{id}/files/{file}`."""
    container, file_id = _use_file(call)
    return json_reply(container.files[file_id])


def read_content(call: EmulatedCall) -> PlannedReply:
    """`GET /containers/{id}/files/{file}/content`."""
    container, file_id = _use_file(call)
    return content_reply(container.contents[file_id])


def delete_file(call: EmulatedCall) -> PlannedReply:
    """`DELETE /containers/{id}/files/{file}`."""
    container, file_id = _use_file(call)
    del container.files[file_id], container.contents[file_id]
    return json_reply({"id": file_id, "object": "container.file.deleted", "deleted": True})
