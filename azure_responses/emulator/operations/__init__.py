"""Every operation the emulator answers, by name."""

from collections.abc import Callable

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply
from azure_responses.emulator.operations import (
    chat_completions,
    containers,
    conversations,
    files,
    model_list,
    responses,
    vector_stores,
)

__all__ = ["OPERATIONS"]

OPERATIONS: dict[str, Callable[[EmulatedCall], PlannedReply]] = {
    "create": responses.create,
    "retrieve": responses.retrieve,
    "delete": responses.delete,
    "cancel": responses.cancel,
    "input_items": responses.input_items,
    "compact": responses.compact,
    "chat": chat_completions.complete,
    "models": model_list.list_models,
    "model": model_list.retrieve_model,
    "files.create": files.create,
    "files.list": files.list_files,
    "files.retrieve": files.retrieve,
    "files.delete": files.delete,
    "files.content": files.read_content,
    "vector_stores.create": vector_stores.create,
    "vector_stores.list": vector_stores.list_stores,
    "vector_stores.retrieve": vector_stores.retrieve,
    "vector_stores.delete": vector_stores.delete,
    "vector_stores.files.create": vector_stores.attach_file,
    "vector_stores.files.list": vector_stores.list_files,
    "vector_stores.files.retrieve": vector_stores.retrieve_file,
    "vector_stores.files.delete": vector_stores.detach_file,
    "vector_stores.search": vector_stores.search,
    "containers.create": containers.create,
    "containers.list": containers.list_containers,
    "containers.retrieve": containers.retrieve,
    "containers.delete": containers.delete,
    "containers.files.create": containers.create_file,
    "containers.files.list": containers.list_files,
    "containers.files.retrieve": containers.retrieve_file,
    "containers.files.delete": containers.delete_file,
    "containers.files.content": containers.read_content,
    "conversations.create": conversations.create,
    "conversations.retrieve": conversations.retrieve,
    "conversations.update": conversations.update,
    "conversations.delete": conversations.delete,
    "conversations.items.create": conversations.add_items,
    "conversations.items.list": conversations.list_items,
    "conversations.items.retrieve": conversations.retrieve_item,
    "conversations.items.delete": conversations.delete_item,
}
