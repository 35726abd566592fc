"""Windows of a minute, and 429 in every shape it was seen in."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator import Clock, EmulatedDeployment, Emulator, Resource
from azure_responses.emulator.limits import Shortage, UsageWindow, retry_headers
from tests.emulator.callers import BEGIN, create, event_types, events_of, open_client

CHAT = {"messages": [{"role": "user", "content": "Say hello"}]}


def limited(**fields: object) -> tuple[Emulator, httpx.Client]:
    deployment = EmulatedDeployment("gpt-4.1", **fields)  # type: ignore[arg-type]
    emulator = Emulator([Resource("r", deployments=[deployment])], clock=Clock(BEGIN))
    return emulator, open_client(emulator)


def test_requests_beyond_the_minutes_allowance_wait_until_the_oldest_is_over() -> None:
    emulator, client = limited(requests_per_minute=2)
    with client:
        assert [create(client).status_code for _ in range(3)] == [200, 200, 429]
        emulator.clock.advance(45.5)
        refused = create(client)
        assert refused.headers["retry-after"] == "15"
        assert refused.headers["retry-after-ms"] == "15000"
        emulator.clock.advance(15)
        assert create(client).status_code == 200


def test_the_newer_429_names_deployment_model_and_region() -> None:
    _, client = limited(tokens_per_minute=1, model="gpt-4.1-nano")
    with client:
        refused = create(client)
    assert refused.status_code == 429
    assert refused.json() == {
        "error": {
            "code": "429",
            "message": (
                "Your requests to gpt-4.1 for gpt-4.1-nano in East US 2 have exceeded the token "
                "rate limit for your current AIServices S0 pricing tier. Please retry after 60 "
                "seconds."
            ),
        }
    }
    assert refused.headers["x-ratelimit-limit-tokens"] == "1"


@pytest.mark.parametrize(
    ("path", "body", "operation"),
    [
        (
            "/openai/responses?api-version=2025-04-01-preview",
            {"model": "gpt-4.1", "input": "x"},
            "Responses_Create",
        ),
        (
            "/openai/deployments/gpt-4.1/chat/completions?api-version=2025-04-01-preview",
            CHAT,
            "ChatCompletions_Create",
        ),
    ],
)
def test_the_dated_429_names_operation_and_version(
    path: str, body: dict[str, object], operation: str
) -> None:
    _, client = limited(requests_per_minute=0)
    with client:
        refused = client.post(path, json=body)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "429"
    assert refused.json()["error"]["message"] == (
        f"Requests to the {operation} Operation under Azure OpenAI API version 2025-04-01-preview "
        "have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after "
        "60 seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to "
        "further increase the default rate limit."
    )


def test_a_429_can_leave_out_when_to_retry() -> None:
    _, client = limited(requests_per_minute=0, sends_retry_after=False)
    with client:
        refused = create(client)
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
    assert "retry-after-ms" not in refused.headers


ORDERS = {
    "stream-A": ["response.created", "error", "response.failed"],
    "stream-B": ["response.created", "response.failed", "error"],
    "stream-C": ["response.failed"],
}


@pytest.mark.parametrize(("limit_reply", "types"), ORDERS.items())
@pytest.mark.parametrize("sends_retry_after", [True, False])
def test_a_streamed_429_is_a_200_in_one_of_three_orders(
    limit_reply: str, types: list[str], sends_retry_after: bool
) -> None:
    _, client = limited(
        requests_per_minute=0, limit_reply=limit_reply, sends_retry_after=sends_retry_after
    )
    with client:
        reply = create(client, stream=True)
        unstreamed = create(client)
    assert reply.status_code == 200
    assert event_types(reply) == types
    assert ("retry-after" in reply.headers) is sends_retry_after
    assert unstreamed.status_code == 429


def test_order_a_carries_the_error_twice_and_nested() -> None:
    _, client = limited(tokens_per_minute=0, limit_reply="stream-A", rate_limit_headers="negative")
    with client:
        reply = create(client, stream=True)
    assert int(reply.headers["x-ratelimit-remaining-tokens"]) < 0
    created, error, failed = events_of(reply)
    message = "Your requests to gpt-4.1 for gpt-4.1 in East US 2 have exceeded token rate limit."
    assert created["response"]["status"] == "in_progress"
    assert error == {
        "type": "error",
        "error": {
            "type": "too_many_requests",
            "code": "rate_limit_exceeded",
            "headers": {"x-ms-fe-error": "true"},
            "message": message,
            "param": None,
        },
        "sequence_number": 1,
    }
    assert failed["sequence_number"] == 2
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"] == {"code": "rate_limit_exceeded", "message": message}


def test_order_b_fails_without_a_reason_first() -> None:
    _, client = limited(tokens_per_minute=0, limit_reply="stream-B")
    with client:
        _, failed, error = events_of(create(client, stream=True))
    response = failed["response"]
    assert (response["error"], response["incomplete_details"]) == (None, None)
    assert (response["output"], response["usage"]) == ([], None)
    assert error["error"]["code"] == "rate_limit_exceeded"


def test_order_c_is_a_failed_event_alone() -> None:
    _, client = limited(tokens_per_minute=0, limit_reply="stream-C")
    with client:
        (failed,) = events_of(create(client, stream=True))
    assert failed["response"]["error"]["code"] == "rate_limit_exceeded"


def test_max_output_tokens_count_against_the_tokens_of_the_minute() -> None:
    _, client = limited(tokens_per_minute=1000)
    with client:
        assert create(client, max_output_tokens=5000).status_code == 429
        assert create(client, max_output_tokens=50).status_code == 200


def test_an_unlimited_deployment_streams_whatever_its_limit_reply() -> None:
    _, client = limited(requests_per_minute=1, limit_reply="stream-A")
    with client:
        assert event_types(create(client, stream=True))[-1] == "response.completed"


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 500)), max_size=30))
def test_a_window_has_room_again_when_it_says_so(calls: list[tuple[float, int]]) -> None:
    deployment = EmulatedDeployment("d", tokens_per_minute=1000)
    window, now = UsageWindow(), 0.0
    for gap, tokens in calls:
        now += gap
        shortage = window.shortage(deployment, now, tokens)
        if shortage is None:
            window.spend(now, tokens)
            assert window.tokens(now) <= 1000
        else:
            assert 1 <= shortage.retry_after <= 60
            assert window.shortage(deployment, now + shortage.retry_after, tokens) is None


def test_more_tokens_than_the_limit_never_fit() -> None:
    window = UsageWindow()
    window.spend(0.0, 10)
    deployment = EmulatedDeployment("d", tokens_per_minute=100)
    assert window.shortage(deployment, 1.0, 101) == Shortage("token", 60)


def test_an_idle_window_resets_in_no_time() -> None:
    assert UsageWindow().reset_seconds(0.0) == 0


def test_retry_headers_round_seconds_up_and_keep_milliseconds() -> None:
    assert retry_headers(None) == {}
    assert retry_headers(1.25) == {"retry-after": "2", "retry-after-ms": "1250"}
