"""What a router is told."""

from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_health import DeploymentHealth
from azure_responses.routing.settings import RouterSettings, read_settings


def test_nothing_said_leaves_the_defaults() -> None:
    assert read_settings({}) == RouterSettings()
    assert read_settings({"num_retries": None, "state": "redis://x"}) == RouterSettings()


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("weighted", "weighted"),
        ("simple-shuffle", "weighted"),
        ("least-busy", "least-busy"),
        ("latency", "latency"),
        ("latency-based-routing", "latency"),
        ("headroom", "headroom"),
        ("usage-based-routing", "headroom"),
        ("usage-based-routing-v2", "headroom"),
    ],
)
def test_strategies_have_two_names(name: str, strategy: str) -> None:
    assert read_settings({"routing_strategy": name}).strategy == strategy


def test_litellms_settings_are_read() -> None:
    settings = read_settings(
        {
            "num_retries": 5,
            "allowed_fails": 1,
            "cooldown_time": 7,
            "timeout": 30,
            "retry_after": 2,
            "fallbacks": [{"a": ["b"]}, {"a": "c", "*": ["z"]}],
            "default_fallbacks": ["y"],
            "model_group_alias": {"x": "a", "w": {"model": "b", "hidden": True}},
            "optional_pre_call_checks": ["responses_api_deployment_check"],
        }
    )
    assert (settings.num_retries, settings.allowed_fails, settings.cooldown_time) == (5, 1, 7.0)
    assert (settings.timeout, settings.retry_delay) == (30.0, 2.0)
    assert settings.fallbacks == {"a": ("b", "c")}
    assert settings.default_fallbacks == ("y", "z")
    assert settings.aliases == {"x": "a", "w": "b"}


def test_no_timeout_is_no_limit() -> None:
    assert read_settings({"timeout": None}).timeout is None


def test_what_is_known_but_not_needed_is_said() -> None:
    said: list[str] = []
    checks = ["router_budget_limiting", "session_affinity"]
    options = {"set_verbose": True, "optional_pre_call_checks": checks}
    read_settings(options, said.append)
    assert len(said) == 2
    assert "'set_verbose'" in said[0]
    assert "'router_budget_limiting'" in said[1]
    assert read_settings(options).affinity_of("gpt") == RouterSettings().affinity_of("gpt")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_retrys": 1}, "'num_retrys'.*'num_retries'"),
        ({"zzzz": 1}, "Leave it out"),
        ({"routing_strategy": "cost-based-routing"}, "Use one of weighted"),
        ({"on_origin_down": "retry"}, "fail, strip, replay"),
        ({"num_retries": -1}, "num_retries is -1"),
        ({"replicate_files": "yes"}, "true or false"),
        ({"num_retries": True}, "whole number"),
        ({"num_retries": 1.5}, "whole number"),
        ({"cooldown_time": "30"}, "cooldown_time is '30'"),
        ({"cooldown_time": float("nan")}, "number from 0"),
        ({"timeout": 0}, "Use None"),
        ({"fallbacks": ["gpt"]}, "list of mappings"),
        ({"fallbacks": 5}, "list of mappings"),
        ({"fallbacks": [{"a": [{"model": "b"}]}]}, "list of model names"),
        ({"fallbacks": [{"a": 3}]}, "list of model names"),
        ({"model_group_alias": ["x"]}, "which group"),
        ({"model_group_alias": {"x": {"hidden": True}}}, "which group"),
        ({"optional_pre_call_checks": ["deployment_afinity"]}, "Did you mean 'deployment_affinity"),
        ({"optional_pre_call_checks": ["zzzz"]}, "Leave it out"),
        ({"optional_pre_call_checks": 3}, "list of names"),
        ({"prompt_cache_affinity": "yes"}, "true or false"),
        ({"deployment_affinity_ttl_seconds": -1}, "a number from 0"),
        ({"model_group_affinity_config": ["gpt"]}, "Write model_group_affinity_config={"),
        ({"model_group_affinity_config": {"gpt": ["sesion_affinity"]}}, "'session_affinity'"),
        ({"model_group_affinity_config": {"gpt": ["zz"]}}, "Use some of"),
        ({"model_group_affinity_config": {"gpt": 3}}, "list of names"),
        ({"timeout": 10**400}, "it is a number from 0"),
        ({"cooldown_time": float("nan")}, "it is a number from 0"),
        ({"optional_pre_call_checks": [["session_affinity"]]}, "list of names"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_settings(options)


def test_an_alias_may_stand_for_another_but_not_in_circles() -> None:
    aliases = {"newest": "chat", "chat": {"model": "gpt", "hidden": True}}
    assert read_settings({"aliases": aliases}).aliases == {"newest": "gpt", "chat": "gpt"}
    assert read_settings({"aliases": {"gpt": "gpt", "x": "gpt"}}).aliases["x"] == "gpt"
    with pytest.raises(ConfigurationError, match="aliases goes in circles: b → c → b"):
        read_settings({"aliases": {"b": "c", "c": "b"}})


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, {"session_affinity", "prompt_caching"}),
        ({"prompt_cache_affinity": False}, set()),
        (
            {"prompt_cache_affinity": False, "optional_pre_call_checks": ["session_affinity"]},
            {"session_affinity"},
        ),
        (
            {"optional_pre_call_checks": ["deployment_affinity", "responses_api_deployment_check"]},
            {"session_affinity", "prompt_caching", "deployment_affinity"},
        ),
        ({"model_group_affinity_config": {"gpt": ["encrypted_content_affinity"]}}, set()),
        ({"model_group_affinity_config": {"gpt": None}}, set()),
        (
            {"model_group_affinity_config": {"gpt": "prompt_caching", "other": []}},
            {"prompt_caching"},
        ),
    ],
)
def test_litellms_checks_say_what_ties_calls_to_a_deployment(
    options: dict[str, object], kinds: set[str]
) -> None:
    assert read_settings(options).affinity_of("gpt") == kinds


def test_streams_may_have_a_timeout_of_their_own() -> None:
    settings = read_settings({"timeout": 10, "stream_timeout": 100})
    assert settings.timeout_of(is_stream=True) == 100
    assert settings.timeout_of(is_stream=False) == 10
    assert read_settings({"timeout": 10}).timeout_of(is_stream=True) == 10
    deployment = Deployment("a", "g", "m", "t", "r", timeout=3, stream_timeout=9)
    assert [deployment.timeout_of(is_stream) for is_stream in (False, True)] == [3, 9]
    assert Deployment("a", "g", "m", "t", "r", timeout=3).timeout_of(True) == 3


def test_cooldowns_can_be_switched_off() -> None:
    deployment = Deployment("a", "g", "m", "t", "r")
    health = DeploymentHealth([deployment], read_settings({"disable_cooldowns": True}))
    assert health.limit("a", 30.0, 0.0) is None
    assert health.fail("a", "failures", 0.0, hint=9, at_once=True, is_probe=False) is None
    assert health.cooldowns(0.0) == {}


def test_what_a_call_must_have_and_the_header_of_its_user() -> None:
    given = {"enforced_params": ["metadata.team"], "enforce_user_param": True}
    settings = read_settings({**given, "user_header_name": "X-User"})
    assert settings.required == ("metadata.team", "user")
    assert settings.user_header_name == "x-user"
    assert read_settings({}).required == ()
    with pytest.raises(ConfigurationError, match="user_header_name"):
        read_settings({"user_header_name": "not a header"})


def test_a_setting_that_protects_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'guardrail_list' is refused"):
        read_settings({"guardrail_list": [{"guardrail_name": "a"}]})


@pytest.mark.parametrize("value", ["soon", [], -1])
def test_a_lifetime_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="deployment_affinity_ttl_seconds"):
        read_settings({"deployment_affinity_ttl_seconds": value})
    assert read_settings({"deployment_affinity_ttl_seconds": "60"}).affinity_ttl == 60
