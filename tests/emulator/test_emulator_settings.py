"""emulator.yaml."""

from pathlib import Path
from typing import Any

import pytest

from azure_responses.emulator import Assumptions, EmulatedDeployment, Fault, Latency, ReadLag
from azure_responses.emulator.emulator_settings import SettingsError, load_settings, read_settings

WHOLE = """
seed: 7
clock: 1790000000
latency: {first_token: 0.3, tokens_per_second: 50}
read_lag: {median: 6}
assumptions: {accepts_message_status: false}
resources:
  - name: east
    keys: [one, two]
    region: East US 2
    deployments:
      - gpt-5
      - name: ptu
        model: gpt-5
        kind: provisioned
        spillover_to: gpt-5
        latency: {first_token: 0.1}
  - name: open
faults:
  - {kind: http-429, operation: create, deployment: ptu, nth: 3, retry_after: 2}
"""


def test_everything_can_be_said_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "emulator.yaml"
    path.write_text(WHOLE)
    settings = load_settings(path)
    assert settings.assumptions == Assumptions(accepts_message_status=False)
    east, opened = settings.resources or []
    assert (east.name, east.keys, opened.deployments) == ("east", ["one", "two"], None)
    assert east.deployments == [
        EmulatedDeployment("gpt-5"),
        EmulatedDeployment(
            "ptu", "gpt-5", "provisioned", spillover_to="gpt-5", latency=Latency(0.1)
        ),
    ]
    assert settings.latency == Latency(0.3, 50)
    assert settings.read_lag == ReadLag(6)
    emulator = settings.make_emulator()
    assert emulator.clock.now() == 1790000000
    assert list(emulator.faults) == [
        Fault("http-429", operation="create", deployment="ptu", nth=3, retry_after=2)
    ]


def test_a_file_can_make_the_default_resource_strict() -> None:
    emulator = read_settings({"strict_deployments": True}).make_emulator()
    assert emulator.resources[0].is_strict


def test_an_empty_file_is_the_default_emulator(tmp_path: Path) -> None:
    path = tmp_path / "emulator.yaml"
    path.write_text("")
    emulator = load_settings(path).make_emulator()
    assert emulator.resources[0].name == "emulator"
    assert not emulator.clock.is_frozen


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "the file must be a mapping"),
        ({"resorces": []}, "the file: unknown key 'resorces'; known are: resources"),
        ({"resources": {}}, "resources must be a list"),
        ({"resources": [{}]}, r"resources\[0\]: .*'name'"),
        ({"resources": [{"name": "a", "key": "x"}]}, r"resources\[0\]: unknown key 'key'"),
        ({"resources": [{"name": "a", "deployments": 1}]}, r"deployments must be a list"),
        (
            {"resources": [{"name": "a", "deployments": [{"name": "d", "tpm": 1}]}]},
            r"resources\[0\]\.deployments\[0\]: unknown key 'tpm'",
        ),
        ({"resources": [], "strict_deployments": True}, "say it in each resource"),
        ({"resources": [{"name": "a", "keys": "one"}]}, r"resources\[0\]: keys is a list"),
        (
            {"resources": [{"name": "a", "deployments": [{"name": "d", "kind": "ptu"}]}]},
            r"deployments\[0\]: kind is one of standard, provisioned; got 'ptu'",
        ),
        ({"latency": {"first_token": -1}}, "latency: waits and jitter are 0 or more"),
        ({"faults": [{"kind": "no"}]}, r"faults\[0\]: unknown fault 'no'"),
        ({"latency": {"speed": 1}}, "latency: unknown key 'speed'"),
        ({"seed": "x"}, "seed must be a number, not 'x'"),
        ({"clock": True}, "clock must be a number"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(data: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(data)


@pytest.mark.parametrize(("text", "message"), [("a: [", "is not YAML"), ("a: 1", "unknown key")])
def test_the_file_is_named_too(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "emulator.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=f"emulator.yaml.*{message}"):
        load_settings(path)
