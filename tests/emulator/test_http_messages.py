"""Headers as recorded: few on Responses, many on chat completions, hardly any on a 404."""

import re
from email.utils import formatdate

import httpx
import pytest

from azure_responses.emulator import Clock, EmulatedDeployment, Emulator, Resource
from tests.emulator.callers import BEGIN, create, open_client

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
STANDARD = {
    "date",
    "strict-transport-security",
    "apim-request-id",
    "x-content-type-options",
    "x-ms-region",
    "x-request-id",
}
CHAT = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Say hello"}]}


def test_a_stream_carries_exactly_the_recorded_headers(client: httpx.Client) -> None:
    reply = create(client, stream=True)
    assert set(reply.headers) == STANDARD | {"content-type", "transfer-encoding"}
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["transfer-encoding"] == "chunked"
    assert reply.headers["x-ms-region"] == "East US 2"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["date"] == formatdate(BEGIN, usegmt=True)
    assert (
        reply.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains; preload"
    )


def test_a_json_reply_has_its_length_and_no_rate_limits(client: httpx.Client) -> None:
    reply = create(client)
    assert set(reply.headers) == STANDARD | {"content-type", "content-length"}
    assert reply.headers["content-type"] == "application/json"
    assert int(reply.headers["content-length"]) == len(reply.content)


def test_every_reply_has_request_ids_of_its_own(client: httpx.Client) -> None:
    replies = [create(client), create(client), client.get("/openai/v1/responses/resp_0")]
    ids = [reply.headers["apim-request-id"] for reply in replies]
    assert len(set(ids)) == 3
    assert all(UUID.fullmatch(request_id) for request_id in ids)


@pytest.mark.parametrize("path", ["/openai/nowhere", "/openai/v1/responses/resp_0"])
def test_a_404_carries_only_the_gateways_headers(client: httpx.Client, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 404
    assert set(reply.headers) == {
        "date",
        "apim-request-id",
        "x-content-type-options",
        "x-ms-region",
        "content-type",
        "content-length",
    }


def test_a_deployments_region_is_the_one_named() -> None:
    resource = Resource("r", region="Sweden Central", deployments=[EmulatedDeployment("gpt-4.1"),
                        EmulatedDeployment("far", "gpt-4.1", region="West US 3")])  # fmt: skip
    with open_client(Emulator([resource])) as client:
        assert create(client).headers["x-ms-region"] == "Sweden Central"
        assert create(client, model="far").headers["x-ms-region"] == "West US 3"


def test_chat_carries_what_was_recorded_on_chat(client: httpx.Client) -> None:
    headers = client.post("/openai/v1/chat/completions", json=CHAT).headers
    fixed = {
        "skip-error-remapping": "true",
        "x-accel-buffering": "no",
        "x-ms-deployment-name": "gpt-4.1",
        "x-ms-is-spilled-over": "false",
        "x-ms-rai-invoked": "true",
        "x-ratelimit-abusepenalty-active": "False",
        "x-ratelimit-renewalperiod-requests": "60",
        "x-ratelimit-renewalperiod-tokens": "60",
    }
    assert {name: headers[name] for name in fixed} == fixed
    assert re.fullmatch(r"d\d{14}-[0-9a-f]{12}", headers["azureml-model-session"])
    for name in ("limit", "remaining", "reset"):
        assert headers[f"x-ratelimit-{name}-requests"].isdecimal()
        assert headers[f"x-ratelimit-{name}-tokens"].isdecimal()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("absent", {}),
        (
            "minus-one",
            {
                "x-ratelimit-limit-tokens": "-1",
                "x-ratelimit-remaining-tokens": "-1",
                "x-ratelimit-reset-tokens": "0",
            },
        ),
        ("negative", {"x-ratelimit-remaining-tokens": "-1"}),
        (
            "present",
            {
                "x-ratelimit-limit-requests": "10",
                "x-ratelimit-remaining-requests": "9",
                "x-ratelimit-limit-tokens": "1000",
                "x-ratelimit-reset-requests": "60",
            },
        ),
    ],
)
def test_rate_limit_headers_on_responses_follow_the_deployment(
    mode: str, expected: dict[str, str]
) -> None:
    deployment = EmulatedDeployment(
        "gpt-4.1",
        tokens_per_minute=1000,
        requests_per_minute=10,
        rate_limit_headers=mode,  # type: ignore[arg-type]
    )
    emulator = Emulator([Resource("r", deployments=[deployment])], clock=Clock(BEGIN))
    with open_client(emulator) as client:
        headers = create(client).headers
    shown = {name: value for name, value in headers.items() if name.startswith("x-ratelimit")}
    assert expected.items() <= shown.items()
    assert bool(shown) == bool(expected)
