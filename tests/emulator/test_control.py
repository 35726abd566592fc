"""The control API."""

from typing import Any

import httpx
import pytest

from azure_responses.emulator import Emulator, Fault
from azure_responses.emulator.control import RequestLog
from azure_responses.emulator.http_messages import ReceivedRequest
from tests.emulator.callers import BEGIN, V1, create, open_client


def post(client: httpx.Client, path: str, **body: Any) -> httpx.Response:
    return client.post(f"/_emulator/{path}", json=body)


def test_faults_can_be_added_listed_and_taken_back(client: httpx.Client) -> None:
    added = post(client, "faults", kind="http-500", nth=1).json()
    assert [fault["kind"] for fault in added["faults"]] == ["http-500"]
    assert create(client).status_code == 500
    post(client, "faults", faults=[{"kind": "html-502"}, {"kind": "http-429"}])
    listed = client.get("/_emulator/faults").json()["faults"]
    assert [fault["kind"] for fault in listed] == ["http-500", "html-502", "http-429"]
    assert client.delete("/_emulator/faults").json() == {"faults": []}
    assert create(client).status_code == 200


def test_requests_can_be_read_and_forgotten_and_controls_are_not_among_them(
    client: httpx.Client,
) -> None:
    create(client, input="Ada")
    (entry,) = client.get("/_emulator/requests").json()["requests"]
    assert (entry["operation"], entry["status"]) == ("create", 200)
    assert "Ada" in entry["body"]
    assert entry["headers"]["api-key"] == "REDACTED"
    assert client.delete("/_emulator/requests").json() == {"requests": []}


def test_the_clock_can_be_read_moved_frozen_and_let_go(client: httpx.Client) -> None:
    assert client.get("/_emulator/clock").json() == {"now": BEGIN, "frozen": True}
    assert post(client, "clock", advance=5).json()["now"] == BEGIN + 5
    assert post(client, "clock", run=True).json()["frozen"] is False
    assert post(client, "clock", freeze=BEGIN, advance=1).json()["now"] == BEGIN + 1
    assert post(client, "clock", freeze=True).json() == {"now": BEGIN + 1, "frozen": True}


def test_tokens_can_be_minted(emulator: Emulator, client: httpx.Client) -> None:
    token = post(client, "token", audience="https://ai.azure.com").json()["token"]
    with open_client(emulator, key="") as other:
        other.headers["authorization"] = f"Bearer {token}"
        assert create(other).status_code == 200


def test_a_reset_forgets(client: httpx.Client) -> None:
    response_id = create(client).json()["id"]
    assert client.post("/_emulator/reset").json() == {"reset": True}
    assert client.get(f"/openai/v1/responses/{response_id}").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("faults", b'{"kind": "no"}', "unknown fault 'no'"),
        ("faults", b'{"sort": "no"}', "unexpected keyword argument 'sort'"),
        ("faults", b"[]", "must be a JSON object"),
        ("faults", b"{", "not JSON"),
        ("faults", b'{"faults": 5}', "not a list"),
        ("clock", b'{"advance": 1e308}', "unix seconds"),
        ("clock", b'{"advance": -1}', "only moves forward"),
        ("clock", b'{"advance": "x"}', "could not convert"),
        ("clock", b'{"freeze": "x"}', "could not convert"),
        ("clock", b'{"back": 1}', "unknown ['back']"),
        ("token", b'{"who": 1}', "unexpected keyword argument 'who'"),
    ],
)
def test_nonsense_is_a_400_that_says_what_is_wrong(
    client: httpx.Client, path: str, body: bytes, message: str
) -> None:
    reply = client.post(f"/_emulator/{path}", content=body)
    assert reply.status_code == 400
    assert message in reply.json()["error"]


def test_an_unknown_control_names_those_there_are(client: httpx.Client) -> None:
    reply = client.get("/_emulator/nothing")
    assert reply.status_code == 404
    assert "GET faults" in reply.json()["error"]


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
        log.add(ReceivedRequest("POST", "host", "/", "", {}, b"x" * size))
    assert [len(entry.body) for entry in log] == [500]
    log.add(ReceivedRequest("POST", "host", "/", "", {}, b"x"))
    assert [len(entry.body) for entry in log] == [1]
