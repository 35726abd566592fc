"""Every event and response fits the types of the openai package, which reads them unchecked."""

from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from .cases import chunk, completion, read, stream

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_CALLS = [
    ("f", "{}"),
    ("c", '{"input":"x"}'),
    ("shell", '{"commands":["ls"]}'),
    ("apply_patch", '{"type":"update_file","path":"a","diff":"x"}'),
    ("local_shell", '{"command":["ls"]}'),
    ("computer", '{"actions":[{"type":"screenshot"}]}'),
]
_ASKED: dict[str, Any] = {
    "instructions": "Be brief.",
    "tools": [
        {"type": "function", "name": "f", "parameters": {"type": "object"}},
        {"type": "custom", "name": "c"},
        *({"type": name} for name, _ in _CALLS[2:]),
    ],
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "text": {"format": {"type": "json_object"}, "verbosity": "low"},
}
_CITATION = {
    "type": "url_citation",
    "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1},
}


def _chunks(reason: str | None) -> list[dict[str, Any]]:
    said = [
        chunk(reasoning_content="Hm"),
        chunk(content="Hi"),
        chunk(annotations=[_CITATION]),
        chunk(refusal="No"),
    ]
    for index, (name, arguments) in enumerate(_CALLS):
        function = {"name": name, "arguments": arguments}
        said.append(chunk(tool_calls=[{"index": index, "id": f"c{index}", "function": function}]))
    return [*said, chunk(reason), {"choices": [], "usage": {"prompt_tokens": 1}}]


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter"])
def test_every_event_of_a_stream_fits(reason: str) -> None:
    events = [_EVENT.validate_python(event) for event in stream(_chunks(reason), _ASKED)]
    assert len({event.type for event in events}) > 15


def test_a_whole_response_fits() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    response = Response.model_validate(read(completion({"content": "Hi"}, usage=usage), _ASKED))
    assert response.output_text == "Hi"
