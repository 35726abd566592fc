"""Reads YAML as plain values, notes the line of each, and gathers problems."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

import yaml

__all__ = [
    "Document",
    "ConfigProblem",
    "Severity",
    "YamlError",
    "expand",
    "read_document",
    "show_path",
]

Severity = Literal["error", "warning"]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing to look at.

    Attributes:
        severity: "error" keeps the gateway from starting; "warning" does not.
        message: what is found.
        path: where, as `model_list[0].litellm_params.api_key`; empty for the file as a whole.
        line: in the file, from 1; None where it has none.
        hint: what to change, or None.
    """

    severity: Severity
    message: str
    path: str = ""
    line: int | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        subject = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.severity}: {place}{subject}{self.message}{hint}"


def show_path(path: Path) -> str:
    """A path as people write it."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


# Anchors let a few lines stand for billions of values; no configuration needs this many.
_MOST_VALUES = 100_000
_DEEPEST = 50
_TAG = "tag:yaml.org,2002:"


class YamlError(Exception):
    """The text is not usable YAML; `problem` says why and where."""

    def __init__(self, message: str, line: int | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.problem = ConfigProblem("error", message, line=line, hint=hint)


@dataclass(slots=True)
class Document:
    """A file's values, the line of each path, and what was odd on the way."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)

    def line(self, path: Path) -> int | None:
        """The line of a path, else the line of the nearest part around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def report(
        self, path: Path, message: str, hint: str | None = None, severity: Severity = "error"
    ) -> None:
        """Add a problem, with the line of its path; none for the file as a whole."""
        line = self.line(path) if path else None
        self.problems.append(ConfigProblem(severity, message, show_path(path), line, hint))

    def report_unknown(self, path: Path, known: Iterable[str]) -> None:
        """Warn of a key that is not `known`, and name one that is nearly the same."""
        close = get_close_matches(str(path[-1]), list(known), n=1)
        hint = f"Did you mean {close[0]}?" if close else "Remove it."
        self.report(path, "This key is not known and has no effect.", hint, "warning")


def read_document(text: str) -> Document:
    """Read YAML as `safe_load` does, with two differences.

    A date stays the text it is written as, since `api_version: 2024-06-01` is not meant as one;
    and a duplicate key is a problem.

    Raises:
        YamlError: it is not YAML, or has values that no configuration has.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(
            f"This is not YAML: {error.problem or error.context}.", mark.line + 1 if mark else None
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(f"This is not YAML: {_first_line(error)}.") from error
    except RecursionError as error:
        raise YamlError("This is nested too deeply.") from error
    document = Document()
    if node is not None:
        document.value = _YamlReader(document).read(node, ())
    return document


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


class _YamlReader:
    """One pass over the nodes."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._open: set[int] = set()
        self._count = 0
        self._scalars = yaml.SafeLoader("")

    def read(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self._count += 1
        if self._count > _MOST_VALUES:
            raise YamlError(f"This holds more than {_MOST_VALUES:,} values.", line)
        if len(path) > _DEEPEST:
            raise YamlError("This is nested too deeply.", line)
        self._document.lines.setdefault(path, line)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line)
        if id(node) in self._open:
            raise YamlError("An alias refers to a value around it.", line)
        self._open.add(id(node))
        try:
            return self._collection(node, path, line)
        finally:
            self._open.remove(id(node))

    def _collection(self, node: yaml.Node, path: Path, line: int) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        raise YamlError(f"A configuration has no values of type {_name(node)}.", line)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                for source in self._sources(value_node):
                    merged = self._merge(source, path) | merged
                continue
            key = self._key(key_node)
            self._document.lines[(*path, key)] = key_node.start_mark.line + 1
            if key in own:
                self._document.report(
                    (*path, key), "This key is there twice.", "Keep one of the two."
                )
            own[key] = self.read(value_node, (*path, key))
        return merged | own

    def _merge(self, source: yaml.Node, path: Path) -> dict[str, Any]:
        value = self.read(source, path)
        if not isinstance(value, dict):
            raise YamlError("`<<` takes mappings.", source.start_mark.line + 1)
        return value

    def _sources(self, node: yaml.Node) -> Iterator[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        else:
            yield node

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise YamlError("A key is a list or a mapping.", node.start_mark.line + 1)
        return str(node.value)

    def _scalar(self, node: yaml.ScalarNode, line: int) -> Any:
        kind = _name(node)
        if kind in ("str", "timestamp"):
            return node.value
        if kind not in ("int", "float", "bool", "null"):
            raise YamlError(f"A configuration has no values of type {kind}.", line)
        try:
            return self._scalars.yaml_constructors[_TAG + kind](self._scalars, node)
        except (ValueError, IndexError, KeyError, OverflowError) as error:
            raise YamlError(f"This is not a valid {kind}: {node.value[:40]!r}.", line) from error


def _name(node: yaml.Node) -> str:
    return str(node.tag).removeprefix(_TAG)


_PREFIX = "os.environ/"


def expand(document: Document, environ: Mapping[str, str]) -> None:
    """Replace every `os.environ/NAME` in place; one that is not set becomes a problem and None."""
    document.value = _expand(document.value, (), document, environ)


def _expand(value: Any, path: Path, document: Document, environ: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith(_PREFIX):
        return _look_up(value.removeprefix(_PREFIX).strip(), path, document, environ)
    if isinstance(value, dict):
        return {
            name: _expand(item, (*path, name), document, environ) for name, item in value.items()
        }
    if isinstance(value, list):
        return [
            _expand(item, (*path, index), document, environ) for index, item in enumerate(value)
        ]
    return value


def _look_up(name: str, path: Path, document: Document, environ: Mapping[str, str]) -> str | None:
    if environ.get(name, "").strip():
        return environ[name].strip()
    state = "is empty" if name in environ else "is not set"
    message = f"The environment variable {name or '(no name)'} {state}."
    document.report(path, message, f"Set {name}, or write the value here.")
    return None
