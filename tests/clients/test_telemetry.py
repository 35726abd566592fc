"""What both clients tell OpenTelemetry of their calls."""

import json
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from azure_responses import (
    DeploymentNotFoundError,
    RateLimitError,
)
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from azure_responses.telemetry.charges import ChargedResponses
from tests.clients.both import run
from tests.clients.listeners import SECRET, Collector, Told, read_all

_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
_LATEST = "gen_ai_latest_experimental"
_DURATION = "gen_ai.client.operation.duration"


def test_a_call_is_one_client_span_by_the_genai_conventions(
    runner: str, emulator: Emulator, collector: Collector
) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(
            input="hi", temperature=0.5, max_output_tokens=50, service_tier="default"
        )
        attributes = collector.attributes()
        assert attributes["gen_ai.response.id"] == response.id
        assert attributes["gen_ai.usage.input_tokens"] == response.usage.input_tokens
        assert attributes["gen_ai.usage.output_tokens"] == response.usage.output_tokens
        assert attributes["azure_responses.request_id"] == response.request_id
        assert attributes["azure_responses.cost"] == float(response.cost)

    run(runner, emulator, scenario, **collector.arguments)
    (span,) = collector.spans
    assert span.name == "chat gpt-4.1"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.model": "gpt-4.1",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.response.model": "gpt-4.1",
        "gen_ai.response.finish_reasons": ("stop",),
        "openai.api.type": "responses",
        "openai.request.service_tier": "default",
        "openai.response.service_tier": "default",
        "azure.resource_provider.namespace": "Microsoft.CognitiveServices",
        "azure_responses.deployment": "gpt-4.1",
        "azure_responses.attempts": 1,
        "azure_responses.region": "East US 2",
        "server.address": "emulator.openai.azure.com",
        "server.port": 443,
    }
    assert expected.items() <= collector.attributes().items()


def test_a_chat_completion_is_told_as_one(
    runner: str, emulator: Emulator, collector: Collector, told: Told
) -> None:
    async def scenario(client: Any) -> None:
        messages = [{"role": "user", "content": "hi"}]
        await client.chat.completions.create(messages=messages, user="alice")
        await read_all(await client.chat.completions.create(messages=messages, stream=True))

    run(runner, emulator, scenario, **collector.arguments, **told.arguments)
    kinds = [dict(span.attributes or {})["openai.api.type"] for span in collector.spans]
    assert kinds == ["chat_completions", "chat_completions"]
    assert told.occasions == ["on_request", "on_response"] * 2
    assert told.calls[1][1].call_type == "chat_completions"
    assert told.calls[1][1].end_user == "alice"


def test_retries_are_events_of_the_one_span(
    runner: str, emulator: Emulator, collector: Collector, told: Told, naps: list[float]
) -> None:
    emulator.faults.add(Fault("http-429", times=2, retry_after=7))

    async def scenario(client: Any) -> None:
        await client.responses.create(input="hi")

    run(runner, emulator, scenario, **collector.arguments, **told.arguments)
    (span,) = collector.spans
    assert [event.name for event in span.events] == ["azure_responses.retry"] * 2
    first = dict(span.events[0].attributes or {})
    assert first["http.response.status_code"] == 429
    assert first["azure_responses.retry_delay"] == 7
    assert [dict(event.attributes or {})["azure_responses.attempt"] for event in span.events] == [
        1,
        2,
    ]
    assert collector.attributes()["azure_responses.attempts"] == 3
    assert span.status.status_code is StatusCode.UNSET
    assert told.occasions == ["on_request", "on_retry", "on_retry", "on_response"]
    again = told.last("on_retry")
    assert isinstance(again.error, RateLimitError)
    assert (again.retry_delay, again.attempts) == (7, 2)
    assert told.last("on_response").attempts == 3
    assert naps == [7, 7]


def test_a_failure_ends_the_span_with_its_type(
    runner: str, collector: Collector, told: Told
) -> None:
    emulator = Emulator([Resource("r", deployments=[EmulatedDeployment("gpt-4.1")])])

    async def scenario(client: Any) -> None:
        with pytest.raises(DeploymentNotFoundError):
            await client.responses.create(input="hi", model="nowhere")

    run(runner, emulator, scenario, **collector.arguments, **told.arguments)
    (span,) = collector.spans
    assert span.status.status_code is StatusCode.ERROR
    attributes = collector.attributes()
    assert attributes["error.type"] == "DeploymentNotFound"
    assert attributes["gen_ai.request.model"] == "nowhere"
    (event,) = span.events
    details = dict(event.attributes or {})
    assert details["exception.type"] == "azure_responses.errors.DeploymentNotFoundError"
    assert span.status.description == details["exception.message"]
    assert told.occasions == ["on_request", "on_error"]
    record = told.last("on_error")
    assert isinstance(record.error, DeploymentNotFoundError)
    assert (record.http_status, record.deployment) == (404, "nowhere")
    assert record.request_id == record.error.request_id
    (point,) = collector.points(_DURATION)
    assert point.attributes["error.type"] == "DeploymentNotFound"


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("retrieve", "fetch_response"),
        ("cancel", "cancel_response"),
        ("delete", "delete_response"),
    ],
)
def test_every_operation_has_a_span_and_a_duration(
    runner: str,
    emulator: Emulator,
    collector: Collector,
    told: Told,
    operation: str,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Emulators of one seed give the same ids.
    fresh = ChargedResponses()
    monkeypatch.setattr("azure_responses.telemetry.observer.charged_responses", fresh)

    async def scenario(client: Any) -> None:
        made = await client.responses.create(input="hi", background=True, store=True)
        await getattr(client.responses, operation)(made.id)

    run(runner, emulator, scenario, **collector.arguments, **told.arguments)
    span = collector.spans[1]
    attributes = dict(span.attributes or {})
    assert span.name == name
    assert attributes["gen_ai.response.id"] == told.calls[1][1].response_id
    # The call that made the response was answered before its tokens were known.
    is_first = operation != "delete"
    assert ("gen_ai.usage.input_tokens" in attributes) is is_first
    assert ("azure_responses.cost" in attributes) is is_first
    assert told.calls[3][1].operation == operation
    names = {point.attributes["gen_ai.operation.name"] for point in collector.points(_DURATION)}
    assert names == {"chat", name}


def test_lists_have_spans_too(runner: str, emulator: Emulator, collector: Collector) -> None:
    async def scenario(client: Any) -> None:
        await client.models.list()

    run(runner, emulator, scenario, **collector.arguments)
    (span,) = collector.spans
    assert span.name == "list_models"


@pytest.mark.parametrize("stream", [False, True])
def test_what_happens_during_a_call_belongs_to_its_span(
    runner: str, emulator: Emulator, collector: Collector, stream: bool
) -> None:
    from opentelemetry import trace

    seen: list[int] = []

    def token() -> str:
        seen.append(trace.get_current_span().get_span_context().span_id)
        return str(emulator.issuer.mint())

    async def scenario(client: Any) -> None:
        answer = await client.responses.create(input="hi", stream=stream)
        if stream:
            await read_all(answer)
        assert not trace.get_current_span().get_span_context().is_valid

    arguments = {"azure_ad_token_provider": token, **collector.arguments}
    run(runner, emulator, scenario, **arguments)
    contexts = [span.context for span in collector.spans]
    assert seen == [context.span_id for context in contexts if context is not None]


def test_metrics_have_the_names_in_use_by_default(
    runner: str, emulator: Emulator, collector: Collector
) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(input="hi")
        usage = collector.points("gen_ai.client.token.usage")
        sums = {point.attributes["gen_ai.token.type"]: point.sum for point in usage}
        assert sums == {
            "input": response.usage.input_tokens,
            "output": response.usage.output_tokens,
        }

    run(runner, emulator, scenario, **collector.arguments)
    assert set(collector.metrics()) == {_DURATION, "gen_ai.client.token.usage"}
    assert "gen_ai.usage.cache_creation.input_tokens" in collector.attributes()
    assert "gen_ai.usage.cache_write.input_tokens" not in collector.attributes()
    (duration,) = collector.points(_DURATION)
    assert duration.count == 1
    assert dict(duration.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.model": "gpt-4.1",
        "gen_ai.response.model": "gpt-4.1",
        "server.address": "emulator.openai.azure.com",
        "server.port": 443,
    }
    assert duration.explicit_bounds[:3] == (0.01, 0.02, 0.04)


@pytest.mark.parametrize(("opt_in", "is_old"), [(_LATEST, False), (f"http, {_LATEST}/dup", True)])
def test_the_latest_names_are_used_when_asked_for(
    runner: str,
    emulator: Emulator,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    opt_in: str,
    is_old: bool,
) -> None:
    monkeypatch.setenv(_OPT_IN, opt_in)

    async def scenario(client: Any) -> None:
        await read_all(await client.responses.create(input="Count from 1 to 20.", stream=True))

    run(runner, emulator, scenario, **collector.arguments)
    prefix = "gen_ai.client.inference"
    latest = {
        *(f"{prefix}.{name}" for name in ("duration", "time_to_first_chunk")),
        f"{prefix}.time_per_output_chunk",
        *(f"{prefix}.operation.{kind}_tokens" for kind in ("input", "output")),
        *(
            f"{prefix}.usage.{kind}_tokens"
            for kind in ("input", "output", "cache_read.input", "cache_write.input")
        ),
        f"{prefix}.usage.reasoning.output_tokens",
    }
    old = {
        *(f"gen_ai.client.operation.{name}" for name in ("duration", "time_to_first_chunk")),
        "gen_ai.client.operation.time_per_output_chunk",
        "gen_ai.client.token.usage",
    }
    assert set(collector.metrics()) == (latest | old if is_old else latest)
    attributes = collector.attributes()
    assert "gen_ai.usage.cache_write.input_tokens" in attributes
    assert ("gen_ai.usage.cache_creation.input_tokens" in attributes) is is_old
    (total,) = collector.points(f"{prefix}.usage.output_tokens")
    assert total.attributes["gen_ai.token.modality"] == "text"
    assert total.value == attributes["gen_ai.usage.output_tokens"]


def _everything(collector: Collector) -> str:
    spans = [span.to_json() for span in collector.spans]
    return "\n".join([*spans, str(collector.metrics())])


async def _tell_a_secret(client: Any) -> None:
    await client.responses.create(
        input=f"Reply with exactly: {SECRET}", instructions=SECRET, user="alice"
    )


@pytest.mark.parametrize("setting", [None, "false", "NO_CONTENT"])
def test_content_and_people_stay_out_of_traces(
    runner: str,
    emulator: Emulator,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    setting: str | None,
) -> None:
    if setting is not None:
        monkeypatch.setenv(_CAPTURE, setting)
    run(runner, emulator, _tell_a_secret, **collector.arguments)
    assert SECRET not in _everything(collector)
    assert "alice" not in _everything(collector)
    assert emulator.api_key not in _everything(collector)


@pytest.mark.parametrize("setting", ["true", "SPAN_ONLY", None])
def test_content_is_captured_when_asked_for_but_never_on_metrics(
    runner: str,
    emulator: Emulator,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    setting: str | None,
) -> None:
    option = {} if setting else {"capture_content": True}
    monkeypatch.setenv(_CAPTURE, setting or "false")
    run(runner, emulator, _tell_a_secret, **collector.arguments, **option)
    attributes = collector.attributes()
    assert json.loads(attributes["gen_ai.system_instructions"]) == [
        {"type": "text", "content": SECRET}
    ]
    (question,) = json.loads(attributes["gen_ai.input.messages"])
    assert question["parts"] == [{"type": "text", "content": f"Reply with exactly: {SECRET}"}]
    (answer,) = json.loads(attributes["gen_ai.output.messages"])
    assert answer["finish_reason"] == "stop"
    assert answer["parts"] == [{"type": "text", "content": SECRET}]
    assert SECRET not in str(collector.metrics())


def test_the_option_wins_over_the_environment(
    emulator: Emulator, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(_CAPTURE, "true")
    run("sync", emulator, _tell_a_secret, capture_content=False, **collector.arguments)
    assert SECRET not in _everything(collector)


def test_content_may_go_to_an_event(
    emulator: Emulator, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(_CAPTURE, "EVENT_ONLY")
    run("sync", emulator, _tell_a_secret, **collector.arguments)
    (span,) = collector.spans
    (event,) = span.events
    assert event.name == "gen_ai.client.inference.operation.details"
    assert set(event.attributes or {}) == {
        "gen_ai.system_instructions",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
    }
    assert "gen_ai.input.messages" not in collector.attributes()
