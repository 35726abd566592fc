"""Every operation the emulator answers, by name."""

from collections.abc import Callable

from azure_responses.emulator.call import Call
from azure_responses.emulator.exchange import Reply
from azure_responses.emulator.operations import chat, models, responses

__all__ = ["OPERATIONS"]

OPERATIONS: dict[str, Callable[[Call], Reply]] = {
    "create": responses.create,
    "retrieve": responses.retrieve,
    "delete": responses.delete,
    "cancel": responses.cancel,
    "input_items": responses.input_items,
    "compact": responses.compact,
    "chat": chat.complete,
    "models": models.list_models,
    "model": models.retrieve_model,
}
