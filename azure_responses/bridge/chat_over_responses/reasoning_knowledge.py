"""Which deployments reason, learned from what they answer.

A deployment's name is anybody's choice, so what it says about the model is only a guess. A model
that does not reason refuses to be asked for encrypted reasoning; one that does shows it.
"""

from collections.abc import Mapping
from typing import Any

from azure_responses.errors import AzureResponsesError, BadRequestError
from azure_responses.types.response import Response

__all__ = ["ReasoningKnowledge"]

_MOST_KNOWN = 1000
_ENCRYPTED = "reasoning.encrypted_content"


class ReasoningKnowledge:
    """What one client has learned of the deployments it calls."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def of(self, deployment: str | None) -> bool | None:
        """Whether a deployment reasons, or None while nobody knows."""
        return self._known.get(deployment or "")

    def learn_from_answer(self, deployment: str | None, response: Response | None) -> None:
        """Note the reasoning of a response, if it has any."""
        if response is not None and any(item.type == "reasoning" for item in response.output):
            self._learn(deployment, reasons=True)

    def learn_from_refusal(
        self, deployment: str | None, error: AzureResponsesError, chat: Mapping[str, Any]
    ) -> bool:
        """True when the refusal says that the deployment does not reason, and asking was our idea.

        The call is then worth making again without asking. What the caller asked for in `include`
        is the caller's: its refusal is passed on.
        """
        if not isinstance(error, BadRequestError) or _asks_itself(chat):
            return False
        if "encrypted content is not supported" not in error.message.lower():
            return False
        self._learn(deployment, reasons=False)
        return True

    def _learn(self, deployment: str | None, *, reasons: bool) -> None:
        # Where any model may be named there is no end of names; the oldest go.
        if len(self._known) >= _MOST_KNOWN:
            self._known.pop(next(iter(self._known), ""), None)
        self._known[deployment or ""] = reasons


def _asks_itself(chat: Mapping[str, Any]) -> bool:
    extra = chat.get("extra_body")
    included = chat.get("include") or (extra.get("include") if isinstance(extra, Mapping) else None)
    return _ENCRYPTED in (included or ())
