"""Containers of the code interpreter, and their files."""

from typing import Any

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.object_store import Container
from azure_responses.emulator.operations.fields import list_page, read_minutes, read_texts
from azure_responses.emulator.operations.files import read_upload
from azure_responses.emulator.service_errors import invalid_request

__all__ = [
    "create",
    "create_file",
    "delete",
    "delete_file",
    "list_containers",
    "list_files",
    "read_content",
    "retrieve",
    "retrieve_file",
]


def _as_object(call: EmulatedCall, container: Container) -> dict[str, Any]:
    minutes = int(container.idle_seconds // 60)
    return {
        "id": container.id,
        "object": "container",
        "created_at": int(container.created_at),
        "status": "expired" if container.has_expired(call.now) else "running",
        "expires_after": {"anchor": "last_active_at", "minutes": minutes},
        "last_active_at": int(container.last_active_at),
        "name": container.name,
    }


def _find(call: EmulatedCall) -> Container:
    container = call.account.objects.containers.get(call.route.ids[0])
    if container is None:
        raise invalid_request(f"Container with id '{call.route.ids[0]}' not found.", status=404)
    return container


def _find_alive(call: EmulatedCall) -> Container:
    container = _find(call)
    if container.has_expired(call.now):
        raise invalid_request("Container is expired.", status=400)
    container.last_active_at = call.now
    return container


def _find_file(call: EmulatedCall) -> tuple[Container, str]:
    container, file_id = _find_alive(call), call.route.ids[1]
    if file_id not in container.files:
        raise invalid_request(f"Container file with id '{file_id}' not found.", status=404)
    return container, file_id


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /containers`."""
    name = call.body.get("name")
    if not name:
        raise invalid_request("Missing required parameter: 'name'.", "name")
    minutes = read_minutes(call.body, "expires_after", 20)
    file_ids = read_texts(call.body, "file_ids")
    for file_id in file_ids:
        if file_id not in call.account.objects.files:
            raise invalid_request(f"File with id '{file_id}' not found.", "file_ids", status=404)
    container = call.account.objects.add_container(name, 60.0 * minutes)
    for file_id in file_ids:
        _copy_file(call, container, file_id)
    return json_reply(_as_object(call, container))


def list_containers(call: EmulatedCall) -> PlannedReply:
    """`GET /containers`."""
    containers = call.account.objects.containers.values()
    return json_reply(list_page([_as_object(call, item) for item in containers], call.query))


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /containers/{id}`."""
    return json_reply(_as_object(call, _find(call)))


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /containers/{id}`."""
    container = _find(call)
    del call.account.objects.containers[container.id]
    return json_reply({"id": container.id, "object": "container.deleted", "deleted": True})


def _add_file(
    call: EmulatedCall, container: Container, filename: str, content: bytes, source: str
) -> dict[str, Any]:
    call.account.objects.make_room(len(content))
    file_id = "cfile_" + call.account.mint.digits(32)
    file: dict[str, Any] = {
        "id": file_id,
        "object": "container.file",
        "created_at": int(call.now),
        "bytes": len(content),
        "container_id": container.id,
        "path": f"/mnt/data/{filename}",
        "source": source,
    }
    container.add(file, content)
    return file


def _copy_file(call: EmulatedCall, container: Container, file_id: Any) -> dict[str, Any]:
    file = call.account.objects.files.get(file_id)
    if file is None:
        raise invalid_request(f"File with id '{file_id}' not found.", "file_id", status=404)
    return _add_file(call, container, file.filename, file.content, "user")


def create_file(call: EmulatedCall) -> PlannedReply:
    """`POST /containers/{id}/files`: an upload, or a copy of a stored file."""
    container = _find_alive(call)
    upload = read_upload(call.received)
    if "file_id" in upload.fields:
        return json_reply(_copy_file(call, container, upload.fields["file_id"]))
    if upload.content is None or upload.filename is None:
        raise invalid_request("Missing required parameter: 'file'.", "file")
    return json_reply(_add_file(call, container, upload.filename, upload.content, "user"))


def list_files(call: EmulatedCall) -> PlannedReply:
    """`GET /containers/{id}/files`."""
    files = list(_find_alive(call).files.values())
    return json_reply(list_page(files, call.query))


def retrieve_file(call: EmulatedCall) -> PlannedReply:
    """`GET /containers/{id}/files/{file}`."""
    container, file_id = _find_file(call)
    return json_reply(container.files[file_id])


def read_content(call: EmulatedCall) -> PlannedReply:
    """`GET /containers/{id}/files/{file}/content`."""
    container, file_id = _find_file(call)
    content = container.contents[file_id]
    return PlannedReply(200, [("content-type", "application/octet-stream")], content)


def delete_file(call: EmulatedCall) -> PlannedReply:
    """`DELETE /containers/{id}/files/{file}`."""
    container, file_id = _find_file(call)
    del container.files[file_id], container.contents[file_id]
    return json_reply({"id": file_id, "object": "container.file.deleted", "deleted": True})
