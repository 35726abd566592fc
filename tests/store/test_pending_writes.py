"""What waits to be written."""

import threading

from azure_responses.store.lua_scripts import Write
from azure_responses.store.write_queue import PendingWrites
from tests.store.samples import entry


def _correction(at: float = 0.0) -> Write:
    return Write(at, "tag", 5, tokens=-3)


def _fact(name: str = "resp_a", at: float = 0.0) -> Write:
    return Write(at, "tag", 5, tokens=-3, entry=entry(name))


def test_facts_go_first_and_in_order() -> None:
    pending = PendingWrites()
    writes = [_correction(), _fact("resp_a"), Write(0.0, forgotten="resp_b")]
    for write in writes:
        pending.put(write)
    assert pending.take(2, 0.0) == writes[1:]
    pending.finish()
    assert pending.take(9, 0.0) == writes[:1]
    pending.finish()
    assert len(pending) == 0


def test_corrections_never_push_a_fact_out() -> None:
    pending = PendingWrites(capacity=2)
    pending.put(_fact())
    for _ in range(5):
        pending.put(_correction())
    assert pending.count_dropped() == 3
    assert pending.take(1, 0.0) == [_fact()]


def test_the_oldest_fact_goes_when_there_are_too_many() -> None:
    pending = PendingWrites(capacity=2)
    for name in ("resp_a", "resp_b", "resp_c"):
        pending.put(_fact(name))
    assert (pending.count_dropped(), pending.count_dropped()) == (1, 0)
    assert pending.take(9, 0.0) == [_fact("resp_b"), _fact("resp_c")]


def test_a_correction_is_worthless_after_a_minute() -> None:
    pending = PendingWrites()
    pending.put(_correction(at=0.0))
    pending.put(_correction(at=30.0))
    assert pending.take(9, 61.0) == [_correction(at=30.0)]
    assert pending.count_dropped() == 1


def test_a_batch_that_may_have_arrived_is_repeated_without_its_corrections() -> None:
    pending = PendingWrites()
    pending.put(_fact())
    pending.put(_correction())
    pending.finish(again=pending.take(9, 0.0))
    (again,) = pending.take(9, 0.0)
    assert (again.entry, again.tokens) == (entry("resp_a"), 0)
    assert pending.count_dropped() == 1


def test_what_is_put_back_keeps_its_place_and_the_limit() -> None:
    pending = PendingWrites(capacity=3)
    for name in ("resp_a", "resp_b"):
        pending.put(_fact(name))
    batch = pending.take(2, 0.0)
    for name in ("resp_c", "resp_d"):
        pending.put(_fact(name))
    pending.finish(again=batch)
    names = [write.entry.response_id for write in pending.take(9, 0.0) if write.entry]
    assert names == ["resp_b", "resp_c", "resp_d"]
    assert pending.count_dropped() == 1


def test_what_is_lost_is_counted() -> None:
    pending = PendingWrites()
    pending.put(_fact())
    pending.finish(lost=len(pending.take(9, 0.0)))
    assert (len(pending), pending.count_dropped()) == (0, 1)


def test_who_sleeps_is_woken_by_a_write() -> None:
    pending = PendingWrites()
    sleeper = threading.Thread(target=pending.wait, args=(None,))
    sleeper.start()
    while not pending._is_idle:
        pass
    pending.put(_fact())
    sleeper.join(10)
    assert not sleeper.is_alive()
    # With something to do there is no sleeping.
    pending.wait(None)
    pending.wake()


def test_waiting_for_the_end_of_it_takes_no_longer_than_said() -> None:
    pending = PendingWrites()
    assert pending.wait_until_empty(0.0)
    pending.put(_fact())
    assert not pending.wait_until_empty(0.01)
