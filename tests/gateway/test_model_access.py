"""Keys that are limited to groups, aliases or access groups, on every kind of call."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from azure_responses.emulator import Emulator, Fault, Resource
from azure_responses.emulator.server import RunningServer
from azure_responses.gateway.config_file import validate
from tests.gateway.batch_files import line, open_tables, output_of, put_file, wait_for
from tests.gateway.gateways import KEY, Running, config_of, serve
from tests.gateway.socket_callers import socket_caller

KEYS = {
    name: f"sk-{name}-0123456789-abcdefgh" for name in ("alias", "group", "beta", "pattern", "none")
}
MODELS = {
    "alias": ["mine"],
    "group": ["chat"],
    "beta": ["beta-models"],
    "pattern": ["m*"],
    "none": ["other"],
}
SHOWN = {
    "alias": ["mine"],
    "group": ["chat", "mine"],
    "beta": ["chat", "mine"],
    "pattern": ["mine"],
    "none": ["other"],
}


@pytest.fixture
def azure() -> Iterator[RunningServer]:
    with Emulator([Resource(name, keys=[f"key-of-{name}"]) for name in "ab"]).serve() as running:
        yield running


def _config(azure: RunningServer, url: str) -> dict[str, Any]:
    config = config_of(azure.url, "a", "b", database_url=url)
    first, second = config["model_list"]
    first["model_info"]["access_groups"] = ["beta-models"]
    second["model_name"] = "other"
    config["router_settings"] = {
        "model_group_alias": {"mine": "chat", "quiet": {"model": "chat", "hidden": True}},
        "fallbacks": [{"mine": ["backup"]}],
    }
    config["router_settings"]["model_group_alias"]["backup"] = {"model": "other", "hidden": True}
    config["litellm_settings"] = {"model_alias_map": {"gpt-old": "chat"}}
    config["virtual_keys"] = [
        {"name": name, "key": key, "models": MODELS[name]} for name, key in KEYS.items()
    ]
    return config


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
def gateway(azure: RunningServer, url: str) -> Iterator[Running]:
    with serve(_config(azure, url)) as running:
        yield running


def _authorization(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {KEYS[name]}"}


def _listed(gateway: Running, key: str) -> list[str]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0) as client:
        return [model.id for model in client.models.list()]


@pytest.mark.parametrize("name", KEYS)
def test_a_key_sees_the_names_it_may_call_and_no_others(gateway: Running, name: str) -> None:
    assert _listed(gateway, KEYS[name]) == SHOWN[name]
    with gateway.client(KEYS[name]) as client:
        for model in ("chat", "mine", "other"):
            is_shown = model in SHOWN[name]
            assert (client.get(f"/v1/models/{model}").status_code == 200) is is_shown
            reply = client.post("/v1/responses", json={"model": model, "input": "Hi"})
            assert (reply.status_code == 200) is is_shown, reply.text
            if is_shown:
                assert reply.json()["model"] == model


def test_hidden_aliases_are_called_and_not_listed(gateway: Running) -> None:
    assert _listed(gateway, KEY) == ["chat", "other", "mine"]
    with gateway.client(KEYS["group"]) as client:
        for model in ("quiet", "gpt-old"):
            asked = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
            assert client.post("/v1/chat/completions", json=asked).json()["model"] == model


def test_a_key_for_an_alias_names_no_model_where_there_is_one_group(
    azure: RunningServer, url: str
) -> None:
    config = _config(azure, url)
    del config["model_list"][1], config["router_settings"]["fallbacks"]
    del config["router_settings"]["model_group_alias"]["backup"]
    with serve(config) as gateway, gateway.client(KEYS["alias"]) as client:
        assert client.post("/v1/responses", json={"input": "Hi"}).json()["model"] == "mine"


def test_a_key_for_an_alias_has_turns_files_and_batches(
    azure: RunningServer, gateway: Running, url: str
) -> None:
    with socket_caller(gateway.url, headers=_authorization("alias")) as caller:
        assert caller.turn(model="mine", input="Hi")[-1]["type"] == "response.completed"
        refused = caller.turn(model="chat", input="Hi")[-1]
        assert refused["error"]["code"] == "key_model_access_denied"
    with gateway.client(KEYS["alias"]) as client:
        # Only one resource is open to the key, so that no model need be named.
        form: dict[str, Any] = {
            "data": {"purpose": "assistants"},
            "files": {"file": ("a.txt", b"text")},
        }
        reply = client.post("/v1/files", **form)
        assert reply.status_code == 200, reply.text
        vectors = {"model": "mine", "input": "Hi"}
        assert client.post("/v1/embeddings", json=vectors).status_code != 403
        assert client.post("/v1/embeddings", json={**vectors, "model": "chat"}).status_code == 403
    with open_tables(url) as tables, gateway.client(KEYS["alias"]) as client:
        lines = [line("r0", body={"model": "mine", "input": "Reply with exactly: r0"})]
        put_file(tables, lines, owner="alias")
        asked = {"input_file_id": "file-input", "endpoint": "/v1/responses"}
        batch = client.post("/v1/batches", json={**asked, "completion_window": "24h"}).json()
        done = wait_for(client, batch["id"], lambda b: b["status"] in ("completed", "failed"))
        assert done["status"] == "completed", json.dumps(done)
        assert (
            output_of(client, done["output_file_id"])["r0"]["response"]["body"]["model"] == "mine"
        )


def test_a_fallback_written_for_an_alias_with_an_alias_serves(
    azure: RunningServer, gateway: Running
) -> None:
    azure.emulator.faults.add(Fault("http-500", resource="a"))
    with gateway.client(KEYS["alias"]) as client:
        reply = client.post("/v1/responses", json={"model": "mine", "input": "Hi"})
    assert (reply.status_code, reply.headers["x-litellm-model-id"]) == (200, "b")


def test_a_key_for_a_model_that_is_not_there_is_warned_of() -> None:
    text = (
        "model_list: [{model_name: gpt, litellm_params: {model: azure/g, api_key: k, "
        "api_base: 'https://a.openai.azure.com'}, model_info: {access_groups: [beta]}}]\n"
        "general_settings: {master_key: sk-0123456789abcdefghijklmnopqrstuv}\n"
        "virtual_keys:\n"
        "  - {name: a, key: sk-1123456789abcdefghijklmnopqrstuv, models: [gpt, beta, 'o*']}\n"
        "  - {name: b, key: sk-2123456789abcdefghijklmnopqrstuv, models: [gtp]}\n"
        "  - {name: c, key: sk-3123456789abcdefghijklmnopqrstuv, models: [all-team-models]}\n"
    )
    problems = [(one.severity, one.message) for one in validate(text, {})]
    assert problems == [
        ("warning", "The key 'b' is for 'gtp', which is no model, alias or access group here."),
        ("error", "The value has 'all-team-models', but there are no teams here; name the models."),
    ]
