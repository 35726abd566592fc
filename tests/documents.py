"""The fenced examples of README.md and docs/, for the tests that run, load or type-check them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "DOCUMENTS", "EXAMPLES", "ROOT", "Example", "in_language", "name_of"]

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
_FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+?) -->\n+)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """A fenced block: where it is, its text, and why it is not run (None where it is)."""

    path: Path
    line: int
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{name_of(self.path)}:{self.line}"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _examples(path: Path) -> Iterator[Example]:
    document = path.read_text(encoding="utf-8")
    for match in _FENCE.finditer(document):
        line = document.count("\n", 0, match.start("text")) + 1
        yield Example(path, line, match["language"], match["text"], match["reason"])


DOCUMENTS = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
EXAMPLES = [example for path in DOCUMENTS for example in _examples(path)]


def in_language(language: str) -> list[Example]:
    return [example for example in EXAMPLES if example.language == language]
