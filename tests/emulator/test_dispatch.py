"""Spillover from a provisioned deployment to a standard one."""

import httpx
import pytest

from azure_responses.emulator import Clock, EmulatedDeployment, Emulator, Fault, Resource
from tests.emulator.callers import BEGIN, create, open_client

STANDARD = EmulatedDeployment("spare", "gpt-4.1")


def spilling(**fields: object) -> tuple[Emulator, httpx.Client]:
    options = {"model": "gpt-4.1", "kind": "provisioned", "spillover_to": "spare", **fields}
    first = EmulatedDeployment("ptu", **options)  # type: ignore[arg-type]
    emulator = Emulator([Resource("r", deployments=[first, STANDARD])], clock=Clock(BEGIN))
    return emulator, open_client(emulator)


def test_a_full_provisioned_deployment_spills_over_and_says_so() -> None:
    _, client = spilling(requests_per_minute=0)
    with client:
        reply = create(client, model="ptu")
    assert reply.status_code == 200
    assert reply.json()["model"] == "spare"
    assert reply.headers["x-ms-spillover-from-deployment"] == "ptu"
    assert reply.headers["x-ms-deployment-name"] == "spare"
    assert reply.headers["x-ms-spillover-error"] == "429"


@pytest.mark.parametrize(
    ("kind", "code"), [("http-500", "InternalServerError"), ("http-503", "ServiceUnavailable")]
)
def test_server_errors_spill_over_too(kind: str, code: str) -> None:
    emulator, client = spilling()
    emulator.faults.add(Fault(kind, deployment="ptu"))
    with client:
        reply = create(client, model="ptu")
    assert reply.status_code == 200
    assert reply.headers["x-ms-spillover-error"] == code


def test_a_408_does_not_spill_over() -> None:
    emulator, client = spilling()
    emulator.faults.add(Fault("http-408", deployment="ptu"))
    with client:
        assert create(client, model="ptu").status_code == 408


def test_where_the_second_fails_too_its_answer_is_returned() -> None:
    emulator, client = spilling(requests_per_minute=0)
    emulator.faults.add(Fault("http-408", deployment="spare"))
    with client:
        reply = create(client, model="ptu")
    assert reply.status_code == 408
    assert reply.headers["x-ms-spillover-from-deployment"] == "ptu"
    assert reply.headers["x-ms-spillover-error"] == "429"


def test_a_header_names_the_target_where_the_deployment_does_not() -> None:
    _, client = spilling(requests_per_minute=0, spillover_to=None)
    with client:
        assert create(client, model="ptu").status_code == 429
        client.headers["x-ms-spillover-deployment"] = "spare"
        assert create(client, model="ptu").headers["x-ms-deployment-name"] == "spare"


def test_the_deployments_own_target_beats_the_header() -> None:
    _, client = spilling(requests_per_minute=0)
    with client:
        client.headers["x-ms-spillover-deployment"] = "absent"
        assert create(client, model="ptu").headers["x-ms-deployment-name"] == "spare"


def test_a_target_that_does_not_exist_changes_nothing() -> None:
    _, client = spilling(requests_per_minute=0, spillover_to="absent")
    with client:
        assert create(client, model="ptu").status_code == 429


def test_a_standard_deployment_never_spills() -> None:
    _, client = spilling(requests_per_minute=0, kind="standard")
    with client:
        assert create(client, model="ptu").status_code == 429


def test_an_unspilled_reply_carries_no_spillover_headers() -> None:
    _, client = spilling()
    with client:
        reply = create(client, model="ptu")
    assert not [name for name in reply.headers if "spill" in name]


def test_a_streamed_limit_spills_over_before_it_is_streamed() -> None:
    _, client = spilling(requests_per_minute=0, limit_reply="stream-A")
    with client:
        reply = create(client, model="ptu", stream=True)
    assert reply.headers["x-ms-deployment-name"] == "spare"
    assert "response.completed" in reply.text


def test_chat_says_whether_it_spilled() -> None:
    _, client = spilling(requests_per_minute=0)
    body = {"model": "ptu", "messages": [{"role": "user", "content": "Say hello"}]}
    with client:
        reply = client.post("/openai/v1/chat/completions", json=body)
    assert reply.headers["x-ms-is-spilled-over"] == "true"
    assert reply.headers["x-ms-deployment-name"] == "spare"


def test_input_that_is_too_long_spills_to_the_longer_model() -> None:
    deployments = [
        EmulatedDeployment("ptu", "computer-use-preview", kind="provisioned", spillover_to="spare"),
        STANDARD,
    ]
    emulator = Emulator([Resource("r", deployments=deployments)])
    with open_client(emulator) as client:
        reply = create(client, model="ptu", input="word " * 20_000, truncation="disabled")
    assert reply.status_code == 200, reply.text
    assert reply.headers["x-ms-spillover-error"] == "context_length_exceeded"
