"""What is said of one deployment; whole explanations are in test_routing."""

import json

from azure_responses.routing.explain import Explanation, Verdict, describe_obstacle, explain
from azure_responses.routing.route_request import Pin
from tests.routing.fleet import ask, deployment, fleet


def test_a_row_without_weight_is_an_obstacle_only_to_calls_that_are_not_pinned() -> None:
    routing = fleet(deployment("a", weight=0.0))
    row, health = routing.deployments[0], routing.health
    assert describe_obstacle(row, health, ask(), 0.0, is_pinned=True) is None
    verdict = describe_obstacle(row, health, ask(), 0.0)
    assert verdict is not None
    assert verdict.until is None


def test_limits_are_told_from_failures() -> None:
    routing = fleet("a", "b")
    routing.health.limit("a", 5.0, 0.0)
    routing.health.fail("b", "failures", 0.0, hint=None, at_once=True, is_probe=False)
    verdicts = [describe_obstacle(d, routing.health, ask(), 0.0) for d in routing.deployments]
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
        }
    ]
