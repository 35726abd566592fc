"""Configuration files: the seeds' as they are, every mistake by its line, and fuzz."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.gateway.config_file import (
    find_database_url,
    load_config,
    read_config,
    read_environment,
    validate,
)
from azure_responses.gateway.key_table import KeyTable
from azure_responses.gateway.schema import (
    GENERAL,
    LITELLM,
    ROUTER,
    SECTION_NAMES,
    SECTIONS,
    GatewaySettings,
)
from azure_responses.gateway.spend import to_pico
from azure_responses.gateway.yaml_reader import ConfigProblem
from azure_responses.routing.entry_defaults import PARAMS_KEYS
from azure_responses.routing.litellm_keys import keys_with
from azure_responses.routing.model_list import PARAMS_READ, read_model_list
from azure_responses.routing.settings import read_settings

_ROW = """\
model_list:
  - model_name: gpt
    litellm_params:
      model: azure/gpt-5
      api_key: k
      api_base: https://r.openai.azure.com
"""

_SEEDS = {
    "one row": """\
model_list:
  - model_name: o1-pro
    litellm_params:
      model: azure/o1-pro
      api_key: os.environ/AZURE_RESPONSES_OPENAI_API_KEY
      api_base: https://litellm8397336933.openai.azure.com/
      api_version: 2023-03-15-preview
""",
    "the other name of params": """\
model_list:
  - model_name: codex-mini
    dheera_ai_params:
      model: azure/codex-mini
      api_key: os.environ/AZURE_RESPONSES_OPENAI_API_KEY
      api_base: https://dheera-ai8397336933.openai.azure.com
      api_version: preview # 👈 key difference
""",
    "the prefix that asks for Responses": """\
model_list:
  - model_name: my-custom-o1-pro
    dheera_ai_params:
      model: azure/responses/my-custom-o1-pro
      api_key: os.environ/AZURE_API_KEY
      api_base: https://my-endpoint-sweden-berri992.openai.azure.com/
      api_version: 2023-03-15-preview
""",
    "two resources with affinity": """\
model_list:
  - model_name: azure-gpt4-turbo
    litellm_params:
      model: azure/gpt-4-turbo
      api_key: your-api-key-1
      api_version: 2024-06-01
      api_base: https://endpoint1.openai.azure.com
  - model_name: azure-gpt4-turbo
    litellm_params:
      model: azure/gpt-4-turbo
      api_key: your-api-key-2
      api_version: 2024-06-01
      api_base: https://endpoint2.openai.azure.com

router_settings:
  optional_pre_call_checks: ["responses_api_deployment_check"]
""",
}
_ENVIRON = {"AZURE_RESPONSES_OPENAI_API_KEY": "key-1", "AZURE_API_KEY": "key-2"}


def _settings(text: str, environ: dict[str, str] | None = None) -> GatewaySettings:
    loaded = read_config(text, environ or {})
    assert loaded.settings is not None, loaded.problems
    return loaded.settings


def _only(text: str, environ: dict[str, str] | None = None) -> ConfigProblem:
    (problem,) = validate(text, environ or {})
    return problem


@pytest.mark.parametrize("name", _SEEDS)
def test_the_documented_files_are_read_unchanged(name: str) -> None:
    loaded = read_config(_SEEDS[name], _ENVIRON)
    assert [problem for problem in loaded.problems if problem.severity == "error"] == []
    assert loaded.settings is not None
    rows = read_model_list(loaded.settings.model_list, {})
    assert len(rows) == _SEEDS[name].count("model_name")


def test_a_version_that_looks_like_a_date_stays_text() -> None:
    row = _settings(_SEEDS["two resources with affinity"]).model_list[0]
    assert row["litellm_params"]["api_version"] == "2024-06-01"


def test_another_cloud_s_row_is_an_error_of_that_row() -> None:
    problem = _only(_ROW + "  - {model_name: c, litellm_params: {model: bedrock/claude}}\n")
    assert problem.severity == "error"
    assert (problem.path, problem.line) == ("model_list[1]", 7)
    assert "bedrock" in problem.message


def test_a_variable_that_is_not_set_is_named_with_its_line() -> None:
    problem = _only(_SEEDS["one row"])
    assert problem.severity == "error"
    assert "AZURE_RESPONSES_OPENAI_API_KEY is not set" in problem.message
    assert problem.path == "model_list[0].litellm_params.api_key"
    assert problem.line == 5


def test_an_empty_variable_is_no_value() -> None:
    problem = _only(_ROW + "general_settings: {master_key: os.environ/K}\n", {"K": " "})
    assert "K is empty" in problem.message


def test_variables_stand_anywhere_and_may_be_set_by_the_file() -> None:
    text = _ROW + (
        "environment_variables: {REDIS: 'redis://h:1'}\n"
        "general_settings: {redis_url: os.environ/REDIS, database_url: os.environ/DB}\n"
    )
    read = _settings(text, {"DB": "sqlite:///k.db"})
    assert (read.state, read.database_url) == ("redis://h:1", "sqlite:///k.db")


def test_every_setting_is_read() -> None:
    read = _settings(
        _ROW
        + """\
general_settings:
  master_key: sk-master
  database_url: sqlite:///k.db
  spend_log: spend.jsonl
  spend_flush_interval: 2
  key_refresh_interval: 3
  max_request_size_mb: 1
  max_concurrent_requests: 10
  max_queued_requests: 0
  queue_timeout: 4
  drain_timeout: 0
  keepalive_seconds: 0
  websocket_connections: 0
  websocket_connections_per_key: 3
  websocket_max_seconds: 600
  websocket_idle_seconds: 90
  affinity_secret: [new, old]
  allow_unauthenticated: true
  cancel_on_disconnect: true
litellm_settings:
  drop_params: true
  callbacks: [prometheus, my.module.callback]
  success_callback: my.module.callback
  budget_exceeded_status_code: 400
  num_retries: 5
  request_timeout: 30
  turn_off_message_logging: true
router_settings:
  routing_strategy: headroom
  redis_host: cache
  redis_password: p@ss
pricing:
  prices: [{model: gpt-5, input: 1, output: 2}]
"""
    )
    assert read.spend_log == Path("spend.jsonl")
    assert (read.spend_flush_interval, read.key_refresh_interval) == (2.0, 3.0)
    assert (read.max_body_bytes, read.max_concurrent_requests) == (1024 * 1024, 10)
    assert (read.max_queued_requests, read.queue_timeout, read.drain_timeout) == (0, 4.0, 0.0)
    assert read.keepalive_seconds == 0.0
    assert (read.websocket_connections, read.websocket_connections_per_key) == (0, 3)
    assert (read.websocket_max_seconds, read.websocket_idle_seconds) == (600.0, 90.0)
    assert read.affinity_secrets == ("new", "old")
    assert read.allow_unauthenticated
    assert read.drop_params
    assert read.callbacks == ("my.module.callback",)
    assert read.budget_status == 400
    assert dict(read.router) == {"num_retries": 5, "timeout": 30, "routing_strategy": "headroom"}
    assert read.state == "redis://:p%40ss@cache:6379"
    assert read.pricing["prices"][0]["model"] == "gpt-5"
    caller = KeyTable(read.keys).find("sk-master")
    assert caller is not None
    assert caller.is_master
    assert read.weakest_key is not None


def test_no_secret_is_shown() -> None:
    text = _ROW.replace("api_key: k", "api_key: secret-1") + (
        "general_settings: {master_key: secret-2, affinity_secret: secret-3,"
        " redis_url: 'redis://:secret-4@h', database_url: 'postgresql://u:secret-5@h/d'}\n"
        "virtual_keys: [{name: a, key: secret-6, bugdet: 1}]\n"
    )
    loaded = read_config(text, {})
    assert loaded.settings is not None
    assert "secret" not in repr(loaded.settings)
    assert not any("secret" in str(problem) for problem in loaded.problems)


@pytest.mark.parametrize(
    ("addition", "path", "line", "hint"),
    [
        ("general_setings: {}", "general_setings", 7, "Did you mean general_settings?"),
        ("general_settings:\n  masterkey: x", "general_settings.masterkey", 8, "master_key"),
        ("general_settings:\n  qqqq: x", "general_settings.qqqq", 8, "Remove it."),
        ("litellm_settings:\n  drop_parms: 1", "litellm_settings.drop_parms", 8, "drop_params"),
        ("router_settings:\n  num_retry: 1", "router_settings.num_retry", 8, "num_retries"),
        ("general_settings:\n  alerting: [slack]", "general_settings.alerting", 8, "/metrics"),
        ("litellm_settings:\n  cache: true", "litellm_settings.cache", 8, "not cached"),
        ("guardrails: []", "guardrails", 7, "content filters"),
        ("litellm_settings:\n  callbacks: [langfuse]", "litellm_settings.callbacks", 8, "module"),
    ],
)
def test_a_key_without_effect_is_a_warning_that_says_what_to_do(
    addition: str, path: str, line: int, hint: str
) -> None:
    problem = _only(_ROW + addition + "\n")
    assert problem.severity == "warning"
    assert (problem.path, problem.line) == (path, line)
    assert hint in str(problem.hint)
    assert read_config(_ROW + addition + "\n", {}).settings is not None


@pytest.mark.parametrize(
    ("addition", "path", "reason"),
    [
        ("general_settings: {master_key: 1234}", "general_settings.master_key", "quotation"),
        ("general_settings: {spend_flush_interval: 0}", "general_settings.spend_flush", "positive"),
        ("general_settings: {max_body_bytes: true}", "general_settings.max_body", "whole number"),
        ("general_settings: {max_request_size_mb: -1}", "general_settings.max_req", "megabytes"),
        ("general_settings: {database_url: 'mysql://h'}", "general_settings.database", "sqlite"),
        ("general_settings: []", "general_settings", "not a mapping"),
        ("litellm_settings: {drop_params: 'yes'}", "litellm_settings.drop_params", "true nor"),
        ("litellm_settings: {callbacks: [1]}", "litellm_settings.callbacks", "list of text"),
        ("litellm_settings: {budget_exceeded_status_code: 200}", "litellm_settings.b", "400"),
        ("litellm_settings: {num_retries: many}", "litellm_settings.num_retries", "num_retries"),
        ("router_settings: {routing_strategy: best}", "router_settings.routing_strategy", "best"),
        ("pricing: {prices: [{}]}", "pricing", "lacks"),
        ("virtual_keys: {}", "virtual_keys", "not a list"),
        ("virtual_keys: [5]", "virtual_keys[0]", "not a mapping"),
        ("virtual_keys: [{name: a}]", "virtual_keys[0].key", "no key"),
        ("virtual_keys: [{key: a}]", "virtual_keys[0]", "no name"),
        ("virtual_keys: [{name: a, key: k, rpm: x}]", "virtual_keys[0].rpm", "positive whole"),
        ("virtual_keys: [{name: a, key: k, expires: 30d}]", "virtual_keys[0].expires", "anew"),
        ("virtual_keys: [{name: a, key: k}, {name: a, key: l}]", "virtual_keys[1].name", "taken"),
        ("virtual_keys: [{name: a, key: k}, {name: b, key: k}]", "virtual_keys[1].key", "twice"),
        ("virtual_keys: [{name: a, key: os.environ/K}]", "virtual_keys[0].key", "K is not set"),
        ("model_list: []", "model_list", "twice"),
    ],
)
def test_a_value_that_cannot_be_used_is_an_error_with_its_place(
    addition: str, path: str, reason: str
) -> None:
    loaded = read_config(_ROW + addition + "\n", {})
    assert loaded.settings is None
    errors = [problem for problem in loaded.problems if problem.severity == "error"]
    assert errors[0].path.startswith(path)
    assert reason in errors[0].message
    assert errors[0].line == 7


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no settings"),
        ("- 1", "no settings"),
        ("general_settings: {}", "No deployment"),
        ("model_list: 5", "not a list"),
        ("model_list: [5]", "not a mapping"),
        ("a: [", "not YAML"),
        ("a: \0", "not YAML"),
        ("a: &a [*a]", "refers to a value around it"),
        ("a: !!python/object:os.system x", "no values of type"),
        ("a: !!set {b}", "no values of type"),
        ("a: !!int x", "not a valid int"),
        ("a: !!int ''", "not a valid int"),
        ("? [a]\n: b", "list or a mapping"),
        ("<<: 5", "takes mappings"),
        ("[" * 600, "nested"),
        ("[" * 60 + "]" * 60, "nested"),
        ("a: " + "9" * 5000, "not a valid int"),
    ],
)
def test_what_is_no_configuration_is_an_error_and_no_traceback(text: str, reason: str) -> None:
    errors = [problem for problem in validate(text, {}) if problem.severity == "error"]
    assert reason in errors[0].message


def test_a_few_lines_cannot_stand_for_billions_of_values() -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "more than" in _only("\n".join(lines)).message


def test_merged_keys_are_read_as_yaml_merges_them() -> None:
    text = """\
x: &x {model: azure/gpt-5, api_key: k, api_base: https://r.openai.azure.com}
model_list:
  - {model_name: a, litellm_params: {<<: *x, model: azure/gpt-4.1}}
  - {model_name: b, litellm_params: {<<: [*x, {model: azure/other}]}}
"""
    read = _settings(text)
    models = [row["litellm_params"]["model"] for row in read.model_list]
    assert models == ["azure/gpt-4.1", "azure/gpt-5"]


def test_rows_that_get_in_each_other_s_way_are_an_error_of_the_list() -> None:
    row = "{model_name: a, model_info: {id: one}, litellm_params: {model: azure/a, api_key: k, "
    row += "api_base: 'https://r.openai.azure.com'}}"
    problem = _only(f"model_list:\n  - {row}\n  - {row}\n")
    assert (problem.severity, problem.path) == ("error", "model_list")


def test_the_router_s_own_names_of_secret_and_state_are_taken() -> None:
    read = _settings(_ROW + "router_settings: {affinity_secret: s, state: 'redis://h'}\n")
    assert (read.affinity_secrets, read.state) == (("s",), "redis://h")
    read = _settings(_ROW + "router_settings: {redis_url: 'redis://h2', redis_port: 5}\n")
    assert read.state == "redis://h2"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ("{redis_port: 5}", "redis_port"),
        ("{redis_url: 'redis://h', state: 'redis://h2'}", "Both state"),
    ],
)
def test_a_shared_state_named_by_halves_or_twice_is_an_error(settings: str, named: str) -> None:
    problem = _only(_ROW + f"router_settings: {settings}\n")
    assert (problem.severity, problem.path) == ("error", "router_settings")
    assert named in problem.message


def test_the_same_key_twice_in_two_places_is_one_key_too_many() -> None:
    text = _ROW + "general_settings: {master_key: k}\nvirtual_keys: [{name: a, key: k}]\n"
    assert "twice" in _only(text).message


def test_virtual_keys_carry_their_terms() -> None:
    text = (
        _ROW
        + """\
virtual_keys:
  - {name: bob, key: os.environ/BOB, models: [gpt], rpm: 5, budget: 2.5, expires: 2020-01-01}
"""
    )
    loaded = read_config(text, {"BOB": "sk-bob-0123456789abcdef"})
    assert loaded.settings is not None
    caller = KeyTable(loaded.settings.keys).find("sk-bob-0123456789abcdef")
    assert caller is not None
    assert (caller.key_id, caller.owner, caller.models) == ("bob", "bob", ("gpt",))
    assert caller.budget == to_pico(Decimal("2.5"))
    assert caller.is_expired(1.7e9)
    (warning,) = loaded.problems
    assert "Without a database" in warning.message


def test_a_weak_virtual_key_is_told_by_its_place() -> None:
    read = _settings(_ROW + "virtual_keys: [{name: a, key: test}]\n")
    assert read.weakest_key == "virtual_keys[0].key is a well-known example"


def test_a_file_is_loaded_or_refused_with_all_its_errors(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("\ufeff" + _ROW, encoding="utf-8")
    read, problems = load_config(path, {})
    assert read.model_list[0]["model_name"] == "gpt"
    assert problems == ()
    path.write_text(_ROW + "general_settings: {master_key: 1, drain_timeout: x}\n")
    with pytest.raises(ConfigurationError, match=r"(?s)master_key.*drain_timeout"):
        load_config(path, {})
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_config(path, {})
    with pytest.raises(ConfigurationError, match="No such file"):
        load_config(tmp_path / "none.yaml", {})


def test_without_a_file_the_environment_makes_a_gateway() -> None:
    environ = {
        "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com",
        "AZURE_OPENAI_API_KEY": "k",
        "AZURE_OPENAI_DEPLOYMENT": "gpt-5",
        "AZURE_RESPONSES_MASTER_KEY": "sk-master",
    }
    read, _ = load_config(None, environ)
    (row,) = read_model_list(read.model_list, {})
    assert (row.group, row.model) == ("gpt-5", "gpt-5")
    assert KeyTable(read.keys).find("sk-master") is not None


def test_without_a_deployment_every_model_is_one() -> None:
    read = read_environment({"AZURE_API_BASE": "https://r.openai.azure.com", "AZURE_AD_TOKEN": "t"})
    (row,) = read_model_list(read.model_list, {})
    assert row.group == "*"
    assert row.name_for("gpt-4.1") == "gpt-4.1"
    assert read.keys == ()


def test_without_anything_the_error_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match="neither") as caught:
        read_environment({})
    assert "AZURE_OPENAI_ENDPOINT" in str(caught.value.hint)


def test_the_database_is_found_without_the_variables_of_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(_SEEDS["one row"] + "general_settings: {database_url: os.environ/DB}\n")
    assert find_database_url(path, {"DB": "keys.db"}) == "keys.db"
    with pytest.raises(ConfigurationError, match="DB is not set"):
        find_database_url(path, {})
    path.write_text(_SEEDS["one row"])
    assert find_database_url(path, {}) is None
    path.write_text("[")
    with pytest.raises(ConfigurationError, match="not YAML"):
        find_database_url(path, {})


@pytest.mark.parametrize(
    ("section", "read"),
    [
        ("", SECTION_NAMES.keys()),
        ("general_settings", GENERAL.keys()),
        ("litellm_settings", LITELLM.keys()),
        ("router_settings", SECTIONS["router_settings"]),
        ("litellm_params", PARAMS_READ),
        ("model_list", {"model_name", "model_info", *PARAMS_KEYS}),
    ],
)
def test_the_keys_that_are_read_are_those_that_the_table_says_have_an_effect(
    section: str, read: Iterable[str]
) -> None:
    assert sorted(read) == sorted(keys_with(section, "works", "differs", "own"))


def test_a_finding_reads_as_a_line() -> None:
    problem = ConfigProblem("warning", "Odd.", "a[0].b", 7, "Fix it.")
    assert str(problem) == "warning: line 7: a[0].b: Odd. (Fix it.)"
    assert str(ConfigProblem("error", "Bad.")) == "error: Bad."


_NAMES = st.sampled_from(
    [
        *(*SECTION_NAMES, *GENERAL, *LITELLM, *sorted(ROUTER)),
        *("model_name", "litellm_params", "model", "api_base", "api_key", "key", "name"),
        *("budget", "expires", "models", "rpm", "prices", "x"),
    ]
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["os.environ/X", "azure/gpt-5", "https://r.openai.azure.com", "2027-01-31"])
)
_VALUES: Any = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=25,
)


@given(st.dictionaries(st.sampled_from(list(SECTION_NAMES)), _VALUES))
@settings(max_examples=150, deadline=None)
def test_any_values_give_findings_or_settings(value: Any) -> None:
    loaded = read_config(yaml.safe_dump(value), {"X": "x"})
    has_error = any(problem.severity == "error" for problem in loaded.problems)
    assert (loaded.settings is None) == has_error
    assert all(str(problem) for problem in loaded.problems)


@given(st.text(max_size=60) | st.text("[]{}:-&*!?|>'\"#%@` \n\tab1<", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_findings_or_settings(text: str) -> None:
    assert validate(text, {})


_WITHOUT_ENDPOINT = """
model_list:
  - model_name: gpt
    litellm_params: {model: azure/gpt-5, api_key: 0123456789abcdef}
  - model_name: other
    litellm_params: {model: azure/gpt-5, api_key: k, api_base: "https://b.openai.azure.com"}
"""


@pytest.mark.parametrize("variable", ["AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"])
@pytest.mark.parametrize("is_in_file", [False, True])
def test_a_row_without_api_base_takes_the_endpoint_of_the_environment(
    variable: str, is_in_file: bool
) -> None:
    environ = {variable: "https://a.openai.azure.com"}
    text = _WITHOUT_ENDPOINT
    if is_in_file:
        text += f"environment_variables: {{{variable}: {environ[variable]}}}\n"
    loaded = read_config(text, {} if is_in_file else environ)
    assert loaded.settings is not None, loaded.problems
    bases = [row["litellm_params"]["api_base"] for row in loaded.settings.model_list]
    assert bases == ["https://a.openai.azure.com", "https://b.openai.azure.com"]


def test_a_row_without_api_base_needs_an_endpoint_somewhere() -> None:
    loaded = read_config(_WITHOUT_ENDPOINT, {})
    assert loaded.settings is None
    assert "the environment names no endpoint" in str(loaded.problems[0])


def test_the_variables_of_foundry_alone_make_a_gateway_too() -> None:
    environ = {
        "AZURE_AI_API_BASE": "https://r.services.ai.azure.com",
        "AZURE_AI_API_KEY": "k",
        "AZURE_OPENAI_DEPLOYMENT": "kimi-k2.5",
    }
    (row,) = read_model_list(read_environment(environ).model_list, {})
    assert (row.model, row.host) == ("kimi-k2.5", "r.services.ai.azure.com")
    assert row.connection["provider"] == "azure_ai"
    assert row.connection["api_key"] == "k"


@pytest.mark.parametrize(
    ("params", "key"),
    [
        ("model: azure_ai/kimi-k2.5", "key-ai"),
        ("model: azure_ai/claude-opus-5", "key-ai"),
        ("model: azure/gpt-5, api_base: https://r.openai.azure.com", "key-azure"),
        ("model: azure_ai/kimi-k2.5, api_key: own", "own"),
        ("model: azure_ai/kimi-k2.5, azure_ad_token: t", None),
    ],
)
def test_a_key_among_the_files_own_variables_serves_its_entries(
    params: str, key: str | None
) -> None:
    text = f"""
environment_variables:
  AZURE_AI_API_BASE: https://r.services.ai.azure.com
  AZURE_AI_API_KEY: key-ai
  AZURE_API_KEY: key-azure
model_list:
  - model_name: m
    litellm_params: {{{params}}}
"""
    loaded = read_config(text, {})
    assert loaded.settings is not None, loaded.problems
    (row,) = read_model_list(loaded.settings.model_list, {})
    assert row.connection.get("api_key") == key


def test_an_agent_without_a_name_is_a_problem_of_the_file() -> None:
    text = """
model_list:
  - model_name: m
    litellm_params:
      model: azure_ai/agents/:3
      api_base: https://r.services.ai.azure.com/api/projects/p
"""
    loaded = read_config(text, {})
    assert loaded.settings is None
    assert any("agent" in problem.message for problem in loaded.problems)


def test_litellms_settings_of_affinity_are_the_routers() -> None:
    text = f"""{_ROW}
  - model_name: gpt
    litellm_params: {{model: azure/gpt-5, api_base: "https://s.openai.azure.com", api_key: k}}
router_settings:
  optional_pre_call_checks: [deployment_affinity, session_affinity, prompt_caching]
  deployment_affinity_ttl_seconds: os.environ/TTL
  model_group_affinity_config: {{gpt: [session_affinity]}}
"""
    router = _settings(text, {"TTL": "1800"}).router
    assert read_settings(router).affinity_ttl == 1800.0
    assert read_settings(router).affinity_of("gpt") == {"session_affinity"}
    problem = _only(text.replace("[session_affinity]", "[sesion_affinity]"), {"TTL": "1800"})
    assert problem.line == 13
    assert "session_affinity" in str(problem)


_DEFAULT_TERMS = """
litellm_settings:
  default_key_generate_params: {max_budget: 1.5, budget_duration: 30d, rpm_limit: 10}
virtual_keys:
  - {name: usual, key: sk-usual-0123456789-abcdef}
  - {name: large, key: sk-large-0123456789-abcdef, budget: 100, rpm: 500}
"""


def test_keys_have_the_default_terms_unless_they_say_otherwise() -> None:
    settings = read_config(_ROW + _DEFAULT_TERMS, {}).settings
    assert settings is not None
    callers = {key.caller.name: key.caller for key in settings.keys}
    assert callers["usual"].budget == to_pico(Decimal("1.5"))
    assert (callers["usual"].rpm, callers["large"].rpm) == (10, 500)
    assert callers["large"].budget == to_pico(Decimal(100))
    assert callers["large"].budget_period == callers["usual"].budget_period


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{rpm_limit: many}", "positive whole"),
        ("[rpm]", "not a mapping"),
        ("{rmp: 1}", "rpm"),
    ],
)
def test_wrong_default_terms_are_said(value: str, words: str) -> None:
    text = f"{_ROW}litellm_settings: {{default_key_generate_params: {value}}}\n"
    assert words in " ".join(map(str, read_config(text, {}).problems))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            "router_settings: {default_litellm_params: [1]}",
            "router_settings.default_litellm_params",
        ),
        ("credential_list: {a: b}", "credential_list"),
        ("credential_list: [{credential_name: a}]", "credential_list"),
    ],
)
def test_wrong_defaults_and_credentials_are_said_by_place(text: str, place: str) -> None:
    (problem,) = read_config(f"{_ROW}{text}\n", {}).problems
    assert (problem.severity, problem.path) == ("error", place)


def test_a_key_in_the_wrong_section_is_sent_to_its_own() -> None:
    text = f"{_ROW}litellm_settings: {{enforced_params: [user]}}\n"
    (problem,) = read_config(text, {}).problems
    assert problem.hint == "Move it to general_settings."


def test_a_finding_of_an_entry_names_its_place_once() -> None:
    text = _ROW.replace("api_key:", "input_cost_per_token: -1\n      api_key:", 1)
    (problem,) = read_config(text, {}).problems
    assert problem.path == "model_list[0]"
    assert problem.message.startswith("input_cost_per_token is -1")
