"""Deployments, candidates, settlements and entries to try states with."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from azure_responses.routing.deployment import Deployment
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Candidate, Reservation, Settlement
from azure_responses.store.connection import read_address
from azure_responses.store.interface import StateStore
from azure_responses.store.redis_state import RedisState

__all__ = [
    "candidate_for",
    "entry",
    "find",
    "is_eventually",
    "make_deployment",
    "outage_is_said",
    "settlement",
    "shared_state",
]

_prefixes = itertools.count()


def make_deployment(
    name: str = "one", rpm: int | None = None, tpm: int | None = None
) -> Deployment:
    return Deployment(name, "gpt", "gpt-5", f"tag-{name}", "resource", rpm=rpm, tpm=tpm)


def candidate_for(
    name: str = "one", tokens: int = 10, rpm: int | None = None, tpm: int | None = None
) -> Candidate:
    return Candidate(make_deployment(name, rpm, tpm), tokens)


def settlement(reservation: Reservation, used: int | None = None, **fields: Any) -> Settlement:
    assert reservation.candidate is not None
    return Settlement(
        reservation.candidate,
        reservation.slot,
        reservation.candidate.tokens if used is None else used,
        **fields,
    )


def entry(name: str = "resp_1", end_user: str | None = "ann", **fields: Any) -> LedgerEntry:
    return LedgerEntry(name, "tag-one", "resource", end_user, **fields)


def find(state: StateStore, response_id: str, end_user: str = "ann") -> LedgerEntry | None:
    """The entry of a response among those of an end user."""
    entries = state.entries_of(end_user)
    return next((each for each in entries if each.response_id == response_id), None)


def shared_state(
    url: str, *, timeout: float = 5.0, clock: Callable[[], int] | None = None
) -> RedisState:
    """A state that shares its prefix with no other test."""
    prefix = f"test-{next(_prefixes)}"
    return RedisState(read_address(url, timeout=timeout), prefix=prefix, clock=clock)


def is_eventually(claim: Callable[[], object], seconds: float = 20.0) -> bool:
    """True as soon as the claim is; False when it has not become so in time."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def outage_is_said(match: str = "Local counters take over") -> Iterator[pytest.WarningsRecorder]:
    """Collects the warnings; at least one must be of an outage."""
    with pytest.warns(UserWarning, match=match) as warned:  # noqa: PT031
        yield warned
        # The thread that meets the outage says so after it has been counted.
        is_eventually(lambda: len(warned))
