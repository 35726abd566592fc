"""Parameters of requests that an entry sets, applied to the body of a call.

See `entry_parameters`, which reads them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from azure_responses.errors import ConfigurationError

__all__ = ["LIMITS", "OF_PASSED", "EntryParameters", "Terms", "with_summary"]

Terms = Literal["responses", "chat", "bridged", "messages"]
"""In whose terms a body is; "bridged" is a chat that is answered over the Responses API, and may
use the terms of both."""

LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
# A caller who sends one of a group has decided what the others would say.
_SAME = (LIMITS, ("stop", "stop_sequences"))
# Embeddings, images and speech, whose names the text APIs do not have.
OF_PASSED: Mapping[str, frozenset[str]] = {
    "embeddings": frozenset({"dimensions", "encoding_format", "user"}),
    "images.generations": frozenset(
        {
            "moderation",
            "n",
            "output_compression",
            "output_format",
            "quality",
            "size",
            "style",
            "user",
        }
    ),
    "audio.speech": frozenset({"instructions", "response_format", "speed", "voice"}),
}


@dataclass(frozen=True, slots=True)
class EntryParameters:
    """What an entry sets, in the terms of each API.

    Attributes:
        given: the parameters as the entry has them.
        forms: the same in the terms of each API.
        fixed: those among them that callers cannot change.
        extra: further fields of the body.
    """

    given: Mapping[str, Any]
    forms: Mapping[Terms, Mapping[str, Any]]
    fixed: Mapping[Terms, Mapping[str, Any]] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def complete(
        self, body: Mapping[str, Any], terms: Terms, *, drops_params: bool
    ) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """The body with what it does not say itself, and which of its values were left out.

        Raises:
            ConfigurationError: it says something else than a fixed parameter, and `drops_params`
                is off.
        """
        completed = dict(body)
        for name, value in self.forms[terms].items():
            if not _is_decided(name, body):
                completed[name] = _merged(value, body.get(name))
        warnings = tuple(self._fix(completed, terms, drops_params=drops_params))
        return completed, warnings

    def extend(self, body: Mapping[str, Any], operation: str) -> Mapping[str, Any]:
        """The body of embeddings, images or speech with what it does not say itself."""
        names = OF_PASSED.get(operation)
        if names is None:
            return body
        own = {name: value for name, value in self.given.items() if name in names}
        said = {name: value for name, value in body.items() if value is not None}
        return {**self.extra, **own, **said}

    @property
    def stores(self) -> bool:
        """Responses are stored where the caller does not say."""
        return self.given.get("store") is not False

    def _fix(self, body: dict[str, Any], terms: Terms, *, drops_params: bool) -> Iterator[str]:
        for name, value in self.fixed.get(terms, {}).items():
            _use_name(name, body)
            for path, wanted in _leaves(name, value):
                found = _find(body, path)
                if found == wanted:
                    continue
                shown = ".".join(path)
                if not drops_params:
                    raise _cannot_change(shown, wanted)
                _set(body, path, wanted)
                yield f"{shown} {found!r} was left out. It is {wanted!r} for this model."


def _cannot_change(name: str, wanted: Any) -> ConfigurationError:
    error = ConfigurationError(
        f"{name} is {wanted!r} for this model and cannot be changed.",
        hint=f"Leave {name} out, or call another model.",
    )
    error.param = name
    return error


def with_summary(body: Mapping[str, Any], terms: Terms) -> Mapping[str, Any]:
    """The body with a summary of the reasoning asked for, where it asks for reasoning only.

    Chat completions and Messages have no summaries.
    """
    name = {"responses": "reasoning", "bridged": "reasoning_effort"}.get(terms)
    given = None if name is None else body.get(name)
    reasoning = {"effort": given} if isinstance(given, str) else given
    if name is None or not isinstance(reasoning, Mapping):
        return body
    if reasoning.get("effort") in (None, "none") or _SUMMARIES & reasoning.keys():
        return body
    return {**body, name: {**reasoning, "summary": "auto"}}


# The second is the older name.
_SUMMARIES = frozenset({"summary", "generate_summary"})


def _use_name(name: str, body: dict[str, Any]) -> None:
    """Have the caller's value stand under the name that the entry uses."""
    others = [other for group in _SAME if name in group for other in group if other != name]
    for other in others:
        if body.get(other) is not None:
            body[name] = body.pop(other)
    if name == "reasoning_effort" and isinstance(body.get("reasoning"), Mapping):
        body[name] = {**body.pop("reasoning")}
    elif name == "reasoning" and body.get("reasoning_effort") is not None:
        effort = body.pop("reasoning_effort")
        body[name] = effort if isinstance(effort, Mapping) else {"effort": effort}


def _is_decided(name: str, body: Mapping[str, Any]) -> bool:
    """The caller says it by another name."""
    group = next((names for names in _SAME if name in names), ())
    if any(body.get(other) is not None for other in group):
        return True
    if name == "reasoning_effort" and body.get("reasoning") is not None:
        return True
    return name == "reasoning" and body.get("reasoning_effort") is not None


def _merged(value: Any, given: Any) -> Any:
    """The caller's value; of a mapping the caller's fields, and the others of the entry."""
    if given is None:
        return value
    if isinstance(value, Mapping):
        if isinstance(given, Mapping):
            return {**value, **{name: one for name, one in given.items() if one is not None}}
        # `reasoning_effort` as text leaves the summary to the entry.
        return {**value, "effort": given} if isinstance(given, str) else given
    return given


def _leaves(name: str, value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The fields of a fixed parameter, so that others of the same object stay the caller's."""
    if isinstance(value, Mapping) and value and name not in ("tool_choice", "response_format"):
        for key, inner in value.items():
            yield (name, key), inner
    else:
        yield (name,), value


def _find(body: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = body
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _set(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    if len(path) == 1:
        body[path[0]] = value
        return
    inner = body.get(path[0])
    body[path[0]] = {**(inner if isinstance(inner, Mapping) else {}), path[1]: value}
