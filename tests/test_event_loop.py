"""Which event loop is running."""

import asyncio
import gc
from typing import Any
from weakref import WeakSet

import pytest
import trio

from azure_responses.event_loop import running_loop


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
