"""Parameters of requests that an entry sets, applied to the body of a call.

See `entry_parameters`, which reads them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.tool_shapes import flat_format

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
        form = self.forms[terms]
        completed = _with_names_of(form, body) if terms == "bridged" else dict(body)
        for name, value in form.items():
            if not _is_decided(name, body):
                completed[name] = _merged(value, completed.get(name))
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
    names = {"responses": ("reasoning",), "bridged": ("reasoning", "reasoning_effort")}
    name = next((one for one in names.get(terms, ()) if body.get(one) is not None), None)
    given = None if name is None else body[name]
    reasoning = {"effort": given} if isinstance(given, str) else given
    if name is None or not isinstance(reasoning, Mapping):
        return body
    if reasoning.get("effort") in (None, "none") or _SUMMARIES & reasoning.keys():
        return body
    return {**body, name: {**reasoning, "summary": "auto"}}


# The second is the older name.
_SUMMARIES = frozenset({"summary", "generate_summary"})


def _with_names_of(form: Mapping[str, Any], chat: Mapping[str, Any]) -> dict[str, Any]:
    """A chat that says in the Responses API's names what the form says of the same objects.

    The bridge reads both. So each field can be told apart: a caller's effort leaves the entry's
    summary.
    """
    body = dict(chat)
    effort = body.get("reasoning_effort")
    if "reasoning" in form and effort is not None:
        del body["reasoning_effort"]
        own = effort if isinstance(effort, Mapping) else {"effort": effort}
        body["reasoning"] = {**own, **_fields(body.get("reasoning"))}
    if "text" in form:
        text = _fields(body.get("text"))
        for name, field_name in (("verbosity", "verbosity"), ("response_format", "format")):
            # A class, as programs pass one, is written by the bridge.
            if body.get(name) is not None and not isinstance(body[name], type):
                text.setdefault(field_name, flat_format(body.pop(name)))
        body["text"] = text
    return body


def _fields(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _use_name(name: str, body: dict[str, Any]) -> None:
    """Have the caller's value stand under the name that the entry uses."""
    others = [other for group in _SAME if name in group for other in group if other != name]
    for other in others:
        if body.get(other) is not None:
            body[name] = body.pop(other)


def _is_decided(name: str, body: Mapping[str, Any]) -> bool:
    """The caller says it by another name."""
    group = next((names for names in _SAME if name in names), ())
    return any(body.get(other) is not None for other in group)


def _merged(value: Any, given: Any) -> Any:
    """The caller's value; of a mapping the caller's fields, and the others of the entry."""
    if given is None:
        return value
    if isinstance(value, Mapping) and isinstance(given, Mapping):
        return {**value, **{name: one for name, one in given.items() if one is not None}}
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
