"""Chat completions of LiteLLM as a library, through the plug-in."""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from azure_responses.emulator import Fault
from tests.litellm_plugin.conftest import PING, Bench

_BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def _joined(chunks: list[dict[str, Any]]) -> str:
    return "".join(
        choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]
    )


@_BOTH
def test_a_question_is_answered_with_usage_cost_and_headers(bench: Bench, is_async: bool) -> None:
    answer = bench.ask("completion", messages=PING, is_async=is_async)
    choice = answer["body"]["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("pong", "stop")
    usage = answer["body"]["usage"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] > 0
    expected = (usage["prompt_tokens"] * 0.25 + usage["completion_tokens"] * 2) / 1_000_000
    assert answer["cost"] == pytest.approx(expected)
    assert answer["headers"]["llm_provider-x-ms-region"] == "East US 2"
    assert answer["body"]["prompt_filter_results"]
    assert choice["content_filter_results"]


def test_parameters_litellm_does_not_know_of_a_custom_provider_arrive(bench: Bench) -> None:
    bench.ask(
        "completion",
        messages=PING,
        reasoning_effort="low",
        verbosity="low",
        user="ann",
        store=True,
        prompt_cache_key="key",
        safety_identifier="sid",
        max_completion_tokens=400,
        truncation="auto",
        parallel_tool_calls=False,
        extra_body={"metadata": {"a": "b"}},
        extra_headers={"x-team": "a"},
        extra_query={"trace": "1"},
    )
    sent = bench.sent
    assert (sent["reasoning"], sent["text"]) == ({"effort": "low"}, {"verbosity": "low"})
    assert (sent["user"], sent["safety_identifier"]) == ("ann", "sid")
    assert (sent["store"], sent["prompt_cache_key"], sent["truncation"]) == (True, "key", "auto")
    assert (sent["max_output_tokens"], sent["parallel_tool_calls"]) == (400, False)
    assert sent["metadata"] == {"a": "b"}
    request = bench.emulator.requests[-1]
    assert (request.headers["x-team"], request.query) == ("a", "trace=1")


def test_what_litellm_puts_into_litellm_params_is_not_sent(bench: Bench) -> None:
    bench.ask(
        "completion", messages=PING, base_model="gpt-5-mini", strict_api_version=True, max_retries=0
    )
    assert set(bench.sent) == {"model", "input", "store", "include"}


def test_a_parameter_without_a_counterpart_is_refused_by_name(bench: Bench) -> None:
    raised = bench.ask("completion", messages=PING, seed=1)["raised"]
    assert raised["class"] == "BadRequestError"
    assert "'seed' has no counterpart" in raised["message"]
    assert list(bench.emulator.requests) == []


def test_drop_params_leaves_it_out(bench: Bench) -> None:
    answer = bench.ask("completion", messages=PING, seed=1, drop_params=True)
    assert answer["body"]["choices"][0]["message"]["content"] == "pong"
    assert "seed" not in bench.sent


def test_a_tool_is_called_and_reasoning_goes_back_with_its_answer(bench: Bench) -> None:
    question = {"role": "user", "content": "What is the weather in Paris?"}
    first = bench.ask("completion", messages=[question], tools=[_TOOL])
    message = first["body"]["choices"][0]["message"]
    call = message["tool_calls"][0]
    assert first["body"]["choices"][0]["finish_reason"] == "tool_calls"
    assert call["function"]["name"] == "get_weather"
    result = {"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"}
    bench.ask("completion", messages=[question, message, result], tools=[_TOOL])
    kinds = [item["type"] for item in bench.sent["input"]]
    assert kinds == ["message", "reasoning", "function_call", "function_call_output"]
    assert bench.sent["input"][1]["encrypted_content"]


def test_thinking_blocks_alone_bring_reasoning_back(bench: Bench) -> None:
    question = {"role": "user", "content": "[[azure:reason:Both are prime.]] Say yes"}
    reasoning = {"effort": "low", "summary": "auto"}
    first = bench.ask("completion", messages=[question], reasoning_effort=reasoning)
    message = first["body"]["choices"][0]["message"]
    assert message["reasoning_content"].endswith("Both are prime.")
    kept = {name: message[name] for name in ("role", "content", "thinking_blocks")}
    bench.ask("completion", messages=[question, kept, *PING])
    item = bench.sent["input"][1]
    assert item["encrypted_content"] == message["reasoning_items"][0]["encrypted_content"]


def test_a_refusal_and_log_probabilities_are_kept(bench: Bench) -> None:
    messages = [{"role": "user", "content": "[[azure:refuse]]"}]
    refused = bench.ask("completion", "gpt-4.1", messages=messages)["body"]["choices"][0]
    assert refused["message"]["refusal"]
    told = bench.ask("completion", "gpt-4.1", messages=PING, logprobs=True, top_logprobs=2)
    tokens = told["body"]["choices"][0]["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == "pong"


def test_citations_of_files_do_not_break_an_answer(bench: Bench) -> None:
    tool = {"type": "web_search"}
    messages = [{"role": "user", "content": "Search the web for the height of the Eiffel tower"}]
    message = bench.ask("completion", messages=messages, tools=[tool])["body"]["choices"][0][
        "message"
    ]
    assert message["annotations"][0]["url_citation"]["url"]
    assert message["hosted_items"][0]["type"] == "web_search_call"


def test_a_background_answer_is_not_called_finished(bench: Bench) -> None:
    body = bench.ask("completion", messages=PING, background=True)["body"]
    assert body["status"] == "queued"
    assert "finish_reason" not in body["choices"][0]


@_BOTH
def test_a_stream_has_its_usage_and_its_finish_reason(bench: Bench, is_async: bool) -> None:
    options = {"include_usage": True}
    told = bench.ask("stream", messages=PING, stream_options=options, is_async=is_async)
    chunks = told["chunks"]
    assert _joined(chunks) == "pong"
    reasons = [chunk["choices"][0].get("finish_reason") for chunk in chunks if chunk["choices"]]
    assert [reason for reason in reasons if reason] == ["stop"]
    usage = chunks[-1]["usage"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] > 0
    assert usage["cost"] == pytest.approx(
        (usage["prompt_tokens"] * 0.25 + usage["completion_tokens"] * 2) / 1_000_000
    )
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_a_stream_without_usage_asked_for_has_it_in_hidden_parameters(bench: Bench) -> None:
    told = bench.ask("stream", messages=PING)
    assert told["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    assert not any("usage" in chunk for chunk in told["chunks"])


def test_a_stream_brings_reasoning_and_what_the_last_chunk_said(bench: Bench) -> None:
    chunks = bench.ask("stream", messages=PING)["chunks"]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    items = [delta["reasoning_items"] for delta in deltas if "reasoning_items" in delta]
    assert items[0][0]["encrypted_content"]
    assert items[0][0]["resource"].startswith("http")
    told = [delta.get("provider_specific_fields") for delta in deltas]
    about = next(fields for fields in told if fields)
    assert about["service_tier"] == "default"
    assert about["prompt_filter_results"]
    assert about["content_filter_results"]


def test_a_streamed_tool_call_adds_up(bench: Bench) -> None:
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]
    chunks = bench.ask("stream", messages=messages, tools=[_TOOL])["chunks"]
    calls = [
        call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls") or ()
    ]
    assert calls[0]["function"]["name"] == "get_weather"
    assert "Paris" in "".join(call["function"].get("arguments") or "" for call in calls)
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_streamed_refusal_is_kept(bench: Bench) -> None:
    messages = [{"role": "user", "content": "[[azure:refuse]]"}]
    chunks = bench.ask("stream", "gpt-4.1", messages=messages)["chunks"]
    assert "".join(chunk["choices"][0]["delta"].get("refusal") or "" for chunk in chunks)


@_BOTH
def test_a_stream_that_fails_inside_is_an_error_of_its_kind(bench: Bench, is_async: bool) -> None:
    bench.emulator.faults.add(Fault("stream-context-length"))
    raised = bench.ask("stream", "gpt-4.1", messages=PING, is_async=is_async)["raised"]
    assert raised["class"] in ("ContextWindowExceededError", "MidStreamFallbackError")
    assert "context_length_exceeded" in raised["message"]


@_BOTH
@pytest.mark.parametrize("events", [0, 5], ids=["before output", "after output"])
@pytest.mark.parametrize("kind", ["truncate", "reset-mid-body"])
def test_a_stream_that_breaks_off_is_an_error_and_ends(
    bench: Bench, kind: str, events: int, is_async: bool
) -> None:
    bench.emulator.faults.add(Fault(kind, after_events=events))
    asked = {"messages": PING, "is_async": is_async, "max_retries": 0}
    raised = bench.ask("stream", "gpt-4.1", **asked)["raised"]
    assert (raised["class"], raised["status_code"]) in [
        ("MidStreamFallbackError", 503),
        ("ServiceUnavailableError", 503),
        ("MidStreamFallbackError", 500),
        ("APIConnectionError", 500),
    ]


@_BOTH
def test_a_stream_that_is_never_read_lets_go_of_its_connection(
    bench: Bench, is_async: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as pool:
        has_left = pool.submit(_begin_a_stream, listener)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        bench.ask("forgotten", messages=PING, api_base=url, is_async=is_async)
        assert has_left.result(timeout=30)


def _begin_a_stream(listener: socket.socket) -> bool:
    """Answer one call with the head of a stream; true if the caller hangs up on it."""
    listener.settimeout(20)
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(20)
        connection.recv(65536)
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked"
        connection.sendall(f"{head}\r\n\r\n".encode())
        try:
            while connection.recv(65536):
                pass
        except TimeoutError:
            return False
        return True


@_BOTH
@pytest.mark.parametrize("deed", ["completion", "stream"])
def test_callbacks_are_told_the_cost(bench: Bench, deed: str, is_async: bool) -> None:
    # A synchronous stream is logged from a thread, after the last chunk.
    costs = bench.ask("costs_logged", of=deed, messages=PING, is_async=is_async)
    assert costs[-1] == pytest.approx(0.000139, rel=0.2)


def test_prices_that_litellm_was_told_win_over_ours(bench: Bench) -> None:
    costs = bench.ask(
        "costs_logged",
        of="completion",
        messages=PING,
        input_cost_per_token=1.0,
        output_cost_per_token=0.0,
    )
    assert costs[-1] >= 1


def test_a_deployment_with_a_name_of_its_own_is_priced_by_its_base_model(bench: Bench) -> None:
    plain = bench.ask("completion", "team-a", messages=PING, base_model="azure/gpt-5-mini")
    zoned = bench.ask("completion", "team-a", messages=PING, base_model="azure/eu/gpt-5-mini")
    assert zoned["cost"] == pytest.approx(plain["cost"] * 1.1)


def test_a_call_that_was_tried_again_is_answered(bench: Bench) -> None:
    bench.emulator.faults.add(Fault("http-503", times=1))
    answer = bench.ask("completion", messages=PING, max_retries=1)
    assert answer["body"]["choices"][0]["message"]["content"] == "pong"
    assert [request.status for request in bench.emulator.requests] == [503, 200]


def test_max_retries_of_none_at_all_is_honoured(bench: Bench) -> None:
    bench.emulator.faults.add(Fault("http-503", times=1))
    raised = bench.ask("completion", messages=PING, max_retries=0)["raised"]
    assert (raised["class"], raised["status_code"]) == ("ServiceUnavailableError", 503)


def test_a_timeout_is_litellms_timeout(bench: Bench) -> None:
    bench.emulator.faults.add(Fault("stall-before-headers"))
    raised = bench.ask("completion", messages=PING, timeout=0.3, max_retries=0)["raised"]
    assert raised["class"] == "Timeout"


def _row(bench: Bench, group: str, deployment: str) -> dict[str, Any]:
    params = {"api_base": bench.url, "api_key": "east-key"}
    return {
        "model_name": group,
        "litellm_params": {"model": f"azure_responses/{deployment}", **params},
    }


@_BOTH
@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
class TestLiteLLMsRouter:
    """It tries again, or elsewhere, what fails before it has an answer or a stream."""

    def _ask(self, bench: Bench, is_async: bool, is_stream: bool, **settings: Any) -> Any:
        rows = [
            _row(bench, "plain", "gpt-4.1"),
            _row(bench, "missing", "nowhere"),
            _row(bench, "filtered", "gpt-5-mini"),
        ]
        model = settings.pop("model", "plain")
        messages = settings.pop("messages", PING)
        told = bench.peer.ask(
            "routed",
            rows=rows,
            is_async=is_async,
            is_stream=is_stream,
            settings=settings,
            model=model,
            messages=messages,
        )
        return told.get("value", told)

    @pytest.mark.parametrize("kind", ["http-503", "http-429", "reset-before-headers"])
    def test_a_call_that_fails_is_made_again(
        self, bench: Bench, is_async: bool, is_stream: bool, kind: str
    ) -> None:
        bench.emulator.faults.add(Fault(kind, times=1))
        assert self._ask(bench, is_async, is_stream, num_retries=1) == "pong"
        assert len(bench.emulator.requests) == 2

    def test_a_missing_deployment_has_a_fallback(
        self, bench: Bench, is_async: bool, is_stream: bool
    ) -> None:
        fallbacks = [{"missing": ["plain"]}]
        asked = {"model": "missing", "fallbacks": fallbacks, "num_retries": 0}
        assert self._ask(bench, is_async, is_stream, **asked) == "pong"
        assert [request.status for request in bench.emulator.requests] == [404, 200]

    def test_a_blocked_prompt_has_a_fallback_of_its_own(
        self, bench: Bench, is_async: bool, is_stream: bool
    ) -> None:
        asked = {
            "model": "filtered",
            "messages": [{"role": "user", "content": "[[azure:block-prompt]]"}],
            "content_policy_fallbacks": [{"filtered": ["plain"]}],
            "num_retries": 0,
        }
        raised = self._ask(bench, is_async, is_stream, **asked)["raised"]
        # Blocked there too; what counts is that it was asked.
        assert raised["class"] == "ContentPolicyViolationError"
        asked_for = [request.deployment for request in bench.emulator.requests]
        assert asked_for == ["gpt-5-mini", "gpt-4.1"]


@_BOTH
@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("embedding", {"input": ["hi"]}),
        ("image_generation", {"prompt": "x"}),
        ("image_edit", {"prompt": "x", "image": "x"}),
    ],
)
def test_what_is_no_chat_is_refused_with_a_word_on_who_serves_it(
    bench: Bench, call: str, arguments: dict[str, Any], is_async: bool
) -> None:
    raised = bench.ask("other", call=call, is_async=is_async, **arguments)["raised"]
    assert (raised["class"], raised["status_code"]) == ("BadRequestError", 400)
    assert "as azure/<deployment>" in raised["message"]
    assert len(bench.emulator.requests) == 0


@_BOTH
def test_a_failure_after_output_is_told_as_what_it_is(bench: Bench, is_async: bool) -> None:
    bench.emulator.faults.add(Fault("stream-500", after_events=8, times=1))
    count = [{"role": "user", "content": "Count from 1 to 30."}]
    raised = bench.ask("stream", messages=count, is_async=is_async, num_retries=0)["raised"]
    # LiteLLM's own class for whatever ends a stream that had begun; it names ours inside.
    assert raised["class"] == "MidStreamFallbackError"
    assert "InternalServerError: 500" in raised["message"]
