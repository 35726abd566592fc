"""The history of a chat: its turns, what the next call sends, and how it is saved. No I/O."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from azure_responses.protocol.reasoning_filter import ENCRYPTED_REASONING
from azure_responses.types.response import Response

__all__ = ["ChatHistory", "ChatTurn"]


@dataclass(frozen=True)
class ChatTurn:
    """A question and its answer.

    Attributes:
        prompt: the text of the user.
        text: the answer, as far as it was shown.
        model: the deployment, or None for the default one.
        response: the whole answer; None where the user stopped it.
    """

    prompt: str
    text: str
    model: str | None = None
    response: Response | None = None

    def messages(self) -> list[Any]:
        """Both sides as plain messages."""
        said = [{"role": "user", "content": self.prompt}]
        return [*said, {"role": "assistant", "content": self.text}] if self.text else said

    def items(self) -> list[Any]:
        """The question and every item of the answer that can be sent again."""
        if self.response is None:
            return self.messages()
        answer = [item for item in self.response.output if _is_replayable(item)]
        return [{"role": "user", "content": self.prompt}, *answer]


def _is_replayable(item: Any) -> bool:
    """False for reasoning without its ciphertext: its id alone refers to nothing that is stored."""
    return item.type != "reasoning" or bool(getattr(item, "encrypted_content", None))


class ChatHistory:
    """The turns so far.

    Args:
        instructions: sent with every turn; `previous_response_id` does not carry them over.
        is_stored: the service keeps the turns, and each call names the one before; without it
            each call sends all of them again.
        max_output_tokens: of each answer.

    Attributes:
        model: the deployment to ask, or None for the client's default.
        encrypts: request reasoning in a form that can be sent again.
    """

    def __init__(
        self,
        instructions: str | None = None,
        *,
        is_stored: bool = True,
        max_output_tokens: int | None = None,
        model: str | None = None,
    ) -> None:
        self.model = model
        self.encrypts = True
        self.turns: list[ChatTurn] = []
        self._instructions = instructions
        self._is_stored = is_stored
        self._max_output_tokens = max_output_tokens
        self._is_forgotten = False

    def parameters(self, prompt: str) -> dict[str, Any]:
        """The parameters of the next call; None for those that it leaves out."""
        said = {"role": "user", "content": prompt}
        common = {
            "model": self.model,
            "instructions": self._instructions,
            "max_output_tokens": self._max_output_tokens,
        }
        # Stored: the last complete response, and as plain messages the turns that were stopped
        # after it, which the service does not have.
        if self._is_stored and not self._is_forgotten:
            parent, since = self._last_stored()
            items = [*_all_messages(since), said]
            return {**common, "input": items, "previous_response_id": parent}
        if self._is_stored:
            return {**common, "input": [*_all_messages(self.turns), said]}
        # Not stored: whole items, so that a reasoning model can go on from its own reasoning.
        include = [ENCRYPTED_REASONING] if self.encrypts else None
        items = [item for turn in self.turns for item in turn.items()]
        return {**common, "input": [*items, said], "store": False, "include": include}

    def add(self, turn: ChatTurn) -> None:
        """Another turn, complete or stopped."""
        self.turns.append(turn)
        if turn.response is not None:
            self._is_forgotten = False

    def clear(self) -> None:
        """Start a new conversation."""
        self.turns.clear()
        self._is_forgotten = False

    def forget_stored(self) -> bool:
        """Send the turns themselves next time, because the service has lost its copy.

        False where that would change nothing.
        """
        if not self._is_stored or self._is_forgotten or self._last_stored()[0] is None:
            return False
        self._is_forgotten = True
        return True

    def to_json(self) -> str:
        """The conversation as JSON, with ids and usage."""
        data = {"instructions": self._instructions, "turns": [_record(turn) for turn in self.turns]}
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """The conversation to read."""
        parts = [f"> {self._instructions}"] if self._instructions else []
        for turn in self.turns:
            parts += [
                "## You",
                turn.prompt,
                f"## {turn.model or 'Model'}",
                turn.text or "(no text)",
            ]
        return "\n\n".join(parts) + "\n"

    def _last_stored(self) -> tuple[str | None, list[ChatTurn]]:
        """The id of the last complete response, and the turns after it."""
        for index in range(len(self.turns) - 1, -1, -1):
            response = self.turns[index].response
            if response is not None:
                return response.id, self.turns[index + 1 :]
        return None, self.turns


def _all_messages(turns: Iterable[ChatTurn]) -> list[Any]:
    return [message for turn in turns for message in turn.messages()]


def _record(turn: ChatTurn) -> dict[str, Any]:
    record: dict[str, Any] = {"user": turn.prompt, "assistant": turn.text, "model": turn.model}
    response = turn.response
    if response is None:
        return {**record, "status": "stopped"}
    cost = response.cost
    return {
        **record,
        "status": response.status,
        "response_id": response.id,
        "usage": response.usage.to_dict() if response.usage else None,
        "cost": None if cost is None else str(cost),
    }
