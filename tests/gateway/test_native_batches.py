"""Batches on batch deployments: lines, ids and models are rewritten on both ways."""

import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from azure_responses.emulator.server import RunningServer
from azure_responses.gateway.spend import to_pico
from azure_responses.pricing import default_book
from azure_responses.pricing.use import read_use
from tests.gateway.gateways import KEY, Running, serve

OTHER = "sk-other-0123456789-abcdef"
POOR = "sk-poor-0123456789-abcdef"
NARROW = "sk-narrow-0123456789-abcdef"


@pytest.fixture
def azure() -> Iterator[RunningServer]:
    resources = [
        Resource(
            name,
            keys=[f"key-of-{name}"],
            deployments=[
                EmulatedDeployment("gpt"),
                EmulatedDeployment("gpt-batch", model="gpt-5-mini", sku="GlobalBatch"),
            ],
        )
        for name in ("a", "b", "c")
    ]
    with Emulator(resources).serve() as running:
        yield running


def _entry(azure: RunningServer, name: str, deployment: str, **info: Any) -> dict[str, Any]:
    return {
        "model_name": "chat",
        "litellm_params": {
            "model": f"azure/{deployment}",
            "api_base": f"{azure.url}/resources/{name}",
            "api_key": f"key-of-{name}",
        },
        "model_info": {"id": f"{name}-{deployment}", "base_model": "gpt-5-mini", **info},
    }


@pytest.fixture
def gateway(azure: RunningServer) -> Iterator[Running]:
    entries = [_entry(azure, name, "gpt") for name in ("a", "b", "c")]
    entries += [_entry(azure, name, "gpt-batch", mode="batch") for name in ("a", "b", "c")]
    config = {
        "model_list": entries,
        "general_settings": {"master_key": KEY, "affinity_secret": "s" * 32},
        "virtual_keys": [
            {"name": "other", "key": OTHER, "owner": "other"},
            {"name": "poor", "key": POOR, "owner": "poor", "budget": "0.0000001"},
            {"name": "narrow", "key": NARROW, "owner": "other", "models": ["mini"]},
        ],
    }
    with serve(config) as running:
        yield running


@pytest.fixture
def client(gateway: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as opened:
        yield opened


def _lines(*bodies: dict[str, Any]) -> bytes:
    lines = [
        {"custom_id": f"r{n}", "method": "POST", "url": "/v1/responses", "body": body}
        for n, body in enumerate(bodies)
    ]
    return "\n".join(json.dumps(line) for line in lines).encode()


def _say(word: str, **more: Any) -> dict[str, Any]:
    return {"model": "chat", "input": f"Reply with exactly: {word}", **more}


def _run(azure: RunningServer, client: openai.OpenAI, content: bytes) -> Any:
    file = client.files.create(file=("q.jsonl", content), purpose="batch")
    assert "azr" in file.id
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/responses", completion_window="24h"
    )
    deadline = time.monotonic() + 30
    while batch.status not in ("completed", "failed", "expired", "cancelled"):
        assert time.monotonic() < deadline, batch
        azure.emulator.clock.advance(600)
        time.sleep(0.05)
        batch = client.batches.retrieve(batch.id)
    return batch


def _answers(client: openai.OpenAI, file_id: str) -> dict[str, Any]:
    lines = [json.loads(line) for line in client.files.content(file_id).text.splitlines()]
    return {line["custom_id"]: line["response"] for line in lines}


def test_a_batch_runs_on_a_batch_deployment_and_a_conversation_goes_on(
    azure: RunningServer, client: openai.OpenAI
) -> None:
    batch = _run(azure, client, _lines(*(_say(str(n)) for n in range(10))))
    assert batch.status == "completed", batch
    assert "azr" in batch.id
    answers = _answers(client, batch.output_file_id)
    assert len(answers) == 10
    body = answers["r3"]["body"]
    assert body["model"] == "chat"
    assert body["output"][-1]["content"][0]["text"] == "3"
    going_on = client.responses.create(
        model="chat", previous_response_id=body["id"], input="Reply with exactly: on"
    )
    assert going_on.output_text == "on"
    assert client.responses.retrieve(body["id"]).id == body["id"]


def test_a_batch_is_charged_once_at_half_the_price(
    azure: RunningServer, gateway: Running, client: openai.OpenAI
) -> None:
    batch = _run(azure, client, _lines(*(_say(str(n)) for n in range(10))))
    for _ in range(3):
        client.batches.retrieve(batch.id)
    spent = _spent(gateway, 0)
    client.batches.retrieve(batch.id)
    time.sleep(0.2)
    assert _spent(gateway, 0) == spent
    usages = [each["body"]["usage"] for each in _answers(client, batch.output_file_id).values()]
    given = sum(usage["input_tokens"] for usage in usages)
    made = sum(usage["output_tokens"] for usage in usages)
    usage = {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}
    single = default_book.total(read_use({"model": "gpt-5-mini", "usage": usage}), None, None)
    assert single is not None
    assert spent == to_pico(single) // 2


def _spent(gateway: Running, before: int) -> int:
    """What the master key has spent, once it is more than before."""
    deadline = time.monotonic() + 10
    while (spent := gateway.app.gateway._totals.spent("master", 0)) <= before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return spent


def test_lines_that_continue_responses_go_to_their_resource(
    azure: RunningServer, client: openai.OpenAI
) -> None:
    for _ in range(6):
        first = client.responses.create(**_say("first"))
        batch = _run(azure, client, _lines(_say("second", previous_response_id=first.id)))
        assert batch.status == "completed"
        answer = _answers(client, batch.output_file_id)["r0"]
        assert answer["status_code"] == 200
        # Repeated as its caller wrote it.
        assert answer["body"]["previous_response_id"] == first.id


def test_lines_about_objects_of_different_resources_are_refused(client: openai.OpenAI) -> None:
    firsts = [client.responses.create(**_say("first")).id for _ in range(12)]
    content = _lines(*(_say("second", previous_response_id=each) for each in firsts))
    with pytest.raises(openai.BadRequestError, match="another resource"):
        client.files.create(file=("q.jsonl", content), purpose="batch")


def test_another_owner_s_ids_files_and_batches_are_unknown(
    azure: RunningServer, gateway: Running, client: openai.OpenAI
) -> None:
    first = client.responses.create(**_say("first"))
    batch = _run(azure, client, _lines(_say("1")))
    url = f"{gateway.url}/v1"
    with openai.OpenAI(base_url=url, api_key=OTHER, max_retries=0) as other:
        content = _lines(_say("second", previous_response_id=first.id))
        with pytest.raises(openai.NotFoundError):
            other.files.create(file=("q.jsonl", content), purpose="batch")
        with pytest.raises(openai.NotFoundError):
            other.batches.retrieve(batch.id)
        with pytest.raises(openai.NotFoundError):
            other.files.content(batch.output_file_id)
        with pytest.raises(openai.NotFoundError):
            other.batches.create(
                input_file_id=batch.input_file_id,
                endpoint="/v1/responses",
                completion_window="24h",
            )


def test_single_calls_never_go_to_a_batch_deployment(
    azure: RunningServer, client: openai.OpenAI
) -> None:
    for number in range(30):
        assert client.responses.create(**_say(str(number))).output_text == str(number)
    made = [one for one in azure.emulator.requests if one.operation == "create"]
    assert {one.deployment for one in made} == {"gpt"}


def test_a_key_without_money_begins_no_batch(gateway: Running) -> None:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=POOR, max_retries=0) as client:
        file = client.files.create(file=("q.jsonl", _lines(_say("1"))), purpose="batch")
        client.responses.create(**_say("spent"))
        time.sleep(0.2)
        with pytest.raises(openai.RateLimitError, match="budget"):
            client.batches.create(
                input_file_id=file.id, endpoint="/v1/responses", completion_window="24h"
            )
        assert list(client.batches.list()) == []


def test_an_input_file_is_for_the_end_user_that_the_header_names(
    gateway: Running, client: openai.OpenAI
) -> None:
    headers = {"x-azr-end-user": "eve"}
    content = _lines(_say("hi"))
    file = client.files.create(file=("q.jsonl", content), purpose="batch", extra_headers=headers)
    with gateway.client() as raw:
        receipt = raw.post("/admin/purge", json={"end_user": "eve"}).json()
    assert list(receipt["kinds"].values()) == ["files"], receipt
    assert len(receipt["deleted"]) == 1
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_a_key_without_the_model_begins_no_batch_of_a_file_of_its_owner(
    azure: RunningServer, gateway: Running
) -> None:
    url = f"{gateway.url}/v1"
    with (
        openai.OpenAI(base_url=url, api_key=OTHER, max_retries=0) as other,
        openai.OpenAI(base_url=url, api_key=NARROW, max_retries=0) as narrow,
    ):
        file = other.files.create(file=("q.jsonl", _lines(_say("1"))), purpose="batch")
        with pytest.raises(openai.PermissionDeniedError):
            narrow.files.create(file=("q.jsonl", _lines(_say("1"))), purpose="batch")
        asked: Any = {"endpoint": "/v1/responses", "completion_window": "24h"}
        with pytest.raises(openai.APIStatusError) as caught:
            narrow.batches.create(input_file_id=file.id, **asked)
        assert caught.value.status_code in (403, 404)
        assert other.batches.create(input_file_id=file.id, **asked).status == "validating"
    made = [one for one in azure.emulator.requests if one.operation == "batches.create"]
    assert len(made) == 1
