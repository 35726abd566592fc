"""Keys, arguments and replies; what the scripts do is tested in test_store.py."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.routing.purge_ledger import RETENTION
from azure_responses.routing.route_request import Settlement
from azure_responses.store.lua_scripts import (
    RESERVE,
    Keys,
    Write,
    join_slots,
    make_write,
    read_reservation,
    split_slot,
)
from tests.store.samples import candidate_for, entry

_KEYS = Keys("shop")


def _slot_of(key: str) -> str:
    """The part of a key by which a cluster chooses its node."""
    return key[key.index("{") + 1 : key.index("}")]


def test_all_keys_of_a_prefix_live_on_one_node() -> None:
    names = [*_KEYS.of_deployment("t}{"), _KEYS.entry("{x}"), _KEYS.index("a"), _KEYS.context("b")]
    assert {_slot_of(name) for name in names} == {"shop"}
    assert len(set(names)) == 5


@pytest.mark.parametrize("prefix", ["", "a{", "}b"])
def test_a_prefix_that_would_scatter_the_keys_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="state_prefix"):
        Keys(prefix)


def test_an_end_user_does_not_show_in_a_key() -> None:
    assert "ann@example.org" not in _KEYS.index("ann@example.org")
    assert _KEYS.index("ann") != _KEYS.index("bob")


def test_a_script_is_named_by_its_sha1() -> None:
    assert RESERVE.digest == hashlib.sha1(RESERVE.text.encode()).hexdigest()


def test_a_missing_limit_is_told_apart_from_a_limit_of_nothing() -> None:
    values = _KEYS.reservation([candidate_for("a", 7, rpm=0), candidate_for("b", 9, tpm=50)], None)
    window_a, cooldown_a = _KEYS.of_deployment("tag-a")
    window_b, cooldown_b = _KEYS.of_deployment("tag-b")
    keys = [window_a, window_b, cooldown_a, cooldown_b]
    assert values == [4, *keys, "", 7, 0, -1, 9, -1, 50]
    assert _KEYS.reservation([candidate_for("a")], 123)[3] == 123


def test_a_granted_bid_is_read_from_its_number() -> None:
    candidates = [candidate_for("a"), candidate_for("b")]
    reservation = read_reservation([2, 1700, 0, 1500, 0], candidates)
    assert (reservation.candidate, reservation.slot, reservation.retry_after) == (
        candidates[1],
        1700,
        None,
    )
    assert reservation.cooldowns == {"a": 1.5}


@pytest.mark.parametrize(("wait", "expected"), [(2500, 2.5), (-1, None)])
def test_a_refusal_says_when_there_is_room(wait: int, expected: float | None) -> None:
    reservation = read_reservation([0, 1700, wait, 0], [candidate_for("a")])
    assert (reservation.candidate, reservation.retry_after, reservation.cooldowns) == (
        None,
        expected,
        {},
    )


@given(st.integers(0, 2**34), st.integers(0, 2**32 - 1))
def test_two_slots_in_one_number_come_apart_again(shared: int, local: int) -> None:
    assert split_slot(join_slots(shared, local)) == (shared, local)


def _settle(used: int = 10, tpm: int | None = 100, **fields: object) -> Settlement:
    return Settlement(candidate_for(tokens=10, tpm=tpm), 0, used, **fields)  # type: ignore[arg-type]


def test_a_settlement_that_changes_nothing_is_not_written() -> None:
    assert make_write(_settle(), 0, 0.0, 0.0) is not None
    # Without a limit there is no window to correct.
    assert make_write(_settle(used=3, tpm=None), 5, 0.0, 0.0) is None
    assert make_write(_settle(used=0, refunds_request=True), 0, 0.0, 0.0) is None


def test_a_call_that_used_what_it_reserved_is_written_as_ended() -> None:
    write = make_write(_settle(), 5, 1.0, 0.0)
    assert write == Write(1.0, "tag-one", 5, reserved=10)
    assert write is not None
    assert write.is_correction
    assert _KEYS.settlement(write, 1.0, None)[-3] == 10


def test_what_redis_did_not_reserve_is_counted_in_full() -> None:
    assert make_write(_settle(used=3), 0, 1.0, 0.0) == Write(1.0, "tag-one", 0, 3, 1)
    late = Write(at=100.0, tag="tag-one", tokens=3, requests=1)
    ages = [_KEYS.settlement(late, now, None)[-4] for now in (100.9, 107.0, 900.0)]
    assert ages == [0, 7, 60]


def test_a_correction_is_the_difference() -> None:
    assert make_write(_settle(used=3), 5, 1.0, 0.0) == Write(
        1.0, "tag-one", 5, tokens=-7, reserved=10
    )
    refund = make_write(_settle(used=0, refunds_request=True), 5, 1.0, 0.0)
    assert refund == Write(1.0, "tag-one", 5, tokens=-10, requests=-1, reserved=10)
    assert refund is not None
    assert refund.is_correction


def test_a_cooldown_and_an_entry_are_written_without_a_window() -> None:
    write = make_write(_settle(tpm=None, cooldown=3.0, entry=entry()), 0, 1.0, 50.0)
    assert write is not None
    assert write.entry is not None
    assert (write.cooldown, write.entry.expires) == (3.0, 50.0 + RETENTION)
    assert not write.is_correction


def test_the_time_a_cooldown_waited_in_the_queue_is_taken_off() -> None:
    write = Write(at=100.0, cooldown=30.0)
    assert [write.pause(now) for now in (100.0, 112.5, 131.0)] == [30_000, 17_500, 0]
    assert Write(at=100.0).pause(100.0) == 0


def test_an_entry_of_no_end_user_is_in_no_index() -> None:
    write = Write(0.0, entry=entry("resp_a", end_user=None, expires=2.0))
    values = _KEYS.settlement(write, 0.0, None)
    assert values[:4] == [3, *_KEYS.of_deployment(""), _KEYS.entry("resp_a")]
    known = Write(0.0, entry=entry("resp_a", expires=2.0))
    values = _KEYS.settlement(known, 0.0, 77)
    assert (values[0], values[4]) == (4, _KEYS.index("ann"))
    assert values[-6:] == [2000, "resp_a", 0, 0, "", 2000]


def test_an_object_stands_in_the_lists_of_those_it_was_made_for() -> None:
    made = entry("file-a", kind="files", owner="team", created=1.5, expires=9.0)
    values = _KEYS.settlement(Write(0.0, entry=made), 0.0, None)
    owners = _KEYS.objects(("owner", "team", "files"))
    users = _KEYS.objects(("end_user", "ann", "files"))
    assert values[0] == 5
    assert values[3:6] == [_KEYS.object("files:resource:file-a"), owners, users]
    assert values[-6:] == [9000, "files:resource:file-a", 0, 0, _KEYS.object(""), 1500]
    assert "team" not in owners
    copy = replace(made, copies=(("elsewhere", "file-b"), ("resource", "file-a")))
    assert _KEYS.lists(copy) == []
