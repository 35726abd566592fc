"""A model list → deployments."""

from datetime import date
from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.dropped_parameters import read_dropped
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.model_list import (
    read_model_list,
    resource_tag,
    tag_of,
    with_endpoint,
)

_BASE = "https://r1.openai.azure.com"


def _entry(name: str = "gpt", info: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
    params = {"model": "azure/gpt-5", "api_base": _BASE, "api_key": "sk-secret", **params}
    return {"model_name": name, "litellm_params": params, "model_info": info or {}}


def _read(*entries: Any, environ: dict[str, str] | None = None) -> tuple[Deployment, ...]:
    return read_model_list(entries, environ or {})


def test_a_row_becomes_a_deployment() -> None:
    (row,) = _read(
        _entry(
            info={"id": "d1", "base_model": "azure/gpt-5", "max_input_tokens": 1000, "mode": "x"},
            api_version="2025-04-01-preview",
            weight=2,
            order=3,
            rpm="60",
            tpm=6000,
            timeout=5,
            cooldown_time=0,
            max_retries=1,
            extra_headers={"x": "y"},
        )
    )
    assert (row.id, row.group, row.model, row.host) == ("d1", "gpt", "gpt-5", "r1.openai.azure.com")
    assert (row.weight, row.order, row.rpm, row.tpm) == (2.0, 3, 60, 6000)
    assert (row.timeout, row.cooldown_time, row.max_retries) == (5.0, 0.0, 1)
    assert (row.base_model, row.max_input_tokens) == ("azure/gpt-5", 1000)
    assert row.tag == tag_of("d1")
    assert row.connection == {
        "endpoint": _BASE,
        "api_key": "sk-secret",
        "api_version": "2025-04-01-preview",
        "default_headers": {"x": "y"},
    }
    assert "sk-secret" not in repr(row)


@pytest.mark.parametrize("key", ["params", "litellm_params", "dheera_ai_params"])
def test_params_have_three_names(key: str) -> None:
    entry = {"model_name": "gpt", key: {"model": "azure/responses/o1", "api_base": _BASE}}
    assert _read(entry)[0].model == "o1"


def test_values_come_from_the_environment() -> None:
    entry = _entry(api_key="os.environ/KEY", rpm="os.environ/RPM", info={"id": "os.environ/ID"})
    (row,) = _read(entry, environ={"KEY": "k", "RPM": "7", "ID": "own"})
    assert (row.connection["api_key"], row.rpm, row.id) == ("k", 7, "own")
    with pytest.raises(ConfigurationError, match=r"entry 1 \('gpt'\).*KEY, which is not set"):
        _read(entry)


def test_the_endpoint_may_come_from_the_environment() -> None:
    entry = {"model_name": "gpt", "params": {"model": "gpt-5"}}
    (row,) = _read(entry, environ={"AZURE_API_BASE": _BASE})
    assert row.connection == {"endpoint": _BASE}


def test_a_base_url_is_used_to_the_letter() -> None:
    entry = {"model_name": "gpt", "params": {"model": "gpt-5", "base_url": "https://gw.example/x"}}
    assert _read(entry)[0].connection == {"base_url": "https://gw.example/x"}


def test_all_forms_of_one_endpoint_are_one_resource() -> None:
    forms = [
        _BASE,
        f"{_BASE}/",
        "R1.openai.azure.com:443",
        f"{_BASE}/openai",
        f"{_BASE}/openai/v1/",
        f"{_BASE}/openai/responses?api-version=2025-04-01-preview",
        f"{_BASE}/openai/deployments/d/chat/completions?api-version=2024-10-21",
    ]
    assert len({resource_tag(form) for form in forms}) == 1
    others = [f"{_BASE}/team-a", "https://r2.openai.azure.com", "http://127.0.0.1:80"]
    assert len({resource_tag(form) for form in [_BASE, *others]}) == 4
    assert resource_tag("http://127.0.0.1:80") == resource_tag("http://127.0.0.1")


def test_ids_are_stable_free_of_secrets_and_distinct() -> None:
    first, second = _read(_entry(), _entry())
    (again,) = _read(_entry(api_key="other", weight=5, rpm=3))
    assert first.id == again.id != second.id
    assert first.tag != second.tag
    assert first.resource == second.resource
    other = _read(_entry("other"), _entry(model="azure/o3"))
    assert len({first.id, second.id, *(row.id for row in other)}) == 4


def test_a_service_principal_is_left_to_the_shell() -> None:
    principal: dict[str, Any] = {"tenant_id": "t", "client_id": "c", "client_secret": "s"}
    (row,) = _read(_entry(api_key=None, **principal))
    assert row.connection["service_principal"] == principal
    (keyed,) = _read(_entry(**principal))
    assert "service_principal" not in keyed.connection


def test_the_star_is_any_model() -> None:
    (row,) = _read(_entry("*", model="azure/*"))
    assert (row.group, row.model, row.name_for("o3")) == ("*", "*", "o3")


def test_limits_are_weights_where_no_row_has_one() -> None:
    assert [row.weight for row in _read(_entry(rpm=10), _entry(rpm=30))] == [10.0, 30.0]
    assert [row.weight for row in _read(_entry(tpm=10), _entry(tpm=30, rpm=5))] == [10.0, 30.0]
    assert [row.weight for row in _read(_entry(rpm=10), _entry())] == [1.0, 1.0]
    assert [row.weight for row in _read(_entry(rpm=10, weight=2), _entry(rpm=9))] == [2.0, 1.0]


def test_keys_without_effect_are_named() -> None:
    said: list[str] = []
    read_model_list([{**_entry(wieght=3, zzzz=1), "qqqq": 1, "rpm": 60}], {}, said.append)
    assert sorted(said) == [
        "model_list entry 1 ('gpt'): 'qqqq' is not known here and has no effect.",
        "model_list entry 1 ('gpt'): 'rpm' has no effect beside the params. Move it into them.",
        "model_list entry 1 ('gpt'): 'wieght' is not known here and has no effect. "
        "Did you mean 'weight'?",
        "model_list entry 1 ('gpt'): 'zzzz' is not known here and has no effect.",
    ]
    assert _read(_entry(zzzz=1))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "empty"),
        ("gpt", "not a list"),
        (None, "not a list"),
        ({"model_name": "gpt"}, "not a list"),
        (["gpt"], "entry 1 is not a mapping"),
        ([{"params": {}}], "entry 1 has no model_name"),
        ([{"model_name": "gpt"}], "one mapping of params"),
        ([{"model_name": "gpt", "params": {}, "litellm_params": {}}], "one mapping of params"),
        ([{"model_name": "gpt", "params": "x"}], "one mapping of params"),
        ([{**_entry(), "model_info": "x"}], "model_info is not a mapping"),
        ([_entry(model=None)], "no model"),
        ([_entry(model="openai/gpt-5")], "provider 'openai'"),
        ([_entry(model="gpt-5", custom_llm_provider="bedrock")], "provider 'bedrock'"),
        ([_entry(model="azure/gpt-*")], "pattern"),
        ([_entry(api_base=None)], "no api_base"),
        ([_entry(api_base="ftp://x")], "not an https URL"),
        ([_entry(api_base="https://portal.azure.com")], "portal"),
        ([_entry(client_id="c")], "without tenant_id, client_secret"),
        ([_entry(rpm=1.5)], "rpm is 1.5"),
        ([_entry(rpm=0)], "rpm is 0"),
        ([_entry(weight=-1)], "weight is -1"),
        ([_entry(weight=True)], "weight is True"),
        ([_entry(weight=[])], "weight is"),
        ([_entry(tpm="many")], "tpm is 'many'"),
        ([_entry(extra_headers="x: y")], "default_headers is not a mapping"),
        ([_entry(default_query=["x"])], "default_query is not a mapping"),
        ([_entry(image_deployment=["x"])], "image_deployment is"),
        ([_entry(info={"id": "x"}), _entry(info={"id": "x"})], "2 entries .* 'x'"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_its_place(entries: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_model_list(entries, {})
    assert "sk-secret" not in str(caught.value)
    assert caught.value.hint


def test_a_version_that_yaml_took_for_a_date_is_a_version() -> None:
    (row,) = _read(_entry(api_version=date(2024, 10, 21)))
    assert row.connection["api_version"] == "2024-10-21"


def test_azure_may_be_named_as_the_provider() -> None:
    assert _read(_entry(model="gpt-5", custom_llm_provider="azure"))[0].model == "gpt-5"


def _row_that_drops(names: Any) -> dict[str, Any]:
    params = {"model": "azure/m", "api_base": "https://r.openai.azure.com", "api_key": "k"}
    return {"model_name": "m", "params": {**params, "additional_drop_params": names}}


def test_a_row_names_what_is_left_out_of_its_calls() -> None:
    (found,) = read_model_list([_row_that_drops(["temperature", "user"])], {})
    assert found.dropped_params == read_dropped(["temperature", "user"])
    (found,) = read_model_list([_row_that_drops(None)], {})
    assert found.dropped_params is None


@pytest.mark.parametrize("names", ["temperature", [1], {"a": 1}, ["tools[*]"], ["input"], [""]])
def test_what_cannot_be_left_out_is_refused(names: Any) -> None:
    with pytest.raises(ConfigurationError, match="additional_drop_params"):
        read_model_list([_row_that_drops(names)], {})


def test_an_entry_gets_the_endpoint_and_the_key_of_the_environment() -> None:
    bare = {"model_name": "gpt", "litellm_params": {"model": "azure/gpt-5"}}
    environ = {"AZURE_OPENAI_ENDPOINT": _BASE}
    assert with_endpoint(bare, environ)["litellm_params"]["api_base"] == _BASE
    own = {"AZURE_OPENAI_API_KEY": "k"}
    filled = with_endpoint(bare, environ, own)["litellm_params"]
    assert (filled["api_base"], filled["api_key"]) == (_BASE, "k")
    assert with_endpoint(_entry(), environ, own) == _entry()


@pytest.mark.parametrize(
    "entry",
    ["text", {}, {"litellm_params": "text"}, {"litellm_params": {"model": "azure_ai/agents/x:"}}],
)
def test_an_entry_that_cannot_be_read_gets_no_endpoint(entry: Any) -> None:
    assert with_endpoint(entry, {"AZURE_OPENAI_ENDPOINT": _BASE}) is entry


def test_litellms_switch_for_chat_completions_names_the_api() -> None:
    assert _read(_entry(use_chat_completions_api=True, base_model="gpt-4.1"))[0].api == "chat"
    assert _read(_entry(use_chat_completions_api=True, api="responses"))[0].api == "responses"
    assert _read(_entry(use_chat_completions_api=False))[0].api == "auto"


def test_a_switch_that_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="merge_reasoning_content_in_choices"):
        _read(_entry(merge_reasoning_content_in_choices="yes"))


def test_a_price_that_does_not_exist_is_not_said_twice() -> None:
    said: list[str] = []
    entry = _entry(input_cost_per_video_per_second=1, zzzz=1)
    read_model_list([entry], {}, said.append)
    assert len(said) == 2


def test_keys_of_model_info_that_protect_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="'team_id' is refused"):
        _read(_entry(info={"team_id": "a"}))


def test_a_source_of_tokens_makes_a_principal_unless_there_is_a_key() -> None:
    principal: dict[str, Any] = {"tenant_id": "t", "client_id": "c"}
    source = _entry(azure_ad_token="oidc/env/T", api_key=None, client_secret="s", **principal)
    found = _read(source)[0].connection
    assert found["service_principal"] == {**principal, "assertion": "oidc/env/T"}
    keyed = _read(_entry(azure_ad_token="oidc/env/T", api_key="k"))[0].connection
    assert "service_principal" not in keyed
    assert "azure_ad_token" not in keyed


def test_a_key_without_a_counterpart_is_said_with_what_to_do() -> None:
    said: list[str] = []
    read_model_list([_entry(organization="o")], {}, said.append)
    assert "no such setting" in said[0]
