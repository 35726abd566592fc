"""No plan repeats, loops, overruns or waits too long, whatever happens to the call."""

from collections import Counter
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.errors import (
    AzureResponsesError,
    ContentFilterError,
    ContextWindowExceededError,
)
from azure_responses.routing.call_path import FallbackPath
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.failure_policy import is_busy
from azure_responses.routing.route_request import (
    AttemptStep,
    Outcome,
    Pin,
    Reservation,
    RouteRequest,
    WaitStep,
)
from azure_responses.routing.routed_call import RoutedCall
from tests.routing.fleet import (
    ask,
    deployment,
    fleet,
    limited,
    refused_key,
    server_error,
    store_of,
    unreachable,
)

_GROUPS = ("g0", "g1", "g2", "g3")
_FILTERED = Outcome(status="incomplete", incomplete_reason="content_filter")
_events = st.one_of(
    st.builds(limited, st.one_of(st.none(), st.floats(0, 90))),
    st.builds(server_error, st.one_of(st.none(), st.floats(0, 90))),
    st.sampled_from(["unreachable", "key", "too long", "filtered", "answer cut", "full", "answer"]),
)
_chains = st.dictionaries(
    st.sampled_from(_GROUPS), st.lists(st.sampled_from(_GROUPS), max_size=4), max_size=4
)
_rows: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.builds(
        dict,
        group=st.sampled_from(_GROUPS),
        resource=st.sampled_from(["r0", "r1", "r2"]),
        order=st.integers(1, 2),
        weight=st.sampled_from([0.0, 1.0, 5.0]),
        rpm=st.sampled_from([None, 2]),
        max_input_tokens=st.sampled_from([None, 10]),
    ),
    max_size=8,
)
_options: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    strategy=st.sampled_from(["weighted", "least-busy", "latency", "headroom"]),
    num_retries=st.integers(0, 3),
    max_fallbacks=st.integers(0, 3),
    allowed_fails=st.integers(1, 3),
    fallbacks=_chains,
    context_window_fallbacks=_chains,
    content_policy_fallbacks=_chains,
    default_fallbacks=st.lists(st.sampled_from(_GROUPS), max_size=2),
    on_origin_down=st.sampled_from(["fail", "strip", "replay"]),
)
_pins = st.one_of(
    st.none(),
    st.builds(
        # Of a named tuple hypothesis would invent the fields that have defaults, too.
        lambda resource, **how: Pin(resource, **how),
        st.sampled_from(["r0", "r1", "r2", "gone"]),
        is_hard=st.booleans(),
        is_wish=st.booleans(),
    ),
)
_asks = st.builds(
    lambda group, **asked: RouteRequest(group, **asked),
    st.sampled_from(_GROUPS),
    input_tokens=st.sampled_from([1, 11]),
    output_tokens=st.just(0),
    pin=_pins,
    deadline=st.sampled_from([20.0, 200.0]),
    is_stream=st.booleans(),
    can_move=st.booleans(),
    on_origin_down=st.none(),
)
_ERRORS: dict[str, AzureResponsesError] = {
    "unreachable": unreachable(),
    "key": refused_key(),
    "too long": ContextWindowExceededError("long", status_code=400),
    "filtered": ContentFilterError("no", status_code=400),
}


class _Run:
    """Follows one call and checks every step of it."""

    def __init__(self, routing: DeploymentRegistry, asked: RouteRequest) -> None:
        self.routing = routing
        self.call: RoutedCall = RoutedCall(routing, asked, 0.0)
        self.now = 0.0
        self.entered: list[str] = []
        self.excused: Counter[str] = Counter()

    def step(self, event: object, jitter: float) -> bool:
        """Take one step, which meets an event; False when the call is over."""
        before = dict(self.routing.health.cooldowns(self.now))
        try:
            step = self.call.next_step(self.now, jitter)
        except AzureResponsesError:
            return False
        assert self.now < (self.call.deadline or 0)
        if isinstance(step, WaitStep):
            assert 0 < step.seconds < (self.call.deadline or 0) - self.now
            self.now += step.seconds
            return True
        self._check(step, before)
        return self._meet(step, event)

    def _check(self, step: AttemptStep, cooling: dict[str, float]) -> None:
        assert 1 <= len(step.candidates) <= 8
        names = [candidate.deployment.id for candidate in step.candidates]
        assert len(names) == len(set(names))
        health = self.routing.health
        out = cooling.keys() & set(names)
        assert step.needs_room == self.call.request.can_move
        assert not out or (
            not step.needs_room and all(health.is_only_limited(name, self.now) for name in out)
        )
        settings, pin = self.routing.settings, self.call.request.pin
        may_move = pin is None or settings.on_origin_down == ("replay" if pin.is_hard else "strip")
        is_bound = pin is not None and not pin.is_wish
        if pin is not None and is_bound and not (may_move and self.call.request.can_move):
            assert {candidate.deployment.resource for candidate in step.candidates} == {
                pin.resource
            }
        if pin is None:
            assert all(candidate.deployment.weight > 0 for candidate in step.candidates)

    def _meet(self, step: AttemptStep, event: object) -> bool:
        reservation = Reservation(step.candidates[0])
        if step.needs_room:
            reservation = store_of(self.routing).reserve(step.candidates, self.now)
        if event == "full" or reservation.candidate is None:
            self.call.refused(
                Reservation(None, retry_after=reservation.retry_after or 1.0), self.now
            )
            return True
        self.call.reserved(reservation, self.now)
        self._count()
        if event in ("answer", "answer cut"):
            outcome = _FILTERED if event == "answer cut" else Outcome()
            goes_on = self.call.wants_another(outcome)
            store_of(self.routing).settle(self.call.answered(outcome, self.now), self.now)
            return goes_on
        error = event if isinstance(event, AzureResponsesError) else _ERRORS[str(event)]
        store_of(self.routing).settle(self.call.failed(error, self.now), self.now)
        if is_busy(error) and self.routing.settings.num_retries:
            # It said when to come back, which uses up no retry.
            assert self.call.deployment is not None
            self.excused[self.call.deployment.id] += 1
            self.entered.pop()
        return True

    def _count(self) -> None:
        settings, call = self.routing.settings, self.call
        self.entered.append(call.group)
        assert len(call.fallbacks) == len(set(call.fallbacks)) <= settings.max_fallbacks
        assert call.request.group not in call.fallbacks
        assert self.entered.count(call.group) <= 1 + settings.num_retries
        assert max(self.excused.values(), default=0) <= 10
        most = (1 + settings.num_retries) * (1 + settings.max_fallbacks)
        assert call.attempts - self.excused.total() <= most


@settings(max_examples=60, deadline=None)
@given(_rows, _options, _asks, st.lists(_events, max_size=15), st.integers(0, 2**32))
def test_whatever_happens_a_call_keeps_to_its_bounds_and_ends(
    rows: list[dict[str, Any]],
    options: dict[str, Any],
    asked: RouteRequest,
    events: list[object],
    seed: int,
) -> None:
    first = [deployment(f"first-{group}", group, resource="r0") for group in _GROUPS]
    more = [deployment(f"more-{n}", **row) for n, row in enumerate(rows)]
    routing = fleet(*first, *more, **options)
    luck = Random(seed)
    for name in ("more-0", "first-g0"):
        if name in routing.health.statuses and luck.random() < 0.5:
            routing.health.limit(name, 30 * luck.random(), 0.0)
    run, steps = _Run(routing, asked), 0
    supply = iter(events)
    while run.step(next(supply, "answer"), luck.random()):
        steps += 1
        assert steps < 200
    assert all(routing.health.statuses[d.id].in_flight == 0 for d in routing.deployments)


def test_a_chain_that_names_its_own_group_leads_nowhere() -> None:
    routing = fleet("a", fallbacks=[{"gpt": ["gpt"]}])
    route = FallbackPath(routing, ask())
    assert not route.leads_on("general")
    assert not route.advance(may_return=False)


def test_no_more_groups_are_put_on_the_way_than_allowed() -> None:
    rows = [deployment(name, name) for name in ("g0", "g1", "g2")]
    routing = fleet(*rows, fallbacks=[{"g0": ["g1", "g2"]}], max_fallbacks=1)
    route = FallbackPath(routing, ask("g0"))
    assert route.advance(may_return=True)
    assert route.here.name == "g1"
    assert not route.advance(may_return=True)
    assert [group.name for group in route.passed_over] == ["g0", "g1"]
    route.go_back()
    assert (route.here.name, route.is_fallback) == ("g0", False)


def test_a_group_without_deployments_on_the_resource_is_passed_over() -> None:
    routing = fleet("a", deployment("b", "backup"), fallbacks=[{"gpt": ["backup"]}])
    route = FallbackPath(routing, ask(pin=Pin("resource-a")))
    assert not route.leads_on("general")
    assert not route.advance(may_return=True)


def test_a_group_that_seemed_too_small_is_taken_when_no_other_can_be() -> None:
    routing = fleet(
        deployment("a", max_input_tokens=5),
        deployment("b", "long"),
        context_window_fallbacks=[{"gpt": ["long"]}],
    )
    assert FallbackPath(routing, ask(input_tokens=9)).here.name == "long"
    assert FallbackPath(routing, ask(input_tokens=9, pin=Pin("resource-a"))).here.name == "gpt"
