"""One call: where it goes next, what it gives up on, what it leaves behind."""

from collections.abc import Callable

import pytest

from azure_responses.errors import (
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AzureResponsesError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ContentFilterError,
    ContextWindowExceededError,
    DeploymentNotFoundError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    ResponseFailedError,
    ResponseNotFoundError,
    StreamInterruptedError,
)
from azure_responses.routing.deployment_registry import DeploymentRegistry
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
    attempt,
    deployment,
    fleet,
    full,
    limited,
    refused_key,
    serve,
    server_error,
    store_of,
    unreachable,
)

_FILTERED = Outcome(status="incomplete", incomplete_reason="content_filter", tokens=7)


def _bad_request() -> BadRequestError:
    return BadRequestError("no", status_code=400)


def _too_long() -> ContextWindowExceededError:
    return ContextWindowExceededError("too long", status_code=400)


def test_an_answer_ends_the_call_and_settles_what_was_used() -> None:
    routing = fleet("a")
    call = RoutedCall(routing, RouteRequest("gpt", 10, 20), 0.0)
    assert attempt(call, 0.0) == "a"
    assert routing.health.statuses["a"].in_flight == 1
    settlement = call.answered(Outcome(tokens=25, latency=1.0), 1.0)
    assert (settlement.candidate.tokens, settlement.used) == (30, 25)
    assert routing.health.statuses["a"].in_flight == 0
    assert (call.attempts, call.fallbacks, call.group) == (1, (), "gpt")


def test_an_answer_without_usage_counts_what_was_reserved() -> None:
    call = RoutedCall(fleet("a"), RouteRequest("gpt", 10, 20), 0.0)
    attempt(call, 0.0)
    assert call.answered(Outcome(), 1.0).used == 30


def test_a_rate_limit_goes_to_the_next_deployment_and_cools_the_first_down() -> None:
    routing = fleet("a", "b")
    call, tried = serve(routing, ask(), 0.0, {"a": limited(0.3)}, 0.1)
    assert tried == ["a", "b"]
    assert routing.health.cooldowns(0.0) == {"a": 0.3}
    assert call.attempts == 2


def test_the_rows_cooldown_time_stands_in_for_a_missing_hint() -> None:
    routing = fleet(deployment("a", cooldown_time=9.0), "b", cooldown_time=4)
    serve(routing, ask(), 0.0, {"a": limited()}, 0.1)
    assert routing.health.cooldowns(0.0) == {"a": 9.0}


def test_the_routers_cooldown_time_stands_in_last() -> None:
    routing = fleet("a", "b", cooldown_time=4)
    serve(routing, ask(), 0.0, {"a": limited()}, 0.1)
    assert routing.health.cooldowns(0.0) == {"a": 4.0}


def test_a_lone_limited_deployment_is_waited_for() -> None:
    routing = fleet("a")
    call = RoutedCall(routing, ask(), 0.0)
    attempt(call, 0.0)
    call.failed(limited(12.0), 0.0)
    assert attempt(call, 0.0, jitter=0.0) == WaitStep(12.0)
    assert call.waited == 12.0
    assert attempt(call, 12.0) == "a"


def test_waiters_are_spread_but_never_beyond_the_deadline() -> None:
    routing = fleet("a")
    routing.health.limit("a", 10.0, 0.0)
    step = RoutedCall(routing, ask(deadline=11.2), 0.0).next_step(0.0, 0.999)
    assert isinstance(step, WaitStep)
    assert 10.0 < step.seconds < 11.2


@pytest.mark.parametrize(("cooldown", "deadline"), [(30.0, 30.5), (0.5, 0.52)])
def test_nobody_waits_until_there_is_no_time_left_to_ask(cooldown: float, deadline: float) -> None:
    routing = fleet("a")
    routing.health.limit("a", cooldown, 0.0)
    with pytest.raises(RateLimitError) as caught:
        attempt(RoutedCall(routing, ask(deadline=deadline), 0.0), 0.0)
    assert caught.value.retry_after == cooldown


def test_without_a_deadline_it_waits_however_long() -> None:
    routing = fleet("a", timeout=None)
    routing.health.limit("a", 1e5, 0.0)
    assert attempt(RoutedCall(routing, ask(), 0.0), 0.0, jitter=0.0) == WaitStep(1e5)


def test_a_deployment_with_too_small_a_window_is_not_waited_for() -> None:
    routing = fleet(deployment("a", max_input_tokens=5), "b")
    routing.health.limit("b", 9.0, 0.0)
    call = RoutedCall(routing, ask(input_tokens=6), 0.0)
    assert attempt(call, 0.0, jitter=0.0) == WaitStep(9.0)


def test_a_wait_beyond_the_deadline_is_an_error_with_the_true_time() -> None:
    routing = fleet("a", "b")
    routing.health.limit("a", 10.0, 0.0)
    routing.health.limit("b", 20.0, 0.0)
    with pytest.raises(RateLimitError, match=r"a \(a\.example\): cooling down .* 9\.0 s") as caught:
        attempt(RoutedCall(routing, ask(deadline=5.0), 1.0), 1.0)
    assert caught.value.status_code == 429
    assert caught.value.retry_after == pytest.approx(9.0)


def test_the_services_error_is_told_with_the_time_that_is_left() -> None:
    routing = fleet("a", "b")
    call = RoutedCall(routing, ask(deadline=5.0), 0.0)
    for seconds in (30.0, 20.0):
        attempt(call, 0.0)
        call.failed(limited(seconds), 0.0)
    with pytest.raises(RateLimitError, match="slow down") as caught:
        attempt(call, 1.0)
    assert caught.value.retry_after == pytest.approx(19.0)


def test_an_outage_is_a_503() -> None:
    routing = fleet("a")
    routing.health.fail("a", "failures", 0.0, hint=None, at_once=True, is_probe=False)
    with pytest.raises(InternalServerError, match="failures") as caught:
        attempt(RoutedCall(routing, ask(deadline=1.0), 0.0), 0.0)
    assert (caught.value.status_code, caught.value.retry_after) == (503, 30.0)


def test_failures_in_a_row_cool_down_and_a_success_between_resets() -> None:
    routing = fleet("a", "b", num_retries=1)
    for _ in range(2):
        serve(routing, ask(), 0.0, {"a": server_error()}, 0.1)
    serve(routing, ask(), 0.0, {}, 0.1)
    for _ in range(2):
        serve(routing, ask(), 0.0, {"a": server_error()}, 0.1)
    assert routing.health.cooldowns(0.0) == {}
    serve(routing, ask(), 0.0, {"a": unreachable()}, 0.1)
    assert routing.health.cooldowns(0.0) == {"a": 30.0}


def test_one_call_counts_once_however_often_it_tried_a_deployment() -> None:
    routing = fleet("a", allowed_fails=3, num_retries=5)
    for _ in range(2):
        with pytest.raises(InternalServerError):
            serve(routing, ask(), 0.0, {"a": server_error()})
    assert routing.health.cooldowns(0.0) == {}
    with pytest.raises(InternalServerError):
        serve(routing, ask(deadline=20.0), 0.0, {"a": server_error()})
    assert routing.health.cooldowns(0.0) == {"a": 30.0}


def test_a_callers_deadline_says_nothing_about_the_deployment() -> None:
    routing = fleet(deployment("a", timeout=20.0), allowed_fails=1)
    call = RoutedCall(routing, ask(deadline=1.5), 0.0)
    attempt(call, 0.0)
    assert call.attempt_timeout(0.0) == 1.5
    assert call.failed(APITimeoutError("late"), 1.5).cooldown is None
    assert routing.health.cooldowns(1.5) == {}


def test_the_timeout_of_a_row_counts_against_it() -> None:
    routing = fleet(deployment("a", timeout=2.0), allowed_fails=1)
    call = RoutedCall(routing, ask(deadline=30.0), 0.0)
    attempt(call, 0.0)
    assert call.attempt_timeout(0.0) == 2.0
    assert call.failed(APITimeoutError("late"), 2.0).cooldown == 30.0


def test_a_hint_of_an_unavailable_service_is_heeded_at_once() -> None:
    routing = fleet("a", "b")
    serve(routing, ask(), 0.0, {"a": server_error(5.0)}, 0.1)
    assert routing.health.cooldowns(0.0) == {"a": 5.0}


def test_only_one_call_probes_a_deployment_that_had_failed() -> None:
    routing = fleet("a", allowed_fails=1, num_retries=0)
    with pytest.raises(InternalServerError):
        serve(routing, ask(), 0.0, {"a": server_error()})
    probe, other = RoutedCall(routing, ask(), 31.0), RoutedCall(routing, ask(), 31.0)
    assert attempt(probe, 31.0) == "a"
    assert probe.is_probe
    assert attempt(other, 31.0, jitter=0.0) == WaitStep(1.0)
    probe.answered(Outcome(), 31.5)
    assert attempt(other, 32.0) == "a"
    assert not other.is_probe


def test_a_failed_probe_doubles_the_cooldown() -> None:
    routing = fleet("a", "b", allowed_fails=1, longest_cooldown=100)
    now, left = 0.0, []
    for _ in range(4):
        serve(routing, ask(), now, {"a": server_error()}, 0.1)
        left.append(routing.health.cooldowns(now)["a"])
        now += left[-1]
    assert left == [30.0, 60.0, 100.0, 100.0]


@pytest.mark.parametrize(
    "end", ["abandoned", "released", "refused", "bad request", "limited", "another"]
)
def test_a_probe_that_shows_nothing_makes_room_for_another(end: str) -> None:
    routing = fleet(deployment("a"), deployment("b", order=2, rpm=9), allowed_fails=1)
    serve(routing, ask(), 0.0, {"a": server_error()})
    call = RoutedCall(routing, ask(), 31.0)
    step = call.next_step(31.0, 0.5)
    assert isinstance(step, AttemptStep)
    assert not routing.health.is_open("a", 31.0)
    if end == "another":
        call.reserved(Reservation(step.candidates[1]), 31.0)
        assert not call.is_probe
    elif end == "refused":
        call.refused(full(), 31.0)
    elif end == "released":
        assert call.abandoned(31.0) is None
    else:
        call.reserved(Reservation(step.candidates[0]), 31.0)
        if end == "abandoned":
            call.abandoned(31.0)
        else:
            call.failed(_bad_request() if end == "bad request" else limited(0.0), 31.0)
    assert routing.health.is_open("a", 31.0)


def test_a_probe_taken_by_another_thread_meanwhile_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    routing = fleet("a", allowed_fails=1, num_retries=0)
    with pytest.raises(InternalServerError):
        serve(routing, ask(), 0.0, {"a": server_error()})
    monkeypatch.setattr(routing.health, "claim_probe", lambda *_: False)
    assert isinstance(attempt(RoutedCall(routing, ask(), 31.0), 31.0), WaitStep)


def test_a_plan_without_an_outcome_gives_its_probe_back_at_the_next() -> None:
    routing = fleet("a", allowed_fails=1, num_retries=0)
    with pytest.raises(InternalServerError):
        serve(routing, ask(), 0.0, {"a": server_error()})
    call = RoutedCall(routing, ask(), 31.0)
    assert isinstance(call.next_step(31.0, 0.5), AttemptStep)
    assert isinstance(call.next_step(31.0, 0.5), AttemptStep)


@pytest.mark.parametrize(
    "error",
    [
        refused_key(),
        DeploymentNotFoundError("no such deployment", status_code=404),
        NotFoundError("Resource not found", status_code=404),
    ],
)
def test_what_an_operator_must_mend_is_loud_and_cools_down_at_once(error: APIStatusError) -> None:
    routing = fleet("a", "b")
    call = RoutedCall(routing, ask(), 0.0)
    attempt(call, 0.0, 0.1)
    call.failed(error, 0.0)
    assert call.alarm is not None
    assert "a (a.example)" in call.alarm
    assert routing.health.cooldowns(0.0) == {"a": 30.0}
    assert attempt(call, 0.0, 0.1) == "b"
    call.answered(Outcome(), 0.0)
    assert call.alarm is None


@pytest.mark.parametrize(
    "error",
    [
        _bad_request(),
        _too_long(),
        ContentFilterError("filtered", status_code=400),
        ResponseNotFoundError("gone", status_code=404),
        ConfigurationError("contradiction"),
        ResponseFailedError("failed", code="image_content_policy_violation"),
    ],
)
def test_what_no_deployment_would_answer_is_raised_and_cools_nobody_down(
    error: APIStatusError,
) -> None:
    routing = fleet("a", "b", allowed_fails=1)
    with pytest.raises(type(error)) as caught:
        serve(routing, ask(), 0.0, lambda _: error)
    assert caught.value is error
    assert routing.health.cooldowns(0.0) == {}


def test_a_missing_stored_thing_does_not_blame_its_deployment() -> None:
    routing = fleet("a", "b")
    error = NotFoundError("no such conversation", status_code=404)
    for details in ({"pin": Pin("resource-a")}, {"can_move": False}):
        with pytest.raises(NotFoundError):
            serve(routing, ask(**details), 0.0, lambda _: error)
    assert routing.health.cooldowns(0.0) == {}


def test_a_conflict_is_tried_again_and_blames_nobody() -> None:
    routing = fleet("a", "b", allowed_fails=1)
    _, tried = serve(routing, ask(), 0.0, {"a": ConflictError("busy", status_code=409)}, 0.1)
    assert tried == ["a", "b"]
    assert routing.health.cooldowns(0.0) == {}


def test_after_output_there_is_no_other_attempt() -> None:
    call = RoutedCall(fleet("a", "b"), ask(input_tokens=5), 0.0)
    attempt(call, 0.0)
    error = StreamInterruptedError("cut off")
    assert call.failed(error, 1.0, has_output=True, tokens=9).used == 9
    for _ in range(2):
        with pytest.raises(StreamInterruptedError):
            call.next_step(1.0, 0.5)


def test_a_stream_that_breaks_before_output_is_tried_elsewhere() -> None:
    _, tried = serve(fleet("a", "b"), ask(), 0.0, {"a": StreamInterruptedError("cut")}, 0.1)
    assert tried == ["a", "b"]


def test_retries_end_with_the_number_allowed() -> None:
    tried: list[str] = []

    def answer(name: str) -> InternalServerError:
        tried.append(name)
        return server_error()

    with pytest.raises(InternalServerError, match="broken"):
        serve(fleet("a", "b", "c", "d", "e", num_retries=2), ask(), 0.0, answer)
    assert len(tried) == len(set(tried)) == 3


def test_a_row_may_add_retries() -> None:
    tried: list[str] = []

    def answer(name: str) -> InternalServerError:
        tried.append(name)
        return server_error()

    with pytest.raises(InternalServerError):
        serve(fleet(deployment("a", max_retries=2), num_retries=0), ask(), 0.0, answer)
    assert tried == ["a", "a", "a"]


def test_the_same_deployment_is_tried_again_only_after_a_pause() -> None:
    call = RoutedCall(fleet("a"), ask(), 0.0)
    attempt(call, 0.0)
    call.failed(server_error(), 0.0)
    assert attempt(call, 0.0, jitter=0.5) == WaitStep(0.25)
    assert attempt(call, 0.1, jitter=0.9) == WaitStep(pytest.approx(0.15))  # type: ignore[arg-type]
    assert attempt(call, 0.25, jitter=0.9) == "a"


def test_the_pause_is_no_shorter_than_the_setting() -> None:
    call = RoutedCall(fleet("a", retry_after=3), ask(), 0.0)
    attempt(call, 0.0)
    call.failed(server_error(), 0.0)
    assert attempt(call, 0.0) == WaitStep(3.0)


def test_no_pause_leads_beyond_the_deadline() -> None:
    call = RoutedCall(fleet("a", retry_after=3), ask(deadline=2.0), 0.0)
    attempt(call, 0.0)
    call.failed(server_error(), 0.0)
    with pytest.raises(InternalServerError):
        attempt(call, 0.0)


def test_an_outage_does_not_multiply_the_load() -> None:
    routing = fleet("a", allowed_fails=10**6, num_retries=5, retry_floor=0, retry_ratio=0.2)
    count = 0

    def answer(_: str) -> InternalServerError:
        nonlocal count
        count += 1
        return server_error()

    for _ in range(1000):
        with pytest.raises(InternalServerError):
            serve(routing, ask(deadline=1000.0), 0.0, answer)
    assert 1190 <= count <= 1210


def test_a_call_past_its_deadline_is_not_begun() -> None:
    with pytest.raises(APITimeoutError, match="deadline"):
        attempt(RoutedCall(fleet("a"), ask(deadline=1.0), 2.0), 2.0)


def test_past_the_deadline_the_last_error_is_what_counts() -> None:
    call = RoutedCall(fleet("a", "b", timeout=5), ask(), 0.0)
    attempt(call, 0.0)
    call.failed(APITimeoutError("slow"), 5.0)
    for _ in range(2):
        with pytest.raises(APITimeoutError, match="slow"):
            attempt(call, 5.0)


def test_an_attempt_may_take_what_is_left_or_what_its_row_allows() -> None:
    call = RoutedCall(fleet(deployment("a", timeout=3.0), timeout=10), ask(), 0.0)
    assert call.attempt_timeout(4.0) == 6.0
    attempt(call, 0.0)
    assert call.attempt_timeout(1.0) == 3.0
    assert call.attempt_timeout(8.0) == 2.0
    assert RoutedCall(fleet("a", timeout=None), ask(), 0.0).attempt_timeout(1.0) is None


# ── limits ──


def test_a_full_deployment_spills_over_to_the_next() -> None:
    routing = fleet(deployment("a", rpm=1), deployment("b", order=2))
    assert [serve(routing, ask())[1] for _ in range(3)] == [["a"], ["b"], ["b"]]


def test_a_lone_full_deployment_is_waited_for() -> None:
    routing = fleet(deployment("a", rpm=1))
    serve(routing, ask())
    step = attempt(RoutedCall(routing, ask(), 10.0), 10.0, jitter=0.0)
    assert step == WaitStep(51.0)


def test_full_beyond_the_deadline_is_a_429_that_says_when() -> None:
    routing = fleet(deployment("a", rpm=1))
    serve(routing, ask())
    with pytest.raises(RateLimitError, match="full for another") as caught:
        attempt(RoutedCall(routing, ask(deadline=20.0), 10.0), 10.0)
    assert caught.value.retry_after == pytest.approx(51.0)


def test_what_a_shared_store_knows_is_believed() -> None:
    routing = fleet("a", "b")
    call = RoutedCall(routing, ask(deadline=3.0), 0.0)
    for _ in range(2):
        step = call.next_step(0.0, 0.5)
        assert isinstance(step, AttemptStep)
        call.refused(Reservation(None, retry_after=5.0), 0.0)
    with pytest.raises(RateLimitError, match=r"full for another 5\.0 s") as caught:
        call.next_step(0.0, 0.5)
    assert caught.value.retry_after == 5.0


def test_cooldowns_of_other_replicas_are_learnt() -> None:
    routing = fleet("a", "b")
    call = RoutedCall(routing, ask(), 0.0)
    call.next_step(0.0, 0.1)
    call.refused(Reservation(None, retry_after=5.0, cooldowns={"a": 5.0, "gone": 1.0}), 0.0)
    step = call.next_step(0.0, 0.1)
    assert isinstance(step, AttemptStep)
    call.reserved(Reservation(step.candidates[0], cooldowns={"a": 9.0}), 0.0)
    assert routing.health.cooldowns(0.0) == {"a": 9.0}


def test_a_call_larger_than_a_minutes_tokens_reserves_all_of_them() -> None:
    routing = fleet(deployment("a", tpm=100))
    call = RoutedCall(routing, RouteRequest("gpt", 500), 0.0)
    step = call.next_step(0.0, 0.5)
    assert isinstance(step, AttemptStep)
    assert step.candidates[0].tokens == 100


@pytest.mark.parametrize(
    ("error", "sent", "used", "refunds"),
    [
        (limited(1.0), None, 0, False),
        (server_error(), None, 0, False),
        (_bad_request(), None, 0, False),
        (ContentFilterError("filtered", status_code=400), None, 10, False),
        (unreachable(), None, 0, True),
        (unreachable(), True, 10, False),
        (APITimeoutError("slow"), None, 10, False),
        (APITimeoutError("no connection"), False, 0, True),
        (ConfigurationError("no credential"), None, 0, True),
    ],
)
def test_a_failure_counts_what_it_cost(
    error: APIStatusError, sent: bool | None, used: int, refunds: bool
) -> None:
    call = RoutedCall(fleet("a", "b"), RouteRequest("gpt", 10, 20), 0.0)
    attempt(call, 0.0)
    settlement = call.failed(error, 0.0, was_sent=sent)
    assert (settlement.used, settlement.refunds_request) == (used, refunds)


@pytest.mark.parametrize(
    ("tokens", "sent", "used"), [(None, True, 10), (4, True, 10), (15, True, 15), (None, False, 0)]
)
def test_an_abandoned_attempt_counts_what_is_known(
    tokens: int | None, sent: bool, used: int
) -> None:
    routing = fleet("a")
    call = RoutedCall(routing, RouteRequest("gpt", 10, 20), 0.0)
    attempt(call, 0.0)
    settlement = call.abandoned(1.0, tokens=tokens, was_sent=sent)
    assert settlement is not None
    assert (settlement.used, settlement.refunds_request) == (used, not sent)
    assert routing.health.statuses["a"].in_flight == 0
    assert call.abandoned(1.0) is None


def test_an_outcome_without_an_attempt_is_a_mistake_of_the_shell() -> None:
    with pytest.raises(RuntimeError, match="reserved"):
        RoutedCall(fleet("a"), ask(), 0.0).answered(Outcome(), 0.0)


# ── fallbacks ──


def test_a_fallback_group_is_asked_once_retries_are_used_up() -> None:
    routing = fleet("a", deployment("b", "backup"), fallbacks=[{"gpt": ["backup"]}], num_retries=1)
    call, tried = serve(routing, ask(), 0.0, {"a": server_error()})
    assert tried == ["a", "a", "b"]
    assert (call.group, call.fallbacks) == ("backup", ("backup",))


def test_a_group_that_cools_down_is_left_for_a_fallback_before_waiting() -> None:
    routing = fleet("a", deployment("b", "backup"), fallbacks=[{"gpt": ["backup"]}])
    routing.health.limit("a", 5.0, 0.0)
    assert serve(routing, ask())[1] == ["b"]


def test_when_fallbacks_cool_down_too_the_first_to_return_serves() -> None:
    routing = fleet("a", deployment("b", "backup"), fallbacks=[{"gpt": ["backup"]}])
    routing.health.limit("a", 9.0, 0.0)
    routing.health.limit("b", 5.0, 0.0)
    call = RoutedCall(routing, ask(), 0.0)
    assert attempt(call, 0.0, jitter=0.0) == WaitStep(5.0)
    assert attempt(call, 5.0, jitter=0.0) == "b"


def test_default_fallbacks_serve_groups_without_their_own() -> None:
    routing = fleet("a", deployment("b", "backup"), default_fallbacks=["backup"], num_retries=0)
    assert serve(routing, ask(), 0.0, {"a": refused_key()})[1] == ["a", "b"]


def test_circular_fallbacks_end() -> None:
    tried: list[str] = []

    def answer(name: str) -> InternalServerError:
        tried.append(name)
        return server_error()

    routing = fleet(
        "a",
        deployment("b", "backup"),
        fallbacks=[{"gpt": ["backup"]}, {"backup": ["gpt", "backup"]}],
        num_retries=0,
    )
    with pytest.raises(InternalServerError, match=r"Fallbacks tried without success: backup\."):
        serve(routing, ask(), 0.0, answer)
    assert tried == ["a", "b"]


def test_fallbacks_are_bounded() -> None:
    rows = [deployment(f"d{n}", f"g{n}") for n in range(9)]
    chains = [{f"g{n}": [f"g{n + 1}"]} for n in range(8)]
    routing = fleet(*rows, fallbacks=chains, max_fallbacks=3, num_retries=0)
    tried: list[str] = []

    def answer(name: str) -> InternalServerError:
        tried.append(name)
        return server_error()

    with pytest.raises(InternalServerError):
        serve(routing, ask("g0"), 0.0, answer)
    assert tried == ["d0", "d1", "d2", "d3"]


def test_the_first_groups_error_is_the_one_raised() -> None:
    routing = fleet("a", deployment("b", "backup"), fallbacks=[{"gpt": "backup"}], num_retries=0)
    answers = {"a": limited(5.0), "b": refused_key()}
    with pytest.raises(RateLimitError, match="backup"):
        serve(routing, ask(deadline=3.0), 0.0, answers)


def test_a_bad_request_in_a_fallback_ends_the_call_with_the_first_error() -> None:
    routing = fleet("a", deployment("b", "backup"), fallbacks=[{"gpt": "backup"}], num_retries=0)
    with pytest.raises(AuthenticationError, match="wrong key"):
        serve(routing, ask(), 0.0, {"a": refused_key(), "b": _bad_request()})


def test_an_input_known_to_be_too_long_goes_to_a_larger_window_at_once() -> None:
    routing = fleet(
        deployment("a", max_input_tokens=100),
        deployment("b", "long", max_input_tokens=200),
        deployment("c", "longest"),
        context_window_fallbacks=[{"gpt": ["long"]}, {"long": ["longest"]}],
    )
    assert serve(routing, RouteRequest("gpt", 100))[1] == ["a"]
    assert serve(routing, RouteRequest("gpt", 101))[1] == ["b"]
    assert serve(routing, RouteRequest("gpt", 201))[1] == ["c"]


def test_an_input_too_long_for_everybody_is_sent_all_the_same() -> None:
    small = fleet(deployment("a", max_input_tokens=100))
    assert serve(small, RouteRequest("gpt", 101))[1] == ["a"]
    both = fleet(
        deployment("a", max_input_tokens=100),
        deployment("b", "long", max_input_tokens=200),
        context_window_fallbacks=[{"gpt": ["long"]}],
    )
    assert serve(both, RouteRequest("gpt", 999))[1] in (["a"], ["b"])


def test_a_deployment_with_too_small_a_window_is_passed_over() -> None:
    routing = fleet(deployment("a", max_input_tokens=100), "b")
    assert {serve(routing, RouteRequest("gpt", 101), jitter=j / 10)[1][0] for j in range(10)} == {
        "b"
    }


def test_a_context_window_error_goes_to_its_own_fallbacks_only() -> None:
    routing = fleet(
        "a",
        deployment("b", "backup"),
        deployment("c", "long"),
        fallbacks=[{"gpt": ["backup"]}],
        context_window_fallbacks=[{"gpt": ["long"]}],
    )
    assert serve(routing, ask(), 0.0, {"a": _too_long()})[1] == ["a", "c"]
    with pytest.raises(ContextWindowExceededError, match="long"):
        serve(routing, ask(), 0.0, {"a": _too_long(), "c": _too_long()})


def test_a_context_window_error_in_a_fallback_goes_on_to_groups_still_ahead() -> None:
    routing = fleet(
        "a",
        deployment("b", "backup"),
        deployment("c", "long"),
        fallbacks=[{"gpt": ["backup", "long"]}],
        context_window_fallbacks=[{"backup": ["long"]}],
        num_retries=0,
    )
    answers = {"a": server_error(), "b": _too_long()}
    assert serve(routing, ask(), 0.0, answers)[1] == ["a", "b", "c"]


@pytest.mark.parametrize("is_error", [True, False])
def test_filtered_content_goes_to_its_own_fallbacks(is_error: bool) -> None:
    routing = fleet("a", deployment("b", "lenient"), content_policy_fallbacks=[{"gpt": "lenient"}])
    answer = ContentFilterError("filtered", status_code=400) if is_error else _FILTERED
    call, tried = serve(routing, ask(), 0.0, {"a": answer})
    assert tried == ["a", "b"]
    assert call.fallbacks == ("lenient",)


def test_a_filtered_answer_stands_where_nothing_else_may_be_asked() -> None:
    assert serve(fleet("a"), ask(), 0.0, {"a": _FILTERED})[1] == ["a"]
    routing = fleet("a", deployment("b", "lenient"), content_policy_fallbacks=[{"gpt": "lenient"}])
    seen = _FILTERED._replace(has_output=True)
    assert serve(routing, ask(), 0.0, {"a": seen})[1] == ["a"]
    other = Outcome(status="incomplete", incomplete_reason="max_output_tokens")
    assert serve(routing, ask(), 0.0, {"a": other})[1] == ["a"]
    assert serve(routing, ask(), 0.0, {"a": _FILTERED, "b": _FILTERED})[1] == ["a", "b"]


def test_operations_on_stored_things_have_no_fallbacks() -> None:
    routing = fleet("a", deployment("b", "backup"), default_fallbacks=["backup"], num_retries=0)
    with pytest.raises(InternalServerError):
        serve(routing, ask(can_move=False), 0.0, {"a": server_error()})


def test_what_takes_no_quota_is_served_while_quota_is_out() -> None:
    row = deployment("a", rpm=1, tpm=10)
    routing = fleet(row)
    serve(routing, ask())
    routing.health.limit("a", 50.0, 0.0)
    call = RoutedCall(routing, ask(can_move=False, pin=Pin("resource-a")), 1.0)
    step = call.next_step(1.0, 0.5)
    assert isinstance(step, AttemptStep)
    assert not step.needs_room
    (candidate,) = step.candidates
    assert (candidate.tokens, candidate.deployment.rpm, candidate.deployment.tpm) == (0, None, None)
    call.reserved(Reservation(candidate), 1.0)
    # Its own refusal it does heed.
    call.failed(limited(7.0), 1.0)
    assert call.next_step(1.0, 0.5) == WaitStep(7.0)
    assert isinstance(call.next_step(8.0, 0.5), AttemptStep)


def test_a_limit_on_objects_is_no_limit_of_the_deployment() -> None:
    routing = fleet("a")
    request = ask(can_move=False, pin=Pin("resource-a"), is_object=True)
    call = RoutedCall(routing, request, 1.0)
    assert attempt(call, 1.0) == "a"
    call.failed(limited(7.0), 1.0)
    assert call.next_step(1.0, 0.5) == WaitStep(7.0)
    assert not routing.health.cooldowns(1.0)
    assert attempt(RoutedCall(routing, ask(), 1.0), 1.0) == "a"


def test_what_takes_no_quota_waits_for_a_broken_deployment_all_the_same() -> None:
    routing = fleet("a")
    routing.health.fail("a", "failures", 0.0, hint=20.0, at_once=True, is_probe=False)
    call = RoutedCall(routing, ask(can_move=False, pin=Pin("resource-a")), 1.0)
    assert isinstance(call.next_step(1.0, 0.5), WaitStep)


def test_a_refused_key_is_not_tried_again_by_the_call_that_met_it() -> None:
    routing = fleet("a")
    with pytest.raises(AuthenticationError):
        serve(routing, ask(deadline=1e9), 0.0, {"a": refused_key()})
    assert routing.health.cooldowns(0.0)


def test_a_name_that_a_row_of_any_model_does_not_know_blames_nobody() -> None:
    rows = [deployment(name, "*", model="*") for name in ("a", "b")]
    missing = DeploymentNotFoundError("no such deployment", status_code=404)
    routing, tried = fleet(*rows), list[str]()

    def answer(name: str) -> DeploymentNotFoundError:
        tried.append(name)
        return missing

    with pytest.raises(DeploymentNotFoundError):
        serve(routing, ask("gpt-6"), 0.0, answer)
    assert sorted(tried) == ["a", "b"]
    assert routing.health.cooldowns(0.0) == {}


def test_an_unknown_model_is_a_404_that_suggests_the_right_name() -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'gpt'") as caught:
        serve(fleet("a"), ask("gtp"))
    assert caught.value.code == "model_not_found"
    with pytest.raises(NotFoundError, match="model list"):
        serve(fleet("a"), ask("zzz"))


def test_a_resting_group_says_so() -> None:
    with pytest.raises(InternalServerError, match="weight 0") as caught:
        serve(fleet(deployment("a", weight=0.0)), ask())
    assert caught.value.retry_after is None


# ── pins ──


def _pin(resource: str = "resource-a", **details: object) -> Pin:
    return Pin(resource, **details)  # type: ignore[arg-type]


def test_a_pinned_call_goes_to_the_deployment_that_made_it() -> None:
    routing = fleet(
        *[
            deployment(name, resource="r1", weight=weight)
            for name, weight in (("a", 0.0), ("b", 9.0))
        ],
        "c",
    )
    pinned = ask(pin=_pin("r1", deployment="tag-a"))
    assert {serve(routing, pinned, jitter=j / 10)[1][0] for j in range(10)} == {"a"}
    routing.health.limit("a", 5.0, 0.0)
    assert serve(routing, pinned)[1] == ["b"]


def test_a_pinned_call_waits_for_its_origin() -> None:
    routing = fleet("a", "b")
    routing.health.limit("a", 5.0, 0.0)
    call = RoutedCall(routing, ask(pin=_pin()), 0.0)
    assert attempt(call, 0.0, jitter=0.0) == WaitStep(5.0)
    assert attempt(call, 5.0) == "a"


@pytest.mark.parametrize("is_hard", [True, False])
def test_a_pinned_call_never_goes_elsewhere(is_hard: bool) -> None:
    routing = fleet("a", "b", deployment("c", "backup"), fallbacks=[{"gpt": ["backup"]}])
    routing.health.limit("a", 50.0, 0.0)
    call = RoutedCall(routing, ask(pin=_pin(is_hard=is_hard), deadline=5.0), 0.0)
    with pytest.raises(RateLimitError, match="previous_response_id ties it") as caught:
        attempt(call, 0.0)
    assert caught.value.retry_after == 50.0


def test_a_pinned_call_to_a_broken_origin_is_a_503() -> None:
    routing = fleet("a", "b")
    routing.health.fail("a", "failures", 0.0, hint=None, at_once=True, is_probe=False)
    with pytest.raises(InternalServerError) as caught:
        attempt(RoutedCall(routing, ask(pin=_pin(), deadline=5.0), 0.0), 0.0)
    assert caught.value.retry_after == 30.0


def test_a_pinned_call_may_fall_back_within_its_resource() -> None:
    routing = fleet(
        deployment("a", resource="r1"),
        deployment("b", "backup", resource="r2"),
        deployment("c", "backup", resource="r1"),
        fallbacks=[{"gpt": ["backup"]}],
    )
    routing.health.limit("a", 5.0, 0.0)
    assert serve(routing, ask(pin=_pin("r1")))[1] == ["c"]


def test_another_row_that_calls_the_same_deployment_will_do() -> None:
    routing = fleet(
        deployment("a", "fast", model="gpt-5", resource="r1"),
        deployment("b", "slow", model="gpt-5", resource="r2"),
        deployment("c", "other", model="o3", resource="r1"),
    )
    assert serve(routing, ask("slow", pin=_pin("r1", deployment="tag-c")))[1] == ["a"]


def test_an_operation_on_a_stored_thing_goes_to_any_row_of_its_resource() -> None:
    routing = fleet(deployment("a", "one", resource="r1"), deployment("b", "two", resource="r2"))
    assert serve(routing, ask("", can_move=False, pin=_pin("r2")))[1] == ["b"]


def test_a_pin_to_a_resource_no_longer_configured_is_a_404() -> None:
    with pytest.raises(ResponseNotFoundError, match="not configured") as caught:
        serve(fleet("a"), ask(pin=_pin("gone", deployment="tag-gone")))
    assert (caught.value.status_code, caught.value.param) == (404, "previous_response_id")


def test_a_pin_to_a_resource_without_the_model_asked_for_is_a_404() -> None:
    routing = fleet("a", deployment("b", "other"))
    with pytest.raises(ResponseNotFoundError, match="no deployment of 'gpt'"):
        serve(routing, ask(pin=_pin("resource-b")))


def test_encrypted_reasoning_may_be_left_out_where_settings_say_so() -> None:
    routing = fleet("a", "b", on_origin_down="strip")
    routing.health.limit("a", 5.0, 0.0)
    soft = ask(pin=_pin(is_hard=False, field="reasoning.encrypted_content"))
    call, tried = serve(routing, soft)
    assert tried == ["b"]
    assert call.strips_reasoning
    assert not call.replays_history
    call, tried = serve(routing, soft, 6.0)
    assert tried == ["a"]
    assert not call.strips_reasoning


def test_encrypted_reasoning_of_an_unknown_resource_may_be_left_out_too() -> None:
    routing = fleet("a", on_origin_down="strip")
    call, tried = serve(routing, ask(pin=_pin("gone", is_hard=False)))
    assert tried == ["a"]
    assert call.strips_reasoning


def test_an_origin_that_only_stumbles_is_tried_again_before_reasoning_is_lost() -> None:
    routing = fleet("a", "b", on_origin_down="strip", num_retries=2)
    soft = ask(pin=_pin(is_hard=False))
    assert serve(routing, soft, 0.0, {"a": server_error()})[1] == ["a", "a", "b"]


def test_stored_history_may_be_replayed_where_settings_say_so() -> None:
    routing = fleet("a", "b", on_origin_down="replay")
    routing.health.limit("a", 5.0, 0.0)
    call, tried = serve(routing, ask(pin=_pin()))
    assert tried == ["b"]
    assert call.replays_history
    assert not call.strips_reasoning


def test_only_a_previous_response_can_be_replayed() -> None:
    routing = fleet("a", "b", on_origin_down="replay")
    routing.health.limit("a", 5.0, 0.0)
    call = RoutedCall(routing, ask(pin=_pin(field="conversation")), 0.0)
    assert isinstance(attempt(call, 0.0), WaitStep)
    assert attempt(RoutedCall(routing, ask(pin=_pin(), can_move=False), 0.0), 0.0) == "a"


def test_a_model_that_only_the_star_serves_keeps_its_pin() -> None:
    routing = fleet(deployment("a", "*", model="*"), deployment("b", "*", model="*"))
    call, tried = serve(routing, ask("anything", pin=_pin("resource-b")))
    assert tried == ["b"]
    assert call.deployment is not None
    assert call.deployment.name_for(call.group) == "anything"


# ── estimates that are learnt ──


def test_what_a_call_without_a_limit_reserves_is_learnt_from_others_on_the_deployment() -> None:
    routing = fleet(deployment("a", tpm=2000))
    asked = RouteRequest("gpt", 5, 1000, is_output_open=True)
    tokens = []
    for now in (0.0, 1.0, 700.0):
        call = RoutedCall(routing, asked, now)
        attempt(call, now)
        settlement = call.answered(Outcome(tokens=25, output_tokens=20), now)
        store_of(routing).settle(settlement, now)
        tokens.append(settlement.candidate.tokens)
    # The third comes so long after that nobody knows any more.
    assert tokens == [1005, 45, 1005]


def test_a_limit_of_the_callers_own_is_reserved_as_it_is() -> None:
    routing = fleet(deployment("a", tpm=20_000))
    for _ in range(2):
        call = RoutedCall(routing, RouteRequest("gpt", 5, 1000), 0.0)
        attempt(call, 0.0)
        assert call.answered(Outcome(tokens=25, output_tokens=20), 0.0).candidate.tokens == 1005


def test_room_that_running_calls_hold_is_looked_for_often() -> None:
    routing = fleet(deployment("a", tpm=100))
    running = RoutedCall(routing, RouteRequest("gpt", 50, 50), 0.0)
    attempt(running, 0.0)
    waiting = RoutedCall(routing, RouteRequest("gpt", 50, 50), 0.0)
    assert attempt(waiting, 0.0, jitter=0.0) == WaitStep(0.25)
    store_of(routing).settle(running.answered(Outcome(tokens=10), 0.2), 0.2)
    assert isinstance(attempt(waiting, 0.25, jitter=0.0), WaitStep)
    with pytest.raises(RateLimitError) as caught:
        attempt(RoutedCall(routing, RouteRequest("gpt", 50, 50, deadline=0.5), 0.4), 0.4)
    assert caught.value.retry_after == pytest.approx(59.6, abs=1.1)


# ── refusals that say when to come back ──


def _clocked(
    routing: DeploymentRegistry,
    asked: RouteRequest,
    answer: Callable[[str, float], AzureResponsesError | None],
) -> tuple[float, list[tuple[str, float]]]:
    """Run a call in virtual time: when it was answered, and which deployments it tried when."""
    call, now, tried = RoutedCall(routing, asked, 0.0), 0.0, list[tuple[str, float]]()
    while True:
        step = attempt(call, now, 0.0)
        if isinstance(step, WaitStep):
            now += step.seconds
            continue
        tried.append((step, now))
        error = answer(step, now)
        if error is None:
            call.answered(Outcome(), now)
            return now, tried
        call.failed(error, now)


@pytest.mark.parametrize("strategy", ["weighted", "least-busy", "latency", "headroom"])
def test_rows_that_share_a_quota_are_waited_for_like_one(strategy: str) -> None:
    # litellm#34399
    rows = [deployment(name, resource="r", order=n) for n, name in enumerate("abc")]
    routing = fleet(*rows, strategy=strategy)

    def answer(_: str, now: float) -> RateLimitError | None:
        return limited(12.0 - now) if now < 12.0 else None

    answered, tried = _clocked(routing, ask(deadline=60.0), answer)
    assert answered == pytest.approx(12.0)
    assert [name for name, _ in tried[:3]] == ["a", "b", "c"]
    assert len(tried) == 4


def test_an_unavailable_service_that_says_when_to_come_back_is_waited_for_too() -> None:
    def answer(_: str, now: float) -> InternalServerError | None:
        error = InternalServerError("busy", status_code=503, retry_after=1.0)
        return error if now < 5.0 else None

    answered, tried = _clocked(fleet("a", "b"), ask(deadline=60.0), answer)
    assert 5.0 <= answered < 9.0
    assert len(tried) < 12


def test_fallback_groups_that_share_the_quota_are_waited_for_as_well() -> None:
    routing = fleet(
        "a",
        deployment("b", "backup"),
        fallbacks=[{"gpt": ["backup"]}],
        retry_floor=0,
        retry_ratio=0,
    )

    def answer(name: str, now: float) -> RateLimitError | None:
        return None if now >= 7.0 and name == "b" else limited(7.0 if name == "b" else 20.0)

    answered, tried = _clocked(routing, ask(deadline=60.0), answer)
    assert (answered, [name for name, _ in tried]) == (7.0, ["a", "b", "b"])


def test_a_wait_that_the_deadline_does_not_allow_is_an_error_that_names_the_time() -> None:
    with pytest.raises(RateLimitError) as caught:
        _clocked(fleet("a", "b"), ask(deadline=10.0), lambda name, _: limited(20.0 + (name == "a")))
    assert caught.value.retry_after == pytest.approx(20.0)


def test_a_service_whose_times_do_not_hold_is_asked_less_and_less() -> None:
    times: list[float] = []

    def answer(_: str, now: float) -> RateLimitError:
        times.append(now)
        return limited(0.0)

    with pytest.raises(RateLimitError):
        _clocked(fleet("a", num_retries=2), ask(), answer)
    assert 10 < len(times) <= 13
    assert times[5] > 1.0
    assert times[9] > 20.0


def test_without_retries_no_refusal_is_waited_for() -> None:
    tried: list[str] = []

    def answer(name: str) -> RateLimitError:
        tried.append(name)
        return limited(0.5)

    with pytest.raises(RateLimitError):
        serve(fleet("a", "b", num_retries=0), ask(), 0.0, answer)
    assert len(tried) == 1


def test_a_refusal_that_does_not_say_when_to_come_back_uses_up_a_retry() -> None:
    tried: list[str] = []

    def answer(name: str) -> RateLimitError:
        tried.append(name)
        return limited()

    with pytest.raises(RateLimitError):
        serve(fleet("a", "b", "c", "d", "e", num_retries=2), ask(), 0.0, answer)
    assert len(tried) == 3


def test_past_the_deadline_an_error_names_what_is_left_to_wait() -> None:
    routing = fleet("a")
    call = RoutedCall(routing, ask(deadline=10.0), 0.0)
    attempt(call, 0.0)
    call.failed(limited(30.0), 0.0)
    with pytest.raises(RateLimitError) as caught:
        call.next_step(12.0, 0.5)
    assert caught.value.retry_after == pytest.approx(18.0)


def test_with_limits_the_others_of_the_resource_stand_behind_the_one_that_made_it() -> None:
    rows = [deployment(name, resource="r1", rpm=5) for name in "abc"]
    call = RoutedCall(fleet(*rows), ask(pin=_pin("r1", deployment="tag-b")), 0.0)
    step = call.next_step(0.0, 0.5)
    assert isinstance(step, AttemptStep)
    names = [candidate.deployment.id for candidate in step.candidates]
    assert (names[0], sorted(names)) == ("b", ["a", "b", "c"])
