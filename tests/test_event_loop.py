"""Which event loop is running."""

import asyncio
import gc
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import pytest
import trio

from azure_responses.event_loop import forget_closed_loops, running_loop


async def _look() -> Any:
    return running_loop(), running_loop()


@pytest.mark.parametrize("run", [asyncio.run, trio.run])
def test_every_loop_is_told_from_every_other_and_can_be_let_go(run: Any) -> None:
    seen: WeakSet[Any] = WeakSet()
    for count in (1, 2):
        first, second = run(_look()) if run is asyncio.run else run(_look)
        assert first is second
        seen.add(first)
        kept = [*seen]
        assert len(kept) == count
        del first, second
    del kept
    gc.collect()
    assert not seen


def test_without_a_loop_there_is_none() -> None:
    with pytest.raises(RuntimeError):
        running_loop()


def test_only_what_is_kept_for_closed_loops_goes() -> None:
    kept: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
    closed, usable = asyncio.new_event_loop(), asyncio.new_event_loop()
    token = trio.run(_look)[0]
    kept.update({closed: "closed", usable: "usable", token: "trio"})
    closed.close()
    forget_closed_loops(kept)
    assert set(kept.values()) == {"usable", "trio"}
    usable.close()
