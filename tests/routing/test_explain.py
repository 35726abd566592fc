"""Why a call goes where it goes."""

import json

from azure_responses.routing.explain import Explanation, Verdict, describe_obstacle, explain
from azure_responses.routing.route_request import Outcome, Pin, RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from tests.routing.fleet import ask, attempt, deployment, fleet, serve, server_error


def test_a_row_without_weight_is_an_obstacle_only_to_calls_that_are_not_pinned() -> None:
    routing = fleet(deployment("a", weight=0.0))
    row, health = routing.deployments[0], routing.health
    assert describe_obstacle(row, health, 0.0, is_pinned=True) is None
    verdict = describe_obstacle(row, health, 0.0)
    assert verdict is not None
    assert verdict.until is None


def test_limits_are_told_from_failures() -> None:
    routing = fleet("a", "b")
    routing.health.limit("a", 5.0, 0.0)
    routing.health.fail("b", "failures", 0.0, hint=None, at_once=True, is_probe=False)
    verdicts = [describe_obstacle(d, routing.health, 0.0) for d in routing.deployments]
    assert [verdict and verdict.is_limited for verdict in verdicts] == [True, False]


def test_a_pin_is_named_first() -> None:
    routing = fleet("a", strategy="least-busy")
    verdict = explain(routing, ask(pin=Pin("resource-a")), 0.0).verdicts[0]
    assert verdict.reason == (
        "on the resource that previous_response_id needs, order 1, 0 under way"
    )


def test_an_explanation_reads_as_text_and_as_json() -> None:
    verdict = Verdict("a", "a.example", False, "asleep", 2.0)
    explanation = Explanation("gpt", None, (verdict,), wait=2.0)
    assert str(explanation) == (
        "gpt: no deployment can serve for another 2.0 s\n  - a (a.example): asleep"
    )
    assert json.loads(json.dumps(explanation.to_dict()))["verdicts"] == [
        {
            "deployment": "a",
            "host": "a.example",
            "serves": False,
            "reason": "asleep",
            "until": 2.0,
            "is_limited": False,
            "speaks": "",
        }
    ]


def test_an_explanation_names_who_would_serve_and_why_not_the_others() -> None:
    routing = fleet(
        "a",
        deployment("b", order=2),
        deployment("c", weight=0.0),
        deployment("d", max_input_tokens=5),
        deployment("e", rpm=1),
        deployment("f"),
        deployment("g", weight=0.0, is_batch=True),
        deployment("spare", "backup"),
        fallbacks=[{"gpt": ["backup"]}],
    )
    routing.health.limit("f", 12.0, 0.0)
    explanation = explain(routing, RouteRequest("gpt", input_tokens=9), 2.0, {"e": 59.0})
    assert explanation.deployment == "a"
    assert explanation.wait == 0.0
    assert explanation.fallbacks == ("backup",)
    reasons = {verdict.deployment: verdict.reason for verdict in explanation.verdicts}
    assert list(reasons)[:2] == ["a", "b"]
    assert reasons == {
        "a": "order 1, weight 1",
        "b": "order 2, weight 1",
        "c": "weight 0: takes only calls that are pinned to it",
        "d": "its context window of 5 tokens is too small",
        "e": "full for another 59.0 s (rpm, tpm)",
        "f": "cooling down for another 10.0 s (rate limit)",
        "g": "a batch deployment: takes batches only",
    }
    assert str(explanation).splitlines()[:2] == [
        "gpt: a would serve",
        "  + a (a.example): order 1, weight 1",
    ]
    assert str(explanation).endswith("then the groups backup")
    assert json.loads(json.dumps(explanation.to_dict()))["verdicts"][0]["deployment"] == "a"


def test_an_explanation_changes_nothing() -> None:
    routing = fleet("a", allowed_fails=1)
    routing.health.fail("a", "failures", 0.0, hint=None, at_once=True, is_probe=False)
    for _ in range(2):
        explanation = explain(routing, ask(), 31.0)
        assert explanation.verdicts[0].reason == "order 1, weight 1, half open: one probe at a time"
    assert attempt(RoutedCall(routing, ask(), 31.0), 31.0) == "a"
    assert "being probed by another call (failures)" in str(explain(routing, ask(), 31.0))


def test_a_pinned_call_is_explained_by_its_resource() -> None:
    routing = fleet("a", "b", deployment("c", resource="resource-b"))
    pinned = ask(pin=Pin("resource-b", deployment="tag-c"))
    explanation = explain(routing, pinned, 0.0)
    assert [verdict.deployment for verdict in explanation.verdicts] == ["c", "b", "a"]
    assert "on the resource that previous_response_id needs" in explanation.verdicts[0].reason
    assert explanation.verdicts[2].reason == ("on another resource than previous_response_id needs")
    routing.health.limit("c", 5.0, 0.0)
    assert explain(routing, pinned, 0.0).deployment == "b"


def test_it_is_said_when_nobody_can_serve() -> None:
    routing = fleet("a", "b")
    routing.health.limit("a", 5.0, 0.0)
    routing.health.limit("b", 3.0, 0.0)
    explanation = explain(routing, ask(), 0.0)
    assert (explanation.deployment, explanation.wait) == (None, 3.0)
    assert "no deployment can serve for another 3.0 s" in str(explanation)
    lost = explain(routing, ask(pin=Pin("gone")), 0.0)
    assert (lost.deployment, lost.wait) == (None, None)
    assert str(lost).startswith("gpt: no deployment can serve\n")
    assert explain(routing, ask("zzz"), 0.0).verdicts == ()
    assert explain(routing, ask(can_move=False), 0.0).fallbacks == ()


def test_each_strategy_says_what_it_looks_at() -> None:
    for strategy, before, after in (
        ("least-busy", "0 under way", "1 under way"),
        ("latency", "latency not known", "latency 2.00 s"),
        ("headroom", "tokens left not known", "900 tokens left"),
    ):
        routing = fleet("a", strategy=strategy)
        assert before in explain(routing, ask(), 0.0).verdicts[0].reason
        call = RoutedCall(routing, ask(), 0.0)
        attempt(call, 0.0)
        if strategy != "least-busy":
            call.answered(Outcome({"x-ratelimit-remaining-tokens": "900"}, latency=2.0), 2.0)
        assert after in explain(routing, ask(), 2.0).verdicts[0].reason


def test_a_failure_of_one_call_guides_the_next() -> None:
    routing = fleet("a", "b", allowed_fails=1)
    serve(routing, ask(), 0.0, {"a": server_error()}, 0.1)
    assert explain(routing, ask(), 0.0).deployment == "b"


def test_a_fallback_that_would_serve_is_named() -> None:
    routing = fleet(
        "a",
        deployment("b", "backup"),
        deployment("c", "last"),
        fallbacks={"gpt": ["backup", "last"]},
        aliases={"chat": "gpt"},
    )
    routing.health.limit("a", 20.0, 0.0)
    explanation = explain(routing, ask("chat"), 0.0)
    assert (explanation.deployment, explanation.fallback) == ("b", "backup")
    assert (explanation.wait, explanation.fallbacks) == (0.0, ("last",))
    assert str(explanation).splitlines() == [
        "chat: b would serve, of the group backup",
        "  + b (b.example): order 1, weight 1",
        "  - a (a.example): cooling down for another 20.0 s (rate limit)",
        "  then the groups last",
    ]
    routing.health.limit("b", 9.0, 0.0)
    routing.health.limit("c", 30.0, 0.0)
    explained = explain(routing, ask("chat"), 0.0)
    assert (explained.deployment, explained.fallback, explained.wait) == (None, None, 9.0)
    assert [verdict.deployment for verdict in explained.verdicts] == ["a", "b", "c"]


def test_an_input_too_long_is_explained_by_the_group_that_takes_it() -> None:
    routing = fleet(
        deployment("a", max_input_tokens=5),
        deployment("b", "large", max_input_tokens=50),
        context_window_fallbacks={"gpt": ["large"]},
    )
    assert explain(routing, RouteRequest("gpt", input_tokens=9), 0.0).deployment == "b"
    # Too long for all by an estimate: it is sent all the same.
    assert explain(routing, RouteRequest("large", input_tokens=90), 0.0).deployment == "b"


def test_it_is_said_when_a_call_would_leave_its_resource() -> None:
    routing = fleet("a", "b")
    routing.health.limit("a", 20.0, 0.0)
    for is_hard, choice in ((True, "replay"), (False, "strip")):
        pin = Pin("resource-a", "tag-a", is_hard=is_hard)
        stays = explain(routing, ask(pin=pin), 0.0)
        assert (stays.deployment, stays.wait) == (None, 20.0)
        leaves = explain(routing, ask(pin=pin, on_origin_down=choice), 0.0)
        assert (leaves.deployment, leaves.wait) == ("b", 0.0)
        assert (leaves.replays, leaves.strips_reasoning) == (is_hard, not is_hard)
        assert ("history" if is_hard else "reasoning") in str(leaves).splitlines()[0]
        assert [verdict.deployment for verdict in leaves.verdicts] == ["b", "a"]


def test_a_model_that_nobody_configured_is_said_to_be_unknown() -> None:
    assert str(explain(fleet("a"), ask("zzz"), 0.0)) == (
        "zzz: no deployment is configured for this model"
    )


def test_an_explanation_says_what_a_deployment_speaks_and_why() -> None:
    routing = fleet(deployment("a", base_model="kimi-k2.5"), deployment("b", api="messages"), "c")
    told = {v.deployment: v for v in explain(routing, ask(), 0.0).verdicts}
    assert told["a"].speaks.startswith("chat completions (as kimi does: anomalyco/opencode")
    assert ", over chat completions (as kimi does" in str(told["a"])
    assert told["b"].speaks == "Messages (as configured)"
    assert told["c"].speaks.startswith("the Responses API (assumed")
    assert "over" not in str(told["c"])
