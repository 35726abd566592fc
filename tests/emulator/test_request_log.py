"""The log of what was received."""

import httpx

from azure_responses.emulator import Emulator, Fault
from azure_responses.emulator.exchange import Received
from azure_responses.emulator.request_log import RequestLog
from tests.emulator.callers import V1, create, open_client


def test_the_log_shows_what_was_sent_and_answered(emulator: Emulator, client: httpx.Client) -> None:
    create(client, input="Ada")
    client.get("/nowhere")
    first, second = emulator.requests
    assert (first.method, first.path, first.status) == ("POST", V1, 200)
    assert (first.operation, first.deployment, first.resource) == ("create", "gpt-4.1", "emulator")
    assert first.json()["input"] == "Ada"
    assert (second.operation, second.status) == (None, 404)
    assert emulator.requests[-1] is second
    assert len(emulator.requests) == 2


def test_secrets_are_not_kept(emulator: Emulator) -> None:
    secrets = {"api-key": "emulator-key", "authorization": "Bearer s3cret", "cookie": "s3cret"}
    with open_client(emulator) as client:
        client.post(f"{V1}?api-version=v1&api-key=s3cret", json={}, headers=secrets)
    (entry,) = emulator.requests
    shown = str(entry.as_dict())
    assert "s3cret" not in shown
    assert "emulator-key" not in shown
    assert entry.headers["authorization"] == "Bearer REDACTED"
    assert entry.query == "api-version=v1&api-key=REDACTED"


def test_a_broken_connection_has_no_status(emulator: Emulator, client: httpx.Client) -> None:
    emulator.faults.add(Fault("html-502", nth=2))
    emulator.faults.add(Fault("html-502"))
    create(client)
    assert emulator.requests[0].status == 502
    assert emulator.requests[0].faults == ["html-502"]


def test_the_log_has_an_end() -> None:
    emulator = Emulator(log_size=2)
    with open_client(emulator) as client:
        for number in range(3):
            client.get(f"/{number}")
    assert [entry.path for entry in emulator.requests] == ["/1", "/2"]
    emulator.requests.clear()
    assert len(emulator.requests) == 0


def test_large_bodies_push_out_the_oldest_requests() -> None:
    log = RequestLog(size=3, most_bytes=100)
    for size in (40, 40, 30, 1, 500):
        log.add(Received("POST", "host", "/", "", {}, b"x" * size))
    assert [len(entry.body) for entry in log] == [500]
    log.add(Received("POST", "host", "/", "", {}, b"x"))
    assert [len(entry.body) for entry in log] == [1]
