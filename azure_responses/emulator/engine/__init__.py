"""The engine of the emulator: from a call to its response, by rule, with no clock and no chance.

`create_response` shows the steps in order; docs/emulator.md says what the engine answers. A hosted
tool is added in one module: see `hosted_tool`.
"""

from azure_responses.emulator.engine.chat_completion import create_chat_completion
from azure_responses.emulator.engine.create_response import compact, create_response, warm_up
from azure_responses.emulator.engine.generation import GeneratedResponse, Generation, PrefixMemory
from azure_responses.emulator.engine.media import (
    embed,
    measure_seconds,
    pack_vector,
    read_aloud,
    write_down,
)
from azure_responses.emulator.engine.messages_reply import (
    MessagesReply,
    count_message_tokens,
    create_message,
    write_message_events,
)
from azure_responses.emulator.engine.service_tools import paint, written_file
from azure_responses.emulator.engine.triggers import TRIGGERS

__all__ = [
    "TRIGGERS",
    "GeneratedResponse",
    "MessagesReply",
    "PrefixMemory",
    "Generation",
    "create_response",
    "create_chat_completion",
    "create_message",
    "count_message_tokens",
    "write_message_events",
    "compact",
    "embed",
    "measure_seconds",
    "pack_vector",
    "read_aloud",
    "write_down",
    "warm_up",
    "paint",
    "written_file",
]
