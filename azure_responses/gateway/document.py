"""YAML as plain values, and the line each of them stands on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from azure_responses.gateway.findings import Finding, Path, show_path

__all__ = ["Document", "UnreadableError", "read_document"]

# Anchors let a few lines stand for billions of values; no configuration needs this many.
_MOST_VALUES = 100_000
_DEEPEST = 50
_TAG = "tag:yaml.org,2002:"


class UnreadableError(Exception):
    """The text is no usable YAML; `finding` says why and where."""

    def __init__(self, message: str, line: int | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.finding = Finding("error", message, line=line, hint=hint)


@dataclass(slots=True)
class Document:
    """A file's values, the line of each path, and what was odd on the way."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def line(self, path: Path) -> int | None:
        """The line of a path, else that of what it would stand in."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_document(text: str) -> Document:
    """Read YAML as `safe_load` does, with two differences.

    A date stays the text it is written as, since `api_version: 2024-06-01` is no date; and a
    key that stands twice is a finding.

    Raises:
        UnreadableError: it is no YAML, or holds what a configuration cannot.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableError(
            f"This is not YAML: {error.problem or error.context}.", mark.line + 1 if mark else None
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableError(f"This is not YAML: {_first_line(error)}.") from error
    except RecursionError as error:
        raise UnreadableError("This is nested too deeply.") from error
    document = Document()
    if node is not None:
        document.value = _Reading(document).read(node, ())
    return document


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


class _Reading:
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
            raise UnreadableError(f"This holds more than {_MOST_VALUES:,} values.", line)
        if len(path) > _DEEPEST:
            raise UnreadableError("This is nested too deeply.", line)
        self._document.lines.setdefault(path, line)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line)
        if id(node) in self._open:
            raise UnreadableError("An alias refers to what it stands in.", line)
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
        raise UnreadableError(f"A configuration has no values of type {_name(node)}.", line)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                for source in self._sources(value_node):
                    merged = self._merge(source, path) | merged
                continue
            key = self._key(key_node)
            if key in own:
                self._report_twice((*path, key), key_node.start_mark.line + 1)
            self._document.lines[(*path, key)] = key_node.start_mark.line + 1
            own[key] = self.read(value_node, (*path, key))
        return merged | own

    def _merge(self, source: yaml.Node, path: Path) -> dict[str, Any]:
        value = self.read(source, path)
        if not isinstance(value, dict):
            raise UnreadableError("`<<` takes mappings.", source.start_mark.line + 1)
        return value

    def _sources(self, node: yaml.Node) -> Iterator[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        else:
            yield node

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise UnreadableError("A key is a list or a mapping.", node.start_mark.line + 1)
        return str(node.value)

    def _report_twice(self, path: Path, line: int) -> None:
        self._document.findings.append(
            Finding(
                "error", "This key stands twice.", show_path(path), line, "Keep one of the two."
            )
        )

    def _scalar(self, node: yaml.ScalarNode, line: int) -> Any:
        kind = _name(node)
        if kind in ("str", "timestamp"):
            return node.value
        if kind not in ("int", "float", "bool", "null"):
            raise UnreadableError(f"A configuration has no values of type {kind}.", line)
        try:
            return self._scalars.yaml_constructors[_TAG + kind](self._scalars, node)
        except (ValueError, IndexError, KeyError, OverflowError) as error:
            raise UnreadableError(f"This is no {kind}: {node.value[:40]!r}.", line) from error


def _name(node: yaml.Node) -> str:
    return str(node.tag).removeprefix(_TAG)
