"""Whose time an attempt ran out of."""

from math import inf

import pytest

from azure_responses.routing.failure_policy import is_callers_time
from azure_responses.routing.route_request import RouteRequest
from tests.routing.fleet import ask


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
    asked: RouteRequest, own: float | None, late: float, is_callers: bool
) -> None:
    assert is_callers_time(asked, own, asked.deadline, 600.0, late) is is_callers


def test_the_configured_time_is_the_deployments_where_it_has_all_of_it() -> None:
    assert not is_callers_time(ask(), None, 600.0, 600.0, 600.0)
    assert not is_callers_time(ask(), None, None, None, 600.0)
    # Earlier attempts took the rest.
    assert is_callers_time(ask(), None, 5.0, 600.0, 5.0)
    assert not is_callers_time(ask(), 2.0, 5.0, 600.0, 2.0)
