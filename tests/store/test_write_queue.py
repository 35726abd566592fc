"""The queue of writes, and the thread that writes them."""

import threading
from typing import Any

import pytest

from azure_responses.store.connection import CircuitBreaker
from azure_responses.store.lua_scripts import Keys, Write
from azure_responses.store.write_queue import PendingWrites, Writer, is_unknown_script
from tests.store.samples import entry, is_eventually, outage_is_said


class NoScriptError(Exception):
    """As redis-py names it."""


class FakeClient:
    """Records what is written; answers as the test has set."""

    def __init__(self) -> None:
        self.commands: list[tuple[Any, ...]] = []
        self.answers: list[Any] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.is_closed = False

    def pipeline(self, transaction: bool) -> "FakePipeline":
        assert not transaction
        return FakePipeline(self)

    def close(self) -> None:
        self.is_closed = True


class FakePipeline:
    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self._commands: list[tuple[Any, ...]] = []

    def execute_command(self, *words: Any) -> None:
        self._commands.append(words)

    def delete(self, name: str) -> None:
        self._commands.append(("DEL", name))

    def execute(self, raise_on_error: bool) -> list[Any]:
        assert not raise_on_error
        assert self._client.may_answer.wait(20)
        self._client.commands += self._commands
        answer = self._client.answers.pop(0) if self._client.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer or [1] * len(self._commands)


def _writer(client: FakeClient) -> tuple[Writer, CircuitBreaker]:
    breaker = CircuitBreaker("host:1/0")
    return Writer(lambda: client, Keys("test"), breaker), breaker


def _fact(name: str = "resp_a") -> Write:
    return Write(0.0, "tag", entry=entry(name, expires=9.0))


def test_writes_that_wait_go_together() -> None:
    client = FakeClient()
    writer, _ = _writer(client)
    client.may_answer.clear()
    for number in range(30):
        writer.put(_fact(f"resp_{number}"))
    client.may_answer.set()
    assert writer.flush(20)
    # The first is the question whether anybody is there.
    assert len(client.commands) == 31
    writer.close()
    assert client.is_closed


def test_a_script_that_is_unknown_is_sent_in_full() -> None:
    client = FakeClient()
    client.answers = [[NoScriptError("NOSCRIPT")], None, [NoScriptError("NOSCRIPT")], None]
    writer, breaker = _writer(client)
    writer.put(_fact())
    assert writer.flush(20)
    assert [words[0] for words in client.commands] == ["EVALSHA", "EVAL"] * 2
    assert not breaker.is_open
    writer.close()


def test_a_write_that_broke_off_is_repeated() -> None:
    client = FakeClient()
    client.answers = [None, ConnectionError("broken")]
    writer, breaker = _writer(client)
    with outage_is_said("broken"):
        writer.put(_fact())
        assert is_eventually(lambda: not len(writer.pending) and not breaker.is_open)
    assert [words[6 + 1] for words in client.commands if words[-5] == "resp_a"] == ["", ""]
    writer.close()


def test_what_is_refused_three_times_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    client = FakeClient()
    refusal: list[Any] = [1, ValueError("WRONGTYPE")]
    client.answers = [None, refusal, None, refusal[1:], None, refusal[1:]]
    writer, breaker = _writer(client)
    client.may_answer.clear()
    writer.put(_fact("resp_a"))
    writer.put(_fact("resp_b"))
    with outage_is_said("WRONGTYPE"):
        client.may_answer.set()
        assert is_eventually(lambda: not len(writer.pending) and not breaker.is_open)
    assert "1 writes were dropped" in caplog.text
    writer.close()


def test_a_system_without_a_thread_left_stops_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    client = FakeClient()
    writer, breaker = _writer(client)
    with monkeypatch.context() as patch, outage_is_said("can't start new thread"):
        patch.setattr(threading.Thread, "start", refuse)
        writer.put(_fact())
    assert breaker.is_open
    writer.put(_fact("resp_b"))
    assert is_eventually(lambda: not len(writer.pending))
    writer.close()


def test_closing_with_nothing_to_do_takes_no_thread() -> None:
    client = FakeClient()
    writer, _ = _writer(client)
    assert writer.flush(0)
    writer.close()
    assert client.is_closed


def test_flushing_ends_when_the_time_is_up() -> None:
    client = FakeClient()
    writer, _ = _writer(client)
    client.may_answer.clear()
    writer.put(_fact())
    assert not writer.flush(0.01)
    client.may_answer.set()
    assert writer.flush(20)
    writer.close()


def test_the_error_of_a_forgotten_script_is_told_from_others() -> None:
    assert is_unknown_script(NoScriptError())
    assert not is_unknown_script(ValueError())


def _correction(at: float = 0.0) -> Write:
    return Write(at, "tag", 5, tokens=-3)


def _pending_fact(name: str = "resp_a", at: float = 0.0) -> Write:
    return Write(at, "tag", 5, tokens=-3, entry=entry(name))


def test_facts_go_first_and_in_order() -> None:
    pending = PendingWrites()
    writes = [_correction(), _pending_fact("resp_a"), Write(0.0, forgotten="resp_b")]
    for write in writes:
        pending.put(write)
    assert pending.take(2, 0.0) == writes[1:]
    pending.finish()
    assert pending.take(9, 0.0) == writes[:1]
    pending.finish()
    assert len(pending) == 0


def test_corrections_never_push_a_fact_out() -> None:
    pending = PendingWrites(capacity=2)
    pending.put(_pending_fact())
    for _ in range(5):
        pending.put(_correction())
    assert pending.count_dropped() == 3
    assert pending.take(1, 0.0) == [_pending_fact()]


def test_the_oldest_fact_goes_when_there_are_too_many() -> None:
    pending = PendingWrites(capacity=2)
    for name in ("resp_a", "resp_b", "resp_c"):
        pending.put(_pending_fact(name))
    assert (pending.count_dropped(), pending.count_dropped()) == (1, 0)
    assert pending.take(9, 0.0) == [_pending_fact("resp_b"), _pending_fact("resp_c")]


def test_a_correction_is_worthless_after_a_minute() -> None:
    pending = PendingWrites()
    pending.put(_correction(at=0.0))
    pending.put(_correction(at=30.0))
    assert pending.take(9, 61.0) == [_correction(at=30.0)]
    assert pending.count_dropped() == 1


def test_a_batch_that_may_have_arrived_is_repeated_without_its_corrections() -> None:
    pending = PendingWrites()
    pending.put(_pending_fact())
    pending.put(_correction())
    pending.finish(again=pending.take(9, 0.0))
    (again,) = pending.take(9, 0.0)
    assert (again.entry, again.tokens) == (entry("resp_a"), 0)
    assert pending.count_dropped() == 1


def test_what_is_put_back_keeps_its_place_and_the_limit() -> None:
    pending = PendingWrites(capacity=3)
    for name in ("resp_a", "resp_b"):
        pending.put(_pending_fact(name))
    batch = pending.take(2, 0.0)
    for name in ("resp_c", "resp_d"):
        pending.put(_pending_fact(name))
    pending.finish(again=batch)
    names = [write.entry.response_id for write in pending.take(9, 0.0) if write.entry]
    assert names == ["resp_b", "resp_c", "resp_d"]
    assert pending.count_dropped() == 1


def test_what_is_lost_is_counted() -> None:
    pending = PendingWrites()
    pending.put(_pending_fact())
    pending.finish(lost=len(pending.take(9, 0.0)))
    assert (len(pending), pending.count_dropped()) == (0, 1)


def test_who_sleeps_is_woken_by_a_write() -> None:
    pending = PendingWrites()
    sleeper = threading.Thread(target=pending.wait, args=(None,))
    sleeper.start()
    while not pending._is_idle:
        pass
    pending.put(_pending_fact())
    sleeper.join(10)
    assert not sleeper.is_alive()
    # With something to do there is no sleeping.
    pending.wait(None)
    pending.wake()


def test_waiting_for_the_end_of_it_takes_no_longer_than_said() -> None:
    pending = PendingWrites()
    assert pending.wait_until_empty(0.0)
    pending.put(_pending_fact())
    assert not pending.wait_until_empty(0.01)
