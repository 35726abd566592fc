import json
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.pricing.book import PriceBook
from azure_responses.pricing.use import (
    ImageTokens,
    Tokens,
    ToolUse,
    Use,
    count_tools,
    read_use,
    to_record,
)
from azure_responses.types import DeletedResponse, Response
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.events import ResponseCompletedEvent
from tests.pricing.bodies import body, reply, spilled, usage

_USED = usage(100, cached=40, write=10, output=50, reasoning=30)
_TOKENS = Tokens(input=100, cached=40, cache_write=10, output=50, reasoning=30)
_SEARCH = {"type": "web_search_call", "id": "ws_1", "action": {"type": "search"}}


def test_a_response_and_its_json_are_read_alike() -> None:
    fields: dict[str, Any] = {
        "service_tier": "priority",
        "created_at": 1700000000,
        "output": [_SEARCH],
    }
    plain = read_use(body(used=_USED, **fields))
    assert plain.tokens == _TOKENS
    assert (plain.model, plain.tier, plain.created_at) == ("gpt-5.1", "priority", 1700000000)
    assert plain.tools.uses == {"web_search": 1}
    assert read_use(Response.model_validate(body(used=_USED, **fields))) == plain


@pytest.mark.parametrize("odd", [None, "many", [], {}])
@pytest.mark.parametrize("name", ["input_tokens", "output_tokens"])
def test_a_count_that_is_none_leaves_the_tokens_unknown(name: str, odd: Any) -> None:
    sent = body(used={**_USED, name: odd})
    assert read_use(Response.model_validate(sent)).tokens is None
    if odd:
        assert read_use(sent).tokens is None


def test_any_mapping_is_read_as_json() -> None:
    assert read_use(MappingProxyType(body(used=_USED))) == read_use(body(used=_USED))


def test_what_was_read_is_not_read_again() -> None:
    use = read_use(body(used=_USED))
    assert read_use(use) is use


def test_headers_say_who_served() -> None:
    use = read_use(reply())
    assert (use.deployment, use.region, use.is_spilled) == ("prod", "East US 2", False)


def test_headers_say_who_stood_in_for_whom() -> None:
    use = read_use(spilled())
    assert (use.deployment, use.is_spilled, use.spilled_from) == ("overflow", True, "ptu")


@pytest.mark.parametrize(("value", "is_spilled"), [("true", True), ("false", False)])
def test_the_flag_that_recordings_have_says_so_too(value: str, is_spilled: bool) -> None:
    assert read_use(reply(headers={"x-ms-is-spilled-over": value})).is_spilled is is_spilled


def test_the_event_that_ends_a_stream_is_read_as_its_response() -> None:
    event = {"type": "response.completed", "sequence_number": 9, "response": body(used=_USED)}
    assert read_use(event) == read_use(body(used=_USED))
    assert read_use(ResponseCompletedEvent.model_validate(event)) == read_use(body(used=_USED))


def test_a_line_of_a_batch_is_priced_as_batch() -> None:
    line = {
        "custom_id": "1",
        "response": {"status_code": 200, "body": body(service_tier="default")},
    }
    assert read_use(line).tier == "batch"
    assert read_use({"custom_id": "1", "response": {"body": None}}) == Use(tier="batch")


def _completion(**fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "hi", "hosted_items": [_SEARCH]}
    return {
        "id": "resp_1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "gpt-5.1",
        "choices": [{"index": 0, "message": message}],
        "usage": {
            "prompt_tokens": 100,
            "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10},
            "completion_tokens": 50,
            "completion_tokens_details": {"reasoning_tokens": 30},
            "total_tokens": 150,
        },
        **fields,
    }


def test_a_completion_is_read_with_the_searches_in_its_message() -> None:
    plain = read_use(_completion())
    assert plain.tokens == _TOKENS
    assert plain.tools.uses == {"web_search": 1}
    assert plain.created_at == 1700000000
    assert read_use(ChatCompletion.model_validate(_completion())) == plain


def test_a_completion_without_choices_used_no_tools() -> None:
    assert read_use(_completion(choices=None)).tools.counts() == {}


def test_audio_is_counted_in_and_out() -> None:
    counts = {"prompt_tokens": 9, "prompt_tokens_details": {"audio_tokens": 4}}
    counts |= {"completion_tokens": 9, "completion_tokens_details": {"audio_tokens": 5}}
    tokens = read_use(_completion(usage=counts)).tokens
    assert tokens is not None
    assert tokens.audio == 9


@pytest.mark.parametrize(
    ("fields", "end_user"),
    [
        ({"user": "u"}, "u"),
        ({"user": "u", "safety_identifier": "s"}, "s"),
        ({"user": ""}, None),
        ({}, None),
    ],
)
def test_the_end_user_is_the_safety_identifier_else_the_user(
    fields: dict[str, Any], end_user: str | None
) -> None:
    assert read_use(body(**fields)).end_user == end_user


def test_a_time_that_is_none_is_none() -> None:
    assert read_use(body(created_at="yesterday")).created_at is None


def test_a_result_without_usage_has_no_tokens() -> None:
    assert read_use(DeletedResponse(id="resp_1", deleted=True)).tokens is None
    assert read_use({"id": "resp_1", "usage": None}).tokens is None


@pytest.mark.parametrize("value", ["resp_1", 5, None, [body()]])
def test_what_has_no_cost_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="has no cost"):
        read_use(value)


def test_a_log_record_is_read_as_the_reply_it_tells_of() -> None:
    items = [_SEARCH, {"type": "file_search_call"}, {"type": "image_generation_call"}]
    items.append({"type": "code_interpreter_call", "container_id": "c", "code": ""})
    response = spilled(used=_USED, output=items, service_tier="flex", user="u")
    read = read_use(to_record(response, cost=Decimal("0.5")))
    original = read_use(response)
    assert read.recorded_cost == Decimal("0.5")
    assert read.tools.counts() == original.tools.counts()
    for name in ("id", "model", "tier", "tokens", "end_user", "deployment", "region", "status"):
        assert getattr(read, name) == getattr(original, name), name
    assert (read.is_spilled, read.spilled_from) == (True, "ptu")


@pytest.mark.parametrize("cost", [None, "unknown", {}])
def test_a_record_without_a_readable_cost_has_none(cost: Any) -> None:
    assert read_use({"record": "azure_responses.call", "cost": cost}).recorded_cost is None


def _search(action: str | None) -> dict[str, Any]:
    return {"type": "web_search_call", "action": {"type": action} if action else None}


def _code(container: str | None) -> dict[str, Any]:
    return {"type": "code_interpreter_call", "container_id": container}


def _shell(environment: dict[str, Any] | None) -> dict[str, Any]:
    return {"type": "shell_call", "call_id": "c", "action": {}, "environment": environment}


@pytest.mark.parametrize(("value", "text"), [("a", "a"), ("", None), (5, None), (None, None)])
def test_only_text_is_text(value: Any, text: str | None) -> None:
    assert read_use(body(safety_identifier=value)).end_user == text


@pytest.mark.parametrize(("value", "count"), [(3, 3), (None, 0), ("3", 0), (True, 0), (1.5, 0)])
def test_only_an_integer_counts(value: Any, count: int) -> None:
    used = {**usage(9), "input_tokens_details": {"cached_tokens": value}}
    tokens = read_use(body(used=used)).tokens
    assert tokens is not None
    assert tokens.cached == count


@pytest.mark.parametrize(
    ("actions", "searches"),
    [
        (["search"], 1),
        (["search", "search", "search"], 3),
        (["search", "open_page", "find_in_page", "open_page"], 1),
        ([None], 1),
        ([], 0),
    ],
)
def test_searches_are_counted_and_pages_opened_are_not(
    actions: list[str | None], searches: int
) -> None:
    assert count_tools([*map(_search, actions)], None, None).uses.get("web_search", 0) == searches


@pytest.mark.parametrize("count", [0, 2])
def test_the_count_the_service_reports_wins(count: int) -> None:
    reported = {"web_search": {"num_requests": count}}
    assert count_tools([_search("search")], reported, None).uses.get("web_search", 0) == count


@pytest.mark.parametrize(
    ("items", "containers", "sessions"),
    [
        ([_code("a"), _code("a"), _code("b")], {"a", "b"}, 0),
        ([_code(None), _code(None)], set(), 1),
        ([_code("a"), _code(None)], {"a"}, 0),
        ([_shell({"type": "container_reference", "container_id": "a"})], {"a"}, 0),
        ([_shell(None), _shell({"type": "local"})], set(), 0),
        ([{"type": "message"}], set(), 0),
    ],
)
def test_a_container_is_one_session_however_often_it_ran(
    items: list[Any], containers: set[str], sessions: int
) -> None:
    used = count_tools(items, None, None)
    assert used.containers == containers
    assert used.sessions == sessions


def test_searches_of_files_and_images_are_counted() -> None:
    items = [{"type": "file_search_call"}] * 2 + [{"type": "image_generation_call"}]
    used = count_tools(items, None, [{"type": "web_search"}, {"type": "image_generation"}])
    assert (used.uses, used.images) == ({"file_search": 2}, 1)
    assert used.image_model is None
    assert used.counts() == {"file_search": 2, "image_generation": 1}


def test_counts_name_every_tool() -> None:
    used = ToolUse({"web_search": 1}, containers=frozenset({"a"}), sessions=2)
    assert used.counts() == {"web_search": 1, "code_interpreter": 3}


def test_the_image_model_is_the_one_the_tool_names() -> None:
    tools = [{"type": "image_generation", "model": "gpt-image-1"}, {"type": "function"}]
    made = [{"type": "image_generation_call"}]
    assert count_tools(made, None, tools).image_model == "gpt-image-1"


def test_tokens_of_images_are_told_apart_from_text() -> None:
    counted = {
        "input_tokens": 100,
        "input_tokens_details": {"image_tokens": 60, "text_tokens": 40},
        "cached_tokens_details": {"cached_image_tokens": 10, "cached_text_tokens": 5},
        "output_tokens": 1000,
        "output_tokens_details": {"image_tokens": 990, "text_tokens": 10},
        "total_tokens": 1100,
    }
    assert count_tools([], {"image_gen": counted}, None).image_tokens == ImageTokens(
        text_input=40,
        image_input=60,
        cached_text_input=5,
        cached_image_input=10,
        text_output=10,
        image_output=990,
    )


def test_no_tokens_of_images_are_none() -> None:
    nothing = {"image_gen": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}}
    assert count_tools([], nothing, None).image_tokens is None


def test_a_record_has_what_a_call_used_up_and_cost() -> None:
    response = reply(
        "gpt-5.1-2025-11-13",
        usage(100, cached=40, write=10, output=50, reasoning=30),
        service_tier="default",
        user="u",
        output=[{"type": "web_search_call", "id": "w", "action": {"type": "search"}}],
    )
    record = to_record(response, cost=Decimal("0.014650"), deployment="prod")
    assert json.loads(json.dumps(record)) == {
        "record": "azure_responses.call",
        "id": "resp_1",
        "model": "gpt-5.1-2025-11-13",
        "deployment": "prod",
        "served_deployment": "prod",
        "spillover_from": None,
        "region": "East US 2",
        "service_tier": "default",
        "status": "completed",
        "end_user": "u",
        "usage": usage(100, cached=40, write=10, output=50, reasoning=30),
        "tools": {"web_search": 1},
        "cost": "0.014650",
        "currency": "USD",
    }


def test_a_record_of_a_call_that_counted_nothing_says_so() -> None:
    record = to_record(body(status="failed") | {"usage": None}, end_user="u")
    assert record["usage"] is None
    assert record["cost"] is None
    assert record["end_user"] == "u"


@pytest.mark.parametrize("result", [reply(), spilled(), reply("gpt-99")])
def test_a_record_costs_what_its_reply_costs(result: object) -> None:
    book = PriceBook()
    book.register_deployment("ptu", provisioned=True, zone="us")
    assert book.cost(to_record(result)) == book.cost(result)


def test_the_usage_of_claude_counts_what_was_cached_as_input() -> None:
    message = {
        "type": "message",
        "model": "claude-opus-5",
        "usage": {
            "input_tokens": 50,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 20,
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 4},
        },
    }
    tokens = read_use(message).tokens
    assert tokens is not None
    assert (tokens.input, tokens.cached, tokens.cache_write) == (100, 20, 30)
    assert (tokens.output, tokens.reasoning) == (7, 4)
    assert read_use({**message, "usage": None}).tokens is None


def test_deepseeks_own_name_for_what_was_cached_is_read() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 4}
    tokens = read_use({"object": "chat.completion", "usage": usage}).tokens
    assert tokens is not None
    assert tokens.cached == 4
