"""Sitting out and coming back."""

from hypothesis import given
from hypothesis import strategies as st

from azure_responses.routing.deployment_health import Cooldown, CooldownRules

_RULES = CooldownRules(allowed_fails=3, seconds=30.0, longest=100.0, probe_lease=50.0)

_hint = st.one_of(st.none(), st.floats(0, 500, allow_nan=False))
_events = st.lists(
    st.tuples(
        st.sampled_from(["limit", "fail", "trip", "probe", "succeed", "learn", "claim"]),
        _hint,
        st.floats(0, 50, allow_nan=False),
    ),
    max_size=40,
)


def _apply(cooldown: Cooldown, event: str, hint: float | None, now: float) -> None:
    if event == "limit":
        cooldown.limit(hint, now)
    elif event in ("fail", "trip", "probe"):
        cooldown.fail(
            "failures", now, hint=hint, at_once=event == "trip", is_probe=event == "probe"
        )
    elif event == "learn":
        cooldown.extend(hint or 1.0, "another replica", now)
    elif event == "claim":
        cooldown.claim_probe(now)
    else:
        cooldown.succeed(is_probe=bool(hint))


@given(_events)
def test_a_cooldown_is_never_shortened(events: list[tuple[str, float | None, float]]) -> None:
    cooldown, now = Cooldown(_RULES), 0.0
    for event, hint, pause in events:
        now += pause
        before = cooldown.until
        _apply(cooldown, event, hint, now)
        assert cooldown.until >= before


@given(_events)
def test_nobody_is_let_through_while_it_sits_out(
    events: list[tuple[str, float | None, float]],
) -> None:
    cooldown, now = Cooldown(_RULES), 0.0
    for event, hint, pause in events:
        now += pause
        _apply(cooldown, event, hint, now)
        assert cooldown.is_open(now) == (cooldown.remaining(now) == 0.0)
        assert cooldown.is_open(now) <= (cooldown.until <= now)


def test_an_answer_to_what_was_sent_before_does_not_close_it() -> None:
    cooldown = Cooldown(_RULES)
    cooldown.fail("failures", 0.0, at_once=True)
    cooldown.succeed(is_probe=False)
    assert cooldown.is_tripped
    assert cooldown.claim_probe(30.0)
    cooldown.succeed(is_probe=True)
    assert not cooldown.is_tripped


def test_failures_of_calls_under_way_do_not_double_the_time() -> None:
    cooldown = Cooldown(_RULES)
    assert cooldown.fail("failures", 0.0, at_once=True) == 30.0
    assert cooldown.fail("failures", 1.0) is None
    assert cooldown.fail("failures", 1.0, hint=40.0) == 40.0
    assert cooldown.until == 41.0


def test_a_hint_beyond_the_longest_time_is_believed() -> None:
    cooldown = Cooldown(_RULES)
    assert cooldown.fail("failures", 0.0, hint=400.0, at_once=True) == 400.0


def test_a_probe_whose_caller_vanished_is_given_up() -> None:
    cooldown = Cooldown(_RULES)
    cooldown.fail("failures", 0.0, at_once=True)
    assert cooldown.claim_probe(30.0)
    assert not cooldown.claim_probe(79.0)
    assert cooldown.claim_probe(80.0)
