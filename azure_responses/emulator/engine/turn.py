"""What the engine is told about one create call, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from azure_responses.emulator.engine.prefixes import PrefixMemory
from azure_responses.emulator.identifiers import IdentifierMint
from azure_responses.emulator.models import Model
from azure_responses.emulator.vault import Vault

__all__ = ["Answer", "Turn"]


@dataclass(frozen=True)
class Turn:
    """One create call, already routed, authorised and validated.

    Attributes:
        request: the JSON body as sent.
        deployment: the deployment that serves; its name is what `model` echoes.
        model: what that deployment runs.
        created_at: unix seconds.
        identifiers: mints ids; seeded, so that the same call gives the same ids.
        vault: encrypts and opens reasoning with this resource's key.
        history: items of the previous responses or the conversation, oldest first.
        headers: request headers, names in lower case.
        dated: True on the dated surface, whose completed responses carry no content_filters.
        find_file: looks a file id up among the resource's files; None where there is none.
        search: finds (file id, filename, text) rows in the named vector stores for a query.
        chunking: "default" sends several tokens per delta, as the default content filter's buffer
            does; "async" sends one token per delta, as the asynchronous filter does.
        prefixes: what prompts the resource has seen, for `cached_tokens`; None caches nothing.
    """

    request: dict[str, Any]
    deployment: str
    model: Model
    created_at: int
    identifiers: IdentifierMint
    vault: Vault
    history: list[dict[str, Any]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    dated: bool = False
    find_file: Callable[[str], dict[str, Any] | None] = lambda _: None
    search: Callable[[list[str], str], list[tuple[str, str, str]]] = lambda _stores, _query: []
    chunking: str = "default"
    prefixes: PrefixMemory | None = None


@dataclass(frozen=True)
class Answer:
    """The whole answer, decided at once; the caller paces it.

    Attributes:
        response: the response object the terminal event carries.
        output_items: the items to remember for the next turn, as a retrieve would list them.
        script: writes the events; called at most once, when `events` is first read, because most
            replies are not streamed.
    """

    response: dict[str, Any]
    output_items: list[dict[str, Any]]
    script: Callable[[], list[dict[str, Any]]]

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """Every stream event in order, `sequence_number` from 0; the last is terminal."""
        return self.script()
