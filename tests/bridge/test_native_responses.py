"""A request of the Responses API for models that do not take all of it."""

from typing import Any

import pytest

from azure_responses.bridge.conversions import ConversionFactory
from azure_responses.bridge.native_responses import fit_responses, without_reasoning
from azure_responses.errors import ConfigurationError
from azure_responses.protocol.families import FamilyFacts, facts_of

_DEEPSEEK = facts_of("DeepSeek-V3.2")
_GROK = facts_of("grok-4")
_SCHEMA = {
    "type": "object",
    "properties": {"city": {"$ref": "#/$defs/City"}},
    "$defs": {"City": {"type": "string"}},
}
_INLINED = {"type": "object", "properties": {"city": {"type": "string"}}}


def _function(schema: Any) -> dict[str, Any]:
    return {"type": "function", "name": "f", "parameters": schema}


@pytest.mark.parametrize("facts", [FamilyFacts(), facts_of("gpt-5"), _DEEPSEEK, _GROK])
def test_a_request_that_the_model_takes_passes_as_it_is(facts: FamilyFacts) -> None:
    request = {
        "input": "hi",
        "reasoning": {"summary": "auto"},
        "include": ["message.output_text.logprobs"],
        "tools": [_function({"type": "object"}), {"type": "web_search"}, "odd"],
    }
    fitted, warnings = fit_responses(request, facts, drops_params=False)
    assert fitted is request
    assert warnings == ()


@pytest.mark.parametrize("request_", [{}, {"include": "x"}, {"include": None}, {"tools": None}])
def test_odd_requests_are_left_to_the_service(request_: dict[str, Any]) -> None:
    for facts in (_DEEPSEEK, _GROK):
        assert fit_responses(request_, facts, drops_params=False)[0] is request_


@pytest.mark.parametrize(
    ("request_", "param", "words", "rest"),
    [
        ({"reasoning": {"effort": "low"}}, "reasoning.effort", "api='chat'", {}),
        (
            {"reasoning": {"effort": "low", "summary": "auto"}},
            "reasoning.effort",
            "deepseek",
            {"reasoning": {"summary": "auto"}},
        ),
        (
            {"include": ["reasoning.encrypted_content"]},
            "include 'reasoning.encrypted_content'",
            "api='chat'",
            {},
        ),
        (
            {"include": ["reasoning.encrypted_content", "x"]},
            "include 'reasoning.encrypted_content'",
            "deepseek",
            {"include": ["x"]},
        ),
    ],
)
def test_what_deepseek_refuses_is_refused_by_name_or_dropped(
    request_: dict[str, Any], param: str, words: str, rest: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fit_responses(request_, _DEEPSEEK, drops_params=False)
    assert caught.value.param == param
    assert words in f"{caught.value.message} {caught.value.hint}"
    fitted, (warning,) = fit_responses(request_, _DEEPSEEK, drops_params=True)
    assert fitted == rest
    assert warning.startswith(param)


@pytest.mark.parametrize("key", ["$defs", "definitions"])
def test_grok_gets_schemas_without_references(key: str) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"$ref": f"#/{key}/City"}},
        key: {"City": {"type": "string"}},
    }
    inner = {"type": "namespace", "name": "n", "tools": [_function(schema)]}
    request = {"tools": [_function(schema), {"type": "web_search"}, inner]}
    fitted, warnings = fit_responses(request, _GROK, drops_params=False)
    assert fitted["tools"] == [
        _function(_INLINED),
        {"type": "web_search"},
        {"type": "namespace", "name": "n", "tools": [_function(_INLINED)]},
    ]
    assert warnings == ()
    same = {"tools": [{"type": "namespace", "name": "n", "tools": [_function({})]}]}
    assert fit_responses(same, _GROK, drops_params=False)[0] is same


def test_the_factory_knows_which_deployments_need_it() -> None:
    models = {"prod": "grok-4"}
    facts = {"mine": {"refused_by_responses": ["seed"]}}
    factory = ConversionFactory(
        None,  # type: ignore[arg-type]
        str,
        models.get,
        facts,
    )
    names = ("gpt-5", "prod", "mine", "DeepSeek-V3.2", "anything")
    assert [factory.restricts_responses(name) for name in names] == [False, True, True, True, False]
    assert factory.facts("prod") is factory.facts("prod")
    fitted, _ = factory.fit(
        "responses", {"tools": [_function(_SCHEMA)]}, "prod", drops_params=False
    )
    assert fitted["tools"] == [_function(_INLINED)]
    same = {"max_tokens": 1}
    assert factory.fit("messages", same, "claude", drops_params=False)[0] is same


def test_no_end_of_deployments_does_not_fill_the_memory() -> None:
    factory = ConversionFactory(None, str, lambda _: None)  # type: ignore[arg-type]
    for number in range(1002):
        factory.facts(f"name-{number}")
    assert len(factory._known) == 1000


def test_openai_s_own_models_judge_what_they_include() -> None:
    request = {"include": ["reasoning.encrypted_content"]}
    assert fit_responses(request, facts_of("gpt-4.1"), drops_params=False) == (request, ())


def test_a_model_that_does_not_reason_is_not_asked_to_where_its_caller_allows_it() -> None:
    facts = facts_of("gpt-4.1")
    asked = {
        "input": "Hi",
        "reasoning": {"effort": "low"},
        "include": ["reasoning.encrypted_content", "file_search_call.results"],
        "text": {"verbosity": "low", "format": {"type": "text"}},
    }
    left, warnings = without_reasoning(asked, facts)
    assert left == {
        "input": "Hi",
        "include": ["file_search_call.results"],
        "text": {"format": {"type": "text"}},
    }
    assert len(warnings) == 3
    plain = {"input": "Hi", "text": {"verbosity": "medium"}}
    assert without_reasoning(plain, facts) == (plain, ())


def test_an_effort_that_a_model_does_not_know_becomes_the_nearest() -> None:
    left, warnings = without_reasoning({"reasoning": {"effort": "minimal"}}, facts_of("gpt-5.1"))
    assert left == {"reasoning": {"effort": "none"}}
    assert len(warnings) == 1
    for asked in ({"reasoning": {"effort": "low"}}, {"reasoning": {"summary": "auto"}}, {}):
        assert without_reasoning(asked, facts_of("gpt-5.1"))[0] is asked
