"""Every operation that the emulator answers: one row each, and the handler that makes the reply."""

from functools import lru_cache, partial
from typing import Literal

from azure_responses.emulator.http_messages import UPGRADE, json_reply
from azure_responses.emulator.model_catalog import describe_model, list_models
from azure_responses.emulator.operations import (
    agents,
    audio,
    batches,
    chat,
    containers,
    conversations,
    embeddings,
    files,
    images,
    messages,
    responses,
    skills,
    uploads,
    vector_stores,
    webhooks,
)
from azure_responses.emulator.routes import Handler, Operation, RouteTable

__all__ = ["OPERATIONS", "find_route"]

_WRITE, _READ = "responses/write", "responses/read"
_CHAT = "deployments/chat/completions/action"


# Operations that differ in the same way from the others.
_of_agents = partial(Operation, base="agents")
_v1_only = partial(Operation, is_dated=False)
_conversation = partial(_v1_only, offered_if="offers_conversations")
_skill = partial(_v1_only, offered_if="offers_skills")
_upload = partial(Operation, offered_if="offers_uploads")


def _of_media(
    name: str, path: str, handle: Handler, body: Literal["body", "form"]
) -> tuple[Operation, Operation]:
    """On v1 the body names the model; the dated surface has it below the deployment."""
    action = f"deployments/{path}/action"
    return (
        Operation(name, "POST", path, handle, is_dated=False, model_in=body, stream_in=body,
                  data_action=action),
        Operation(name, "POST", f"deployments/*/{path}", handle, is_v1=False, model_in="path",
                  stream_in=body, data_action=action),
    )  # fmt: skip


OPERATIONS: tuple[Operation, ...] = (
    Operation("create", "POST", "responses", responses.create,
              model_in="body", stream_in="body", data_action=_WRITE),
    Operation("connect", UPGRADE, "responses", responses.connect,
              is_dated=False, data_action=_WRITE),
    Operation("retrieve", "GET", "responses/*", responses.retrieve,
              stream_in="query", data_action=_READ),
    Operation("delete", "DELETE", "responses/*", responses.delete,
              data_action="responses/delete"),
    Operation("cancel", "POST", "responses/*/cancel", responses.cancel, data_action=_WRITE),
    Operation("input_items", "GET", "responses/*/input_items", responses.input_items,
              data_action=_READ),
    Operation("compact", "POST", "responses/compact", responses.compact,
              is_dated=False, model_in="body", data_action=_WRITE),
    Operation("chat", "POST", "chat/completions", chat.complete_chat,
              is_dated=False, model_in="body", stream_in="body", data_action=_CHAT),
    Operation("chat", "POST", "deployments/*/chat/completions", chat.complete_chat,
              is_v1=False, model_in="path", stream_in="body", data_action=_CHAT),
    Operation("chat", "POST", "chat/completions", chat.complete_chat,
              base="models", model_in="body", stream_in="body", data_action=_CHAT),
    Operation("chat", "POST", "chat/completions", chat.complete_chat,
              base="serverless", model_in="host", stream_in="body", data_action=_CHAT),
    Operation("messages", "POST", "messages", messages.create,
              base="anthropic", model_in="body", stream_in="body"),
    Operation("messages.count_tokens", "POST", "messages/count_tokens", messages.count_tokens,
              base="anthropic", model_in="body"),
    _of_agents("agents.list", "GET", "agents", agents.list_agents),
    _of_agents("agents.retrieve", "GET", "agents/*", agents.retrieve),
    _of_agents("agents.delete", "DELETE", "agents/*", agents.delete),
    _of_agents("agents.versions.create", "POST", "agents/*/versions", agents.create_version),
    _of_agents("agents.versions.list", "GET", "agents/*/versions", agents.list_versions),
    _of_agents("agents.versions.retrieve", "GET", "agents/*/versions/*",
               agents.retrieve_version),
    _of_agents("agents.versions.delete", "DELETE", "agents/*/versions/*", agents.delete_version),
    *_of_media("embeddings", "embeddings", embeddings.create, "body"),
    *_of_media("images.generations", "images/generations", images.generate, "body"),
    *_of_media("images.edits", "images/edits", images.edit, "form"),
    *_of_media("images.variations", "images/variations", images.vary, "form"),
    *_of_media("audio.speech", "audio/speech", audio.speak, "body"),
    *_of_media("audio.transcriptions", "audio/transcriptions", audio.transcribe, "form"),
    *_of_media("audio.translations", "audio/translations", audio.translate, "form"),
    Operation("models", "GET", "models", lambda _: json_reply(list_models())),
    Operation("model", "GET", "models/*",
              lambda call: json_reply(describe_model(call.route.ids[0]))),
    Operation("files.create", "POST", "files", files.create),
    Operation("files.list", "GET", "files", files.list_files),
    Operation("files.retrieve", "GET", "files/*", files.retrieve),
    Operation("files.delete", "DELETE", "files/*", files.delete),
    Operation("files.content", "GET", "files/*/content", files.read_content),
    Operation("batches.create", "POST", "batches", batches.create),
    Operation("batches.list", "GET", "batches", batches.list_batches),
    Operation("batches.retrieve", "GET", "batches/*", batches.retrieve),
    Operation("batches.cancel", "POST", "batches/*/cancel", batches.cancel),
    _upload("uploads.create", "POST", "uploads", uploads.create),
    _upload("uploads.parts.create", "POST", "uploads/*/parts", uploads.add_part),
    _upload("uploads.complete", "POST", "uploads/*/complete", uploads.complete),
    _upload("uploads.cancel", "POST", "uploads/*/cancel", uploads.cancel),
    Operation("vector_stores.create", "POST", "vector_stores", vector_stores.create),
    Operation("vector_stores.list", "GET", "vector_stores", vector_stores.list_stores),
    Operation("vector_stores.retrieve", "GET", "vector_stores/*", vector_stores.retrieve),
    Operation("vector_stores.update", "POST", "vector_stores/*", vector_stores.update),
    Operation("vector_stores.delete", "DELETE", "vector_stores/*", vector_stores.delete),
    Operation("vector_stores.search", "POST", "vector_stores/*/search", vector_stores.search),
    Operation("vector_stores.files.create", "POST", "vector_stores/*/files",
              vector_stores.attach_file),
    Operation("vector_stores.files.list", "GET", "vector_stores/*/files",
              vector_stores.list_files),
    Operation("vector_stores.files.retrieve", "GET", "vector_stores/*/files/*",
              vector_stores.retrieve_file),
    Operation("vector_stores.files.update", "POST", "vector_stores/*/files/*",
              vector_stores.update_file),
    Operation("vector_stores.files.delete", "DELETE", "vector_stores/*/files/*",
              vector_stores.detach_file),
    Operation("vector_stores.files.content", "GET", "vector_stores/*/files/*/content",
              vector_stores.read_content),
    Operation("vector_stores.file_batches.create", "POST", "vector_stores/*/file_batches",
              vector_stores.attach_batch),
    Operation("vector_stores.file_batches.retrieve", "GET", "vector_stores/*/file_batches/*",
              vector_stores.retrieve_batch),
    Operation("vector_stores.file_batches.cancel", "POST",
              "vector_stores/*/file_batches/*/cancel", vector_stores.cancel_batch),
    Operation("vector_stores.file_batches.list_files", "GET",
              "vector_stores/*/file_batches/*/files", vector_stores.list_batch_files),
    _skill("skills.create", "POST", "skills", skills.create),
    _skill("skills.list", "GET", "skills", skills.list_skills),
    _skill("skills.retrieve", "GET", "skills/*", skills.retrieve),
    _skill("skills.update", "POST", "skills/*", skills.update),
    _skill("skills.delete", "DELETE", "skills/*", skills.delete),
    _skill("skills.content", "GET", "skills/*/content", skills.read_content),
    _skill("skills.versions.create", "POST", "skills/*/versions", skills.add_version),
    _skill("skills.versions.list", "GET", "skills/*/versions", skills.list_versions),
    _skill("skills.versions.retrieve", "GET", "skills/*/versions/*", skills.retrieve_version),
    _skill("skills.versions.delete", "DELETE", "skills/*/versions/*", skills.delete_version),
    _skill("skills.versions.content", "GET", "skills/*/versions/*/content",
           skills.read_version_content),
    _v1_only("webhooks.create", "POST", "dashboard/webhook_endpoints", webhooks.create),
    _v1_only("webhooks.list", "GET", "dashboard/webhook_endpoints", webhooks.list_endpoints),
    _v1_only("webhooks.retrieve", "GET", "dashboard/webhook_endpoints/*", webhooks.retrieve),
    _v1_only("webhooks.update", "POST", "dashboard/webhook_endpoints/*", webhooks.update),
    _v1_only("webhooks.delete", "DELETE", "dashboard/webhook_endpoints/*", webhooks.delete),
    _v1_only("containers.create", "POST", "containers", containers.create),
    _v1_only("containers.list", "GET", "containers", containers.list_containers),
    _v1_only("containers.retrieve", "GET", "containers/*", containers.retrieve),
    _v1_only("containers.delete", "DELETE", "containers/*", containers.delete),
    _v1_only("containers.files.create", "POST", "containers/*/files",
             containers.create_file),
    _v1_only("containers.files.list", "GET", "containers/*/files", containers.list_files),
    _v1_only("containers.files.retrieve", "GET", "containers/*/files/*",
             containers.retrieve_file),
    _v1_only("containers.files.delete", "DELETE", "containers/*/files/*",
             containers.delete_file),
    _v1_only("containers.files.content", "GET", "containers/*/files/*/content",
             containers.read_content),
    _conversation("conversations.create", "POST", "conversations", conversations.create),
    _conversation("conversations.retrieve", "GET", "conversations/*", conversations.retrieve),
    _conversation("conversations.update", "POST", "conversations/*", conversations.update),
    _conversation("conversations.delete", "DELETE", "conversations/*", conversations.delete),
    _conversation("conversations.items.create", "POST", "conversations/*/items",
                  conversations.add_items),
    _conversation("conversations.items.list", "GET", "conversations/*/items",
                  conversations.list_items),
    _conversation("conversations.items.retrieve", "GET", "conversations/*/items/*",
                  conversations.retrieve_item),
    _conversation("conversations.items.delete", "DELETE", "conversations/*/items/*",
                  conversations.delete_item),
)  # fmt: skip

find_route = lru_cache(maxsize=512)(RouteTable(OPERATIONS).find)
