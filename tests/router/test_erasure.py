"""What a purge finds, and what it does not take for deleted."""

from typing import Any

import pytest

from azure_responses import StreamInterruptedError
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Latency, ReadLag
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.store.memory import MemoryState
from tests.router.both import emulate, rows_of, run

_SECRET = "one secret for all routers"


async def _make(router: Any) -> str:
    """A response of ann's on each of two resources, on the first of which more."""
    made = [
        await router.responses(model="gpt", input="hi", safety_identifier="ann") for _ in range(12)
    ]
    assert {response.route.deployment for response in made} == {"east", "west"}
    return str(made[0].id)


def test_what_is_stored_where_no_row_leads_is_not_taken_for_gone(
    runner: str, emulator: Emulator
) -> None:
    state = MemoryState()

    async def purge_with_one_row(router: Any) -> None:
        receipt = await router.purge(end_user="ann")
        assert receipt.already_gone == ()
        assert len(receipt.deleted) + len(receipt.failed) == 12
        assert receipt.failed
        assert not receipt.is_complete
        assert all("model_list" in reason for reason in receipt.failed.values())
        # A row of the same id on another resource is no help either.
        assert {each.response_id for each in state.entries_of("ann")} == set(receipt.failed)

    async def purge_with_all_rows(router: Any) -> None:
        receipt = await router.purge(end_user="ann")
        assert receipt.deleted
        assert receipt.is_complete
        assert state.entries_of("ann") == ()

    async def make(router: Any) -> None:
        await _make(router)

    options: dict[str, Any] = {"state": state, "affinity_secret": _SECRET}
    run(runner, emulator, make, **options)
    moved = rows_of(emulator)
    moved[1]["litellm_params"]["api_base"] = moved[0]["litellm_params"]["api_base"]
    run(runner, emulator, purge_with_one_row, moved, **options)
    run(runner, emulator, purge_with_all_rows, **options)


def test_what_is_not_readable_yet_is_not_taken_for_gone(
    runner: str, clock: Any, naps: list[float]
) -> None:
    emulator = emulate(2, clock=clock, read_lag=ReadLag(median=20.0))
    state = MemoryState()

    async def make(router: Any) -> None:
        stream = await router.responses(model="gpt", input="hi", user="ann", stream=True)
        await stream.get_final_response()

    async def purge_at_once(router: Any) -> None:
        receipt = await router.purge(end_user="ann")
        assert (receipt.deleted, receipt.already_gone) == ((), ())
        (reason,) = receipt.failed.values()
        assert "readable" in reason
        assert not receipt.is_complete

    async def purge_later(router: Any) -> None:
        clock.advance(60)
        receipt = await router.purge(end_user="ann")
        assert len(receipt.deleted) == 1
        assert receipt.is_complete

    options: dict[str, Any] = {"state": state, "affinity_secret": _SECRET}
    for scenario in (make, purge_at_once, purge_later):
        run(runner, emulator, scenario, **options)


def test_what_was_deleted_long_ago_is_gone(
    runner: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="hi")
        deployment = router.router._routing.by_id(made.route.deployment)
        entry = LedgerEntry(
            "resp_0123456789", deployment.tag, deployment.resource, "ann", None, 1.0, 9e9
        )
        router.router._state.remember(entry)
        receipt = await router.purge(end_user="ann")
        assert receipt.already_gone == ("resp_0123456789",)
        assert receipt.is_complete

    run(runner, emulator, scenario)


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("ending", ["closed", "forgotten", "broken"])
def test_a_stream_that_is_not_read_to_its_end_is_in_the_ledger(
    runner: str, ending: str, background: bool
) -> None:
    if runner == "trio" and ending == "forgotten":
        pytest.skip("trio complains of a connection that is dropped unread")
    emulator = emulate(2, EmulatedDeployment("gpt-5", latency=Latency()))
    if ending == "broken":
        emulator.faults.add(Fault("reset-mid-body", operation="create", nth=1, after_events=8))

    async def scenario(router: Any) -> None:
        stream = await router.responses(
            model="gpt",
            input="Count from 1 to 50.",
            stream=True,
            background=background,
            safety_identifier="ann",
        )
        if ending == "closed":
            await anext(stream)
            await stream.aclose()
        elif ending == "broken":
            [event async for event in stream] if background else await _break(stream)
        del stream
        (entry,) = router.router._state.entries_of("ann")
        assert entry.response_id.startswith("resp_")

    run(runner, emulator, scenario)


async def _break(stream: Any) -> None:
    with pytest.raises(StreamInterruptedError):
        [event async for event in stream]


def test_a_resource_that_is_down_does_not_hold_a_purge_up(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(router: Any) -> None:
        await _make(router)
        emulator.faults.add(Fault("http-503", operation="delete", resource="east"))
        receipt = await router.purge(end_user="ann")
        assert receipt.deleted
        assert receipt.failed
        assert len(receipt.deleted) + len(receipt.failed) == 12
        assert sum(naps) < 30

    run(runner, emulator, scenario)
