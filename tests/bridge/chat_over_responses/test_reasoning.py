import copy
from typing import Any

import pytest

from azure_responses.bridge import (
    BridgedRequest,
    ReasoningCache,
    ReasoningKnowledge,
    is_reasoning_model_name,
    to_chat_completion,
    to_responses_request,
    without_sampling,
)
from azure_responses.bridge.chat_over_responses.reasoning import _MOST_KNOWN
from azure_responses.errors import BadRequestError, NotFoundError
from azure_responses.types import ChatCompletionMessage
from azure_responses.types.response import Response


def _message(*call_ids: str, text: str = "AAA", **fields: Any) -> ChatCompletionMessage:
    values = {
        "tool_calls": [{"id": call_id, "type": "function"} for call_id in call_ids],
        "reasoning_items": [{"type": "reasoning", "encrypted_content": text}],
    }
    return ChatCompletionMessage.model_validate({**values, **fields})


def test_any_call_of_a_message_leads_back_to_its_reasoning() -> None:
    cache = ReasoningCache()
    cache.remember(_message("c1", "c2", output_order=[{"type": "reasoning"}]), 0)
    kept = cache.recall(["unknown", "c2"], 10)
    assert kept is not None
    assert kept.reasoning_items == [{"type": "reasoning", "encrypted_content": "AAA"}]
    assert kept.output_order == [{"type": "reasoning"}]
    assert cache.recall(["c3"], 10) is None


def test_messages_without_calls_or_without_reasoning_are_not_kept() -> None:
    cache = ReasoningCache()
    cache.remember(_message(), 0)
    cache.remember(_message("c1", reasoning_items=None), 0)
    assert len(cache) == 0


def test_entries_expire_after_their_time() -> None:
    cache = ReasoningCache(ttl=60)
    cache.remember(_message("c1"), 100)
    assert cache.recall(["c1"], 159.9) is not None
    assert cache.recall(["c1"], 160) is None
    assert len(cache) == 0


def test_the_oldest_goes_first_when_it_is_full() -> None:
    cache = ReasoningCache(capacity=2)
    for number in range(3):
        cache.remember(_message(f"c{number}"), number)
    assert [cache.recall([f"c{number}"], 3) is not None for number in range(3)] == [
        False,
        True,
        True,
    ]


def test_it_is_bounded_by_size_too() -> None:
    cache = ReasoningCache(max_characters=50)
    cache.remember(_message("c1", text="A" * 30), 0)
    cache.remember(_message("c2", text="B" * 30), 0)
    assert cache.recall(["c1"], 0) is None
    assert cache.recall(["c2"], 0) is not None


def test_a_message_remembered_twice_is_there_once() -> None:
    cache = ReasoningCache(max_characters=50)
    for _ in range(5):
        cache.remember(_message("c1", text="A" * 30), 0)
    assert len(cache) == 1
    assert cache.recall(["c1"], 0) is not None


def test_a_call_id_belongs_to_the_message_that_used_it_last() -> None:
    cache = ReasoningCache(capacity=2)
    cache.remember(_message("c1", "c2", text="old"), 0)
    cache.remember(_message("c2", text="new"), 1)
    cache.remember(_message("c3"), 2)
    kept = cache.recall(["c2"], 3)
    assert kept is not None
    assert kept.reasoning_items == [{"type": "reasoning", "encrypted_content": "new"}]
    assert cache.recall(["c1"], 3) is None


@pytest.mark.parametrize(
    "name",
    [
        "o1-pro",
        "my-custom-o1-pro",
        "o3",
        "o4-mini-2025-04-16",
        "GPT-5",
        "gpt-5-mini",
        "gpt5-prod",
        "gpt-5.1-codex-max",
        "gpt-5.6-sol",
        "gpt-12",
        "codex-mini",
        "gpt-oss-120b",
        "team_gpt-5_eu",
    ],
)
def test_names_of_models_that_reason(name: str) -> None:
    assert is_reasoning_model_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4o",
        "gpt-4o-mini",
        "gpt-4.1",
        "gpt-35-turbo",
        "gpt-5-chat",
        "gpt-5.1-chat-latest",
        "foo1",
        "demo1",
        "o100",
        "computer-use-preview",
        "prod",
        "",
    ],
)
def test_names_of_others_and_names_that_say_nothing(name: str) -> None:
    assert not is_reasoning_model_name(name)


_REFUSAL = BadRequestError("Encrypted content is not supported with this model.", status_code=400)
_REASONING = Response.model_validate(
    {"id": "resp_1", "output": [{"type": "reasoning", "id": "rs_1", "summary": []}]}
)
_ASKED = ["reasoning.encrypted_content"]


def test_nothing_is_known_at_first() -> None:
    knowledge = ReasoningKnowledge()
    assert knowledge.of("d") is None
    assert knowledge.of(None) is None


@pytest.mark.parametrize("model", [{"name": "o1"}, ["o1"], 1, None])
def test_a_model_that_is_no_name_is_learned_about_like_any_other(model: object) -> None:
    knowledge = ReasoningKnowledge()
    knowledge.learn_from_answer(model, _REASONING)
    assert knowledge.of(model) is True
    assert knowledge.of("o1") is None
    assert knowledge.learn_from_refusal(model, _REFUSAL)
    assert knowledge.of(model) is False


def test_reasoning_in_an_answer_says_that_its_deployment_reasons() -> None:
    knowledge = ReasoningKnowledge()
    knowledge.learn_from_answer("d", Response(id="resp_1"))
    knowledge.learn_from_answer("d", None)
    assert knowledge.of("d") is None
    knowledge.learn_from_answer("d", _REASONING)
    assert knowledge.of("d") is True
    assert knowledge.of("e") is None


def _bridged(**chat: Any) -> BridgedRequest:
    chat = {"model": "o1", "messages": [], **chat}
    return to_responses_request(chat, knowledge=ReasoningKnowledge())


def test_the_refusal_of_what_the_bridge_asked_for_says_that_the_model_does_not_reason() -> None:
    request = _bridged()
    assert request.learn_from_error(_REFUSAL)
    assert request.knowledge is not None
    assert request.knowledge.of("o1") is False
    chat = {"model": "o1", "messages": []}
    again = to_responses_request(chat, knowledge=request.knowledge)
    assert "include" not in again.parameters
    assert not again.learn_from_error(_REFUSAL)


@pytest.mark.parametrize("chat", [{"include": _ASKED}, {"extra_body": {"include": _ASKED}}])
def test_the_refusal_of_what_the_caller_asked_for_teaches_nothing(chat: dict[str, object]) -> None:
    request = _bridged(**chat)
    assert not request.learn_from_error(_REFUSAL)
    assert request.knowledge is not None
    assert request.knowledge.of("o1") is None


def test_reading_the_answer_learns_that_the_model_reasons() -> None:
    knowledge = ReasoningKnowledge()
    request = to_responses_request({"model": "mine", "messages": []}, knowledge=knowledge)
    assert "include" not in request.parameters
    to_chat_completion(_REASONING, request)
    assert knowledge.of("mine") is True
    again = to_responses_request({"model": "mine", "messages": []}, knowledge=knowledge)
    assert again.parameters["include"] == _ASKED


def test_a_request_without_knowledge_learns_nothing() -> None:
    request = to_responses_request({"model": "o1", "messages": []})
    assert not request.learn_from_error(_REFUSAL)


@pytest.mark.parametrize(
    "error",
    [
        BadRequestError("Unsupported parameter: 'temperature'.", status_code=400),
        NotFoundError("Encrypted content is not supported", status_code=404),
    ],
)
def test_another_failure_teaches_nothing(error: Exception) -> None:
    knowledge = ReasoningKnowledge()
    assert not knowledge.learn_from_refusal("d", error)  # type: ignore[arg-type]
    assert knowledge.of("d") is None


def test_the_oldest_of_very_many_names_are_forgotten() -> None:
    knowledge = ReasoningKnowledge()
    for number in range(_MOST_KNOWN + 1):
        knowledge.learn_from_answer(f"gpt-{number}", _REASONING)
    assert len(knowledge._known) == _MOST_KNOWN
    assert "gpt-0" not in knowledge._known


_LOGPROBS = "message.output_text.logprobs"


def test_sampling_is_dropped_by_name() -> None:
    given = {"temperature": 1, "top_p": 0, "top_logprobs": 1, "include": ["a", _LOGPROBS], "b": 1}
    before = copy.deepcopy(given)
    left, dropped = without_sampling(given)
    assert left == {"include": ["a"], "b": 1}
    # A temperature of 1 is what a model has by itself, so nothing is lost with it.
    assert [sentence.split()[0] for sentence in dropped] == ["top_p", "top_logprobs", "logprobs"]
    assert given == before


@pytest.mark.parametrize("given", [
    {}, {"temperature": None}, {"include": ["a"]}, {"include": _LOGPROBS}, {"include": None},
    {"temperature": 0.5, "reasoning": {"effort": "none"}},
])  # fmt: skip
def test_what_needs_no_dropping_stays_the_same_object(given: dict[str, Any]) -> None:
    left, dropped = without_sampling(given)
    assert left is given
    assert dropped == []


@pytest.mark.parametrize("reasoning", [None, {}, {"effort": "low"}, "none", 7])
def test_only_the_effort_none_stops_the_reasoning(reasoning: Any) -> None:
    left, _ = without_sampling({"temperature": 0.5, "reasoning": reasoning})
    assert left == {"reasoning": reasoning}
