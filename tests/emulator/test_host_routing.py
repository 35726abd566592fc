"""Which resource a request reaches."""

import httpx
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from tests.emulator.callers import V1, open_client

_ONE = [EmulatedDeployment("m", "gpt-4.1")]
RESOURCES = [
    Resource("a", keys=["ka"], region="East US 2", deployments=_ONE),
    Resource("b", keys=["kb"], region="East US 2", deployments=_ONE,
             hosts=["gw.example.com/team-b/proxy", "b.internal"]),
    Resource("c", keys=["kc"], region="Sweden Central", deployments=_ONE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "key", "resource"),
    [
        ("https://a.openai.azure.com", "ka", "a"),
        ("https://b.cognitiveservices.azure.com", "kb", "b"),
        ("https://c.services.ai.azure.com", "kc", "c"),
        ("http://localhost:1234", "ka", "a"),
        ("http://b.localhost:1234", "kb", "b"),
        ("http://127.0.0.1/resources/c", "kc", "c"),
        ("https://a.openai.azure.com/resources/b", "kb", "b"),
        ("https://gw.example.com/team-b/proxy", "kb", "b"),
        ("https://b.internal", "kb", "b"),
        ("https://eastus2.api.cognitive.microsoft.com", "kb", "b"),
        ("https://eastus2.api.cognitive.microsoft.com", "wrong", "a"),
        ("https://swedencentral.api.cognitive.microsoft.com", "kc", "c"),
    ],
)
def test_hosts_prefixes_and_keys_lead_to_their_resource(url: str, key: str, resource: str) -> None:
    emulator = Emulator(RESOURCES)
    with open_client(emulator, url, key) as client:
        reply = client.post(url + V1, json={"model": "m", "input": "x"})
    assert emulator.requests[0].resource == resource
    assert reply.status_code == (401 if key == "wrong" else 200)


@pytest.mark.parametrize(
    "url",
    [
        "https://d.openai.azure.com",
        "https://gw.example.com/team-a",
        "https://westus.api.cognitive.microsoft.com",
        "https://a.openai.azure.com/resources/d",
    ],
)
def test_other_hosts_do_not_resolve(url: str) -> None:
    emulator = Emulator(RESOURCES)
    with open_client(emulator, url) as client, pytest.raises(httpx.ConnectError):
        client.post(url + V1, json={"model": "m", "input": "x"})


def test_resources_need_different_names() -> None:
    with pytest.raises(ValueError, match="different names"):
        Emulator([Resource("a"), Resource("a")])
    with pytest.raises(ValueError, match="at least one"):
        Emulator([])


def test_the_default_resource_is_in_every_region() -> None:
    emulator = Emulator()
    url = "https://westus.api.cognitive.microsoft.com"
    with open_client(emulator, url, emulator.api_key) as client:
        reply = client.post(url + V1, json={"model": "gpt-4.1", "input": "x"})
    assert reply.status_code == 200
