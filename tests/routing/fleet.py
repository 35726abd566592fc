"""Deployments, routings and whole calls for the tests of routing."""

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from azure_responses.errors import (
    APIConnectionError,
    AuthenticationError,
    AzureResponsesError,
    InternalServerError,
    RateLimitError,
)
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.route_request import (
    AttemptStep,
    Outcome,
    Reservation,
    RouteRequest,
    Settlement,
    WaitStep,
)
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.settings import read_settings
from azure_responses.store.memory import MemoryState

__all__ = [
    "ask",
    "attempt",
    "deployment",
    "fleet",
    "full",
    "limited",
    "refused_key",
    "serve",
    "server_error",
    "store_of",
    "unreachable",
]


def deployment(
    name: str, group: str = "gpt", resource: str | None = None, **row: Any
) -> Deployment:
    """A row called `name`; each has a resource of its own unless told otherwise."""
    return Deployment(
        **{
            "id": name,
            "group": group,
            "model": group,
            "tag": f"tag-{name}",
            "resource": resource or f"resource-{name}",
            "host": f"{name}.example",
            **row,
        }
    )


def fleet(*names_or_rows: str | Deployment, **options: Any) -> DeploymentRegistry:
    """A routing over these, with settings by name."""
    rows = [deployment(row) if isinstance(row, str) else row for row in names_or_rows]
    return DeploymentRegistry(rows, read_settings(options))


def ask(group: str = "gpt", **details: Any) -> RouteRequest:
    """A call of no size."""
    return RouteRequest(group, **details)


def attempt(call: RoutedCall, now: float, jitter: float = 0.5) -> str | WaitStep:
    """Take the next step; the id of the deployment reserved, or the WaitStep."""
    step = call.next_step(now, jitter)
    if isinstance(step, WaitStep):
        return step
    assert isinstance(step, AttemptStep)
    assert 1 <= len(step.candidates) <= 8
    reservation = Reservation(step.candidates[0])
    if step.needs_room:
        reservation = store_of(call._registry).reserve(step.candidates, now)
    if reservation.candidate is None:
        call.refused(reservation, now)
        return attempt(call, now, jitter)
    call.reserved(reservation, now)
    return reservation.candidate.deployment.id


Answer = Outcome | AzureResponsesError
_OK = Outcome(status="completed")


def serve(
    routing: DeploymentRegistry,
    asked: RouteRequest,
    now: float = 0.0,
    answers: Mapping[str, Answer] | Callable[[str], Answer] | None = None,
    jitter: float = 0.5,
) -> tuple[RoutedCall, list[str]]:
    """Run a call to its end in virtual time; the call and the deployments tried, in order.

    `answers` by deployment id, or a function of it; the others answer. Waits pass at once, for
    the call that is; raises what the call raises.
    """
    look_up = answers if callable(answers) else (answers or {}).get
    call, tried = RoutedCall(routing, asked, now), []
    while True:
        step = attempt(call, now, jitter)
        if isinstance(step, WaitStep):
            now += step.seconds
            continue
        tried.append(step)
        answer = look_up(step) or _OK
        if isinstance(answer, Outcome):
            wants_another = call.wants_another(answer)
            _settle(routing, call.answered(answer, now), now)
            if not wants_another:
                return call, tried
        else:
            _settle(routing, call.failed(answer, now), now)


def _settle(routing: DeploymentRegistry, settlement: Settlement, now: float) -> None:
    store_of(routing).settle(settlement, now)


def store_of(routing: DeploymentRegistry) -> MemoryState:
    """The limits of a routing."""
    store = _stores.get(routing)
    if store is None:
        store = _stores[routing] = MemoryState()
    return store


_stores: "WeakKeyDictionary[DeploymentRegistry, MemoryState]" = WeakKeyDictionary()


def limited(retry_after: float | None = None) -> RateLimitError:
    """A 429."""
    return RateLimitError("slow down", status_code=429, retry_after=retry_after)


def server_error(retry_after: float | None = None) -> InternalServerError:
    """A 500."""
    return InternalServerError("broken", status_code=500, retry_after=retry_after)


def refused_key() -> AuthenticationError:
    """A 401."""
    return AuthenticationError("wrong key", status_code=401)


def unreachable() -> APIConnectionError:
    """No connection."""
    return APIConnectionError("connection refused")


def full(retry_after: float | None = None) -> Reservation:
    """What a state store says when nobody has room."""
    return Reservation(None, retry_after=retry_after)
