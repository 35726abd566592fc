"""Registering with LiteLLM, and taking it back."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.litellm_plugin.conftest import Bench
from tests.litellm_plugin.peer import ROOT, Peer, environment, find_python

_BY_PATH = """
import sys

import litellm
from litellm.proxy.types_utils.utils import get_instance_fn
from litellm.utils import custom_llm_setup

litellm.suppress_debug_info = True
path = "azure_responses.litellm_plugin.handler"
handler = get_instance_fn(value=path, config_file_path=sys.argv[1])
litellm.custom_provider_map = [{"provider": "azure_responses", "custom_handler": handler}]
custom_llm_setup()
to = {"model": "azure_responses/gpt-5-mini", "api_base": sys.argv[2], "api_key": "east-key"}
messages = [{"role": "user", "content": "Reply with exactly: pong"}]
print(litellm.completion(messages=messages, **to).choices[0].message.content)
print(litellm.get_responses(litellm.responses(input="hi", **to).id, **to).status)
"""
_OURS = "azure_responses.litellm_plugin."


@pytest.fixture
def peer(litellm_peer: Peer) -> Peer:
    """LiteLLM without the plug-in."""
    litellm_peer.ask("unregister")
    return litellm_peer


def _traces(peer: Peer) -> Any:
    return peer.ask("traces")["value"]


def test_registering_twice_is_registering_once(peer: Peer) -> None:
    peer.ask("register")
    once = _traces(peer)
    peer.ask("register")
    assert _traces(peer) == once
    assert once["providers"] == once["custom"] == once["listed"] == ["azure_responses"]
    wrapped = {once[name] for name in ("lookup", "support", "dispatch")}
    assert wrapped == {_OURS + "registration"}
    assert not once["azure"].startswith(_OURS)


def test_unregistering_leaves_no_trace(peer: Peer) -> None:
    before = _traces(peer)
    peer.ask("register", take_over_azure=True)
    during = _traces(peer)
    assert during["azure"] == during["o_series"] == _OURS + "responses_config"
    peer.ask("unregister")
    assert _traces(peer) == before
    peer.ask("unregister")
    assert _traces(peer) == before


def test_a_name_of_litellms_own_is_refused(peer: Peer) -> None:
    raised = peer.ask("register", provider="azure")["raised"]
    assert raised["class"] == "ConfigurationError"
    assert "take_over_azure" in raised["message"]


def test_another_name_serves_chat_and_responses_alike(bench: Bench, peer: Peer) -> None:
    peer.ask("register", provider="house")
    named = {"model": "house/gpt-5-mini"}
    messages = [{"role": "user", "content": "Reply with exactly: pong"}]
    answer = bench.ask("completion", messages=messages, reasoning_effort="low", **named)
    assert answer["body"]["choices"][0]["message"]["content"] == "pong"
    made = bench.ask("responses", input="hi", **named)["body"]
    named = {"response_id": made["id"], "custom_llm_provider": "house"}
    assert bench.ask("stored", call="get", **named)["status"] == "completed"


@pytest.mark.parametrize("folder", [ROOT, ROOT / "docs"], ids=["checkout", "elsewhere"])
def test_a_configuration_file_needs_no_more_than_the_handlers_path(
    bench: Bench, folder: Path
) -> None:
    # The proxy first looks for the module beside its configuration file.
    program = subprocess.run(
        [find_python(), "-c", _BY_PATH, str(folder / "config.yaml"), bench.url],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert program.stdout.split() == ["pong", "completed"], program.stderr


def test_other_providers_keep_their_rules(peer: Peer) -> None:
    peer.ask("register")
    raised = peer.ask(
        "completion", model="groq/x", messages=[], api_key="k", thinking={"type": "enabled"}
    )["raised"]
    assert raised["class"] == "UnsupportedParamsError"
    raised = peer.ask("stored", call="get", response_id="r", custom_llm_provider="nobody")["raised"]
    assert "nobody" in raised["message"]
