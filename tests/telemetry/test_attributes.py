"""The names that OpenTelemetry's conventions give to what is known."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from azure_responses.errors import RateLimitError
from azure_responses.telemetry.attributes import (
    Naming,
    exception_attributes,
    measure_attributes,
    read_naming,
    request_attributes,
    response_attributes,
    retry_attributes,
    span_name,
    start_attributes,
    uses_tokens,
)
from azure_responses.types.model import Model
from tests.telemetry.samples import URL, make_call, make_record, make_response

_OLD = Naming()


@pytest.mark.parametrize(
    ("opt_in", "expected"),
    [
        (None, Naming(True, False)),
        ("", Naming(True, False)),
        ("http,database", Naming(True, False)),
        ("gen_ai_latest_experimental", Naming(False, True)),
        ("http, gen_ai_latest_experimental", Naming(False, True)),
        ("gen_ai_latest_experimental/dup", Naming(True, True)),
    ],
)
def test_the_environment_chooses_the_names(opt_in: str | None, expected: Naming) -> None:
    assert read_naming(opt_in) == expected


@pytest.mark.parametrize(
    ("operation", "deployment", "expected"),
    [
        ("create", "prod", "chat prod"),
        ("retrieve", None, "fetch_response"),
        ("input_items", None, "list_input_items"),
        ("something", None, "something"),
    ],
)
def test_a_span_is_named_after_operation_and_model(
    operation: str, deployment: str | None, expected: str
) -> None:
    assert span_name(make_call(operation, deployment=deployment)) == expected


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (URL, ("r.openai.azure.com", 443)),
        ("http://127.0.0.1/openai/v1/responses", ("127.0.0.1", 80)),
        ("https://gateway.example:8443/x", ("gateway.example", 8443)),
    ],
)
def test_a_span_knows_its_server(url: str, place: tuple[str, int]) -> None:
    attributes = start_attributes(make_call(url=url))
    assert (attributes["server.address"], attributes["server.port"]) == place


class _Reasoning(Model):
    effort: str = "high"


class _Text(BaseModel):
    format: dict[str, str] = {"type": "json_schema"}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"temperature": 0.5}, {"gen_ai.request.temperature": 0.5}),
        ({"top_p": 1}, {"gen_ai.request.top_p": 1}),
        ({"max_output_tokens": 9}, {"gen_ai.request.max_tokens": 9}),
        ({"previous_response_id": "r"}, {"gen_ai.request.previous_response.id": "r"}),
        ({"reasoning": {"effort": "low"}}, {"gen_ai.request.reasoning.level": "low"}),
        ({"text": {"format": {"type": "json_object"}}}, {"gen_ai.output.type": "json"}),
        ({"text": {"format": {"type": "text"}}}, {"gen_ai.output.type": "text"}),
        ({"conversation": "conv_1"}, {"gen_ai.conversation.id": "conv_1"}),
        ({"conversation": {"id": "conv_1"}}, {"gen_ai.conversation.id": "conv_1"}),
        (
            {"prompt": {"id": "pmpt_1", "version": "2"}},
            {"gen_ai.prompt.name": "pmpt_1", "gen_ai.prompt.version": "2"},
        ),
        ({"service_tier": "flex"}, {"openai.request.service_tier": "flex"}),
        ({"temperature": ["no number"]}, {}),
        ({"text": {"verbosity": "low"}}, {}),
    ],
)
def test_parameters_have_conventional_names(
    parameters: dict[str, Any], expected: dict[str, Any]
) -> None:
    plain = request_attributes(make_call(), is_stream=False)
    given = request_attributes(make_call(**parameters), is_stream=False)
    assert {name: value for name, value in given.items() if name not in plain} == expected


def test_models_are_read_as_dicts_are() -> None:
    call = make_call()
    call.parameters = {"reasoning": _Reasoning(), "text": _Text()}
    attributes = request_attributes(call, is_stream=False)
    assert attributes["gen_ai.request.reasoning.level"] == "high"
    assert attributes["gen_ai.output.type"] == "json"


def test_a_stream_taken_up_again_says_where() -> None:
    call = make_call("retrieve", url=f"{URL}/resp_1?stream=true&starting_after=7")
    attributes = request_attributes(call, is_stream=True)
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.request.stream_cursor"] == "7"


_CALL_ITEM = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({}, ["stop"]),
        ({"output": [_CALL_ITEM]}, ["tool_calls"]),
        ({"status": "failed"}, ["error"]),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            ["length"],
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            ["content_filter"],
        ),
        ({"status": "incomplete"}, ["incomplete"]),
        ({"status": "queued"}, None),
    ],
)
def test_finish_reasons_are_those_of_chat_completions(
    fields: dict[str, Any], reasons: list[str] | None
) -> None:
    attributes = response_attributes(make_record(response=make_response(**fields)), _OLD)
    assert attributes.get("gen_ai.response.finish_reasons") == reasons


@pytest.mark.parametrize(
    ("naming", "names"),
    [
        (Naming(True, False), {"cache_creation"}),
        (Naming(False, True), {"cache_write"}),
        (Naming(True, True), {"cache_creation", "cache_write"}),
    ],
)
def test_usage_has_the_names_asked_for(naming: Naming, names: set[str]) -> None:
    response = make_response()
    response.attach({}, lambda _: Decimal("0.25"))
    attributes = response_attributes(make_record(response=response, usage=response.usage), naming)
    prefix = "gen_ai.usage."
    usage = {n.removeprefix(prefix): v for n, v in attributes.items() if n.startswith(prefix)}
    assert usage == {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read.input_tokens": 40,
        "reasoning.output_tokens": 8,
        **{f"{name}.input_tokens": 5 for name in names},
    }
    assert attributes["azure_responses.cost"] == 0.25


def test_an_answer_that_is_fetched_costs_nothing_more() -> None:
    response = make_response()
    record = make_record(
        operation="retrieve", response=response, usage=response.usage, status="completed"
    )
    attributes = response_attributes(record, _OLD)
    assert attributes["gen_ai.response.status"] == "completed"
    assert not uses_tokens(record)
    assert not [name for name in attributes if "usage" in name or "cost" in name]


def test_what_is_not_known_is_left_out() -> None:
    assert response_attributes(make_record(), _OLD) == {"azure_responses.attempts": 1}
    unpriced = make_record(response=make_response(usage=None))
    assert not [name for name in response_attributes(unpriced, _OLD) if "usage" in name]


def test_a_retry_says_why_and_when() -> None:
    error = RateLimitError("busy", status_code=429)
    record = make_record(error=error, http_status=429, retry_delay=2.0, attempts=2)
    assert retry_attributes(record) == {
        "error.type": "429",
        "http.response.status_code": 429,
        "azure_responses.attempt": 2,
        "azure_responses.retry_delay": 2.0,
    }


def test_the_message_of_a_foreign_error_is_left_out() -> None:
    assert exception_attributes(ValueError("quotes the answer")) == {
        "exception.type": "builtins.ValueError"
    }


def test_metrics_carry_neither_ids_nor_people() -> None:
    record = make_record(model="gpt-4.1", user="alice", response_id="resp_1")
    attributes = measure_attributes({"server.port": 443}, record)
    assert attributes == {"server.port": 443, "gen_ai.response.model": "gpt-4.1"}
    converted = measure_attributes({}, make_record(api="chat"))
    assert converted["azure_responses.api"] == "chat"
