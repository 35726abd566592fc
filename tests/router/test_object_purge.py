"""A purge of an end user deletes their files, vector stores and other objects, too."""

import inspect
import json
import time
from typing import Any

import pytest

from azure_responses.emulator import BatchTiming, Clock, EmulatedDeployment, Emulator, Fault
from azure_responses.store.memory import MemoryState
from tests.router.both import SeenAsAsync, emulate, rows_of, run


@pytest.fixture
def old_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects count as readable at once, so that a 404 proves that they are gone."""
    for side in ("_async", "_sync"):
        monkeypatch.setattr(f"azure_responses.router.{side}.object_purge.READABLE_AFTER", -9.0)


def _scoped(router: Any, **scope: Any) -> Any:
    """The stored objects of a router, sync or async as the runner has it."""
    is_sync = isinstance(router, SeenAsAsync)
    return router.router.scoped(**scope) if is_sync else router.router.ascoped(**scope)


async def _done(found: Any) -> Any:
    return await found if inspect.isawaitable(found) else found


async def _make(router: Any, end_user: str, owner: str | None = None) -> dict[str, str]:
    """Objects of an end user, three files among them, by the ids that callers know."""
    scope = {"model": "gpt", "owner": owner, "end_user": end_user}
    objects = _scoped(router, **scope)
    copies = _scoped(router, **scope, replicate=True)
    made = {
        "file": objects.files.create(file=("a.txt", b"text"), purpose="assistants"),
        "copied": copies.files.create(file=("b.txt", b"text"), purpose="assistants"),
        "upload": objects.uploads.create(
            bytes=3, filename="c.txt", mime_type="text/plain", purpose="assistants"
        ),
    }
    return {name: (await _done(each)).id for name, each in made.items()}


def _stored(emulator: Emulator) -> int:
    return sum(len(account.objects.files) for account in emulator._accounts.values())


async def _purge(router: Any, **options: Any) -> Any:
    return await router.purge(end_user="ann", **options)


def test_everything_of_an_end_user_is_deleted(
    runner: str, emulator: Emulator, old_entries: None
) -> None:
    state = MemoryState()

    async def story(router: Any) -> None:
        await _make(router, "ann", "team")
        theirs = await _make(router, "bob", "team")
        await router.responses(model="gpt", input="hi", safety_identifier="ann")
        shown = await _purge(router, dry_run=True)
        assert shown.is_dry_run
        assert len(shown.would_delete) == 5
        assert (shown.deleted, shown.failed) == ((), {})
        assert _stored(emulator) == 6
        receipt = await _purge(router)
        assert receipt.is_complete
        assert set(receipt.deleted) == set(shown.would_delete)
        assert sorted(receipt.kinds.values()) == ["files", "files", "files", "uploads"]
        assert _stored(emulator) == 3
        page = await _done(_scoped(router, owner="team").files.list())
        assert {each.id for each in page.data} == {theirs["file"], theirs["copied"]}
        again = await _purge(router)
        assert (again.deleted, again.already_gone, again.is_complete) == ((), (), True)

    run(runner, emulator, story, state=state)


def test_only_what_one_owner_made_is_deleted(
    runner: str, emulator: Emulator, old_entries: None
) -> None:
    async def story(router: Any) -> None:
        await _make(router, "ann", "team")
        await _make(router, "ann", "rivals")
        receipt = await _purge(router, owner="team")
        assert len(receipt.deleted) == 4
        assert _stored(emulator) == 3

    run(runner, emulator, story)


def test_what_cannot_be_deleted_stays_for_the_next_purge(
    runner: str, emulator: Emulator, old_entries: None
) -> None:
    async def story(router: Any) -> None:
        await _make(router, "ann")
        emulator.faults.add(Fault("http-400", resource="west"))
        receipt = await _purge(router)
        assert not receipt.is_complete
        assert receipt.failed
        assert set(receipt.failed) <= set(receipt.kinds)
        emulator.faults.clear()
        rest = await _purge(router)
        assert rest.is_complete
        assert rest.deleted or rest.already_gone
        assert _stored(emulator) == 0

    run(runner, emulator, story)


def test_what_is_gone_already_is_said_to_be(
    runner: str, emulator: Emulator, old_entries: None
) -> None:
    async def story(router: Any) -> None:
        await _make(router, "ann")
        for account in emulator._accounts.values():
            account.objects.files.clear()
        receipt = await _purge(router)
        assert (receipt.is_complete, len(receipt.already_gone)) == (True, 3)

    run(runner, emulator, story)


def test_what_was_made_just_now_may_not_be_readable_yet(runner: str, emulator: Emulator) -> None:
    async def story(router: Any) -> None:
        await _make(router, "ann")
        for account in emulator._accounts.values():
            account.objects.files.clear()
        receipt = await _purge(router)
        assert not receipt.is_complete
        assert all("may not be readable" in reason for reason in receipt.failed.values())

    run(runner, emulator, story)


def test_a_resource_that_left_the_configuration_proves_nothing(
    runner: str, emulator: Emulator, old_entries: None
) -> None:
    state = MemoryState()
    options: dict[str, Any] = {"affinity_secret": "s" * 32}

    async def make(router: Any) -> None:
        await _make(router, "ann")

    async def purge_with_one_row(router: Any) -> None:
        receipt = await _purge(router)
        assert receipt.already_gone == ()
        assert any("model_list" in reason for reason in receipt.failed.values())

    async def purge_with_all_rows(router: Any) -> None:
        assert (await _purge(router)).is_complete
        assert _stored(emulator) == 0

    run(runner, emulator, make, state=state, **options)
    run(runner, emulator, purge_with_one_row, rows_of(emulator)[:1], state=state, **options)
    run(runner, emulator, purge_with_all_rows, state=state, **options)


@pytest.fixture
def emulator() -> Emulator:
    return emulate(2)


@pytest.mark.parametrize("seconds", [0.0, 3600.0])
def test_of_a_batch_what_it_has_written_is_deleted(
    runner: str, seconds: float, old_entries: None
) -> None:
    clock = Clock(time.time())
    deployment = EmulatedDeployment("gpt-5", model="gpt-5", sku="Any")
    timing = BatchTiming(validating=60.0, cancelling=60.0)
    emulator = emulate(1, deployment, clock=clock, batch_timing=timing)
    line = {"custom_id": "a", "method": "POST", "url": "/v1/responses"}
    body = {"model": "gpt-5", "input": "hi"}

    async def story(router: Any) -> None:
        objects = _scoped(router, model="gpt", end_user="ann")
        content = json.dumps({**line, "body": body}).encode()
        file = await _done(objects.files.create(file=("b.jsonl", content), purpose="batch"))
        made = await _done(
            objects.batches.create(
                input_file_id=file.id, endpoint="/v1/responses", completion_window="24h"
            )
        )
        clock.advance(seconds)
        if seconds:
            assert (await _done(objects.batches.retrieve(made.id))).output_file_id
        receipt = await _purge(router)
        if seconds:
            assert receipt.is_complete, receipt
            assert _stored(emulator) == 0
            assert "batches" in receipt.kinds.values()
        else:
            (reason,) = receipt.failed.values()
            assert "it is being cancelled" in reason
            clock.advance(7200)
            assert (await _purge(router)).is_complete

    run(runner, emulator, story, rows_of(emulator, 1))
