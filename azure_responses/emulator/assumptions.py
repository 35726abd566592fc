"""What the emulator assumes where the evidence about Azure is thin or contradicts itself."""

from dataclasses import dataclass

__all__ = ["Assumptions"]


@dataclass(frozen=True)
class Assumptions:
    """Each can be switched off, to see how a program fares where Azure behaves otherwise.

    Attributes:
        accepts_message_status: a message that is sent back may keep its `status`. Codex,
            openai-agents and pydantic-ai send it; litellm#13484 reports a refusal, which is
            certain for reasoning items only.
        requires_reasoning: an item that is sent back with its id needs the reasoning item that
            it was made with (codex#6375); those that are not stored cannot be judged.
        offers_compaction: `POST /responses/compact` exists. Documented in June 2026, missing in
            inspect_ai#3371 of March 2026 and in the OpenAPI description.
    """

    accepts_message_status: bool = True
    requires_reasoning: bool = True
    offers_compaction: bool = True
