"""Which URL, headers and body a call gets for what its deployment speaks."""

import json
from typing import Any

import pytest

from azure_responses.bridge.conversions import ConversionFactory, LazySealer
from azure_responses.errors import BadRequestError, ConfigurationError
from azure_responses.protocol.call import Call
from azure_responses.protocol.call_conversion import History
from azure_responses.protocol.call_converter import CallConverter
from azure_responses.protocol.deployment_apis import DeploymentAPIs
from azure_responses.protocol.endpoint import resolve_endpoint
from azure_responses.protocol.http_message import Request
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.request_body import encode_body
from azure_responses.protocol.retry import RetryPolicy

URL = "https://r.openai.azure.com/openai/v1/responses?mine=1"
REFUSAL = BadRequestError("This model is not supported by the Responses API", status_code=400)


def make_converter(api: Any = "auto") -> CallConverter:
    factory = ConversionFactory(
        LazySealer(None, bytes), lambda prefix: f"{prefix}1", lambda deployment: None
    )
    endpoint = resolve_endpoint("https://r.openai.azure.com")
    return CallConverter(endpoint, DeploymentAPIs(api, factory.api_of), factory)


def make_call(body: dict[str, Any] | None) -> Call:
    content = encode_body(body)
    request = Request("POST", URL, {"x-mine": "1"}, content)
    return Call(request, RequestContext("create"), RetryPolicy(), parameters=body or {})


@pytest.mark.parametrize("api", ["auto", "responses"])
def test_a_call_of_a_responses_deployment_stays_as_it_is(api: str) -> None:
    call = make_call({"model": "gpt-5", "input": "hi"})
    given = call.request
    make_converter(api).convert(call, "gpt-5")
    assert call.request is given
    assert call.conversion is None
    assert call.api == "responses"
    assert (call.switch is None) is (api == "responses")


def test_a_call_without_a_body_stays_as_it_is() -> None:
    call = make_call(None)
    make_converter().convert(call, "kimi")
    assert call.conversion is None


@pytest.mark.parametrize(
    ("deployment", "path"),
    [
        ("kimi", "https://r.openai.azure.com/openai/v1/chat/completions?mine=1"),
        ("claude-sonnet-4-5", "https://r.services.ai.azure.com/anthropic/v1/messages?mine=1"),
    ],
)
def test_another_api_has_its_url_and_headers(deployment: str, path: str) -> None:
    converter = make_converter()
    for _ in range(2):
        call = make_call({"model": deployment, "input": "hi"})
        converter.convert(call, deployment)
        assert call.request.url == path
        assert call.request.headers["x-mine"] == "1"
        assert call.conversion is not None
        assert call.conversion.upstream == call.api
    is_claude = deployment.startswith("claude")
    assert ("anthropic-version" in call.request.headers) is is_claude


def test_a_refusal_makes_a_call_over_once() -> None:
    converter = make_converter()
    call = make_call({"model": "mine", "input": "hi"})
    converter.convert(call, "mine")
    assert call.next_attempt(REFUSAL, 0.0, 0.0).delay == 0.0
    assert call.api == "chat"
    assert converter.apis.of("mine").name == "chat"
    with pytest.raises(BadRequestError):
        call.next_attempt(REFUSAL, 0.0, 0.0)


def test_another_error_changes_nothing() -> None:
    call = make_call({"model": "mine", "input": "hi"})
    make_converter().convert(call, "mine")
    with pytest.raises(BadRequestError):
        call.next_attempt(BadRequestError("no", status_code=400), 0.0, 0.0)
    assert call.api == "responses"


def test_a_family_that_was_wrong_gets_the_call_as_it_was_first() -> None:
    converter = make_converter()
    call = make_call({"model": "kimi", "input": "hi"})
    content = call.request.body
    converter.convert(call, "kimi")
    refusal = BadRequestError(
        "The requested operation is unsupported.", status_code=400, code="OperationNotSupported"
    )
    assert call.next_attempt(refusal, 0.0, 0.0).delay == 0.0
    assert call.conversion is None
    assert call.request.body == content
    assert call.request.url == URL


def test_a_caller_who_makes_calls_over_learns_by_itself() -> None:
    converter = make_converter()
    call = make_call({"model": "mine", "messages": []})
    converter.convert(call, "mine", may_switch=False)
    assert call.switch is None
    assert not converter.learn("mine", BadRequestError("no", status_code=400), "responses")
    assert converter.learn("mine", REFUSAL, "responses")
    # Another call was refused at the same time.
    assert converter.learn("mine", REFUSAL, "responses")
    assert not make_converter("responses").learn("mine", REFUSAL, "responses")


def test_a_chat_passes_unless_its_model_refuses_a_part_of_it() -> None:
    told: list[str] = []
    converter = make_converter()
    call = make_call({"model": "kimi", "messages": []})
    content = call.request.body
    converter.convert(call, "kimi", caller="chat", warn=told.append)
    assert call.request.body is content
    call = make_call({"model": "mistral-large", "messages": [], "presence_penalty": 1})
    converter.convert(call, "mistral-large", caller="chat", drops_params=True, warn=told.append)
    assert isinstance(call.request.body, bytes)
    assert json.loads(call.request.body) == {"model": "mistral-large", "messages": []}
    assert len(told) == 1
    call = make_call({"model": "mistral-large", "messages": [], "presence_penalty": 1})
    converter.convert(call, "mistral-large", caller="chat", drops_params=True)
    assert len(told) == 1


def test_a_response_that_is_stored_here_is_replayed_to_a_responses_deployment() -> None:
    call = make_call({"model": "gpt-5", "input": "x", "previous_response_id": "resp_bridged_1"})
    make_converter().convert(call, "gpt-5")
    assert call.conversion is not None
    assert call.conversion.upstream == "responses"
    assert call.conversion.stores is False


def test_a_request_that_only_speaks_of_what_is_ours_passes_as_it_is() -> None:
    call = make_call({"model": "gpt-5", "input": "resp_bridged_1 and arsealed1."})
    make_converter().convert(call, "gpt-5")
    assert call.conversion is None


def test_a_compaction_is_refused_where_there_is_none() -> None:
    converter = make_converter()
    converter.refuse_compaction("gpt-5")
    with pytest.raises(ConfigurationError, match="'kimi' speaks chat"):
        converter.refuse_compaction("kimi")


def test_a_count_of_tokens_goes_to_the_one_of_messages_without_what_makes_a_message() -> None:
    body = {"model": "claude-sonnet-4-5", "input": "hi", "temperature": 0.5}
    call = make_call(body)
    make_converter().count(call, "claude-sonnet-4-5")
    path = "/anthropic/v1/messages/count_tokens?mine=1"
    assert call.request.url == f"https://r.services.ai.azure.com{path}"
    assert call.conversion is not None
    written = json.loads(call.conversion.write(History(), 1.0))
    assert written.keys() == {"model", "messages"}
    counted = call.conversion.read(b'{"input_tokens": 7}')
    assert counted == {"object": "response.input_tokens", "input_tokens": 7}
    assert call.conversion.stored(counted, 1.0) is None
    with pytest.raises(ValueError, match="no count"):
        call.conversion.read(b"{}")


@pytest.mark.parametrize("deployment", [None, "gpt-5", "agent/helper"])
def test_a_count_of_tokens_stays_where_responses_are_spoken(deployment: str | None) -> None:
    call = make_call({"input": "hi"})
    make_converter().count(call, deployment)
    assert (call.request.url, call.conversion) == (URL, None)


def test_a_count_without_a_body_stays_as_it_is() -> None:
    call = make_call(None)
    make_converter().count(call, "claude-sonnet-4-5")
    assert (call.request.url, call.conversion) == (URL, None)


def test_urls_of_any_number_of_deployments_take_bounded_memory() -> None:
    converter = make_converter("chat")
    for number in range(1010):
        call = make_call({"model": f"d{number}", "input": "hi"})
        converter.convert(call, f"d{number}")
        assert call.api == "chat"
    assert len(converter._urls) <= 1000
