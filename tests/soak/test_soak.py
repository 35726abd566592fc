"""A short soak: what the long one looks for (`python -m tests.soak`), in a few seconds."""

from collections import Counter

import pytest

from tests.soak.served import HAS_PROC
from tests.soak.soak import Figures, soak

pytest.importorskip("uvicorn", reason="the gateway and the emulator are served by uvicorn")
pytestmark = [
    pytest.mark.skipif(not HAS_PROC, reason="no /proc: memory and descriptors cannot be read"),
    pytest.mark.xdist_group("soak"),
]

_CALLS = 1_000
# What a process that is still warming up may take; a leak of 1 kB a call would stand out above
# this in the long soak, not here.
_MOST_GROWTH_MB = 25.0


@pytest.fixture(scope="module")
def figures() -> Figures:
    """Of one soak, which all tests here look at."""
    return soak(_CALLS, at_once=60)


def test_every_call_ends_in_a_right_answer_or_an_honest_error(figures: Figures) -> None:
    assert figures.wrong == []
    assert figures.unfinished() == []
    outcomes = Counter(call.outcome for call in figures.calls)
    assert outcomes["right"] > 0.95 * (_CALLS - outcomes["left"])


def test_the_soak_meets_all_it_is_about(figures: Figures) -> None:
    kinds = Counter(call.kind for call in figures.calls if call.outcome == "right")
    native = {"native", "native stream", "follow-up", "follow-up stream", "retrieve", "delete"}
    assert native | {"chat", "chat stream", "tool output", "stranger's retrieve"} <= set(kinds)
    assert any(call.outcome == "left" for call in figures.calls)


def test_no_two_calls_are_given_the_same_id(figures: Figures) -> None:
    assert figures.repeated_ids == []


def test_database_spend_log_and_callers_agree_to_the_last_digit(figures: Figures) -> None:
    assert figures.accounts.faults == []
    assert figures.accounts.database == figures.accounts.log > 0


def test_no_descriptor_is_lost(figures: Figures) -> None:
    assert figures.lost_descriptors == Counter()


def test_one_more_connection_than_threads_use_is_lost() -> None:
    before = Counter({"gateway.db": 1, "gateway.db-wal": 1, "socket": 2})
    after = Counter({"gateway.db": 2, "gateway.db-wal": 2, "socket": 2})
    assert Figures(descriptors=(before, after)).lost_descriptors == Counter()
    after += Counter({"gateway.db": 1, "to port 443": 1})
    lost = Figures(descriptors=(before, after)).lost_descriptors
    assert lost == Counter({"gateway.db": 1, "to port 443": 1})


def test_memory_does_not_run_away(figures: Figures) -> None:
    assert figures.growth < _MOST_GROWTH_MB


def test_the_log_holds_no_traceback_and_no_secret(figures: Figures) -> None:
    assert figures.tracebacks == 0
    assert figures.leaks == []
    assert figures.exit_code == 0
