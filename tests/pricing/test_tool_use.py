from typing import Any

import pytest

from azure_responses.pricing.tool_use import (
    ImageTokens,
    ToolUse,
    count_of,
    count_tools,
    field_of,
    text_of,
)
from azure_responses.types import Response


def _search(action: str | None) -> dict[str, Any]:
    return {"type": "web_search_call", "action": {"type": action} if action else None}


def _code(container: str | None) -> dict[str, Any]:
    return {"type": "code_interpreter_call", "container_id": container}


def _shell(environment: dict[str, Any] | None) -> dict[str, Any]:
    return {"type": "shell_call", "call_id": "c", "action": {}, "environment": environment}


def test_a_field_is_read_from_a_model_and_from_json_alike() -> None:
    response = Response.model_validate({"id": "r", "made_up": "x"})
    assert field_of(response, "made_up") == field_of({"made_up": "x"}, "made_up") == "x"
    assert field_of(response, "absent") is field_of({}, "absent") is field_of(None, "id") is None


@pytest.mark.parametrize(("value", "text"), [("a", "a"), ("", None), (5, None), (None, None)])
def test_only_text_is_text(value: Any, text: str | None) -> None:
    assert text_of({"name": value}, "name") == text


@pytest.mark.parametrize(("value", "count"), [(3, 3), (None, 0), ("3", 0), (True, 0), (1.5, 0)])
def test_only_an_integer_counts(value: Any, count: int) -> None:
    assert count_of({"tokens": value}, "tokens") == count


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
    assert count_tools(map(_search, actions), None, None).web_searches == searches


@pytest.mark.parametrize("count", [0, 2])
def test_the_count_the_service_reports_wins(count: int) -> None:
    reported = {"web_search": {"num_requests": count}}
    assert count_tools([_search("search")], reported, None).web_searches == count


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
    assert (used.file_searches, used.images) == (2, 1)
    assert used.image_model is None
    assert used.counts() == {"file_search": 2, "image_generation": 1}


def test_counts_name_every_tool() -> None:
    used = ToolUse(web_searches=1, containers=frozenset({"a"}), sessions=2)
    assert used.counts() == {"web_search": 1, "code_interpreter": 3}


def test_the_image_model_is_the_one_the_tool_names() -> None:
    tools = [{"type": "image_generation", "model": "gpt-image-1"}, {"type": "function"}]
    assert count_tools([], None, tools).image_model == "gpt-image-1"


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
