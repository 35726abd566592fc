"""A sum over calls counts each response once, also those whose cost is known later."""

import asyncio

import pytest

from azure_responses import AsyncAzureResponses, AzureResponses, Router
from azure_responses.emulator import EmulatedDeployment, Emulator, Latency, Resource
from azure_responses.pricing import Ledger
from azure_responses.telemetry.charges import ChargedResponses
from azure_responses.telemetry.record import CallRecord
from azure_responses.types import Response


def response(status: str, background: bool | None = None, name: str = "resp_1") -> Response:
    return Response.model_validate({"id": name, "status": status, "background": background})


def test_what_made_a_response_is_charged_at_once() -> None:
    charged = ChargedResponses()
    assert charged.charges("create", response("completed"))
    assert charged.charges("create", response("completed"))
    assert not charged.charges("retrieve", response("completed"))


def test_the_first_call_that_shows_the_end_of_a_background_response_is_charged() -> None:
    charged = ChargedResponses()
    assert not charged.charges("create", response("queued", background=True))
    assert not charged.charges("retrieve", response("in_progress", background=True))
    assert charged.charges("retrieve", response("completed", background=True))
    assert not charged.charges("retrieve", response("completed", background=True))
    assert not charged.charges("cancel", response("completed", background=True))
    assert charged.charges("cancel", response("cancelled", True, "resp_2"))


def test_a_background_stream_that_ended_is_charged_and_not_again() -> None:
    charged = ChargedResponses()
    assert charged.charges("create", response("completed", background=True))
    assert not charged.charges("retrieve", response("completed", background=True))


@pytest.mark.parametrize("operation", ["delete", "input_items", "unknown"])
def test_other_calls_are_not_charged(operation: str) -> None:
    assert not ChargedResponses().charges(operation, response("completed", background=True))
    assert not ChargedResponses().charges("create", None)


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_responses.telemetry.charges._MOST_KNOWN", 1)
    charged = ChargedResponses()
    for name in ("resp_1", "resp_2", "resp_1"):
        assert charged.charges("retrieve", response("completed", True, name))


@pytest.fixture(autouse=True)
def nothing_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    # Emulators of one seed give the same ids.
    fresh = ChargedResponses()
    monkeypatch.setattr("azure_responses.telemetry.observer.charged_responses", fresh)


@pytest.fixture
def emulator() -> Emulator:
    latency = Latency(first_token=0.05)
    rows = [EmulatedDeployment("gpt-5-mini", model="gpt-5-mini", latency=latency)]
    return Emulator([Resource("east", keys=["key"], deployments=rows)])


def test_a_client_that_waits_charges_a_background_response_once(emulator: Emulator) -> None:
    records: list[CallRecord] = []
    ledger = Ledger()
    with (
        emulator.serve() as server,
        AzureResponses(
            endpoint=f"{server.url}/resources/east", api_key="key", on_response=records.append
        ) as client,
    ):
        made = client.responses.create(model="gpt-5-mini", input="hi", background=True)
        ledger.record(made)
        done = client.responses.wait(made.id)
        for _ in range(2):
            again = client.responses.retrieve(made.id)
            ledger.record(again)
    charged = [record for record in records if record.is_charged]
    assert [record.operation for record in charged] == ["retrieve"]
    assert charged[0].cost == done.cost == ledger.total
    assert charged[0].cost
    assert [row.calls for row in ledger.rows()] == [1]


def test_an_async_client_charges_it_once_too(emulator: Emulator) -> None:
    records: list[CallRecord] = []

    async def call(url: str) -> None:
        async with AsyncAzureResponses(
            endpoint=f"{url}/resources/east", api_key="key", on_response=records.append
        ) as client:
            made = await client.responses.create(model="gpt-5-mini", input="hi", background=True)
            await client.responses.wait(made.id)
            await client.responses.retrieve(made.id)

    with emulator.serve() as server:
        asyncio.run(call(server.url))
    assert sum(record.is_charged for record in records) == 1


def test_a_router_charges_it_once_too(emulator: Emulator) -> None:
    records: list[CallRecord] = []
    with emulator.serve() as server:
        params = {
            "model": "azure/gpt-5-mini",
            "api_base": f"{server.url}/resources/east",
            "api_key": "key",
        }
        entry = {"model_name": "gpt", "litellm_params": params}
        with Router([entry], on_response=records.append) as router:
            made = router.responses(model="gpt", input="hi", background=True)
            done = router.wait(made.id)
            router.retrieve(made.id)
    charged = [record for record in records if record.is_charged]
    assert [record.cost for record in charged] == [done.cost]
