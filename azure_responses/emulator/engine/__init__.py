"""The answer engine: deterministic, rule-following, with no clock and no randomness."""

from azure_responses.emulator.engine.chat_completion import create_chat_completion
from azure_responses.emulator.engine.create_response import compact, create_response
from azure_responses.emulator.engine.generation import GeneratedResponse, Generation, PrefixMemory
from azure_responses.emulator.engine.triggers import TRIGGERS

__all__ = [
    "TRIGGERS",
    "GeneratedResponse",
    "PrefixMemory",
    "Generation",
    "create_response",
    "create_chat_completion",
    "compact",
]
