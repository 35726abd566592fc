"""Every fault by name, in process, and the script that decides when they strike."""

from typing import Any

import httpx
import pytest

from azure_responses.emulator import FAULT_KINDS, Emulator, Fault
from azure_responses.emulator.faults import WEBSOCKET_FAULTS, FaultScript
from tests.emulator.callers import create, event_types, events_of, open_client


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("connect-refused", httpx.ConnectError),
        ("dns-failure", httpx.ConnectError),
        ("reset-before-headers", httpx.ReadError),
        ("disconnect-before-headers", httpx.RemoteProtocolError),
        ("reset-during-headers", httpx.RemoteProtocolError),
        ("stall-before-headers", httpx.ReadTimeout),
        ("reset-after-headers", httpx.ReadError),
        ("reset-mid-body", httpx.ReadError),
        ("incomplete-body", httpx.RemoteProtocolError),
        ("stall", httpx.ReadTimeout),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_a_broken_connection_raises_what_a_socket_raises(
    emulator: Emulator, client: httpx.Client, kind: str, error: type[Exception], stream: bool
) -> None:
    emulator.faults.add(Fault(kind))
    with pytest.raises(error) as caught:
        create(client, stream=stream)
    assert caught.type is error


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("http-400", 400, None),
        ("http-408", 408, "Timeout"),
        ("http-429", 429, "429"),
        ("http-429-peak", 429, "429"),
        ("http-500", 500, "InternalServerError"),
        ("http-500-overloaded", 500, None),
        ("http-503", 503, "ServiceUnavailable"),
        ("responses-unavailable", 404, None),
    ],
)
def test_a_refusal_has_its_status_and_code(
    emulator: Emulator, client: httpx.Client, kind: str, status: int, code: str | None
) -> None:
    emulator.faults.add(Fault(kind))
    for reply in (create(client), create(client, stream=True)):
        assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
        assert "retry-after" not in reply.headers


def test_the_recorded_bodies_of_408_overload_peak_and_the_old_404(
    emulator: Emulator, client: httpx.Client
) -> None:
    def message(kind: str, **fields: Any) -> str:
        emulator.faults.clear()
        emulator.faults.add(Fault(kind, **fields))
        text: str = create(client).json()["error"]["message"]
        return text

    assert message("http-408") == "The operation was timeout."
    assert message("http-500") == "Unable to get resource information."
    assert "currently overloaded with other requests" in message("http-500-overloaded")
    assert "Please retry after 20 seconds." in message("http-429-peak")
    assert "Please retry after 7 seconds." in message("http-429-peak", retry_after=7)
    assert "Please retry after 2 seconds." in message("http-429", retry_after=2)
    assert message("responses-unavailable") == "Invalid URL (POST /v1/responses)"


def test_a_refusal_can_say_when_to_retry(emulator: Emulator, client: httpx.Client) -> None:
    emulator.faults.add(Fault("http-429", retry_after=1.5))
    headers = create(client).headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1500")


def test_an_expired_token_is_the_flat_401(emulator: Emulator, client: httpx.Client) -> None:
    emulator.faults.add(Fault("token-expired", nth=1))
    refused = create(client)
    assert (refused.status_code, refused.json()["statusCode"]) == (401, 401)
    assert create(client).status_code == 200


def test_a_truncated_stream_ends_cleanly_without_its_end(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.faults.add(Fault("truncate", after_events=3))
    assert len(event_types(create(client, stream=True))) == 3


def test_truncating_later_than_the_end_changes_nothing(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.faults.add(Fault("truncate", after_events=1000))
    assert event_types(create(client, stream=True))[-1] == "response.completed"


def test_a_truncated_body_is_half_its_json(emulator: Emulator, client: httpx.Client) -> None:
    emulator.faults.add(Fault("truncate"))
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        create(client).json()


@pytest.mark.parametrize("stream", [True, False])
def test_a_stall_with_an_end_goes_on_afterwards(
    emulator: Emulator, client: httpx.Client, stream: bool
) -> None:
    before = emulator.clock.now()
    emulator.faults.add(Fault("stall", seconds=3.0))
    assert create(client, stream=stream).status_code == 200
    assert emulator.clock.now() == before + 3.0


def test_silence_is_counted_from_the_last_byte(emulator: Emulator, client: httpx.Client) -> None:
    emulator.faults.add(Fault("slow-body", seconds=3.0))
    assert event_types(create(client, stream=True))[-1] == "response.completed"
    emulator.faults.add(Fault("slow-body", seconds=3.0))
    with pytest.raises(httpx.ReadTimeout):
        create(client, stream=True)


def test_malformed_json_is_not_json(emulator: Emulator, client: httpx.Client) -> None:
    emulator.faults.add(Fault("malformed-json"))
    with pytest.raises(ValueError, match=r"Expecting|Illegal|property"):
        create(client).json()
    assert '{"type":"response.output_\n' in create(client, stream=True).text


def test_a_malformed_event_comes_after_so_many_good_ones(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.faults.add(Fault("malformed-event", after_events=2))
    frames = create(client, stream=True).text.split("\n\n")
    assert frames[2].endswith('data: {"type":"response.output_')
    assert frames[-2].startswith("event: response.completed")


def test_pages_empty_bodies_missing_types_and_redirects(
    emulator: Emulator, client: httpx.Client
) -> None:
    def reply(kind: str) -> httpx.Response:
        emulator.faults.clear()
        emulator.faults.add(Fault(kind))
        return create(client)

    bad = reply("html-502")
    assert (bad.status_code, bad.headers["content-type"]) == (502, "text/html")
    assert "<html>" in bad.text
    assert (reply("html-200").status_code, reply("html-200").text[:9]) == (200, "<!DOCTYPE")
    assert reply("empty-body").content == b""
    untyped = reply("no-content-type")
    assert "content-type" not in untyped.headers
    assert untyped.json()["object"] == "response"
    moved = reply("redirect")
    assert moved.status_code == 307
    assert moved.headers["location"] == "https://elsewhere.example.com/openai/v1/responses"


@pytest.mark.parametrize(
    ("kind", "types"),
    [
        ("stream-429-A", ["response.created", "error", "response.failed"]),
        ("stream-429-B", ["response.created", "response.failed", "error"]),
        ("stream-429-C", ["response.failed"]),
        ("stream-uncoded", ["response.created", "response.failed"]),
        ("stream-500", ["response.created", "error"]),
        ("stream-500-flat", ["response.created", "error"]),
        ("stream-context-length", ["response.created", "error"]),
        ("stream-no-deployment", ["error"]),
        ("stream-too-many-requests", ["response.failed"]),
    ],
)
def test_a_stream_can_be_made_to_fail_in_each_order(
    emulator: Emulator, client: httpx.Client, kind: str, types: list[str]
) -> None:
    emulator.faults.add(Fault(kind, retry_after=1.0))
    reply = create(client, stream=True)
    assert event_types(reply) == types
    assert reply.headers["retry-after"] == "1"
    assert create(client).status_code == 200


def test_in_stream_errors_are_nested_but_for_the_flat_one(
    emulator: Emulator, client: httpx.Client
) -> None:
    def last(kind: str) -> dict[str, Any]:
        emulator.faults.clear()
        emulator.faults.add(Fault(kind, after_events=2))
        return events_of(create(client, stream=True))[-1]

    assert last("stream-500")["error"]["type"] == "server_error"
    flat = last("stream-500-flat")
    assert (flat["code"], flat["param"], flat["sequence_number"]) == ("server_error", None, 2)
    assert last("stream-context-length")["error"]["code"] == "context_length_exceeded"
    assert last("stream-no-deployment")["error"]["type"] == "user_error"
    assert last("stream-too-many-requests")["response"]["error"]["code"] == "too_many_requests"
    assert last("stream-uncoded")["response"]["error"]["code"] is None


@pytest.mark.parametrize(
    ("kind", "error_type"),
    [
        ("stream-500", "server_error"),
        ("stream-429-A", "too_many_requests"),
        ("stream-context-length", "invalid_request_error"),
        ("stream-no-deployment", "user_error"),
    ],
)
def test_a_chat_stream_fails_with_a_bare_error(
    emulator: Emulator, client: httpx.Client, kind: str, error_type: str
) -> None:
    emulator.faults.add(Fault(kind, after_events=2))
    body = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    reply = client.post("/openai/v1/chat/completions", json=body)
    *chunks, last = events_of(reply)
    assert len(chunks) == 2
    assert last["error"]["type"] == error_type
    assert "[DONE]" not in reply.text


def test_faults_compose_in_the_order_they_were_added(
    emulator: Emulator, client: httpx.Client
) -> None:
    before = emulator.clock.now()
    emulator.faults.add(Fault("html-502"))
    emulator.faults.add(Fault("slow-body", seconds=1.0))
    emulator.faults.add(Fault("no-content-type"))
    reply = create(client)
    assert reply.status_code == 502
    assert "content-type" not in reply.headers
    assert emulator.clock.now() == before + 2.0


def test_the_third_create_on_deployment_b(emulator: Emulator, client: httpx.Client) -> None:
    emulator.faults.add(Fault("http-429", operation="create", deployment="b", nth=3, retry_after=2))
    statuses = []
    for model in ("b", "a", "b", "a", "b", "b"):
        statuses.append(create(client, model=model).status_code)
        client.get("/openai/v1/models")
    assert statuses == [200, 200, 200, 200, 429, 200]


def test_faults_can_be_narrowed_to_streams_resources_and_operations(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.faults.add(Fault("http-500", streamed=True, operation="create"))
    emulator.faults.add(Fault("http-503", resource="somewhere-else"))
    emulator.faults.add(Fault("http-408", operation="models"))
    assert create(client).status_code == 200
    assert create(client, stream=True).status_code == 500
    assert client.get("/openai/v1/models").status_code == 408


def strikes(script: FaultScript, count: int) -> list[bool]:
    return [bool(script.match("create", "r", "d", False)) for _ in range(count)]


def test_nth_strikes_once_unless_told_how_often() -> None:
    script = FaultScript()
    script.add(Fault("http-500", nth=2))
    script.add(Fault("http-503", nth=2, times=2))
    hits = [[fault.kind for fault in script.match("create", "r", "d", False)] for _ in range(4)]
    assert hits == [[], ["http-500", "http-503"], ["http-503"], []]


def test_times_without_nth_strikes_the_first_ones() -> None:
    script = FaultScript()
    script.add(Fault("http-500", times=2))
    assert strikes(script, 4) == [True, True, False, False]


def test_probability_is_drawn_with_the_seed() -> None:
    def draw(seed: int) -> list[bool]:
        script = FaultScript(seed)
        script.add(Fault("http-500", probability=0.3))
        return strikes(script, 200)

    assert draw(1) == draw(1) != draw(2)
    assert 30 < sum(draw(1)) < 90


def test_clearing_takes_all_faults_back() -> None:
    script = FaultScript()
    fault = script.add(Fault("http-500"))
    assert list(script) == [fault]
    script.clear()
    assert (len(script), strikes(script, 1)) == (0, [False])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "http-418"}, "unknown fault 'http-418'; known are: connect-refused"),
        ({"kind": "http-500", "nth": 0}, "nth counts requests from 1"),
        ({"kind": "http-500", "probability": 2}, "from 0 to 1"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault(**fields)


@pytest.mark.parametrize("kind", sorted({*FAULT_KINDS} - {*WEBSOCKET_FAULTS}))
def test_every_fault_does_something_to_a_stream(kind: str) -> None:
    with open_client(Emulator()) as client:
        expected = event_types(create(client, stream=True))
    emulator = Emulator()
    emulator.clock.freeze()
    emulator.faults.add(Fault(kind))
    before = emulator.clock.now()
    with open_client(emulator) as client:
        try:
            reply = create(client, stream=True)
        except httpx.TransportError:
            return
    is_changed = (
        reply.status_code != 200
        or "content-type" not in reply.headers
        or "response.output_\n" in reply.text
        or event_types(reply) != expected
        or emulator.clock.now() > before
    )
    assert is_changed
    assert [entry.faults for entry in emulator.requests] == [[kind]]
