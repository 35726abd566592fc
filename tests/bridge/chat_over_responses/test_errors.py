from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.conversion_state import as_mapping, refuse
from azure_responses.errors import ConfigurationError
from azure_responses.types import ChatCompletionMessage, InputText


def test_a_refusal_says_what_to_do_instead() -> None:
    assert str(refuse("No.", "Do this.")) == "No. (hint: Do this.)"


class _Dumps:
    def model_dump(self, **options: Any) -> dict[str, Any]:
        return {"role": "user"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, {"a": 1}),
        (InputText(type="input_text", text="a"), {"type": "input_text", "text": "a"}),
        (ChatCompletionMessage(content="a"), {"content": "a"}),
        (_Dumps(), {"role": "user"}),
    ],
)
def test_dicts_and_models_are_objects(value: Any, expected: dict[str, Any]) -> None:
    assert as_mapping(value, "p") == expected


@pytest.mark.parametrize("value", [None, "a", 7, [1]])
def test_nothing_else_is(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="here is a"):
        as_mapping(value, "here")
