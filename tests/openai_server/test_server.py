"""The OpenAI surface over a router, sync and async, against the emulator."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Emulator, Fault, Latency
from azure_responses.telemetry.record import CallRecord
from tests.openai_server.servers import Asker, make_emulator, open_asker, open_asker_over, rows

CREATE = "/v1/responses"
CHAT = "/v1/chat/completions"
HELLO = {"model": "chat", "input": "Say hello"}


@pytest.fixture
def emulator() -> Emulator:
    return make_emulator()


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def ask(kind: str, emulator: Emulator) -> Iterator[Asker]:
    with open_asker(kind, emulator, "east", "west") as asker:
        yield asker


def test_a_response_comes_with_our_ids_and_the_callers_model(ask: Asker) -> None:
    found = ask("POST", CREATE, HELLO)
    assert found.status == 200
    assert found.json["id"].startswith("resp_azr1_")
    assert found.json["model"] == "chat"
    assert found.headers["x-litellm-model-id"] in ("east", "west")
    assert found.headers["x-litellm-model-group"] == "chat"
    assert found.headers["x-litellm-attempted-retries"] == "0"
    assert found.headers["x-litellm-attempted-fallbacks"] == "0"
    assert float(found.headers["x-litellm-response-cost"]) > 0
    assert float(found.headers["x-litellm-overhead-duration-ms"]) >= 0
    assert found.headers["apim-request-id"]
    assert found.headers["x-ms-region"]
    assert found.summary.request_id == found.headers["apim-request-id"]
    assert found.summary.usage is not None
    found.summary.price()
    assert found.summary.use is not None
    assert found.summary.use.model == "gpt"


def test_follow_ups_find_the_resource_that_stores_them(ask: Asker) -> None:
    for _ in range(8):
        first = ask("POST", CREATE, HELLO).json["id"]
        body = {**HELLO, "previous_response_id": first}
        second = ask("POST", CREATE, body)
        assert second.status == 200
        assert second.json["previous_response_id"] == first
        stream = ask("POST", CREATE, {**body, "stream": True})
        assert stream.events[-1]["response"]["previous_response_id"] == first


def test_another_owner_does_not_find_them(ask: Asker) -> None:
    first = ask("POST", CREATE, HELLO).json["id"]
    for method, path, body in (
        ("POST", CREATE, {**HELLO, "previous_response_id": first}),
        ("POST", CHAT, {"model": "chat", "messages": [], "previous_response_id": first}),
        ("GET", f"{CREATE}/{first}", None),
        ("DELETE", f"{CREATE}/{first}", None),
        ("POST", f"{CREATE}/{first}/cancel", None),
        ("GET", f"{CREATE}/{first}/input_items", None),
    ):
        assert ask(method, path, body, owner="bob").status == 404, (method, path)


def test_azures_own_ids_are_nobodys(ask: Asker, emulator: Emulator) -> None:
    raw = "resp_" + "0" * 50
    assert ask("GET", f"{CREATE}/{raw}").status == 404
    found = ask("POST", CREATE, {**HELLO, "previous_response_id": raw})
    assert found.status == 404
    assert found.json["error"]["param"] == "previous_response_id"
    assert not emulator.requests


def test_azures_own_items_are_nobodys_either(kind: str, emulator: Emulator) -> None:
    with open_asker(kind, emulator, "east") as ask:
        output = ask("POST", CREATE, HELLO, owner=None).json["output"]
        read_id = ask.router.parts.reader.affinity.read_id
        *others, raw = [read_id(made["id"], None).inner for made in output]  # type: ignore[union-attr]
        said = {"role": "user", "content": "x"}
        # A message goes with the reasoning that it was made with.
        before = [{"type": "item_reference", "id": other} for other in others]
        for item in ({"type": "item_reference", "id": raw}, {"id": raw}):
            body: dict[str, Any] = {**HELLO, "input": [item, said]}
            refused = ask("POST", CREATE, body)
            assert (refused.status, refused.json["error"]["param"]) == (404, "input[0].id")
            hosted = {"role": "assistant", "content": "x", "hosted_items": [item]}
            refused = ask("POST", CHAT, {"model": "chat", "messages": [hosted, said]})
            assert refused.json["error"]["param"] == "messages[0].hosted_items[0].id"
            # Who binds ids to nobody may name what was made elsewhere.
            body["input"] = [*before, *body["input"]]
            assert ask("POST", CREATE, body, owner=None).status == 200


def test_the_life_of_a_stored_response(ask: Asker) -> None:
    made = ask("POST", CREATE, HELLO).json
    path = f"{CREATE}/{made['id']}"
    assert ask("GET", path).json["output"] == made["output"]
    items = ask("GET", f"{path}/input_items", query="limit=1&order=asc&include[]=a").json
    assert items["data"][0]["content"][0]["text"] == "Say hello"
    after = ask("GET", f"{path}/input_items", query=f"after={items['last_id']}")
    assert after.json["data"] == []
    gone = ask("DELETE", path)
    assert gone.json == {"id": made["id"], "object": "response.deleted", "deleted": True}
    again = ask("GET", path)
    assert again.status == 404
    assert made["id"] in again.json["error"]["message"]


def test_a_background_response_is_cancelled_and_streamed_again(ask: Asker) -> None:
    body = {**HELLO, "background": True}
    queued = ask("POST", CREATE, body).json
    assert ask("POST", f"{CREATE}/{queued['id']}/cancel").json["id"] == queued["id"]
    streamed = ask("POST", CREATE, {**body, "stream": True}).events
    again = ask(
        "GET", f"{CREATE}/{streamed[0]['response']['id']}", query="stream=true&starting_after=3"
    )
    assert again.events == streamed[4:]


def test_a_stream_has_the_same_ids_as_its_response(ask: Asker) -> None:
    found = ask("POST", CREATE, {**HELLO, "stream": True})
    assert found.headers["content-type"].startswith("text/event-stream")
    assert found.headers["x-accel-buffering"] == "no"
    final = found.events[-1]["response"]
    stored = ask("GET", f"{CREATE}/{final['id']}").json
    assert stored["id"] == final["id"]
    items = {item["id"] for item in final["output"]}
    assert {event["item_id"] for event in found.events if "item_id" in event} <= items
    assert [event["sequence_number"] for event in found.events] == list(range(len(found.events)))
    assert found.summary.time_to_first_output is not None
    assert found.summary.price()
    assert not found.summary.is_abandoned


def test_a_stream_nobody_reads_on_is_given_up(ask: Asker) -> None:
    body = {**HELLO, "input": "[[azure:length:400]]", "stream": True}
    found = ask("POST", CREATE, body, pieces=1)
    assert found.summary.is_abandoned
    chat = {"model": "chat", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    assert ask("POST", CHAT, chat, pieces=1).summary.is_abandoned
    assert ask("POST", CREATE, HELLO).status == 200


def test_unknown_fields_survive_both_ways(ask: Asker, emulator: Emulator) -> None:
    found = ask("POST", CREATE, {**HELLO, "metadata": {"a": "b"}, "temperature": None})
    assert found.json["metadata"] == {"a": "b"}
    refused = ask("POST", CREATE, {**HELLO, "made_up": {"deep": [1, None]}})
    assert refused.status == 400
    assert refused.json["error"]["code"] == "unknown_parameter"
    sent = json.loads(emulator.requests[-1].body)
    assert sent == {**HELLO, "model": "gpt", "made_up": {"deep": [1, None]}}


def test_bytes_that_need_no_change_are_sent_as_they_came(kind: str, emulator: Emulator) -> None:
    model_list = [{**rows("east")[0], "model_name": "gpt"}]
    with open_asker(kind, emulator, model_list=model_list) as ask:
        content = b'{ "input" :"Say hello" , "temperature":null,"model":"gpt" }'
        assert ask("POST", CREATE, content).status == 200
        assert emulator.requests[-1].body == content
        ask("POST", CREATE, content.replace(b'"gpt"', b"null"))
        sent = json.loads(emulator.requests[-1].body)
        assert sent == {"input": "Say hello", "temperature": None, "model": "gpt"}


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_is_bridged(ask: Asker, stream: bool) -> None:
    body = {
        "model": "chat",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": stream,
    }
    found = ask("POST", CHAT, body)
    assert found.status == 200
    if stream:
        assert found.content.endswith(b"data: [DONE]\n\n")
        assert {event["model"] for event in found.events} == {"chat"}
        text = "".join(e["choices"][0]["delta"].get("content") or "" for e in found.events)
    else:
        assert found.json["object"] == "chat.completion"
        assert found.json["model"] == "chat"
        text = found.json["choices"][0]["message"]["content"]
    assert text.startswith("Hello")
    assert found.summary.price()


def test_what_chat_cannot_do_is_refused(ask: Asker) -> None:
    found = ask("POST", CHAT, {"model": "chat", "messages": [], "n": 3})
    assert found.status == 400
    assert found.json["error"]["type"] == "invalid_request_error"


def test_azures_path_names_the_deployment(ask: Asker) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}]}
    path = "/openai/deployments/chat/chat/completions"
    assert ask("POST", path, body, query="api-version=2024-10-21").status == 200
    assert ask("POST", "/openai/responses", HELLO, query="api-version=x").status == 200


def test_a_conversation_is_compacted(ask: Asker) -> None:
    found = ask("POST", f"{CREATE}/compact", HELLO)
    assert found.json["object"] == "response.compaction"
    assert found.summary.price()
    again = ask(
        "POST",
        CREATE,
        {**HELLO, "input": [*found.json["output"], {"role": "user", "content": "x"}]},
    )
    assert again.status == 200


def test_input_tokens_are_asked_for_where_azure_counts_them(ask: Asker) -> None:
    found = ask("POST", f"{CREATE}/input_tokens", HELLO)
    assert (found.status, found.json["error"]["code"]) == (404, "unsupported_operation")
    # Nobody is left alone for it.
    assert ask("POST", CREATE, HELLO).headers["x-litellm-attempted-retries"] == "0"


def test_the_models_are_the_groups(ask: Asker) -> None:
    assert [model["id"] for model in ask("GET", "/v1/models").json["data"]] == ["chat"]
    assert ask("GET", "/models/chat").json["id"] == "chat"
    assert ask("GET", "/v1/models/other").status == 404
    hidden = ask("GET", "/v1/models", may_call=lambda name: False)
    assert hidden.json["data"] == []
    assert ask("GET", "/v1/models/chat", may_call=lambda name: False).status == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": "nobody", "input": "x"}, 404, "model_not_found"),
        ({"model": 3, "input": "x"}, 400, "invalid_type"),
        ({"model": "chat", "input": "x", "stream": "yes"}, 400, "invalid_request_error"),
        ({"model": "chat", "input": "x", "api_base": "https://e"}, 400, "forbidden_parameter"),
        ({"model": "chat", "input": "x", "owner": "bob"}, 400, "forbidden_parameter"),
        (b"[]", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
    ],
)
def test_bad_bodies_are_told_apart(ask: Asker, body: Any, status: int, code: str) -> None:
    found = ask("POST", CREATE, body)
    assert (found.status, found.json["error"]["code"]) == (status, code)


@pytest.mark.parametrize("query", ["stream=maybe", "limit=x", "starting_after=-1", "a=1&" * 200])
def test_bad_queries_are_refused(ask: Asker, query: str) -> None:
    made = ask("POST", CREATE, HELLO).json["id"]
    assert ask("GET", f"{CREATE}/{made}", query=query).status == 400


def test_a_sole_group_needs_no_name_and_a_timeout_may_be_given(ask: Asker) -> None:
    ask.headers["x-litellm-timeout"] = "30"
    made = ask("POST", CREATE, {"input": "x"})
    assert made.status == 200
    assert ask("GET", f"{CREATE}/{made.json['id']}").status == 200
    ask.headers["x-litellm-timeout"] = "soon"
    assert ask("POST", CREATE, HELLO).status == 400


def test_a_failure_is_tried_elsewhere(kind: str, emulator: Emulator) -> None:
    emulator.faults.add(Fault("http-503", times=1))
    with open_asker(kind, emulator, "east", "west") as ask:
        found = ask("POST", CREATE, HELLO)
    assert found.status == 200
    assert found.headers["x-litellm-attempted-retries"] == "1"


@pytest.mark.parametrize("fault", ["stream-429-A", "stream-429-C", "stream-500", "truncate"])
def test_a_stream_that_fails_before_output_is_tried_elsewhere(
    kind: str, emulator: Emulator, fault: str
) -> None:
    emulator.faults.add(Fault(fault, times=1, after_events=1))
    with open_asker(kind, emulator, "east", "west") as ask:
        found = ask("POST", CREATE, {**HELLO, "stream": True})
    assert found.status == 200
    assert found.events[-1]["type"] == "response.completed"
    assert found.headers["x-litellm-attempted-retries"] == "1"
    assert found.content.count(b"event: response.created") == 1


def test_a_stream_that_was_long_in_coming_is_not_cut_off_at_its_first_silence(kind: str) -> None:
    # The first attempt takes most of the time, and the silences of the second are longer than
    # what is left; a loaded machine may be late by a second with either.
    emulator = make_emulator(latency=Latency(first_token=0.05, tokens_per_second=0.55))
    emulator.faults.add(Fault("stall-before-headers", operation="create", nth=1))
    (row,) = rows("east")
    with emulator.serve() as server:
        row["litellm_params"] |= {"api_base": server.resource_url("east"), "timeout": 3}
        with open_asker_over(kind, [row], timeout=4.7) as ask:
            found = ask("POST", CREATE, {**HELLO, "input": "[[azure:length:2]]", "stream": True})
    assert found.headers["x-litellm-attempted-retries"] == "1"
    assert found.events[-1]["type"] == "response.completed"


@pytest.mark.parametrize("fault", ["stall-before-headers", "stall"])
def test_a_stream_without_output_is_not_waited_for_longer_than_its_timeout(
    kind: str, fault: str
) -> None:
    emulator = make_emulator()
    emulator.faults.add(Fault(fault, operation="create", after_events=1))
    (row,) = rows("east")
    with emulator.serve() as server:
        row["litellm_params"]["api_base"] = server.resource_url("east")
        with open_asker_over(kind, [row], timeout=0.6, num_retries=0) as ask:
            began = time.monotonic()
            found = ask("POST", CREATE, {**HELLO, "stream": True})
    assert found.status == 504
    assert time.monotonic() - began < 10


def test_when_nobody_serves_the_stream_is_an_http_error(kind: str, emulator: Emulator) -> None:
    emulator.faults.add(Fault("stream-429-A"))
    with open_asker(kind, emulator, "east", "west", num_retries=0) as ask:
        found = ask("POST", CREATE, {**HELLO, "stream": True})
    assert found.status == 429
    assert found.json["error"]["code"]


def test_a_stream_that_breaks_off_says_so(kind: str, emulator: Emulator) -> None:
    emulator.faults.add(Fault("incomplete-body", after_events=6))
    with open_asker(kind, emulator, "east", "west") as ask:
        found = ask("POST", CREATE, {**HELLO, "stream": True})
    assert found.status == 200
    last = found.events[-1]
    assert last["type"] == "error"
    assert last["sequence_number"] == found.events[-2]["sequence_number"] + 1
    assert found.summary.error is not None
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("fault", ["incomplete-body", "reset-mid-body"])
def test_a_background_stream_that_breaks_off_is_read_on(
    kind: str, emulator: Emulator, fault: str
) -> None:
    emulator.faults.add(Fault(fault, after_events=6, times=3))
    with open_asker(kind, emulator, "east", "west") as ask:
        found = ask("POST", CREATE, {**HELLO, "background": True, "stream": True})
        again = ask("GET", f"{CREATE}/{found.events[0]['response']['id']}", query="stream=true")
    assert len(emulator.requests) > 3
    assert found.events[-1]["type"] == "response.completed"
    assert [event["sequence_number"] for event in found.events] == list(range(len(found.events)))
    assert again.events == found.events
    assert found.summary.error is None


def test_a_background_stream_that_cannot_be_read_on_says_so(
    kind: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_responses.protocol.resumption._POLL_INTERVAL", 0.001)
    emulator.faults.add(Fault("incomplete-body", after_events=6, times=1))
    emulator.faults.add(Fault("http-503", operation="retrieve"))
    with open_asker(kind, emulator, "east", "west") as ask:
        found = ask("POST", CREATE, {**HELLO, "background": True, "stream": True})
    assert found.events[-1]["type"] == "error"
    assert found.events[-1]["sequence_number"] == found.events[-2]["sequence_number"] + 1
    assert found.summary.error is not None


def test_a_chat_stream_that_breaks_off_says_so(kind: str, emulator: Emulator) -> None:
    emulator.faults.add(Fault("incomplete-body", after_events=8))
    with open_asker(kind, emulator, "east", "west") as ask:
        body = {
            "model": "chat",
            "messages": [{"role": "user", "content": "Say hello"}],
            "stream": True,
        }
        found = ask("POST", CHAT, body)
    assert "error" in found.events[-1]
    assert found.content.endswith(b"data: [DONE]\n\n")


def test_a_response_that_failed_is_shown_as_azure_shows_it(ask: Asker) -> None:
    body = {**HELLO, "input": "[[azure:fail:image_parse_error]]"}
    found = ask("POST", CREATE, body)
    assert (found.status, found.json["status"]) == (200, "failed")
    streamed = ask("POST", CREATE, {**body, "stream": True})
    assert streamed.events[-1]["type"] == "response.failed"
    assert streamed.events[0]["response"]["id"].startswith("resp_azr1_")


def test_a_blocked_prompt_keeps_its_verdicts(ask: Asker) -> None:
    found = ask("POST", CREATE, {**HELLO, "input": "[[azure:block-prompt]]"})
    assert found.status == 400
    assert found.json["error"]["code"] == "content_filter"
    assert found.json["error"]["content_filters"]


@pytest.mark.parametrize("fault", ["malformed-json", "html-200", "empty-body"])
def test_what_is_no_answer_is_an_error(kind: str, emulator: Emulator, fault: str) -> None:
    emulator.faults.add(Fault(fault))
    with open_asker(kind, emulator, "east", num_retries=0) as ask:
        found = ask("POST", CREATE, HELLO)
    assert found.status >= 500
    assert found.json["error"]["message"]


def test_a_credential_that_fails_is_not_the_callers_business(kind: str, emulator: Emulator) -> None:
    def broken() -> str:
        raise RuntimeError("the secret of the operator")

    model_list = [
        {
            "model_name": "chat",
            "params": {
                "model": "azure/gpt",
                "api_base": "https://east.openai.azure.com",
                "azure_ad_token_provider": broken,
            },
        }
    ]
    with open_asker(kind, emulator, model_list=model_list, num_retries=0) as ask:
        for stream in (False, True):
            found = ask("POST", CREATE, {**HELLO, "stream": stream}, is_operator=False)
            assert found.status == 503
            assert found.json["error"]["code"] == "deployment_misconfigured"
            assert b"secret" not in found.content


class _Refusing(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Refuses every call as Azure refuses a key or a network."""

    def __init__(self, status: int) -> None:
        self.status = status

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        error = {"code": str(self.status), "message": "Access denied."}
        return httpx.Response(self.status, json={"error": error})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("path", [CREATE, CHAT])
@pytest.mark.parametrize("status", [401, 403])
def test_a_deployments_refused_credential_is_not_the_callers(
    kind: str, status: int, path: str, stream: bool
) -> None:
    transport = _Refusing(status)
    messages = {"messages": [{"role": "user", "content": "Say hello"}]}
    body = {"model": "chat", "stream": stream, **({} if path == CREATE else messages)}
    body |= {"input": "Say hello"} if path == CREATE else {}
    for is_operator in (False, True):
        with (
            httpx.Client(transport=transport) as http_client,
            open_asker_over(
                kind,
                rows("east"),
                http_client=http_client,
                async_http_client=httpx.AsyncClient(transport=transport),
            ) as ask,
        ):
            found = ask("POST", path, body, is_operator=is_operator)
        error = found.json["error"]
        assert "'east'" in error["message"]
        if is_operator:
            assert found.status == status
        else:
            assert (found.status, error["code"]) == (502, "deployment_credential_refused")
            assert error["type"] == "server_error"


def test_callbacks_hear_of_every_attempt(kind: str, emulator: Emulator) -> None:
    heard: list[CallRecord] = []
    with open_asker(
        kind,
        emulator,
        "east",
        "west",
        on_request=heard.append,
        on_response=heard.append,
        on_error=heard.append,
    ) as ask:
        ask("POST", CREATE, {**HELLO, "user": "u-1"})
        ask("POST", CREATE, {**HELLO, "stream": True})
        ask("POST", CREATE, {**HELLO, "stream": True}, pieces=1)
        ask("POST", CREATE, {**HELLO, "made_up": 1})
    done = heard[1::2]
    assert [record.error is None for record in done] == [True, True, True, False]
    assert done[0].usage is not None
    assert done[0].cost
    assert done[0].end_user == "u-1"
    assert done[1].response_id is not None
    assert done[2].is_abandoned


def test_a_deployment_key_never_shows(ask: Asker) -> None:
    for body in (HELLO, {**HELLO, "made_up": 1}, {**HELLO, "stream": True}):
        found = ask("POST", CREATE, body)
        assert b"key-of" not in found.content
        assert "key-of" not in json.dumps(dict(found.headers))


def _with_row_options(**params: Any) -> list[dict[str, Any]]:
    (row,) = rows("east")
    return [{**row, "litellm_params": {**row["litellm_params"], **params}}]


_SAMPLED = {"temperature": 1, "top_p": 0.5, "top_logprobs": 2,
            "include": ["message.output_text.logprobs", "file_search_call.results"]}  # fmt: skip


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("where", ["router", "row", "request"])
def test_what_models_that_reason_refuse_is_dropped_on_both_routes(
    kind: str, emulator: Emulator, where: str, is_stream: bool
) -> None:
    options: dict[str, Any] = {"drop_params": True} if where == "router" else {}
    table = _with_row_options(**({"drop_params": True} if where == "row" else {}))
    asked = {"drop_params": True} if where == "request" else {}
    with open_asker(kind, emulator, model_list=table, **options) as ask:
        body = {**HELLO, **_SAMPLED, **asked, "stream": is_stream}
        assert ask("POST", CREATE, body).status == 200
        sent = emulator.requests[-1].json()
        assert sent.keys().isdisjoint({"temperature", "top_p", "top_logprobs", "drop_params"})
        assert sent["include"] == ["file_search_call.results"]
        found = ask("POST", CREATE, {**body, "reasoning": {"effort": "none"}})
        # Where it does not reason, it is asked as the caller asked.
        assert emulator.requests[-1].json()["temperature"] == 1, found.content


@pytest.mark.filterwarnings("ignore:.*was dropped:UserWarning")
def test_chat_drops_the_same(kind: str, emulator: Emulator) -> None:
    table = _with_row_options(drop_params=True, model="azure/gpt")
    messages = [{"role": "user", "content": "Say hello"}]
    with open_asker(kind, emulator, model_list=table) as ask:
        body = {"model": "chat", "messages": messages, "reasoning_effort": "low",
                "temperature": 1, "top_logprobs": 1, "logprobs": True}  # fmt: skip
        assert ask("POST", CHAT, body).status == 200
        sent = emulator.requests[-1].json()
        assert sent.keys().isdisjoint({"temperature", "top_logprobs"})


def test_without_drop_params_nothing_is_dropped(ask: Asker, emulator: Emulator) -> None:
    assert ask("POST", CREATE, {**HELLO, "temperature": 0.5}).status == 400
    assert emulator.requests[-1].json()["temperature"] == 0.5
    assert ask("POST", CREATE, {**HELLO, "drop_params": "yes"}).json["error"]["param"] == (
        "drop_params"
    )


@pytest.mark.parametrize("where", ["row", "request"])
def test_named_parameters_are_left_out_on_both_routes(
    kind: str, emulator: Emulator, where: str
) -> None:
    named = {"additional_drop_params": ["temperature", "user", "made_up"]}
    table = _with_row_options(**(named if where == "row" else {}))
    asked = named if where == "request" else {}
    messages = [{"role": "user", "content": "Say hello"}]
    given = {"temperature": 0.5, "user": "ann", "made_up": 1, "metadata": {"user": "ann"}, **asked}
    with open_asker(kind, emulator, model_list=table) as ask:
        for path, body in ((CREATE, HELLO), (CHAT, {"model": "chat", "messages": messages})):
            assert ask("POST", path, {**body, **given}).status == 200
            sent = emulator.requests[-1].json()
            assert sent.keys().isdisjoint({"temperature", "user", "made_up", *named})
            assert sent["metadata"] == {"user": "ann"}
        for wrong in ("temperature", [1], {"temperature": True}):
            refused = ask("POST", CREATE, {**HELLO, "additional_drop_params": wrong})
            assert refused.json["error"]["param"] == "additional_drop_params"
        kept = ask("POST", CREATE, {**HELLO, "additional_drop_params": ["model", "input"]})
        assert kept.status == 200
