"""What every state does, whether it is in memory or in Redis, sync or async."""

import inspect
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azure_responses.routing.purge_ledger import NEVER, RETENTION, LedgerEntry
from azure_responses.routing.route_request import Candidate, Reservation
from azure_responses.store.async_redis_state import AsyncRedisState
from azure_responses.store.interface import AsyncStateAdapter, AsyncStateStore, StateStore
from azure_responses.store.memory import MemoryState
from azure_responses.store.redis_state import RedisState
from tests.store.redis_server import RedisServer
from tests.store.samples import candidate_for, entry, find, settlement, shared_state


class Clock:
    """Seconds that pass when they are told to; as unix milliseconds for Redis."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> int:
        return round(self.now * 1000)


class Situation:
    """A state, and the clock it goes by."""

    def __init__(self, state: StateStore, clock: Clock) -> None:
        self.state = state
        self.clock = clock

    def reserve(self, *candidates: Candidate) -> Reservation:
        return self.state.reserve(candidates, self.clock.now)

    def settle(self, reservation: Reservation, used: int | None = None, **fields: object) -> None:
        self.state.settle(settlement(reservation, used, **fields), self.clock.now)
        assert self.state.flush()


@pytest.fixture(params=["memory", "redis"])
def situation(request: pytest.FixtureRequest) -> Iterator[Situation]:
    clock = Clock()
    if request.param == "memory":
        yield Situation(MemoryState(), clock)
        return
    server: RedisServer = request.getfixturevalue("lasting_server")
    state = shared_state(server.url, clock=clock)
    yield Situation(state, clock)
    state.close()


@pytest.mark.parametrize("kind", [MemoryState, RedisState])
def test_a_sync_state_offers_what_a_router_asks_for(kind: type) -> None:
    assert _signatures(StateStore).items() <= _signatures(kind).items()


@pytest.mark.parametrize("kind", [AsyncStateAdapter, AsyncRedisState])
def test_an_async_state_offers_what_a_router_asks_for(kind: type) -> None:
    # What needs no awaiting is taken over from the sync state when one is made.
    shared = {"settle", "remember", "forget", "note_context", "note_text"}
    asked = {
        name: form for name, form in _signatures(AsyncStateStore).items() if name not in shared
    }
    assert asked.items() <= _signatures(kind).items()


def _signatures(kind: type) -> dict[str, list[str]]:
    methods = inspect.getmembers(kind, inspect.isfunction)
    return {
        name: [*inspect.signature(method).parameters, str(inspect.iscoroutinefunction(method))]
        for name, method in methods
        if not name.startswith("_")
    }


def test_without_limits_the_first_bid_is_granted(situation: Situation) -> None:
    reservation = situation.reserve(candidate_for("one"), candidate_for("two"))
    assert (_winner(reservation), reservation.retry_after) == ("one", None)


def test_without_bids_nothing_is_granted(situation: Situation) -> None:
    assert situation.reserve().candidate is None


def _winner(reservation: Reservation) -> str | None:
    return reservation.candidate.deployment.id if reservation.candidate else None


def test_a_full_deployment_leaves_the_call_to_the_next(situation: Situation) -> None:
    candidates = [candidate_for("one", 60, tpm=100), candidate_for("two", 60, tpm=100)]
    assert [_winner(situation.reserve(*candidates)) for _ in range(3)] == ["one", "two", None]


def test_requests_are_limited_as_tokens_are(situation: Situation) -> None:
    assert [_winner(situation.reserve(candidate_for(rpm=2))) for _ in range(3)] == [
        "one",
        "one",
        None,
    ]


def test_who_is_refused_is_told_when_there_is_room(situation: Situation) -> None:
    situation.settle(situation.reserve(candidate_for(tokens=60, tpm=100)))
    situation.clock.now += 10.25
    situation.settle(situation.reserve(candidate_for(tokens=40, tpm=100)))
    # A second is counted until 60 whole ones have followed it.
    refused = situation.reserve(candidate_for(tokens=50, tpm=100))
    assert refused.retry_after == pytest.approx(50.75)
    situation.clock.now += 50.74
    assert situation.reserve(candidate_for(tokens=50, tpm=100)).candidate is None
    situation.clock.now += 0.01
    assert situation.reserve(candidate_for(tokens=50, tpm=100)).candidate is not None


def test_the_soonest_of_several_deployments_counts(situation: Situation) -> None:
    situation.settle(situation.reserve(candidate_for("one", 100, tpm=100)))
    situation.clock.now += 20
    situation.settle(situation.reserve(candidate_for("two", 100, tpm=100)))
    refused = situation.reserve(candidate_for("two", 1, tpm=100), candidate_for("one", 1, tpm=100))
    assert refused.retry_after == pytest.approx(41)


def test_a_deployment_that_may_take_nothing_never_has_room(situation: Situation) -> None:
    refused = situation.reserve(candidate_for(rpm=0))
    assert (refused.candidate, refused.retry_after) == (None, None)


def test_a_request_larger_than_the_limit_is_sent_alone(situation: Situation) -> None:
    situation.settle(situation.reserve(candidate_for(tokens=1, tpm=100)))
    refused = situation.reserve(candidate_for(tokens=500, tpm=100))
    assert refused.candidate is None
    assert refused.retry_after == pytest.approx(61)
    situation.clock.now += 61
    assert situation.reserve(candidate_for(tokens=500, tpm=100)).candidate is not None
    assert situation.reserve(candidate_for(tokens=1, tpm=100)).candidate is None


def test_what_running_calls_have_reserved_is_waited_for_until_they_end(
    situation: Situation,
) -> None:
    # litellm#18953
    running = [situation.reserve(candidate_for(tokens=45, tpm=100)) for _ in range(2)]
    refused = situation.reserve(candidate_for(tokens=45, tpm=100))
    assert refused.candidate is None
    assert refused.retry_after == pytest.approx(1.0)
    situation.settle(running[0], 2)
    running.append(situation.reserve(candidate_for(tokens=45, tpm=100)))
    assert running[-1].candidate is not None
    situation.clock.now += 5
    assert situation.reserve(candidate_for(tokens=45, tpm=100)).retry_after == pytest.approx(1.0)
    # Requests are used up by being made.
    assert situation.reserve(candidate_for(tokens=0, rpm=2)).retry_after == pytest.approx(56.0)


def test_what_running_calls_will_use_is_waited_for_until_the_window_frees(
    situation: Situation,
) -> None:
    for _ in range(2):
        situation.settle(situation.reserve(candidate_for(tokens=30, tpm=100)))
    situation.clock.now += 10
    situation.reserve(candidate_for(tokens=40, tpm=100))
    # By what the others used, the running call will need all that it reserved.
    refused = situation.reserve(candidate_for(tokens=50, tpm=100))
    assert refused.retry_after == pytest.approx(51.0)


def test_a_call_that_ends_after_its_minute_leaves_nothing_reserved(situation: Situation) -> None:
    late = situation.reserve(candidate_for(tokens=100, tpm=100))
    situation.clock.now += 70
    situation.settle(late, 0)
    assert situation.reserve(candidate_for(tokens=100, tpm=100)).candidate is not None
    assert situation.reserve(candidate_for(tokens=100, tpm=100)).retry_after == pytest.approx(1.0)


def test_how_much_is_stored_under_an_id_is_shared(lasting_server: RedisServer) -> None:
    state = shared_state(lasting_server.url)
    state.note_context("resp_1", 3000)
    assert state.flush()
    assert (state.context_of("resp_1"), state.context_of("resp_2")) == (3000, 0)
    state.close()
    memory = MemoryState()
    memory.note_context("resp_1", 3000)
    assert memory.context_of("resp_1") == 0


def test_tokens_that_were_not_used_are_given_back(situation: Situation) -> None:
    reservation = situation.reserve(candidate_for(tokens=100, tpm=100))
    situation.settle(reservation, used=30)
    assert situation.reserve(candidate_for(tokens=71, tpm=100)).candidate is None
    assert situation.reserve(candidate_for(tokens=70, tpm=100)).candidate is not None


def test_tokens_used_beyond_the_estimate_count(situation: Situation) -> None:
    situation.settle(situation.reserve(candidate_for(tokens=10, tpm=100)), used=95)
    assert situation.reserve(candidate_for(tokens=10, tpm=100)).candidate is None


def test_a_request_that_was_never_made_is_given_back(situation: Situation) -> None:
    situation.settle(situation.reserve(candidate_for(rpm=1)), used=0, refunds_request=True)
    assert situation.reserve(candidate_for(rpm=1)).candidate is not None


def test_a_settlement_that_comes_after_a_minute_changes_nothing(situation: Situation) -> None:
    reservation = situation.reserve(candidate_for(tokens=100, tpm=100))
    situation.clock.now += 61
    situation.reserve(candidate_for(tokens=100, tpm=100))
    situation.settle(reservation, used=0)
    assert situation.reserve(candidate_for(tokens=1, tpm=100)).candidate is None


def test_a_long_silence_empties_the_window(situation: Situation) -> None:
    situation.reserve(candidate_for(tokens=100, tpm=100))
    situation.clock.now += 5000
    assert situation.reserve(candidate_for(tokens=100, tpm=100)).candidate is not None


def test_a_cooldown_keeps_calls_away_and_is_told(situation: Situation) -> None:
    situation.settle(situation.reserve(candidate_for("one")), cooldown=30.0)
    reservation = situation.reserve(candidate_for("one"), candidate_for("two"))
    assert _winner(reservation) == "two"
    assert reservation.cooldowns == {"one": pytest.approx(30.0, abs=2.0)}
    refused = situation.reserve(candidate_for("one"))
    assert refused.candidate is None
    assert refused.retry_after == pytest.approx(30.0, abs=2.0)
    situation.clock.now += 31
    assert _winner(situation.reserve(candidate_for("one"))) == "one"


def test_a_later_cooldown_prolongs_and_never_shortens(situation: Situation) -> None:
    reservation = situation.reserve(candidate_for("one"))
    lengths = []
    for seconds in (30.0, 1.0, 90.0):
        situation.settle(reservation, cooldown=seconds)
        lengths.append(situation.reserve(candidate_for("one")).retry_after)
    assert lengths == [pytest.approx(length, abs=2.0) for length in (30, 30, 90)]


def test_who_is_full_and_cooling_down_waits_for_both(situation: Situation) -> None:
    situation.settle(situation.reserve(candidate_for(tokens=100, tpm=100)), cooldown=5.0)
    assert situation.reserve(candidate_for(tokens=1, tpm=100)).retry_after == pytest.approx(61)


def test_only_eight_bids_are_looked_at(situation: Situation) -> None:
    full = [candidate_for(str(number), rpm=0) for number in range(8)]
    if situation.state.is_shared:
        assert situation.reserve(*full, candidate_for("ninth")).candidate is None
    assert _winner(situation.reserve(*full[:7], candidate_for("eighth"))) == "eighth"


def test_a_stored_response_is_found_until_it_is_forgotten(situation: Situation) -> None:
    reservation = situation.reserve(candidate_for())
    situation.settle(reservation, entry=entry("resp_a", owner="tenant"))
    found = find(situation.state, "resp_a")
    assert found is not None
    assert (found.end_user, found.owner, found.deployment) == ("ann", "tenant", "tag-one")
    situation.state.forget("resp_a")
    assert find(situation.state, "resp_a") is None


def test_an_entry_without_times_is_kept_for_thirty_days(situation: Situation) -> None:
    situation.state.remember(entry("resp_a"))
    found = find(situation.state, "resp_a")
    assert found is not None
    assert found.created == pytest.approx(time.time(), abs=60)
    assert found.expires - found.created == pytest.approx(RETENTION)


def test_the_entries_of_an_end_user_come_in_pages(situation: Situation) -> None:
    state = situation.state
    for number in range(25):
        state.remember(entry(f"resp_{number}", created=1.0, expires=4e9 + number % 5))
    state.remember(entry("resp_other", end_user="bob"))
    state.remember(entry("resp_nobody", end_user=None))
    seen, last = [], None
    while page := state.entries_of("ann", after=last, limit=10):
        assert len(page) <= 10
        seen += [found.response_id for found in page]
        last = page[-1]
    assert sorted(seen) == sorted(f"resp_{number}" for number in range(25))


def test_a_page_goes_on_although_what_it_follows_was_forgotten(situation: Situation) -> None:
    for number in range(6):
        situation.state.remember(entry(f"resp_{number}", expires=4e9 + number, created=1.0))
    first = situation.state.entries_of("ann", limit=3)
    for found in first:
        situation.state.forget(found.response_id)
    rest = situation.state.entries_of("ann", after=first[-1], limit=3)
    assert [found.response_id for found in rest] == ["resp_3", "resp_4", "resp_5"]
    assert situation.state.entries_of("ann") == rest


def _file(name: str, **fields: Any) -> LedgerEntry:
    return entry(name, **{"kind": "files", "owner": "team", "created": 1000.0, **fields})


def test_an_object_is_kept_until_it_is_forgotten(situation: Situation) -> None:
    state, made = situation.state, _file("file-a", created=0.0)
    state.remember(made)
    (found,) = state.objects_of("files", owner="team")
    assert (found.expires, found.end_user) == (NEVER, "ann")
    assert state.find_objects([made.key, "files:resource:file-b"]) == {made.key: found}
    state.forget(made.key)
    assert state.find_objects([made.key]) == {}
    assert state.objects_of("files", owner="team") == ()
    assert state.find_objects([]) == {}


def test_an_entry_expires_with_its_object(situation: Situation) -> None:
    situation.state.remember(_file("file-a", expires=1001.0))
    assert situation.state.objects_of("files", owner="team") == ()


def test_objects_of_others_and_responses_are_not_listed(situation: Situation) -> None:
    state = situation.state
    state.remember(_file("file-a"))
    state.remember(_file("file-b", end_user="bob"))
    state.remember(_file("file-c", owner="rivals"))
    state.remember(_file("vs_a", kind="vector_stores"))
    state.remember(entry("resp_a", owner="team"))
    state.remember(_file("file-d", owner=None, end_user=None))

    def names(**asked: Any) -> list[str]:
        return [each.response_id for each in state.objects_of("files", **asked)]

    assert names(owner="team") == ["file-a", "file-b"]
    assert names(end_user="ann") == ["file-a", "file-c"]
    assert names(owner="team", end_user="ann") == ["file-a"]
    assert names(owner="nobody") == []
    state.remember(_file("file-e", facet="batch", created=2000.0))
    assert names(owner="team", facet="batch") == ["file-e"]
    assert names(owner="team", facet="assistants") == []
    assert [each.response_id for each in state.entries_of("ann")] == ["resp_a"]
    with pytest.raises(ValueError, match="for an owner or for an end user"):
        state.objects_of("files")


def test_the_same_id_at_two_resources_is_two_objects(situation: Situation) -> None:
    state = situation.state
    state.remember(_file("file-a"))
    state.remember(replace(_file("file-a"), resource="elsewhere"))
    assert len(state.objects_of("files", owner="team")) == 2
    state.forget("files:elsewhere:file-a")
    assert [each.resource for each in state.objects_of("files", owner="team")] == ["resource"]


@pytest.mark.parametrize("is_descending", [False, True])
def test_objects_come_in_the_order_of_their_creation(
    situation: Situation, *, is_descending: bool
) -> None:
    state = situation.state
    for number in range(25):
        state.remember(_file(f"file-{number:02}", created=1000.0 + number % 4))
    seen: list[LedgerEntry] = []
    last = None
    while page := state.objects_of(
        "files", owner="team", after=last, limit=4, is_descending=is_descending
    ):
        assert len(page) <= 4
        seen += page
        last = page[-1]
        # What is read is deleted, as callers do who clear a list.
        for each in page:
            state.forget(each.key)
    places = [(each.created, each.response_id) for each in seen]
    assert len(places) == 25
    assert places == sorted(places, reverse=is_descending)


def test_a_file_at_several_resources_is_listed_once(situation: Situation) -> None:
    state, copies = situation.state, (("resource", "file-a"), ("elsewhere", "file-b"))
    first = _file("file-a", copies=copies)
    state.remember(first)
    state.remember(replace(_file("file-b", copies=copies), resource="elsewhere"))
    assert [each.response_id for each in state.objects_of("files", owner="team")] == ["file-a"]
    found = state.find_objects(["files:elsewhere:file-b"])
    assert found["files:elsewhere:file-b"].copies == copies


def test_a_text_is_found_again_by_its_name(situation: Situation) -> None:
    state = situation.state
    assert state.text_of("page") is None
    state.note_text("page", "first")
    state.note_text("page", "zweite Seite ü")
    assert state.flush()
    assert state.text_of("page") == "zweite Seite ü"


_NAMES = ["one", "two"]
_STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("reserve"), st.permutations(_NAMES), st.integers(0, 150), st.integers(0, 3)
        ),
        st.tuples(st.just("settle"), st.integers(0, 30), st.integers(0, 200), st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([0.1, 0.9, 1.0, 7.3, 30.0, 59.9, 61.0, 200.0])),
        st.tuples(st.just("cool"), st.integers(0, 30), st.integers(1, 90)),
    ),
    max_size=30,
)
_LIMITS = st.fixed_dictionaries(
    {
        "rpm": st.sampled_from([None, 1, 3, 10]),
        "tpm": st.sampled_from([None, 1, 100, 300]),
    }
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(limits=st.lists(_LIMITS, min_size=2, max_size=2), steps=_STEPS)
def test_redis_decides_as_the_memory_does(
    lasting_server: RedisServer,
    limits: list[dict[str, int | None]],
    steps: list[tuple[object, ...]],
) -> None:
    clock = Clock()
    shared = shared_state(lasting_server.url, clock=clock)
    ours = Replay(Situation(MemoryState(), clock), limits)
    theirs = Replay(Situation(shared, clock), limits)
    try:
        for step in steps:
            assert theirs.take(step) == pytest.approx(ours.take(step), abs=0.06), step
    finally:
        shared.close()


class Replay:
    """Takes the steps of a story with one state."""

    def __init__(self, situation: Situation, limits: list[dict[str, int | None]]) -> None:
        self._situation = situation
        self._limits = dict(zip(_NAMES, limits, strict=True))
        self._grants: list[Reservation] = []
        self._is_leader = not situation.state.is_shared

    def take(self, step: tuple[object, ...]) -> list[float]:
        """What every reservation came to: which deployment, or after how many seconds one."""
        match step:
            case ("reserve", list(names), int(tokens), int(count)):
                return [self._reserve(names, tokens) for _ in range(count)]
            case ("settle", int(index), int(used), bool(refunds)) if self._grants:
                # Each reservation is settled once.
                reservation = self._grants.pop(index % len(self._grants))
                self._situation.settle(reservation, used, refunds_request=refunds)
            case ("cool", int(index), int(seconds)) if self._grants:
                reservation = self._grants[index % len(self._grants)]
                # Never at the very moment to which the clock is set: Redis counts milliseconds.
                self._situation.settle(reservation, cooldown=seconds + 0.05)
            case ("wait", float(seconds)) if self._is_leader:
                clock = self._situation.clock
                clock.now = round(clock.now + seconds, 3)
        return []

    def _reserve(self, names: list[str], tokens: int) -> float:
        candidates = [candidate_for(name, tokens, **self._limits[name]) for name in names]
        reservation = self._situation.reserve(*candidates)
        if reservation.candidate is not None:
            self._grants.append(reservation)
            return -1.0 - _NAMES.index(reservation.candidate.deployment.id)
        assert reservation.retry_after is not None
        return reservation.retry_after
