"""What a caller of the server gets when a stream breaks off, is filtered, or its origin is down."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.emulator import (
    Assumptions,
    Clock,
    EmulatedDeployment,
    Emulator,
    Fault,
    Resource,
)
from tests.clients.conftest import let_time_pass
from tests.openai_server.servers import Asker, make_emulator, open_asker, rows
from tests.router.cut_short import CutShort

CREATE = "/v1/responses"
CHAT = "/v1/chat/completions"
_NAMES = ("east", "west")
HELLO = {"model": "chat", "input": "Say hello"}
BACKGROUND = {**HELLO, "background": True, "stream": True}


@pytest.fixture
def clock() -> Clock:
    return Clock(1_790_000_000)


@pytest.fixture
def emulator(clock: Clock) -> Emulator:
    return make_emulator(clock=clock)


@pytest.fixture(autouse=True)
def naps(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits that were asked for; the clock moves on instead."""
    taken: list[float] = []
    let_time_pass(clock, monkeypatch, taken)
    return taken


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def ask(kind: str, emulator: Emulator) -> Iterator[Asker]:
    with open_asker(kind, emulator, "east", "west") as asker:
        yield asker


def _reads(emulator: Emulator) -> list[bool]:
    """Whether each retrieval asked for a stream."""
    return ["stream=true" in one.query for one in emulator.requests if one.method == "GET"]


def test_a_background_stream_that_the_service_no_longer_streams_is_polled_for(
    ask: Asker, emulator: Emulator
) -> None:
    emulator.faults.add(Fault("truncate", operation="create", after_events=5))
    emulator.faults.add(Fault("responses-unavailable", operation="retrieve", streamed=True))
    found = ask("POST", CREATE, BACKGROUND)
    first, last = found.events[0]["response"], found.events[-1]
    assert last["type"] == "response.completed"
    # As in a client: this event was made of what the poll found, so it has no place in the stream.
    assert last.get("sequence_number") is None
    assert last["response"]["id"] == first["id"]
    assert last["response"]["id"].startswith("resp_azr1_")
    assert last["response"]["model"] == "chat"
    assert last["response"]["output"]
    assert found.summary.error is None
    # A stream is waited for as long as a new response may be unknown to the service. Then it is
    # polled for, and asked for once more for the missing events.
    assert _reads(emulator).count(False) == 1
    assert _reads(emulator)[-1] is True


@pytest.mark.parametrize("failures", [2, 3])
def test_a_background_stream_is_read_on_as_often_in_a_row_as_by_a_client(
    ask: Asker, emulator: Emulator, failures: int
) -> None:
    emulator.faults.add(Fault("truncate", operation="create", after_events=5))
    fault = Fault("reset-before-headers", operation="retrieve", times=failures)
    emulator.faults.add(fault)
    found = ask("POST", CREATE, BACKGROUND)
    assert _reads(emulator) == [True] * 3
    assert found.events[-1]["type"] == ("response.completed" if failures == 2 else "error")


@pytest.mark.parametrize("path", [CREATE, CHAT])
@pytest.mark.parametrize("is_cut_everywhere", [False, True])
def test_a_stream_that_the_filter_leaves_empty_goes_to_another_group(
    kind: str, path: str, is_cut_everywhere: bool
) -> None:
    deployments = [EmulatedDeployment("gpt"), EmulatedDeployment("lenient")]
    emulator = Emulator(
        [Resource(name, keys=[f"key-of-{name}"], deployments=deployments) for name in _NAMES]
    )
    strict, lenient = rows("east", "west")
    model_list = [
        _served_as(strict, "strict", "gpt"),
        _served_as(lenient, "lenient", "lenient"),
    ]
    cut = {"gpt", "lenient"} if is_cut_everywhere else {"gpt"}
    options: dict[str, Any] = {
        "model_list": model_list,
        "content_policy_fallbacks": [{"strict": ["lenient"]}],
        "transport": CutShort(emulator, cut),
    }
    message = {"role": "user", "content": "Reply with exactly: pong"}
    body = {"model": "strict", "stream": True}
    body |= {"messages": [message]} if path == CHAT else {"input": [message]}
    with open_asker(kind, emulator, **options) as ask:
        found = ask("POST", path, body)
    assert found.headers["x-litellm-attempted-fallbacks"] == "1"
    assert found.headers["x-litellm-model-id"] == "west"
    assert (b"pong" in found.content) is not is_cut_everywhere
    assert (b'"content_filter"' in found.content) is is_cut_everywhere


def test_what_only_the_origin_has_is_waited_for(kind: str, emulator: Emulator) -> None:
    with open_asker(kind, emulator, "east", "west", on_origin_down="replay") as ask:
        first = ask("POST", CREATE, HELLO)
        home = first.headers["x-litellm-model-id"]
        emulator.faults.add(Fault("http-429", operation="create", resource=home, retry_after=500))
        raw = "file-0123456789abcdef"
        file_id = ask.router.import_id(raw, deployment=home, owner="alice")
        content = [{"type": "input_file", "file_id": file_id}]
        body = {
            "model": "chat",
            "previous_response_id": first.json["id"],
            "input": [{"role": "user", "content": content}],
        }
        found = ask("POST", CREATE, body)
    # Not the caller's fault, and it passes: as a router's own call, a 503 that says when.
    assert found.status == 503
    error = found.json["error"]
    assert (error["code"], error["type"]) == ("origin_unavailable", "server_error")
    assert "file_id" in error["message"]
    assert 495 <= int(found.headers["retry-after"]) <= 500
    assert {request.resource for request in emulator.requests} == {home}


def test_reading_a_stored_response_is_no_latency_of_its_deployment(
    kind: str, emulator: Emulator
) -> None:
    with open_asker(kind, emulator, "east", "west") as ask:
        made = ask("POST", CREATE, BACKGROUND)
        home = made.headers["x-litellm-model-id"]
        assert _latency(ask, home, is_stream=True) is not None
    # Another process knows only what it sees itself.
    with open_asker(kind, emulator, "east", "west") as ask:
        path = f"{CREATE}/{made.events[0]['response']['id']}"
        for query in ("", "stream=true"):
            assert ask("GET", path, query=query).status == 200
        assert ask("GET", f"{path}/input_items").status == 200
        assert ask("DELETE", path).status == 200
        assert _latency(ask, home, is_stream=False) is None
        assert _latency(ask, home, is_stream=True) is None


@pytest.mark.parametrize("operation", ["compact", "input_tokens"])
def test_an_operation_that_a_resource_does_not_offer_is_the_requests_fault(
    kind: str, operation: str
) -> None:
    emulator = make_emulator(assumptions=Assumptions(offers_compaction=False))
    with open_asker(kind, emulator, "east", "west") as ask:
        found = ask("POST", f"{CREATE}/{operation}", HELLO)
        assert found.status == 404
        error = found.json["error"]
        assert error["code"] == "unsupported_operation"
        assert error["type"] == "invalid_request_error"
        assert error["message"] == f"The deployment does not offer {operation}."
        assert "not offer it yet" in error["hint"] or "another one" in error["hint"]
        # It is asked once, and no deployment is left alone for it.
        assert len(emulator.requests) == 1
        assert ask.router._routing.health.troubled == frozenset()


def _latency(ask: Asker, deployment: str, *, is_stream: bool) -> float | None:
    health = ask.router._routing.health
    return health.statuses[deployment].latency(time.monotonic(), is_stream=is_stream)


def _served_as(row: dict[str, Any], group: str, deployment: str) -> dict[str, Any]:
    """The row in a group of its own."""
    params = {**row["litellm_params"], "model": f"azure/{deployment}"}
    return {**row, "model_name": group, "litellm_params": params}
