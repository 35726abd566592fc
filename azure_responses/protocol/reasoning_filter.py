"""Leaves out encrypted reasoning that the resource a request goes to cannot read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from azure_responses.protocol.stored_response import SEALED, is_kept_here
from azure_responses.types.tools import ITEMS_WITHOUT_ID

__all__ = ["ENCRYPTED_REASONING", "ID_IS_OPTIONAL", "Stripper", "is_lost", "is_ours"]

ENCRYPTED_REASONING = "reasoning.encrypted_content"
"""What `include` names to get reasoning that can be sent back."""

ID_IS_OPTIONAL = ITEMS_WITHOUT_ID | {"message"}
"""The types of items in an input that may come without their id."""
_CHAT_FIELDS = ("reasoning_items", "thinking_blocks")


def is_lost(item: Any) -> bool:
    """True for reasoning that only its id stands for, which nothing that is not stored can find."""
    if not isinstance(item, Mapping) or item.get("type") != "reasoning":
        return False
    return not item.get("encrypted_content") and not item.get("content")


def is_ours(item: Mapping[str, Any]) -> bool:
    """True for reasoning that was sealed here, or that has only an id of ours."""
    ciphertext = item.get("encrypted_content")
    return str(ciphertext).startswith(SEALED) if ciphertext else is_kept_here(str(item.get("id")))


class Stripper:
    """Takes the reasoning out of bodies, and counts what it took.

    Args:
        is_unreadable: called with a ciphertext as it stands in the body.
        drops_ours: leave out the reasoning of models that speak another API too, which no service
            can read or look up.
    """

    def __init__(
        self,
        is_unreadable: Callable[[str], bool],
        *,
        drops_ours: bool = False,
    ) -> None:
        self._is_unreadable = is_unreadable
        self._drops_ours = drops_ours
        self._count = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence when anything was taken out."""
        if not self._count:
            return ()
        return (
            f"Encrypted reasoning was left out ({self._count}×): only the Azure resource that "
            "encrypted it can read it.",
        )

    def strip(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The body without unreadable reasoning; the body itself where there is none."""
        changes: dict[str, Any] = {}
        count = self._count
        for name, strip in self._fields.items():
            value = body.get(name)
            if isinstance(value, list | tuple | Mapping):
                stripped = strip(self, value)
                if self._count > count:
                    changes[name] = stripped
                    count = self._count
        return {**body, **changes} if changes else body

    def _strip_items(self, items: list[Any]) -> list[Any]:
        return list(self._readable(items))

    def _readable(self, items: list[Any]) -> Iterator[Any]:
        is_orphaned = False
        for item in items:
            if not isinstance(item, Mapping):
                yield item
                continue
            kind = item.get("type")
            # What follows lost reasoning keeps its content and loses its id: by the id the service
            # would look for the reasoning, and refuse the item without it.
            if kind == "reasoning":
                is_orphaned = self._is_lost(item)
                if not is_orphaned:
                    yield item
                # Reasoning that can be read as text is still of use without its ciphertext. Not
                # that of other models: OpenAI's refuse the text of reasoning
                # (`array_above_max_length`, claude-code-router#1783).
                elif item.get("content") and not is_ours(item):
                    yield _without(item, "encrypted_content", "id")
            elif is_orphaned and "id" in item and kind in ID_IS_OPTIONAL:
                yield _without(item, "id")
            else:
                yield item

    def _strip_messages(self, messages: list[Any]) -> list[Any]:
        return [
            self._strip_message(message) if isinstance(message, Mapping) else message
            for message in messages
        ]

    def _strip_message(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """A message of a chat; an entry stays, so that `output_order` still counts right.

        The bridge leaves out the entries in which nothing can be read.
        """
        changes = {}
        for name in _CHAT_FIELDS:
            entries = message.get(name)
            if isinstance(entries, list | tuple):
                changes[name] = [
                    _without(entry, "encrypted_content", "id", "resource")
                    if isinstance(entry, Mapping) and self._is_lost(entry)
                    else entry
                    for entry in entries
                ]
        return {**message, **changes} if changes else message

    def _is_lost(self, item: Mapping[str, Any]) -> bool:
        ciphertext = item.get("encrypted_content")
        is_lost = isinstance(ciphertext, str) and self._is_unreadable(ciphertext)
        is_lost = is_lost or (self._drops_ours and is_ours(item))
        self._count += is_lost
        return is_lost

    _fields: Mapping[str, Callable[["Stripper", Any], Any]] = {
        "input": _strip_items,
        "messages": _strip_messages,
        "extra_body": strip,
    }


def _without(item: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}
