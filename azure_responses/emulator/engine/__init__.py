"""The answer engine: deterministic, rule-following, with no clock and no randomness."""

from azure_responses.emulator.engine.answer import answer
from azure_responses.emulator.engine.chat import chat
from azure_responses.emulator.engine.compact import compact
from azure_responses.emulator.engine.prefixes import PrefixMemory
from azure_responses.emulator.engine.triggers import TRIGGERS
from azure_responses.emulator.engine.turn import Answer, Turn

__all__ = ["TRIGGERS", "Answer", "PrefixMemory", "Turn", "answer", "chat", "compact"]
