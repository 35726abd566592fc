"""The shared state against a real Redis: several processes, and a Redis that dies."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from azure_responses.errors import APIConnectionError, ConfigurationError
from azure_responses.routing.route_request import Reservation, Settlement
from azure_responses.store.connection import read_address
from azure_responses.store.lua_scripts import Write
from azure_responses.store.redis_state import RedisState
from tests.store.redis_server import RedisServer
from tests.store.samples import (
    candidate_for,
    entry,
    find,
    is_eventually,
    outage_is_said,
    settlement,
    shared_state,
)
from tests.tree import TESTS

_TPM = 20_000


@pytest.fixture
def state(redis_server: RedisServer) -> Iterator[RedisState]:
    state = shared_state(redis_server.url)
    yield state
    state.close()


def _twin(state: RedisState) -> RedisState:
    """The same state as another replica has it."""
    prefix = state.keys.entry("").partition("}")[0].removeprefix("{")
    return RedisState(state.address, prefix=prefix)


def _start_replica(*words: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.store.replica", *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=TESTS.parent)


def _load_of_two_replicas(server: RedisServer, seconds: float, pace: float) -> list[list[float]]:
    words = ("load", server.url, "shared", seconds, pace, _TPM)
    replicas = [_start_replica(*words) for _ in range(2)]
    for replica in replicas:
        assert replica.stdout is not None
        assert replica.stdout.readline() == "ready\n"
    for replica in replicas:
        assert replica.stdin is not None
        replica.stdin.write("go\n")
        replica.stdin.flush()
    answers = [replica.communicate(timeout=60)[0] for replica in replicas]
    taken = [json.loads(answer) for answer in answers]
    assert all(taken), "both replicas got their share"
    return sorted(taken[0] + taken[1])


def test_two_replicas_together_use_a_limit_and_no_more(redis_server: RedisServer) -> None:
    taken = _load_of_two_replicas(redis_server, 6, pace=1)
    total = sum(tokens for _, tokens in taken)
    assert 0.98 * _TPM <= total <= _TPM


def test_no_minute_of_two_replicas_holds_more_than_the_limit(redis_server: RedisServer) -> None:
    # Redis is told a time that runs thirty times faster: four minutes pass in eight seconds.
    taken = _load_of_two_replicas(redis_server, 8, pace=30)
    # The times of two processes reach Redis out of order by a moment, which is seconds here.
    for start, _ in taken:
        minute = [tokens for at, tokens in taken if start <= at < start + 57]
        assert sum(minute) <= 1.02 * _TPM
    assert sum(tokens for _, tokens in taken) >= 3 * _TPM


def test_a_cooldown_of_one_replica_is_seen_by_the_next_reservation_of_another(
    state: RedisState,
) -> None:
    other = _twin(state)
    reservation = state.reserve([candidate_for("one")], 0.0)
    state.settle(settlement(reservation, cooldown=30.0), 0.0)
    assert state.flush()
    seen = other.reserve([candidate_for("one"), candidate_for("two")], 0.0)
    assert seen.cooldowns == {"one": pytest.approx(30, abs=3)}
    assert seen.candidate is not None
    assert seen.candidate.deployment.id == "two"
    # A shorter one that comes later, and from elsewhere, changes nothing.
    other.settle(Settlement(candidate_for("one"), 0, 10, cooldown=1.0), 0.0)
    assert other.flush()
    assert state.reserve([candidate_for("one")], 0.0).retry_after == pytest.approx(30, abs=3)
    other.close()


def test_everything_written_expires(state: RedisState) -> None:
    reservation = state.reserve([candidate_for(tpm=100)], 0.0)
    state.settle(settlement(reservation, used=1, cooldown=60.0, entry=entry()), 0.0)
    assert state.flush()
    client = state.writer.client
    names = list(client.scan_iter())
    assert len(names) == 4
    assert all(client.pttl(name) > 0 for name in names)
    assert not any(b"ann" in name for name in names)


def test_objects_that_come_and_go_leave_little_behind(state: RedisState) -> None:
    for number in range(300):
        made = entry(f"cntr_{number}", kind="containers", owner="team")
        state.remember(made)
        state.forget(made.key)
    kept = entry("cntr_kept", kind="containers", owner="team")
    state.remember(kept)
    assert state.flush()
    names = [name for name in state.writer.client.scan_iter() if b":objects:" in name]
    assert len(names) == 2
    assert all(state.writer.client.zcard(name) < 100 for name in names)
    (found,) = state.objects_of("containers", owner="team")
    assert found.response_id == "cntr_kept"
    # Reading takes out what is left of the others.
    assert sorted(state.writer.client.zcard(name) for name in names)[0] == 1


def test_the_scripts_are_sent_again_to_a_redis_that_forgot_them(state: RedisState) -> None:
    reservation = state.reserve([candidate_for(tpm=100)], 0.0)
    state.writer.client.script_flush()
    assert state.reserve([candidate_for(tpm=100)], 0.0).candidate is not None
    state.writer.client.script_flush()
    state.settle(settlement(reservation, entry=entry("resp_a")), 0.0)
    state.forget("resp_unknown")
    assert state.flush()
    assert state.writer.client.get(state.keys.entry("resp_a"))
    assert not state.is_degraded


def test_killing_redis_loses_no_call(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    state = shared_state(redis_server.url, timeout=0.25)
    assert state.reserve([candidate_for(tpm=10**9)], 0.0).candidate is not None
    calls = Calls(state)
    with outage_is_said() as warned:
        calls.start()
        assert is_eventually(lambda: calls.count > 200)
        redis_server.kill()
        before = calls.count
        assert is_eventually(lambda: state.is_degraded and calls.count > before + 500)
        redis_server.start()
        assert is_eventually(lambda: not state.is_degraded)
        before = calls.count
        assert is_eventually(lambda: calls.count > before + 200)
        calls.stop()
    assert calls.refused == 0
    assert calls.errors == []
    assert len(warned) == 1
    assert "answers again after" in caplog.text
    assert state.flush()
    state.close()


class Calls:
    """Four threads that reserve and settle until they are stopped."""

    def __init__(self, state: RedisState) -> None:
        self._state = state
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]
        self._is_stopped = False
        self.count = 0
        self.refused = 0
        self.errors: list[BaseException] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._is_stopped = True
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                self._call()
            except BaseException as error:
                self.errors.append(error)
                return

    def _call(self) -> None:
        now = time.monotonic()
        reservation = self._state.reserve([candidate_for(tpm=10**9)], now)
        if reservation.candidate is None:
            self.refused += 1
            return
        self._state.settle(settlement(reservation, used=1), now)
        self.count += 1
        time.sleep(0.0005)


def test_a_redis_that_hangs_holds_up_one_call_only(redis_server: RedisServer) -> None:
    state = shared_state(redis_server.url, timeout=0.25)
    state.reserve([candidate_for()], 0.0)
    redis_server.pause()
    with outage_is_said("does not answer"):
        grants = [state.reserve([candidate_for()], 0.0) for _ in range(1000)]
    assert all(reservation.candidate for reservation in grants)
    assert state.is_degraded
    redis_server.go_on()
    assert is_eventually(lambda: not state.is_degraded)
    state.close()


def test_a_redis_that_was_never_there_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    server = RedisServer()
    state = shared_state(server.url, timeout=0.25)
    with outage_is_said(f"127.0.0.1:{server.port}/0") as warned:
        grants = [state.reserve([candidate_for(tpm=25)], 5.0) for _ in range(3)]
    assert [reservation.candidate is not None for reservation in grants] == [True, True, False]
    assert len(warned) == 1
    assert state.context_of("resp_a") == 0
    with pytest.raises(APIConnectionError, match="cannot be reached"):
        state.entries_of("ann")
    state.remember(entry())
    with caplog.at_level(logging.WARNING):
        state.close()
    assert "closed with 1 writes outstanding" in caplog.text


def test_local_counters_are_warm_when_they_take_over(redis_server: RedisServer) -> None:
    state = shared_state(redis_server.url, timeout=0.25)
    now = time.monotonic()
    reservation = state.reserve([candidate_for("one", 80, tpm=100)], now)
    state.settle(settlement(reservation, used=60), now)
    state.settle(settlement(state.reserve([candidate_for("two")], now), cooldown=60.0), now)
    assert state.flush()
    redis_server.kill()
    with outage_is_said():
        assert state.reserve([candidate_for("one", 41, tpm=100)], now).candidate is None
    assert state.reserve([candidate_for("one", 40, tpm=100)], now).candidate is not None
    assert state.reserve([candidate_for("two")], now).candidate is None
    state.close()


def test_the_load_of_an_outage_counts_when_redis_is_back(redis_server: RedisServer) -> None:
    state = shared_state(redis_server.url, timeout=0.25)
    other = _twin(state)
    state.reserve([candidate_for()], 0.0)
    redis_server.kill()
    with outage_is_said():
        reservation = state.reserve([candidate_for("one", 90, tpm=100)], 0.0)
        refunded = state.reserve([candidate_for("two", 90, tpm=100)], 0.0)
    state.settle(settlement(reservation, used=60), 0.0)
    state.settle(settlement(refunded, used=0, refunds_request=True), 0.0)
    redis_server.start()
    assert is_eventually(lambda: not state.is_degraded)
    assert state.flush()
    assert other.reserve([candidate_for("one", 41, tpm=100)], 0.0).candidate is None
    assert other.reserve([candidate_for("one", 40, tpm=100)], 0.0).candidate is not None
    assert other.reserve([candidate_for("two", 100, tpm=100)], 0.0).candidate is not None
    state.close()
    other.close()


def test_a_ledger_that_goes_away_is_an_error_and_no_empty_list(
    redis_server: RedisServer,
) -> None:
    state = shared_state(redis_server.url, timeout=0.25)
    state.remember(entry("resp_a"))
    assert state.flush()
    redis_server.kill()
    with outage_is_said(), pytest.raises(APIConnectionError, match="cannot be reached") as caught:
        state.entries_of("ann")
    assert "gaps" in str(caught.value)
    redis_server.start()
    assert is_eventually(lambda: not state.is_degraded)
    redis_server.kill()
    with outage_is_said():
        assert state.context_of("resp_a") == 0
    state.remember(entry("resp_b"))
    with pytest.raises(APIConnectionError, match="outstanding"):
        state.entries_of("ann")
    state.close()


def test_no_more_is_given_back_than_is_counted(state: RedisState) -> None:
    reservation = state.reserve([candidate_for(tokens=10, tpm=100)], 0.0)
    window, _ = state.keys.of_deployment("tag-one")
    # As after a restart: the second is there, and holds less than was reserved in it.
    state.writer.client.hset(window, f"{reservation.slot >> 32}t", "0")
    state.writer.client.hset(window, "tokens", "0")
    state.settle(settlement(reservation, used=0, refunds_request=True), 0.0)
    assert state.flush()
    assert not state.is_degraded
    assert state.reserve([candidate_for(tokens=101, tpm=100)], 0.0).candidate is not None


def test_what_is_no_entry_is_an_error_and_no_outage(state: RedisState) -> None:
    state.remember(entry("resp_a"))
    assert state.flush()
    state.writer.client.set(state.keys.entry("resp_a"), "nonsense")
    with pytest.raises(ValueError, match="not an entry"):
        state.entries_of("ann")
    assert not state.is_degraded


def test_a_token_that_is_slow_to_come_holds_up_no_call(redis_server: RedisServer) -> None:
    from redis.credentials import CredentialProvider

    class Slow(CredentialProvider):
        def get_credentials(self) -> tuple[str]:
            time.sleep(1)
            return ("hush",)

    state = RedisState(read_address(redis_server.url, timeout=0.25, credential=Slow()))
    state.writer.put(Write(0.0, forgotten="resp_a"))
    with outage_is_said("no connection within 0.25 s"):
        assert state.reserve([candidate_for()], 0.0).candidate is not None
    # The server knows no passwords, so that it refuses this one at last.
    assert state.is_degraded
    state.close()


def test_what_an_outage_held_back_is_written_afterwards(redis_server: RedisServer) -> None:
    state = shared_state(redis_server.url, timeout=0.25)
    reservation = state.reserve([candidate_for("one")], 0.0)
    redis_server.kill()
    with outage_is_said():
        state.settle(settlement(reservation, entry=entry("resp_a"), cooldown=60.0), 0.0)
        assert is_eventually(lambda: state.is_degraded)
    redis_server.start()
    assert is_eventually(lambda: not state.is_degraded)
    assert state.flush()
    other = _twin(state)
    assert [each.response_id for each in other.entries_of("ann")] == ["resp_a"]
    left = other.reserve([candidate_for("one")], 0.0).retry_after
    # What passed meanwhile has been taken off.
    assert left is not None
    assert 40 < left < 60
    state.close()
    other.close()


def test_a_redis_that_takes_no_writes_is_out_of_reach(redis_server: RedisServer) -> None:
    state = shared_state(redis_server.url, timeout=1)
    assert state.reserve([candidate_for(tpm=100)], 0.0).candidate is not None
    client = state.writer.client
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1")
    with outage_is_said() as warned:
        for _ in range(50):
            assert state.reserve([candidate_for(tpm=10_000)], 0.0).candidate is not None
            time.sleep(0.01)
    assert len(warned) == 1
    client.config_set("maxmemory", "0")
    assert is_eventually(lambda: not state.is_degraded)
    state.close()


def test_a_write_that_redis_refuses_does_not_block_the_others(state: RedisState) -> None:
    reservation: Reservation = state.reserve([candidate_for()], 0.0)
    # Somebody put a list where the ledger keeps an index.
    state.writer.client.rpush(state.keys.index("ann"), "x")
    with outage_is_said("WRONGTYPE"):
        state.settle(settlement(reservation, entry=entry("resp_a")), 0.0)
        state.settle(settlement(reservation, entry=entry("resp_b", end_user="bob")), 0.0)
        assert is_eventually(lambda: not len(state.writer.pending) and not state.is_degraded)
    assert [each.response_id for each in state.entries_of("bob")] == ["resp_b"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_its_own_writer(state: RedisState) -> None:
    state.settle(settlement(state.reserve([candidate_for()], 0.0), entry=entry("resp_parent")), 0.0)
    child = os.fork()
    if child == 0:
        try:
            reservation = state.reserve([candidate_for()], 0.0)
            state.settle(settlement(reservation, entry=entry("resp_child")), 0.0)
            os._exit(0 if state.flush() else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert state.flush()
    found = {each.response_id for each in state.entries_of("ann")}
    assert found == {"resp_parent", "resp_child"}


def test_a_closed_state_may_be_used_again(state: RedisState) -> None:
    assert state.reserve([candidate_for()], 0.0).candidate is not None
    state.close()
    state.settle(settlement(state.reserve([candidate_for()], 0.0), entry=entry("resp_a")), 0.0)
    assert find(state, "resp_a") is not None


def test_what_was_settled_last_is_written_when_the_program_ends(
    redis_server: RedisServer,
) -> None:
    program = f"""
from tests.store.samples import candidate_for, entry, settlement
from azure_responses.store.factory import open_state
state, _ = open_state({redis_server.url!r}, prefix="ending", timeout=5)
reservation = state.reserve([candidate_for()], 0.0)
for number in range(200):
    state.settle(settlement(reservation, entry=entry(f"resp_{{number}}")), 0.0)
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=TESTS.parent, timeout=60)
    state = RedisState(read_address(redis_server.url, timeout=5), prefix="ending")
    assert len(state.entries_of("ann", limit=500)) == 200
    state.close()


def test_a_state_keeps_its_password_to_itself() -> None:
    state = RedisState(read_address("redis://name:hush@127.0.0.1:1/0", timeout=0.1))
    with outage_is_said() as warned:
        state.reserve([candidate_for()], 0.0)
    assert "hush" not in f"{state!r} {state.address!r} {warned[0].message}"
    state.close()


def test_a_prefix_that_cannot_be_a_hash_tag_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="state_prefix"):
        RedisState(read_address("redis://localhost"), prefix="a{b}")


def test_a_purge_goes_on_where_a_killed_one_stopped(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    state = RedisState(read_address(redis_server.url, timeout=5), prefix="purge")
    names = [f"resp_{number}" for number in range(150)]
    for name in names:
        (tmp_path / name).touch()
        state.remember(entry(name))
    assert state.flush()
    killed = _start_replica("purge", redis_server.url, "purge", tmp_path, 120)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "hanging\n"
    killed.kill()
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 30
    second = _start_replica("purge", redis_server.url, "purge", tmp_path, -1)
    receipt = json.loads(second.communicate(timeout=60)[0])
    assert receipt["is_complete"]
    assert len(receipt["deleted"]) == 30
    # The first may have died between a deletion and its note.
    assert set(receipt["already_gone"]) <= set(names)
    assert state.entries_of("ann") == ()
    state.close()


def test_two_purges_at_once_do_no_harm(redis_server: RedisServer, tmp_path: Path) -> None:
    state = RedisState(read_address(redis_server.url, timeout=5), prefix="purge")
    for number in range(300):
        (tmp_path / f"resp_{number}").touch()
        state.remember(entry(f"resp_{number}"))
    assert state.flush()
    words = ("purge", redis_server.url, "purge", tmp_path, -1)
    replicas = [_start_replica(*words) for _ in range(2)]
    receipts = [json.loads(replica.communicate(timeout=60)[0]) for replica in replicas]
    assert all(receipt["is_complete"] and not receipt["failed"] for receipt in receipts)
    assert sum(len(receipt["deleted"]) for receipt in receipts) == 300
    assert not list(tmp_path.iterdir())
    assert state.entries_of("ann") == ()
    state.close()
