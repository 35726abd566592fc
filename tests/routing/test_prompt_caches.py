"""Calls go where their prompt is in the cache, unless that costs more than it saves."""

import sys
import threading
from hashlib import blake2b
from typing import Any

import pytest

from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.explain import explain
from azure_responses.routing.prompt_cache_keys import CacheKey, CacheKeys
from azure_responses.routing.prompt_caches import PromptCaches
from azure_responses.routing.route_request import Outcome, Pin, RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from tests.routing.fleet import ask, attempt, deployment, fleet, limited, serve

_JITTERS = (0.05, 0.3, 0.55, 0.8, 0.95)


def _keys(*names: str, rate: int = 60, life: float = 0.0) -> CacheKeys:
    keys = (CacheKey(blake2b(name.encode(), digest_size=16).digest(), name, rate) for name in names)
    return CacheKeys(tuple(keys), life)


def _call(*names: str, **details: Any) -> RouteRequest:
    return ask(cache=_keys(*names), **details)


def _served(registry: DeploymentRegistry, asked: RouteRequest, now: float, jitter: float) -> str:
    return serve(registry, asked, now, jitter=jitter)[1][-1]


def test_a_conversation_stays_where_it_began() -> None:
    registry = fleet("a", "b", "c", "d")
    found = {_served(registry, _call("s"), 10.0 * turn, _JITTERS[turn % 5]) for turn in range(20)}
    assert len(found) == 1


def test_calls_without_a_key_go_where_chance_leads() -> None:
    registry = fleet("a", "b", "c", "d")
    assert len({_served(registry, ask(), 0.0, jitter) for jitter in _JITTERS}) > 2


def test_conversations_spread_over_the_deployments_by_weight() -> None:
    from azure_responses.routing.prompt_cache_keys import PromptCacheKeys

    registry = fleet(deployment("a", weight=3.0), "b")
    make = PromptCacheKeys(b"a secret of sixteen bytes")
    served = []
    for number in range(400):
        body = {"prompt_cache_key": f"conversation {number}"}
        keys = make.of(body, frozenset({"session_affinity"}), group="gpt")
        served.append(_served(registry, ask(cache=keys), 0.0, 0.5))
    assert served.count("a") == pytest.approx(300, abs=40)


def test_replicas_that_share_nothing_choose_alike() -> None:
    one, other = fleet("a", "b", "c"), fleet("a", "b", "c")
    for name in map(str, range(20)):
        assert _served(one, _call(name), 0.0, 0.1) == _served(other, _call(name), 0.0, 0.9)


def test_after_the_life_of_the_cache_nothing_is_preferred() -> None:
    registry = fleet("a", "b")
    caches, keys = PromptCaches(600.0), _keys("s")
    caches.note(keys, registry.deployments[0], 0.0)
    assert caches.holders(keys, 599.0).deployments == (registry.deployments[0],)
    assert caches.holders(keys, 600.0).deployments == ()
    caches.note(keys, registry.deployments[0], 599.0, 0)
    assert caches.holders(keys, 1198.0).deployments == (registry.deployments[0],)


def test_a_request_may_have_its_cache_kept_for_longer() -> None:
    caches, (first,) = PromptCaches(600.0), fleet("a").deployments
    keys = _keys("s", life=86_400.0)
    caches.note(keys, first, 0.0)
    assert caches.holders(keys, 86_399.0).deployments == (first,)


def test_the_life_of_a_cache_begins_with_the_answer() -> None:
    registry = fleet("a", "b", deployment_affinity_ttl_seconds=100)
    call = RoutedCall(registry, _call("s"), 0.0)
    served = attempt(call, 0.0)
    call.answered(Outcome(), 90.0)
    holders = registry.prompt_caches.holders(_keys("s"), 180.0)
    assert [each.id for each in holders.deployments] == [served]


def test_calls_at_the_same_time_go_to_one_deployment() -> None:
    registry = fleet("a", "b", "c")
    calls = [RoutedCall(registry, _call("s"), 0.0) for _ in range(5)]
    assert (
        len({attempt(call, 0.0, jitter) for call, jitter in zip(calls, _JITTERS, strict=True)}) == 1
    )


def test_a_deployment_in_cooldown_is_left_and_the_conversation_stays_with_the_next() -> None:
    registry = fleet("a", "b", "c")
    first = _served(registry, _call("s"), 0.0, 0.5)
    _, tried = serve(registry, _call("s"), 1.0, {first: limited(30.0)})
    assert tried[0] == first
    second = tried[-1]
    # The first is free again, but what was said since is in the cache of the second.
    found = {_served(registry, _call("s"), 40.0 + turn, _JITTERS[turn]) for turn in range(5)}
    assert found == {second}


def test_a_pin_counts_before_a_cache() -> None:
    registry = fleet("a", "b", "c")
    first = _served(registry, _call("s"), 0.0, 0.5)
    other = next(each for each in registry.deployments if each.id != first)
    pinned = _call("s", pin=Pin(other.resource, other.tag))
    assert _served(registry, pinned, 1.0, 0.5) == other.id


def test_a_lower_order_counts_before_a_cache() -> None:
    registry = fleet("a", deployment("b", order=2))
    _, tried = serve(registry, _call("s"), 0.0, {"a": limited(5.0)})
    assert tried == ["a", "b"]
    assert _served(registry, _call("s"), 1.0, 0.5) == "b"
    assert _served(registry, _call("s"), 20.0, 0.5) == "a"


def test_a_deployment_without_weight_is_not_preferred() -> None:
    registry = fleet("a", "b", deployment("c", weight=0.0))
    registry.prompt_caches.note(_keys("s"), registry.deployments[2], 0.0)
    assert {_served(registry, _call("s"), 1.0, jitter) for jitter in _JITTERS} <= {"a", "b"}


def test_where_only_its_resource_serves_one_without_weight_may_have_the_cache() -> None:
    rows = [deployment(name, resource="r", weight=0.0) for name in ("a", "b")]
    registry = fleet(*rows)
    for row in rows:
        registry.prompt_caches.note(_keys(row.id), row, 0.0)
        pinned = _call(row.id, pin=Pin("r"))
        assert {_served(registry, pinned, 1.0, jitter) for jitter in _JITTERS} == {row.id}


def test_a_deployment_whose_headers_say_that_it_is_full_is_left() -> None:
    registry = fleet("a", "b", strategy="headroom")
    headers = {"x-ratelimit-limit-tokens": "1000", "x-ratelimit-remaining-tokens": "10"}
    call = RoutedCall(registry, _call("s", input_tokens=100), 0.0)
    first = attempt(call, 0.0)
    call.answered(Outcome(headers, 100), 0.5)
    other = "b" if first == "a" else "a"
    assert _served(registry, _call("s", input_tokens=100), 1.0, 0.5) == other


def test_a_full_limit_of_our_own_leads_to_the_next() -> None:
    registry = fleet(deployment("a", rpm=2), deployment("b", rpm=2))
    served = [_served(registry, _call("s"), float(turn), 0.5) for turn in range(4)]
    assert served[0] == served[1] != served[2] == served[3]


@pytest.mark.parametrize("strategy", ["weighted", "least-busy", "latency", "headroom"])
def test_a_deployment_with_far_more_calls_under_way_is_left(strategy: str) -> None:
    registry = fleet("a", "b", strategy=strategy)
    calls = [RoutedCall(registry, _call("s"), 0.0) for _ in range(40)]
    served = [attempt(call, 0.0, number / 40) for number, call in enumerate(calls)]
    assert len(set(served[:8])) == 1
    assert min(served.count("a"), served.count("b")) > 5


def test_a_key_of_many_conversations_spreads_as_its_rate_grows() -> None:
    registry = fleet("a", "b", "c")
    asked = ask(cache=_keys("beginning", rate=15))
    slow = [_served(registry, asked, 10.0 * turn, _JITTERS[turn % 5]) for turn in range(40)]
    assert len(set(slow)) == 1
    fast = [_served(registry, asked, 500.0 + turn / 10, turn % 97 / 97) for turn in range(400)]
    assert min(fast.count(name) for name in "abc") > 80


def test_the_conversation_counts_before_what_conversations_share() -> None:
    registry = fleet("a", "b", "c")
    a, b, _ = registry.deployments
    registry.prompt_caches.note(_keys("beginning"), a, 0.0)
    registry.prompt_caches.note(_keys("conversation"), b, 0.0)
    both = _call("conversation", "beginning")
    assert _served(registry, both, 1.0, 0.9) == "b"
    assert _served(registry, _call("new", "beginning"), 1.0, 0.9) in ("a", "b")


def test_a_key_may_be_known_at_as_many_deployments_as_are_candidates() -> None:
    caches, registry = PromptCaches(), fleet(*(f"d{number}" for number in range(12)))
    for number, each in enumerate(registry.deployments):
        caches.note(_keys("s"), each, float(number))
    found = caches.holders(_keys("s"), 12.0).deployments
    assert [each.id for each in found] == [f"d{number}" for number in range(11, 3, -1)]


def test_the_table_forgets_what_was_used_longest_ago() -> None:
    caches, (only,) = PromptCaches(capacity=3), fleet("a").deployments
    for name in "abc":
        caches.note(_keys(name), only, 0.0)
    caches.note(_keys("a"), only, 1.0)
    caches.note(_keys("d"), only, 2.0)
    known = [name for name in "abcd" if caches.holders(_keys(name), 3.0).deployments]
    assert known == ["a", "c", "d"]


def test_an_explanation_names_the_cache_and_its_deployment_first() -> None:
    registry = fleet("a", "b", "c")
    registry.prompt_caches.note(_keys("session"), registry.deployments[2], 0.0)
    explanation = explain(registry, _call("session"), 1.0)
    assert explanation.deployment == "c"
    assert "has the prompt cache of this session" in explanation.verdicts[0].reason
    assert "prompt cache" not in explanation.verdicts[1].reason
    assert "prompt cache" not in str(explain(registry, ask(), 1.0))


def test_an_explanation_says_where_a_new_conversation_goes() -> None:
    registry = fleet("a", "b", "c", "d", "e")
    for name in map(str, range(10)):
        expected = explain(registry, _call(name), 0.0).deployment
        assert _served(registry, _call(name), 0.0, 0.99) == expected


def test_no_affinity_applies_where_there_is_one_deployment() -> None:
    several = fleet(
        "a",
        "b",
        deployment("c", "other"),
        deployment("d", "third"),
        fallbacks=[{"third": ["gpt"]}],
        aliases={"alias": "gpt"},
    )
    assert several.affinity_of("gpt") == {"session_affinity", "prompt_caching"}
    assert (
        several.affinity_of("alias") == several.affinity_of("third") == several.affinity_of("gpt")
    )
    assert several.affinity_of("other") == several.affinity_of("unknown") == frozenset()
    assert fleet("a", deployment("b", is_batch=True)).affinity_of("gpt") == frozenset()
    assert fleet("a", deployment("b", weight=0.0)).affinity_of("gpt") == frozenset()


def test_a_group_may_have_its_own_kinds_of_affinity() -> None:
    registry = fleet(
        "a",
        "b",
        deployment("c", "other"),
        deployment("d", "other"),
        model_group_affinity_config={"alias": ["deployment_affinity"], "other": []},
        model_group_alias={"alias": "gpt"},
    )
    assert registry.affinity_of("alias") == {"deployment_affinity"}
    assert registry.affinity_of("gpt") == {"session_affinity", "prompt_caching"}
    assert registry.affinity_of("other") == frozenset()


def _news(registry: DeploymentRegistry, now: float, *names: str) -> tuple[str, str] | None:
    call = RoutedCall(registry, _call(*names), now)
    attempt(call, now)
    call.answered(Outcome(), now)
    return call.cache_news


def test_replicas_are_told_of_a_first_deployment_that_they_cannot_work_out() -> None:
    assert _news(fleet("a", "b"), 0.0, "s") is None
    registry = fleet("a", "b", strategy="least-busy")
    key = _keys("s").keys[0]
    news = _news(registry, 0.0, "s", "beginning")
    assert news is not None
    assert news[0] == key.shared_name
    assert registry.by_tag(news[1]) is not None
    assert _news(registry, 1.0, "s", "beginning") is None


def test_replicas_choose_alike_for_conversations_that_begin_alike() -> None:
    for name in map(str, range(20)):
        places = set()
        for replica in map(str, range(4)):
            asked = _call(f"conversation {name} {replica}", f"beginning {name}")
            places.add(_served(fleet("a", "b", "c"), asked, 0.0, 0.9))
        assert len(places) == 1


def test_replicas_are_told_of_conversations_that_a_busy_beginning_drove_out() -> None:
    registry = fleet("a", "b")
    placed = [_news(registry, 0.0, f"conversation {number}", "busy") for number in range(200)]
    told = [news for news in placed if news is not None]
    assert 0 < len(told) < 140


def test_replicas_are_told_where_a_conversation_moved_to() -> None:
    registry = fleet("a", "b")
    first = _served(registry, _call("s"), 0.0, 0.5)
    call, tried = serve(registry, _call("s"), 1.0, {first: limited(30.0)})
    assert call.cache_news == (_keys("s").keys[0].shared_name, f"tag-{tried[-1]}")
    # While a deployment is in cooldown a draw by weight is not that of a replica that is not told.
    news = [_news(registry, 2.0, f"other {number}") for number in range(20)]
    assert 0 < len([each for each in news if each]) < 20


def test_calls_without_keys_have_no_news() -> None:
    call, _ = serve(fleet("a", "b", strategy="latency"), ask())
    assert call.cache_news is None


@pytest.mark.parametrize(
    ("row", "life", "seconds"),
    [
        ({"model": "gpt-5.6"}, None, 86_400),
        ({"model": "mine", "base_model": "gpt-5.6"}, None, 86_400),
        ({"model": "gpt-5.6", "base_model": "gpt-5"}, None, 600),
        ({"model": "gpt-5.6"}, 60.0, 60),
    ],
)
def test_the_model_says_how_long_a_cache_lasts_unless_a_setting_does(
    row: dict[str, Any], life: float | None, seconds: int
) -> None:
    caches, only = PromptCaches(life), deployment("a", **row)
    caches.note(_keys("s"), only, 0.0)
    assert caches.knows(_keys("s").keys[0], seconds - 1.0)
    assert not caches.knows(_keys("s").keys[0], float(seconds))


def test_a_thread_that_reads_always_sees_what_others_note() -> None:
    caches, (only,) = PromptCaches(), fleet("a").deployments
    keys, missed, usual = _keys("s"), [], sys.getswitchinterval()
    caches.note(keys, only, 0.0)

    def write() -> None:
        for _ in range(3000):
            caches.note(keys, only, 1.0)

    sys.setswitchinterval(1e-6)
    try:
        writer = threading.Thread(target=write)
        writer.start()
        while writer.is_alive():
            missed.append(not caches.knows(keys.keys[0], 1.0))
        writer.join()
    finally:
        sys.setswitchinterval(usual)
    assert not any(missed)
