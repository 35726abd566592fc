"""What waits to be written."""

import threading

from azure_responses.router_state.backlog import Backlog
from azure_responses.router_state.scripts import Write
from tests.router_state.samples import entry


def _correction(at: float = 0.0) -> Write:
    return Write(at, "tag", 5, tokens=-3)


def _fact(name: str = "resp_a", at: float = 0.0) -> Write:
    return Write(at, "tag", 5, tokens=-3, entry=entry(name))


def test_facts_go_first_and_in_order() -> None:
    backlog = Backlog()
    writes = [_correction(), _fact("resp_a"), Write(0.0, forgotten="resp_b")]
    for write in writes:
        backlog.put(write)
    assert backlog.take(2, 0.0) == writes[1:]
    backlog.finish()
    assert backlog.take(9, 0.0) == writes[:1]
    backlog.finish()
    assert len(backlog) == 0


def test_corrections_never_push_a_fact_out() -> None:
    backlog = Backlog(capacity=2)
    backlog.put(_fact())
    for _ in range(5):
        backlog.put(_correction())
    assert backlog.count_dropped() == 3
    assert backlog.take(1, 0.0) == [_fact()]


def test_the_oldest_fact_goes_when_there_are_too_many() -> None:
    backlog = Backlog(capacity=2)
    for name in ("resp_a", "resp_b", "resp_c"):
        backlog.put(_fact(name))
    assert (backlog.count_dropped(), backlog.count_dropped()) == (1, 0)
    assert backlog.take(9, 0.0) == [_fact("resp_b"), _fact("resp_c")]


def test_a_correction_is_worthless_after_a_minute() -> None:
    backlog = Backlog()
    backlog.put(_correction(at=0.0))
    backlog.put(_correction(at=30.0))
    assert backlog.take(9, 61.0) == [_correction(at=30.0)]
    assert backlog.count_dropped() == 1


def test_a_batch_that_may_have_arrived_is_repeated_without_its_corrections() -> None:
    backlog = Backlog()
    backlog.put(_fact())
    backlog.put(_correction())
    backlog.finish(again=backlog.take(9, 0.0))
    (again,) = backlog.take(9, 0.0)
    assert (again.entry, again.tokens) == (entry("resp_a"), 0)
    assert backlog.count_dropped() == 1


def test_what_is_put_back_keeps_its_place_and_the_limit() -> None:
    backlog = Backlog(capacity=3)
    for name in ("resp_a", "resp_b"):
        backlog.put(_fact(name))
    batch = backlog.take(2, 0.0)
    for name in ("resp_c", "resp_d"):
        backlog.put(_fact(name))
    backlog.finish(again=batch)
    names = [write.entry.response_id for write in backlog.take(9, 0.0) if write.entry]
    assert names == ["resp_b", "resp_c", "resp_d"]
    assert backlog.count_dropped() == 1


def test_what_is_lost_is_counted() -> None:
    backlog = Backlog()
    backlog.put(_fact())
    backlog.finish(lost=len(backlog.take(9, 0.0)))
    assert (len(backlog), backlog.count_dropped()) == (0, 1)


def test_who_sleeps_is_woken_by_a_write() -> None:
    backlog = Backlog()
    sleeper = threading.Thread(target=backlog.wait, args=(None,))
    sleeper.start()
    while not backlog._is_idle:
        pass
    backlog.put(_fact())
    sleeper.join(10)
    assert not sleeper.is_alive()
    # With something to do there is no sleeping.
    backlog.wait(None)
    backlog.wake()


def test_waiting_for_the_end_of_it_takes_no_longer_than_said() -> None:
    backlog = Backlog()
    assert backlog.wait_until_empty(0.0)
    backlog.put(_fact())
    assert not backlog.wait_until_empty(0.01)
