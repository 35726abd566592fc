"""Golden files: `tests/golden/<case>.<direction>.json[l]`, input beside output.

`<case>.chat.json` is a chat request, `<case>.chat-responses.json` what the bridge sends for it;
`<case>.responses.json` a response and `<case>.responses-chat.json` its completion;
`<case>.events.jsonl` a stream and `<case>.events-chunks.jsonl` its chunks. With UPDATE_GOLDEN=1 in
the environment the outputs are written anew, for a look at the difference.
"""

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["check", "names", "read"]

_FOLDER = Path(__file__).parent.parent / "golden"


def names(direction: str) -> list[str]:
    """The cases that have an input of that name, such as "chat.json"."""
    return sorted(
        path.name.removesuffix(f".{direction}") for path in _FOLDER.glob(f"*.{direction}")
    )


def read(case: str, direction: str) -> Any:
    """A file's JSON; of a `.jsonl`, the list of its lines."""
    text = (_FOLDER / f"{case}.{direction}").read_text(encoding="utf-8")
    if direction.endswith(".jsonl"):
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text)


def check(case: str, direction: str, value: Any) -> None:
    """Compare an output with the file that has it."""
    if os.environ.get("UPDATE_GOLDEN"):
        _write(case, direction, value)
    assert value == read(case, direction)


def _write(case: str, direction: str, value: Any) -> None:
    if direction.endswith(".jsonl"):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in value)
    else:
        text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    (_FOLDER / f"{case}.{direction}").write_text(text, encoding="utf-8")
