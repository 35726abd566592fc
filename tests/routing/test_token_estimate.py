"""How many tokens a request will take."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.routing.route_request import Outcome, RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.token_estimate import (
    USUAL_OUTPUT,
    StoredContexts,
    UsualTokens,
    estimate_count,
    estimate_input_tokens,
    estimate_output_tokens,
    estimate_passed_tokens,
    has_output_limit,
)
from tests.routing.fleet import attempt, deployment, fleet

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_prose_has_four_characters_to_a_token() -> None:
    assert estimate_input_tokens({"input": "a" * 400}) == 100


def test_other_scripts_are_counted_by_their_bytes() -> None:
    assert estimate_input_tokens({"input": "日本語" * 4}) == 9


def test_instructions_tools_and_messages_count() -> None:
    body = {
        "instructions": "a" * 40,
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "b" * 40}]}],
        "tools": [{"type": "function", "name": "c" * 40}],
        "model": "d" * 400,
    }
    assert 30 <= estimate_input_tokens(body) <= 50
    assert estimate_input_tokens({"messages": [{"role": "user", "content": "e" * 400}]}) >= 100


def test_pictures_and_ciphertext_are_not_counted_as_text() -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 10**6}
    assert estimate_input_tokens({"input": [picture]}) < 1000
    reasoning = {"type": "reasoning", "encrypted_content": "A" * 10**6}
    assert estimate_input_tokens({"input": [reasoning]}) < 10


@given(_json)
def test_any_input_has_an_estimate(value: Any) -> None:
    assert estimate_input_tokens({"input": value, "tools": value}) >= 0


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({}, USUAL_OUTPUT),
        ({"max_output_tokens": 50}, 50),
        ({"max_completion_tokens": 60}, 60),
        ({"max_tokens": 70, "n": 3}, 210),
        ({"max_output_tokens": None}, USUAL_OUTPUT),
        ({"max_output_tokens": "many", "n": 1}, USUAL_OUTPUT),
    ],
)
def test_output_is_what_the_body_allows(body: dict[str, Any], tokens: int) -> None:
    assert estimate_output_tokens(body) == tokens


def test_what_outputs_lately_had_is_learnt_and_forgotten() -> None:
    usual = UsualTokens()
    assert usual.tokens(0.0) is None
    usual.observe(12, 0.0)
    assert usual.tokens(0.0) == 24
    for second in range(40):
        usual.observe(3000, float(second))
    assert 2900 < (usual.tokens(40.0) or 0) < 3300
    assert usual.tokens(639.0) is not None
    assert usual.tokens(640.0) is None
    usual.observe(100, 700.0)
    assert usual.tokens(700.0) == 200


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_what_is_learnt_has_sane_bounds(outputs: list[int]) -> None:
    usual = UsualTokens()
    for tokens in outputs:
        usual.observe(tokens, 0.0)
    assert 16 <= (usual.tokens(0.0) or 0) <= 32_768


@pytest.mark.parametrize(
    ("body", "has_limit"),
    [
        ({}, False),
        ({"max_output_tokens": None}, False),
        ({"max_output_tokens": 16}, True),
        ({"max_completion_tokens": 5}, True),
        ({"max_tokens": 5}, True),
        ({"max_tokens": "5"}, False),
    ],
)
def test_a_body_may_limit_its_output_itself(body: dict[str, Any], has_limit: bool) -> None:
    assert has_output_limit(body) is has_limit


def test_the_latest_of_what_fits_is_remembered() -> None:
    contexts = StoredContexts(capacity=3)
    contexts.note(("resp_1", "conv_1"), 10)
    contexts.note(("resp_2", "conv_1"), 30)
    contexts.note(("resp_3",), 5)
    found = [contexts.tokens_of(each) for each in ("resp_1", "resp_2", "conv_1", "resp_3")]
    assert found == [0, 30, 30, 5]


def test_an_answer_is_noted_under_its_ids_and_a_continued_call_reserves_it() -> None:
    routing = fleet(deployment("a", tpm=10_000))
    call = RoutedCall(routing, RouteRequest("gpt", 5, 100), 0.0)
    attempt(call, 0.0)
    call.answered(Outcome(tokens=3000, stored_ids=("resp_1", "conv_1")), 0.0)
    assert routing.contexts.tokens_of("conv_1") == 3000
    following = RoutedCall(routing, RouteRequest("gpt", 5, 100, context_tokens=3000), 0.0)
    attempt(following, 0.0)
    # Who leaves has had it read all the same.
    settlement = following.abandoned(1.0)
    assert settlement is not None
    assert (settlement.candidate.tokens, settlement.used) == (3105, 3005)


def test_what_is_read_again_costs_nothing_but_is_known_afterwards() -> None:
    routing = fleet("a")
    call = RoutedCall(routing, RouteRequest("gpt"), 0.0)
    attempt(call, 0.0)
    outcome = Outcome(tokens=0, stored_ids=("resp_1",), stored_tokens=70)
    assert call.answered(outcome, 0.0).used == 0
    assert routing.contexts.tokens_of("resp_1") == 70


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({"input": "x" * 40}, 10),
        ({"input": ["x" * 40, "y" * 40]}, 20),
        ({"input": [[1, 2, 3], [4]]}, 4),
        ({"prompt": "x" * 40, "n": 2}, 10),
        ({"input": {"a": 1}}, 0),
        ({}, 0),
    ],
)
def test_the_input_of_embeddings_and_images_is_text_or_tokens(
    body: dict[str, Any], tokens: int
) -> None:
    assert estimate_passed_tokens(body) == tokens


def test_a_count_that_is_estimated_says_so() -> None:
    told = {"object": "response.input_tokens", "input_tokens": 125, "is_estimate": True}
    assert estimate_count({"model": "m", "input": "word " * 100}) == told
