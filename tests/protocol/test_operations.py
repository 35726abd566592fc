"""Operations to calls: method, URL, headers and body."""

import itertools
import json
import math
from typing import Any

import pytest

from azure_responses.errors import ConfigurationError, ResponseNotFoundError
from azure_responses.protocol.call import Call, RecentResponses
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import Options
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import resolve_settings

_NONE = Options()
_ROOT = "https://r.openai.azure.com/openai/v1"


def _operations(
    *,
    default_headers: dict[str, str | None] | None = None,
    default_query: dict[str, Any] | None = None,
    recent: RecentResponses | None = None,
    **settings: Any,
) -> Operations:
    numbers = itertools.count(1)
    settings = {"endpoint": "https://r.openai.azure.com", "api_key": "k", **settings}
    return Operations(
        resolve_settings({}, **settings),
        RetryPolicy(),
        recent or RecentResponses(),
        lambda: f"id-{next(numbers)}",
        default_headers=default_headers,
        default_query=default_query,
    )


def _body(call: Call) -> Any:
    assert isinstance(call.request.body, bytes | None)
    return json.loads(call.request.body or b"null")


def test_create_posts_the_parameters_that_were_given() -> None:
    call = _operations().create(
        {"model": "d", "input": "hi", "temperature": None, "store": False}, _NONE, stream=False
    )
    assert (call.request.method, call.request.url) == ("POST", f"{_ROOT}/responses")
    assert _body(call) == {"model": "d", "input": "hi", "store": False}
    assert call.request.headers == {
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "content-type": "application/json",
        "x-ms-client-request-id": "id-1",
    }


def test_a_streamed_create_asks_for_events_and_no_compression() -> None:
    call = _operations().create({"model": "d"}, _NONE, stream=True)
    assert _body(call) == {"model": "d", "stream": True}
    assert call.request.headers["accept"] == "text/event-stream"
    assert call.request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("model", [None, ""])
def test_the_deployment_is_the_default_model(model: str | None) -> None:
    operations = _operations(deployment="default")
    assert _body(operations.create({"model": model}, _NONE, stream=False)) == {"model": "default"}
    assert _body(operations.compact({"model": model}, _NONE)) == {"model": "default"}
    assert _body(operations.create({"model": "d"}, _NONE, stream=False)) == {"model": "d"}


def test_no_model_at_all_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(ConfigurationError, match="No model") as caught:
        _operations().create({"input": "hi"}, _NONE, stream=False)
    assert "AZURE_OPENAI_DEPLOYMENT" in (caught.value.hint or "")


def test_a_model_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="model is a int"):
        _operations().create({"model": 7}, _NONE, stream=False)


def test_compact_posts_below_responses() -> None:
    call = _operations().compact({"model": "d", "input": None, "instructions": "i"}, _NONE)
    assert (call.request.method, call.request.url) == ("POST", f"{_ROOT}/responses/compact")
    assert _body(call) == {"model": "d", "instructions": "i"}
    assert call.context.operation == "compact"


def _stored(operations: Operations, name: str) -> Call:
    call: Call = getattr(operations, name)("resp/1", _NONE)
    return call


@pytest.mark.parametrize(
    ("name", "method", "tail"),
    [
        ("retrieve", "GET", ""),
        ("cancel", "POST", "/cancel"),
        ("delete", "DELETE", ""),
        ("input_items", "GET", "/input_items"),
    ],
)
@pytest.mark.parametrize("version", [None, "preview", "2025-04-01-preview"])
def test_operations_on_a_stored_response(
    name: str, method: str, tail: str, version: str | None
) -> None:
    call = _stored(_operations(api_version=version), name)
    root = "https://r.openai.azure.com/openai" if version == "2025-04-01-preview" else _ROOT
    query = f"?api-version={version}" if version else ""
    assert call.request.method == method
    assert call.request.url == f"{root}/responses/resp%2F1{tail}{query}"
    assert call.request.body is None
    assert "content-type" not in call.request.headers
    assert call.context.operation == name
    assert call.context.response_id == "resp/1"


def test_models_are_listed() -> None:
    call = _operations().models(_NONE)
    assert (call.request.method, call.request.url) == ("GET", f"{_ROOT}/models")


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({}, ""),
        ({"stream": True}, "?stream=true"),
        ({"stream": True, "starting_after": 0}, "?stream=true&starting_after=0"),
        ({"include": ["a.b", "c"]}, "?include%5B%5D=a.b&include%5B%5D=c"),
        ({"include": []}, ""),
        ({"include_obfuscation": False}, "?include_obfuscation=false"),
        ({"include_obfuscation": True}, "?include_obfuscation=true"),
    ],
)
def test_the_query_of_retrieve(arguments: dict[str, Any], query: str) -> None:
    call = _operations().retrieve("resp_1", _NONE, **arguments)
    assert call.request.url == f"{_ROOT}/responses/resp_1{query}"
    is_stream = bool(arguments.get("stream"))
    assert (call.request.headers["accept"] == "text/event-stream") is is_stream


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({"limit": 5, "order": "asc"}, "?limit=5&order=asc"),
        ({"after": "a/b", "before": "c"}, "?after=a%2Fb&before=c"),
        ({"include": ["x"]}, "?include%5B%5D=x"),
    ],
)
def test_the_query_of_input_items(arguments: dict[str, Any], query: str) -> None:
    call = _operations().input_items("resp_1", _NONE, **arguments)
    assert call.request.url == f"{_ROOT}/responses/resp_1/input_items{query}"


def test_headers_are_laid_over_each_other_and_none_removes_one() -> None:
    operations = _operations(default_headers={"X-Team": "a", "X-Other": "b", "Accept": "x/y"})
    options = Options(extra_headers={"x-team": "c", "X-OTHER": None, "Content-Type": "text/json"})
    headers = operations.create({"model": "d"}, options, stream=False).request.headers
    assert headers["x-team"] == "c"
    assert "x-other" not in headers
    assert headers["accept"] == "x/y"
    assert [name for name in headers if name.lower() == "content-type"] == ["content-type"]
    assert headers["content-type"] == "text/json"


def test_a_callers_own_request_id_is_kept() -> None:
    options = Options(extra_headers={"X-MS-Client-Request-Id": "mine"})
    assert _operations().models(options).request.headers["x-ms-client-request-id"] == "mine"
    operations = _operations(default_headers={"x-ms-client-request-id": "ours"})
    assert operations.models(_NONE).request.headers["x-ms-client-request-id"] == "ours"


def test_every_call_has_its_own_request_id() -> None:
    operations = _operations()
    ids = [operations.models(_NONE).request.headers["x-ms-client-request-id"] for _ in range(3)]
    assert ids == ["id-1", "id-2", "id-3"]


@pytest.mark.parametrize("value", ["a\r\nb: c", "é"])
def test_header_injection_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError):
        _operations(default_headers={"x": value})
    with pytest.raises(ConfigurationError):
        _operations().models(Options(extra_headers={"x": value}))


def test_queries_are_laid_over_each_other() -> None:
    operations = _operations(
        api_version="preview", default_query={"a": 1, "b": True, "gone": None, "l": (1, 2)}
    )
    url = operations.models(Options(extra_query={"a": "x", "c": False})).request.url
    assert url == f"{_ROOT}/models?api-version=preview&a=x&b=true&l=1&l=2&c=false"


def test_a_version_among_the_queries_is_the_callers_choice() -> None:
    operations = _operations(default_query={"api-version": "preview"})
    assert operations.models(_NONE).request.url == f"{_ROOT}/models?api-version=preview"


def test_extra_body_reaches_the_body_and_may_make_one() -> None:
    operations = _operations()
    options = Options(extra_body={"user_security_context": {"application_name": "a"}})
    assert _body(operations.create({"model": "d"}, options, stream=False)) == {
        "model": "d",
        "user_security_context": {"application_name": "a"},
    }
    call = operations.cancel("resp_1", options)
    assert call.request.headers["content-type"] == "application/json"
    assert _body(call) == {"user_security_context": {"application_name": "a"}}


def test_the_situation_says_what_hints_need() -> None:
    context = (
        _operations(api_version="preview")
        .create({"model": "d", "previous_response_id": "resp_1"}, _NONE, stream=False)
        .context
    )
    assert (context.operation, context.surface, context.api_version) == (
        "create",
        "v1",
        "preview",
    )
    assert (context.deployment, context.response_id, context.uses_key) == ("d", None, True)
    assert context.scope == "https://cognitiveservices.azure.com/.default"


def _is_patient(call: Call, now: float = 1.0) -> bool:
    error = ResponseNotFoundError("m", status_code=404)
    try:
        call.next_attempt(error, now, 0.5)
    except ResponseNotFoundError:
        return False
    return True


def test_reading_a_response_made_moments_ago_is_patient() -> None:
    recent = RecentResponses()
    recent.remember("resp/1", 0.0)
    operations = _operations(recent=recent)
    for name in ("retrieve", "cancel", "delete", "input_items"):
        assert _is_patient(_stored(operations, name))
        assert not _is_patient(_stored(operations, name), now=50.0)
    parameters = {"model": "d", "previous_response_id": "resp/1"}
    assert _is_patient(operations.create(parameters, _NONE, stream=False))
    assert _is_patient(operations.compact(parameters, _NONE))
    assert not _is_patient(operations.retrieve("other", _NONE))
    assert not _is_patient(operations.create({"model": "d"}, _NONE, stream=False))


def test_an_odd_previous_response_id_is_left_for_the_service_to_judge() -> None:
    call = _operations().create(
        {"model": "d", "previous_response_id": {"id": "x"}}, _NONE, stream=False
    )
    assert _body(call)["previous_response_id"] == {"id": "x"}


@pytest.mark.parametrize("bad", ["", "..", None])
def test_an_id_that_is_none_is_refused_before_anything_is_sent(bad: Any) -> None:
    with pytest.raises(ConfigurationError):
        _operations().retrieve(bad, _NONE)


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ({"api_key": "k"}, False),
        ({"api_key": None, "azure_ad_token": "t"}, False),
        ({"api_key": None, "azure_ad_token_provider": lambda: "t"}, True),
        ({"api_key": None}, True),
    ],
)
def test_only_what_can_make_a_new_token_is_asked_for_one(
    secret: dict[str, Any], expected: bool
) -> None:
    call = _operations(**secret).models(_NONE)
    error = call.failure(401, {}, b'{"statusCode": 401, "message": "token expired"}', 0.0)
    try:
        attempt = call.next_attempt(error, 0.0, 0.5)
    except type(error):
        assert not expected
    else:
        assert attempt.refreshes_token
        assert expected


@pytest.mark.parametrize(
    ("patience", "expected"), [(None, 600.0), (600.0, 600.0), (5.0, 5.0), (math.inf, math.inf)]
)
def test_the_patience_of_one_call_beats_the_clients(
    patience: float | None, expected: float
) -> None:
    default = RetryPolicy(max_retries=7)
    policy = Options(patience=patience).policy(default)
    assert policy.patience == expected
    assert policy.max_retries == 7


@pytest.mark.parametrize("odd", ["a=b", [("a", "b")], 5])
def test_what_is_laid_over_a_call_has_to_be_a_mapping(odd: Any) -> None:
    for name in ("extra_headers", "extra_query", "extra_body"):
        with pytest.raises(ConfigurationError, match=f"{name} is a {type(odd).__name__}"):
            Options(**{name: odd})
    for name in ("default_headers", "default_query"):
        with pytest.raises(ConfigurationError, match=f"{name} is a {type(odd).__name__}"):
            _operations(**{name: odd})


def test_a_place_to_start_after_needs_a_stream() -> None:
    with pytest.raises(ConfigurationError, match="starting_after") as caught:
        _operations().retrieve("resp_1", _NONE, starting_after=0)
    assert "stream=True" in (caught.value.hint or "")


def test_a_name_to_include_is_no_list_of_letters() -> None:
    name: Any = "reasoning.encrypted_content"
    for read in (_operations().retrieve, _operations().input_items):
        with pytest.raises(ConfigurationError, match=name) as caught:
            read("resp_1", _NONE, include=name)
        assert f"[{name!r}]" in (caught.value.hint or "")


@pytest.mark.parametrize("stream", [True, False])
def test_the_body_asks_for_what_the_caller_reads(stream: bool) -> None:
    operations, parameters = _operations(), {"model": "d"}
    for said in (stream, None):
        options = Options(extra_body={"stream": said})
        assert operations.create(parameters, options, stream=stream).request.body
    with pytest.raises(ConfigurationError, match=f"stream={not stream}"):
        operations.create(parameters, Options(extra_body={"stream": not stream}), stream=stream)


def test_input_tokens_are_counted_by_azure_where_nothing_is_converted() -> None:
    call = _operations().count_input({"model": "d", "input": "hi"}, _NONE)
    assert call.request.url.partition("?")[0].endswith("/responses/input_tokens")
    assert call.conversion is None
