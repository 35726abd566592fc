"""When a caller counts as one who does not read."""

import asyncio
from collections.abc import Callable
from typing import cast

from azure_responses.gateway.reading_watch import ReadingWatch

_SECONDS = 0.02
_KIB = 1024


class _Transport:
    """What one caller has not read, who reads so many bytes in each period of patience."""

    def __init__(self, size: int, rate: int) -> None:
        self._size = size
        self._rate = rate / _SECONDS
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self.aborted = asyncio.Event()
        self.lasted = 0.0

    def get_write_buffer_size(self) -> int:
        return max(0, self._size - int(self._rate * (self._loop.time() - self._began)))

    def abort(self) -> None:
        self.lasted = self._loop.time() - self._began
        self.aborted.set()


def _begin(watch: ReadingWatch) -> None:
    watch.begin()


def _lasts(size: int, rate: int, do: Callable[[ReadingWatch], None] = _begin) -> float | None:
    """The seconds after which a connection is cut; None where it is not."""

    async def run() -> float | None:
        transport = _Transport(size, rate)
        watch = ReadingWatch(cast(asyncio.Transport, transport), _SECONDS)
        watch.begin()
        do(watch)
        try:
            await asyncio.wait_for(transport.aborted.wait(), 10 * _SECONDS)
        except TimeoutError:
            return None
        finally:
            watch.stop()
        return transport.lasted

    return asyncio.run(run())


def test_a_caller_who_reads_nothing_or_too_little_is_cut() -> None:
    for size in (1, 100 * _KIB):
        assert _lasts(size, 0)
    assert _lasts(100 * _KIB, _KIB)


def test_a_caller_who_reads_enough_or_has_nothing_to_read_is_not_cut() -> None:
    assert _lasts(10_000 * _KIB, 64 * _KIB) is None
    assert _lasts(0, 0) is None


def test_a_caller_who_has_caught_up_has_the_whole_time_again() -> None:
    lasted = _lasts(100 * _KIB, 0, ReadingWatch.note_reading)
    assert lasted is not None
    # Timers of asyncio may come early by the resolution of its clock.
    assert lasted > 1.9 * _SECONDS


def test_a_watch_that_is_stopped_cuts_no_connection() -> None:
    assert _lasts(100 * _KIB, 0, ReadingWatch.stop) is None
