"""Which deployments reason, learned from what they answer."""

import pytest

from azure_responses.bridge import ReasoningKnowledge
from azure_responses.bridge.chat_over_responses.reasoning_knowledge import _MOST_KNOWN
from azure_responses.errors import BadRequestError, NotFoundError
from azure_responses.types.response import Response

_REFUSAL = BadRequestError("Encrypted content is not supported with this model.", status_code=400)
_REASONING = Response.model_validate(
    {"id": "resp_1", "output": [{"type": "reasoning", "id": "rs_1", "summary": []}]}
)
_ASKED = ["reasoning.encrypted_content"]


def test_nothing_is_known_at_first() -> None:
    knowledge = ReasoningKnowledge()
    assert knowledge.of("d") is None
    assert knowledge.of(None) is None


def test_reasoning_in_an_answer_says_that_its_deployment_reasons() -> None:
    knowledge = ReasoningKnowledge()
    knowledge.learn_from_answer("d", Response(id="resp_1"))
    knowledge.learn_from_answer("d", None)
    assert knowledge.of("d") is None
    knowledge.learn_from_answer("d", _REASONING)
    assert knowledge.of("d") is True
    assert knowledge.of("e") is None


def test_the_refusal_of_what_nobody_asked_for_says_that_it_does_not() -> None:
    knowledge = ReasoningKnowledge()
    assert knowledge.learn_from_refusal("d", _REFUSAL, {"messages": []})
    assert knowledge.of("d") is False


@pytest.mark.parametrize("chat", [{"include": _ASKED}, {"extra_body": {"include": _ASKED}}])
def test_the_refusal_of_what_the_caller_asked_for_teaches_nothing(chat: dict[str, object]) -> None:
    knowledge = ReasoningKnowledge()
    assert not knowledge.learn_from_refusal("d", _REFUSAL, chat)
    assert knowledge.of("d") is None


@pytest.mark.parametrize(
    "error",
    [
        BadRequestError("Unsupported parameter: 'temperature'.", status_code=400),
        NotFoundError("Encrypted content is not supported", status_code=404),
    ],
)
def test_another_failure_teaches_nothing(error: Exception) -> None:
    knowledge = ReasoningKnowledge()
    assert not knowledge.learn_from_refusal("d", error, {})  # type: ignore[arg-type]
    assert knowledge.of("d") is None


def test_the_oldest_of_very_many_names_are_forgotten() -> None:
    knowledge = ReasoningKnowledge()
    for number in range(_MOST_KNOWN + 1):
        knowledge.learn_from_answer(f"gpt-{number}", _REASONING)
    assert len(knowledge._known) == _MOST_KNOWN
    assert "gpt-0" not in knowledge._known
