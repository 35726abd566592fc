"""Which models reason, as far as a deployment's name tells."""

import re

__all__ = ["is_reasoning_model_name"]

# The o-series, GPT-5 and later, Codex and gpt-oss, as a word of the name: "team-o1-pro" but not
# "foo1", and gpt-35 is older than it looks. The chat variants of GPT-5 do not take encrypted
# reasoning.
_REASONS = re.compile(
    r"(?:^|[^a-z0-9])(?:o[1-9](?![0-9a-z])|gpt-?(?:[5-9]|[12][0-9])(?![0-9a-z])|gpt-oss|codex)"
)
_CHATS = re.compile(r"gpt-?[5-9](?:\.[0-9]+)?-chat")


def is_reasoning_model_name(name: str) -> bool:
    """True when the name says that the model reasons; False when it says otherwise or nothing.

    Asking a model that does not reason for encrypted reasoning is refused ("Encrypted content is
    not supported with this model."), so a name that says nothing counts as one.
    """
    lower = name.lower()
    return _REASONS.search(lower) is not None and _CHATS.search(lower) is None
