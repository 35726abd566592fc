"""How long an attempt may take, and whose time that is."""

from math import inf

import pytest

from azure_responses.routing.ask import Ask
from azure_responses.routing.attempt_time import AttemptTime
from tests.routing.fleet import ask


def _time(
    asked: Ask, deadline: float | None = None, own: float | None = None, timeout: float | None = 600
) -> AttemptTime:
    return AttemptTime.of(asked, own, asked.deadline or deadline, timeout, 0.0)


@pytest.mark.parametrize(
    ("asked", "own", "late", "is_callers"),
    [
        (ask(deadline=1.5, patience=1.5), None, 1.5, True),
        (ask(deadline=1.5, patience=1.5), 30.0, 1.49, True),
        # The row's own two seconds have passed, and the caller would have waited longer.
        (ask(deadline=30.0, patience=30.0), 2.0, 2.0, False),
        # No connection within the ten seconds of ours.
        (ask(deadline=30.0, patience=30.0), None, 10.0, False),
        # httpx.Timeout(30, connect=0.2)
        (ask(deadline=30.0, patience=0.2), 2.0, 0.2, True),
        # A caller who waits for ever.
        (ask(deadline=inf), 2.0, 2.0, False),
        (ask(deadline=inf), None, 100.0, False),
    ],
)
def test_a_timeout_is_the_callers_where_their_time_has_passed(
    asked: Ask, own: float | None, late: float, is_callers: bool
) -> None:
    assert _time(asked, own=own).is_callers(late) is is_callers


def test_the_configured_time_is_the_deployments_where_it_has_all_of_it() -> None:
    assert not _time(ask(), 600.0).is_callers(600.0)
    # Earlier attempts took the rest.
    assert _time(ask(), 5.0).is_callers(5.0)
    assert not _time(ask(), 5.0, own=2.0).is_callers(2.0)


def test_an_attempt_takes_no_more_than_what_is_left_or_its_row_allows() -> None:
    assert _time(ask(), 5.0).seconds == 5.0
    assert _time(ask(), 5.0, own=2.0).seconds == 2.0
    assert _time(ask(), timeout=None).seconds is None
    assert _time(ask(deadline=-1.0)).seconds == 0.001
