"""Azure's content filter verdicts in chat completions → `content_filters` of a response."""

from collections.abc import Mapping
from typing import Any

__all__ = ["FilterVerdicts"]

_SEVERITIES = ("safe", "low", "medium", "high")
_Fields = dict[str, Any]


class FilterVerdicts:
    """Gathers the verdicts of one reply; in a stream they come with many chunks."""

    def __init__(self) -> None:
        self._prompts: dict[int, _Fields] = {}
        self._completion: _Fields = {}

    def add_prompts(self, given: Any) -> None:
        """`prompt_filter_results` of a completion or a chunk."""
        for position, entry in enumerate(given if isinstance(given, list) else ()):
            if isinstance(entry, dict):
                index = entry.get("prompt_index", position)
                _add(self._prompts.setdefault(index, {}), entry)

    def add_choice(self, choice: Mapping[str, Any]) -> None:
        """The verdicts that a choice carries, if any."""
        _add(self._completion, choice)

    def build(self) -> list[_Fields] | None:
        """As the Responses API says it; None where there was no verdict."""
        verdicts = [_verdict("prompt", fields) for _, fields in sorted(self._prompts.items())]
        if self._completion:
            verdicts.append(_verdict("completion", self._completion))
        return verdicts or None


def _add(fields: _Fields, given: Mapping[str, Any]) -> None:
    results = given.get("content_filter_results")
    if isinstance(results, dict) and results:
        before = fields.get("content_filter_results")
        if before is None:
            # A whole reply has no others.
            fields["content_filter_results"] = results.copy()
        else:
            _add_results(before, results)
    offsets = given.get("content_filter_offsets")
    if isinstance(offsets, dict):
        fields["content_filter_offsets"] = dict(offsets)


def _add_results(before: _Fields, results: _Fields) -> None:
    for category, result in results.items():
        if category not in before or _weight(result) >= _weight(before[category]):
            before[category] = result


def _weight(result: Any) -> tuple[bool, bool, int]:
    """How grave a verdict is: each chunk has its own, and the gravest is the response's."""
    if not isinstance(result, dict):
        return False, False, 0
    severity = result.get("severity")
    grade = _SEVERITIES.index(severity) if severity in _SEVERITIES else 0
    return bool(result.get("filtered")), bool(result.get("detected")), grade


def _verdict(source: str, fields: _Fields) -> _Fields:
    results = fields.get("content_filter_results", {})
    blocked = any(isinstance(one, dict) and one.get("filtered") for one in results.values())
    return {"blocked": blocked, "source_type": source, **fields}
