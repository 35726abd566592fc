"""Parameters that a configuration or a request leaves out by name: `additional_drop_params`.

A name is that of a whole parameter or a path into one, as LiteLLM writes it: `temperature`,
`reasoning.effort`, `tools[*].function.strict`, `input[0].status`. A dot within a name is written
`\\.`. Names count in every API: `reasoning_effort` of chat completions is `reasoning.effort` of the
Responses API, and the fields of a function tool stand one level higher there. The limit of the
output is an exception: leaving it out makes calls cost more, so only the written name counts.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.request_body import as_sent

__all__ = ["DROP_PARAMETERS", "NEVER_DROPPED", "DroppedParameters", "read_dropped"]

DROP_PARAMETERS = "additional_drop_params"

NEVER_DROPPED = frozenset({"input", "messages", "model", "stream", "tools"})
"""Parameters that are never left out whole: without them a call asks for something else."""

_Segment = str | int | None
"""A field, an element, or (None) every element."""
_Path = tuple[_Segment, ...]

_SEGMENT = re.compile(r"\.?((?:\\.|[^.\[\]\\])+)|\[(\*|\d{1,6})\]")

# The names of one parameter in the three APIs.
_SAME: tuple[Mapping[APIName, str], ...] = (
    {
        "chat": "reasoning_effort",
        "responses": "reasoning.effort",
        "messages": "output_config.effort",
    },
    {"chat": "response_format", "responses": "text.format", "messages": "output_config.format"},
    {"chat": "verbosity", "responses": "text.verbosity"},
    {"chat": "stop", "messages": "stop_sequences"},
    {"responses": "safety_identifier", "messages": "metadata.user_id"},
)


class DroppedParameters:
    """What is left out of calls; reading the paths once makes each call cheap.

    Args:
        paths: as written and as read.

    Attributes:
        names: the paths as written.
    """

    __slots__ = ("_by_api", "_paths", "names")

    def __init__(self, paths: Mapping[str, _Path]) -> None:
        self.names = tuple(paths)
        self._paths = paths
        self._by_api: dict[APIName, tuple[_Path, ...]] = {
            api: tuple(dict.fromkeys(_paths_in(api, paths))) for api in get_args(APIName)
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DroppedParameters) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)

    def __repr__(self) -> str:
        return f"DroppedParameters({list(self.names)!r})"

    def __add__(self, other: "DroppedParameters | None") -> "DroppedParameters":
        """What either leaves out."""
        return self if other is None else DroppedParameters({**self._paths, **other._paths})

    def leave_out(
        self, body: Mapping[str, Any], api: APIName = "responses"
    ) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """The body without these parameters, and one sentence for each that it had.

        The very same body comes back where it has none of them. Objects inside are not changed:
        they may be the caller's.

        Args:
            body: of a request.
            api: whose parameters the body has.
        """
        left, warnings = body, []
        for path in self._by_api[api]:
            # Nearly no request has them.
            if path[0] in body:
                rest = _without(left, path, keeps_empty=any(type(s) is not str for s in path))
                if rest is not left:
                    left = rest
                    warnings.append(f"{_text(path)} was left out: {DROP_PARAMETERS} names it.")
        return left, tuple(warnings)


def read_dropped(names: Any) -> DroppedParameters | None:
    """Names as configured or sent; None where there are none.

    Raises:
        ConfigurationError: not a list of names, or what cannot be left out.
    """
    if names is None:
        return None
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(
            f"{DROP_PARAMETERS} is not a list of names.", hint=f"Write {DROP_PARAMETERS}: [user]."
        )
    return DroppedParameters({name: _read_path(name) for name in names}) if names else None


def _read_path(name: str) -> _Path:
    path: list[_Segment] = []
    end = 0
    while end < len(name):
        found = _SEGMENT.match(name, end)
        if found is None or (not path and found[1] is None):
            break
        end = found.end()
        field, place = found.groups()
        if field is not None:
            path.append(re.sub(r"\\(.)", r"\1", field))
        else:
            path.append(None if place == "*" else int(place))
    if not path or end < len(name) or name.startswith("."):
        raise ConfigurationError(
            f"{DROP_PARAMETERS} cannot read {name!r}.",
            hint="Write a name, or a path such as tools[*].function.strict.",
        )
    if len(path) == 1 and path[0] in NEVER_DROPPED:
        raise ConfigurationError(
            f"{DROP_PARAMETERS} cannot leave out {name!r}.",
            hint="Name other parameters, or a field inside it, such as tools[*].strict.",
        )
    if type(path[-1]) is not str:
        raise ConfigurationError(
            f"{DROP_PARAMETERS} cannot leave out {name!r}, a whole element of a list.",
            hint="Name a field of the element, such as tools[*].strict.",
        )
    return tuple(path)


def _paths_in(api: APIName, paths: Mapping[str, _Path]) -> Iterator[_Path]:
    """The paths as written, and as this API has the same parameters."""
    for name, path in paths.items():
        yield path
        for names in _SAME:
            if name in names.values() and api in names:
                yield tuple(names[api].split("."))
        yield from _of_tools(api, path)


def _of_tools(api: APIName, path: _Path) -> Iterator[_Path]:
    if len(path) < 3 or path[0] != "tools" or type(path[1]) is str:
        return
    is_nested = path[2] == "function"
    if api == "chat" and not is_nested:
        yield (*path[:2], "function", *path[2:])
    elif api != "chat" and is_nested and len(path) > 3:
        yield (*path[:2], *path[3:])


def _without(value: Any, path: Sequence[_Segment], *, keeps_empty: bool) -> Any:
    """The value without what the path leads to; the very same where there is nothing."""
    if hasattr(value, "model_dump") and not isinstance(value, type):
        # A typed call may pass models; they are written as JSON anyway.
        plain = as_sent(value)
        rest = _without(plain, path, keeps_empty=keeps_empty)
        return value if rest is plain else rest
    first, inner = path[0], path[1:]
    if isinstance(first, str):
        return _without_field(value, first, inner, keeps_empty=keeps_empty)
    if not isinstance(value, list | tuple):
        return value
    changed = [
        _without(one, inner, keeps_empty=keeps_empty) if first in (None, place) else one
        for place, one in enumerate(value)
    ]
    is_same = all(new is old for new, old in zip(changed, value, strict=True))
    return value if is_same else changed


def _without_field(value: Any, name: str, inner: Sequence[_Segment], *, keeps_empty: bool) -> Any:
    if not isinstance(value, Mapping) or name not in value:
        return value
    if inner:
        given = value[name]
        rest = _without(given, inner, keeps_empty=keeps_empty)
        if rest is given:
            return value
        # An object that held nothing else asks for nothing; in a list its place matters.
        if rest or keeps_empty:
            return {**value, name: rest}
    return {key: item for key, item in value.items() if key != name}


def _text(path: _Path) -> str:
    parts: list[str] = []
    for segment in path:
        if isinstance(segment, str):
            parts.append(f".{segment}" if parts else segment)
        else:
            parts.append("[*]" if segment is None else f"[{segment}]")
    return "".join(parts)
