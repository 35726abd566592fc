"""The data of one generation: the call, the steps of its output, and the finished response.

A `ResponseBuilder` goes through the modules that write items. Each returns `OutputStep`s; the
`OutputPlan` collects them, and events and response are written from the plan.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from azure_responses.emulator.engine.transcript import Transcript
from azure_responses.emulator.model_catalog import EmulatedModel
from azure_responses.emulator.opaque_values import IdentifierMint, ReasoningCipher

__all__ = [
    "GeneratedResponse",
    "Generation",
    "OutputPlan",
    "OutputStep",
    "PrefixMemory",
    "ResponseBuilder",
]

# Azure's prompt-caching page: a prefix counts from 1,024 tokens, then in steps of 128.
_FIRST, _STEP = 1024, 128
# The same page: a cache is cleared after 5 to 10 minutes without use, with extended retention after
# 24 hours at most.
_LIFE, _EXTENDED_LIFE = 600.0, 86_400.0
# Seconds between the items of a response, which their ids tell.
_BETWEEN_ITEMS = 0.4375


class PrefixMemory:
    """The beginnings of prompts that a resource has seen, for prompt caching.

    Keeps the newest `limit` of them, each for some time after its last use; not safe across
    threads.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._limit = limit

    def match(
        self, scope: str, tokens: Sequence[str], now: float, retention: str | None = None
    ) -> int:
        """How many leading tokens are in the cache for this scope; adds all of these.

        `scope` keeps models and cache keys apart: only equal scopes share prefixes. `now` is unix
        seconds, `retention` what the request says of it.
        """
        until = now + (_EXTENDED_LIFE if retention == "24h" else _LIFE)
        digest = hashlib.blake2b(scope.encode(), digest_size=16)
        matched = start = 0
        for end in range(_FIRST, len(tokens) + 1, _STEP):
            digest.update("\0".join(tokens[start:end]).encode() + b"\0")
            # The digest covers all tokens so far: a later match implies the earlier ones.
            key = digest.digest()
            before = self._seen.get(key, 0.0)
            if before > now:
                matched = end
            self._remember(key, max(until, before))
            start = end
        return matched

    def _remember(self, key: bytes, until: float) -> None:
        self._seen[key] = until
        self._seen.move_to_end(key)
        if len(self._seen) > self._limit:
            self._seen.popitem(last=False)


@dataclass(frozen=True)
class Generation:
    """One create call, already routed, authorised and validated.

    Attributes:
        request: the JSON body as sent.
        deployment: the deployment that serves; its name is what `model` echoes.
        model: what that deployment runs.
        created_at: unix seconds.
        identifiers: mints ids; seeded, so that the same call gives the same ids.
        cipher: encrypts and opens reasoning with this resource's key.
        history: items of the previous responses or the conversation, oldest first.
        headers: request headers, names in lower case.
        dated: True on the dated surface, whose completed responses carry no content_filters.
        find_file: returns the resource's file of an id; None for an unknown id.
        search: finds (file id, filename, text) rows in the named vector stores for a query.
        chunking: "default" sends several tokens per delta, as the default content filter's buffer
            does; "async" sends one token per delta, as the asynchronous filter does.
        prefixes: what prompts the resource has seen, for `cached_tokens`; None caches nothing.
        consent_link: where a user has to consent before remote tools are called.
        thinks_aloud: reasoning stands between `<think>` tags in the text, as R1 has it on the
            older routes.
    """

    request: dict[str, Any]
    deployment: str
    model: EmulatedModel
    created_at: int
    identifiers: IdentifierMint
    cipher: ReasoningCipher
    history: list[dict[str, Any]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    dated: bool = False
    find_file: Callable[[str], dict[str, Any] | None] = lambda _: None
    search: Callable[[list[str], str], list[tuple[str, str, str]]] = lambda _stores, _query: []
    chunking: str = "default"
    prefixes: PrefixMemory | None = None
    thinks_aloud: bool = False
    consent_link: str | None = None


@dataclass(frozen=True)
class GeneratedResponse:
    """A finished response, made at once; the caller paces its events.

    Attributes:
        response: the response object the terminal event carries.
        output_items: the items that the next call of the conversation continues from.
        write_events: called at most once, when `events` is first read: most replies are not
            streamed.
        thoughts: what the model thought, one text for each reasoning item; other APIs show it.
    """

    response: dict[str, Any]
    output_items: list[dict[str, Any]]
    write_events: Callable[[], list[dict[str, Any]]]
    thoughts: tuple[str, ...] = ()

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """Every stream event in order, `sequence_number` from 0; the last is terminal."""
        return self.write_events()


@dataclass
class OutputStep:
    """One output item.

    Attributes:
        item: the item as the finished response lists it.
        sealed: what the item's `encrypted_content` holds; every event encrypts it anew.
        partial_images: base64 images shown before the last.
        tokens: output tokens the item cost.
        reasoning_tokens: those of them that were spent on reasoning.
        thought: the whole text of the reasoning, of which the item shows a summary.
    """

    item: dict[str, Any]
    sealed: dict[str, Any] | None = None
    partial_images: list[str] = field(default_factory=list)
    tokens: int = 0
    reasoning_tokens: int = 0
    thought: str = ""


@dataclass
class OutputPlan:
    """The steps and how the response ends.

    Attributes:
        status: `completed`, `incomplete` or `failed`.
        reason: why it is incomplete, as `incomplete_details.reason`.
        error: what a failed response's `error` holds.
        is_blocked: the content filter stopped the output.
    """

    steps: list[OutputStep] = field(default_factory=list)
    status: str = "completed"
    reason: str | None = None
    error: dict[str, Any] | None = None
    is_blocked: bool = False


class ResponseBuilder:
    """What each module that writes items needs: the call, its transcript and new ids.

    Attributes:
        generation: the call.
        transcript: the call as a model reads it.
        effort: the reasoning effort in force; None for a model that does not reason.
    """

    def __init__(self, generation: Generation, transcript: Transcript) -> None:
        self.generation = generation
        self.transcript = transcript
        store = generation.request.get("store")
        # A response that goes on from another one shares the key in its ids.
        self._ids = generation.identifiers.conversation(
            _last_identifier(generation), store is None or store
        )
        self._at = float(generation.created_at)
        reasoning = self.body.get("reasoning") or {}
        self.effort = reasoning.get("effort") or generation.model.default_effort

    @property
    def body(self) -> dict[str, Any]:
        """The body of the call."""
        return self.generation.request

    @property
    def prompt(self) -> str:
        """What the user said last."""
        return self.transcript.prompt

    def includes(self, name: str) -> bool:
        """True where `include` asks for this part of the output."""
        return name in (self.body.get("include") or ())

    def item(self, prefix: str, kind: str, **fields: Any) -> dict[str, Any]:
        """A new output item; its keys in the order given, as recorded."""
        return {"id": self.identify(prefix), "type": kind, **fields}

    def identify(self, prefix: str) -> str:
        """The id of the next item; each is created a moment after the one before."""
        identifier = self._ids.item(prefix, self._at)
        self._at += _BETWEEN_ITEMS
        return identifier

    @property
    def seconds(self) -> int:
        """Unix seconds of the item that comes next."""
        return int(self._at)


def _last_identifier(generation: Generation) -> str | None:
    previous: str | None = generation.request.get("previous_response_id")
    if previous:
        return previous
    given = generation.request.get("input")
    items = given if isinstance(given, list) else ()
    # Any item that came back carries the key of its conversation.
    newest_first = reversed([*generation.history, *items])
    return next((item["id"] for item in newest_first if item.get("id")), None)
