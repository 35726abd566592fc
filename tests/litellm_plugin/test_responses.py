"""Native `/v1/responses` of LiteLLM as a library, through the plug-in."""

from typing import Any

import pytest

from azure_responses.emulator import Emulator, Fault, Resource
from tests.litellm_plugin.conftest import Bench

_BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
_PING = "Reply with exactly: pong"


def _text(body: dict[str, Any]) -> str:
    return str(body["output"][-1]["content"][0]["text"])


@_BOTH
def test_a_question_is_answered_natively_with_its_cost(bench: Bench, is_async: bool) -> None:
    answer = bench.ask("responses", input=_PING, is_async=is_async, user="ann")
    assert _text(answer["body"]) == "pong"
    assert answer["cost"] == pytest.approx(0.000139, rel=0.2)
    request = bench.emulator.requests[-1]
    assert request.path.endswith("/openai/v1/responses")
    assert request.query == ""
    assert (bench.sent["input"], bench.sent["user"]) == (_PING, "ann")


@_BOTH
def test_a_stream_ends_with_its_cost(bench: Bench, is_async: bool) -> None:
    events = bench.ask("responses_stream", input=_PING, is_async=is_async)
    assert [events[0]["type"], events[-1]["type"]] == ["response.created", "response.completed"]
    assert events[-1]["response"]["usage"]["cost"] == pytest.approx(0.000139, rel=0.2)


@_BOTH
@pytest.mark.parametrize("deed", ["responses", "responses_stream"])
def test_callbacks_are_told_the_cost(bench: Bench, deed: str, is_async: bool) -> None:
    costs = bench.ask("costs_logged", of=deed, input=_PING, is_async=is_async)
    assert costs[-1] == pytest.approx(0.000139, rel=0.2)


def _two_resources(bench: Bench, url: str) -> list[dict[str, Any]]:
    return [
        {
            "model_name": "g",
            "litellm_params": {
                "model": "azure_responses/gpt-5-mini",
                "api_base": base,
                "api_key": "east-key",
            },
            "model_info": {"id": name},
        }
        for name, base in (("east", bench.url), ("west", url))
    ]


def _ask_router(bench: Bench, **arguments: Any) -> Any:
    answer = bench.peer.ask("routed_reasoning", **arguments)
    return answer.get("value", answer)


def test_litellms_router_keeps_encrypted_reasoning_at_home_where_it_is_told_to(
    bench: Bench,
) -> None:
    """As docs/litellm-plugin.md says: the check is LiteLLM's, and the plug-in's models have it."""
    with Emulator([Resource("west", keys=["east-key"])]).serve() as west:
        rows = _two_resources(bench, west.url)
        told = _ask_router(bench, rows=rows, checks=None, count=12)
        assert any("invalid_encrypted_content" in ending for ending in told)
        checks = ["encrypted_content_affinity"]
        told = _ask_router(bench, rows=rows, checks=checks, count=12)
        assert told == ["answered"] * 12


def test_a_conversation_goes_on_by_the_id_of_its_last_response(bench: Bench) -> None:
    first = bench.ask("responses", input="My name is Bo.")["body"]
    second = bench.ask("responses", input="What is my name?", previous_response_id=first["id"])
    assert "Bo" in _text(second["body"])
    assert bench.sent["previous_response_id"].startswith("resp_0")


@_BOTH
def test_a_stored_response_is_read_and_deleted(bench: Bench, is_async: bool) -> None:
    made = bench.ask("responses", input=_PING)["body"]
    named = {"response_id": made["id"], "is_async": is_async}
    read = bench.ask("stored", call="get", **named)
    assert (read["status"], _text(read)) == ("completed", "pong")
    items = bench.ask("stored", call="input_items", **named)
    assert items["data"][0]["content"][0]["text"] == _PING
    assert bench.ask("stored", call="delete", **named)["deleted"] is True
    raised = bench.ask("stored", call="get", **named)["raised"]
    assert (raised["class"], raised["status_code"]) == ("NotFoundError", 404)


@_BOTH
def test_a_background_response_is_cancelled(bench: Bench, is_async: bool) -> None:
    made = bench.ask("responses", input="hi", background=True)["body"]
    assert made["status"] == "queued"
    ended = bench.ask("stored", call="cancel", response_id=made["id"], is_async=is_async)
    assert ended["status"] in ("cancelled", "completed")


def test_replayed_items_lose_the_status_that_azure_refuses(bench: Bench) -> None:
    include = ["reasoning.encrypted_content"]
    first = bench.ask("responses", input=_PING, store=False, include=include)["body"]
    assert first["output"][0]["encrypted_content"]
    items = [*first["output"], {"role": "user", "content": "And again"}]
    bench.ask("responses", input=items, store=False, include=include)
    assert [item.get("status") for item in bench.sent["input"]] == [None, None, None]
    assert bench.sent["input"][0]["encrypted_content"]


def test_compaction_on_the_server_is_not_refused(bench: Bench) -> None:
    rules = [{"type": "compaction", "compact_threshold": 100_000}]
    bench.ask("responses", input=_PING, context_management=rules)
    assert bench.sent["context_management"] == rules


def test_sampling_of_a_reasoning_model_is_judged_by_azure_or_dropped(bench: Bench) -> None:
    raised = bench.ask("responses", input=_PING, temperature=0.2)["raised"]
    assert (raised["class"], raised["param"]) == ("BadRequestError", "temperature")
    answer = bench.ask("responses", input=_PING, temperature=0.2, drop_params=True)
    assert _text(answer["body"]) == "pong"


def test_very_few_tokens_are_raised_to_the_fewest_there_are(bench: Bench) -> None:
    bench.ask("responses", "gpt-4.1", input=_PING, max_output_tokens=1)
    assert bench.sent["max_output_tokens"] == 16


@pytest.mark.parametrize(
    ("base", "version", "path", "query"),
    [
        ("", None, "/openai/v1/responses", ""),
        ("/openai/v1/", None, "/openai/v1/responses", ""),
        ("", "2025-04-01-preview", "/openai/responses", "api-version=2025-04-01-preview"),
        (
            "/openai/responses?api-version=2025-03-01-preview",
            None,
            "/openai/responses",
            "api-version=2025-03-01-preview",
        ),
    ],
)
def test_urls_and_versions_follow_our_rules(
    bench: Bench, base: str, version: str | None, path: str, query: str
) -> None:
    named = {} if version is None else {"api_version": version}
    bench.ask("responses", input=_PING, api_base=bench.url + base, **named)
    request = bench.emulator.requests[-1]
    assert (request.path.removeprefix("/resources/east"), request.query) == (path, query)


def test_a_stored_response_is_found_below_a_url_with_a_version(bench: Bench) -> None:
    dated = {"api_version": "2025-04-01-preview"}
    made = bench.ask("responses", input=_PING, **dated)["body"]
    read = bench.ask("stored", call="get", response_id=made["id"], **dated)
    assert read["status"] == "completed"


def test_a_caller_with_a_header_of_its_own_sends_one_credential(bench: Bench) -> None:
    bench.ask("responses", input=_PING, extra_headers={"Authorization": "Bearer east-key"})
    headers = bench.emulator.requests[-1].headers
    assert "authorization" in headers
    assert "api-key" not in headers


@_BOTH
def test_a_token_travels_as_a_token(bench: Bench, is_async: bool) -> None:
    token = bench.emulator.issuer.mint("https://cognitiveservices.azure.com")
    named: dict[str, Any] = {"api_key": None, "azure_ad_token": token, "is_async": is_async}
    answer = bench.ask("responses", input=_PING, **named)
    assert _text(answer["body"]) == "pong"
    assert "api-key" not in bench.emulator.requests[-1].headers


def test_plain_http_to_another_machine_is_refused_before_anything_is_sent(bench: Bench) -> None:
    raised = bench.ask("responses", input=_PING, api_base="http://gw.example.com")["raised"]
    assert raised["class"] == "BadRequestError"
    assert "plain http" in raised["message"]


@pytest.mark.parametrize("streamed", ["responses", "responses_stream"])
def test_errors_are_litellms_with_what_azure_said(bench: Bench, streamed: str) -> None:
    raised = bench.ask(streamed, input="[[azure:block-prompt]]")["raised"]
    assert raised["class"] == "ContentPolicyViolationError"
    fields = raised["provider_specific_fields"]
    assert fields["innererror"]["content_filter_result"]["jailbreak"]["filtered"] is True
    assert raised["body"]["code"] == "content_filter"
    bench.emulator.faults.add(Fault("http-429", retry_after=7))
    raised = bench.ask(streamed, input=_PING)["raised"]
    assert (raised["class"], raised["retry_after"]) == ("RateLimitError", "7")


def test_a_page_of_html_is_an_error_and_not_an_answer(bench: Bench) -> None:
    bench.emulator.faults.add(Fault("html-200"))
    raised = bench.ask("responses", input=_PING)["raised"]
    assert "HTML page" in raised["message"]


def test_azure_itself_is_served_when_it_is_taken_over(bench: Bench) -> None:
    bench.peer.ask("register", take_over_azure=True)
    for name in ("azure/gpt-5-mini", "azure/o3"):
        base = bench.url + "/openai/v1/"
        made = bench.ask("responses", model=name, input="My name is Bo.", api_base=base)
        assert made["cost"] > 0
        read = bench.ask("stored", call="get", response_id=made["body"]["id"])
        assert read["status"] == "completed"
        events = bench.ask("responses_stream", model=name, input=_PING, api_base=base)
        assert events[-1]["type"] == "response.completed"


def test_chat_of_an_azure_that_is_taken_over_goes_through_litellms_bridge(bench: Bench) -> None:
    bench.peer.ask("register", take_over_azure=True)
    messages = [{"role": "user", "content": _PING}]
    named: dict[str, Any] = {"model": "azure/responses/gpt-5-mini", "messages": messages}
    answer = bench.ask("completion", **named)
    assert answer["body"]["choices"][0]["message"]["content"] == "pong"
    chunks = bench.ask("stream", **named)["chunks"]
    assert "pong" in str(chunks)
    assert bench.emulator.requests[-1].path.endswith("/openai/v1/responses")


def test_the_config_alone_passes_native_calls_through_without_the_plug_in(bench: Bench) -> None:
    bench.peer.ask("unregister")
    info = {"supported_endpoints": ["/v1/chat/completions", "/v1/responses"]}
    answer = bench.ask("passed_through", input=_PING, model_info=info)
    assert _text(answer["body"]) == "pong"
    assert bench.emulator.requests[-1].path.endswith("/openai/v1/responses")


def test_a_server_that_speaks_openais_api_needs_no_plug_in(bench: Bench) -> None:
    # What the documentation says of our gateway behind LiteLLM, with the emulator in its place.
    bench.peer.ask("unregister")
    named: dict[str, Any] = {"model": "openai/gpt-5-mini", "api_base": f"{bench.url}/openai/v1"}
    made = bench.ask("responses", input=_PING, **named)["body"]
    assert _text(made) == "pong"
    events = bench.ask("responses_stream", input=_PING, **named)
    assert events[-1]["type"] == "response.completed"
    stored = {"response_id": made["id"], "api_base": named["api_base"]}
    assert bench.ask("stored", call="get", **stored)["status"] == "completed"
    assert bench.ask("stored", call="delete", **stored)["deleted"] is True
    messages = [{"role": "user", "content": _PING}]
    answer = bench.ask("completion", messages=messages, **named)
    assert answer["body"]["choices"][0]["message"]["content"] == "pong"
    assert "pong" in str(bench.ask("stream", messages=messages, **named)["chunks"])
