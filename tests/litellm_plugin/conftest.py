"""LiteLLM's interpreter and the emulator it calls."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from tests.litellm_plugin.peer import Peer

PING: Any = [{"role": "user", "content": "Reply with exactly: pong"}]


@dataclass
class Bench:
    """A registered plug-in in LiteLLM's interpreter, and the resource it calls."""

    peer: Peer
    emulator: Emulator
    url: str

    def ask(self, deed: str, deployment: str = "gpt-5-mini", **arguments: Any) -> Any:
        """Call the deployment by way of LiteLLM; the value, for a failure its description."""
        named = {"model": f"azure_responses/{deployment}", "api_base": self.url}
        answer = self.peer.ask(deed, **{**named, "api_key": "east-key", **arguments})
        return answer.get("value", answer)

    @property
    def sent(self) -> Any:
        """The body of the latest request."""
        return self.emulator.requests[-1].json()


def make_emulator() -> Emulator:
    """One resource with a deployment that reasons, one that does not, and one of little quota."""
    deployments = [
        EmulatedDeployment("gpt-5-mini", model="gpt-5-mini"),
        EmulatedDeployment("gpt-4.1", model="gpt-4.1"),
        EmulatedDeployment("team-a", model="gpt-5-mini"),
        EmulatedDeployment("o3", model="o3"),
        EmulatedDeployment("limited", model="gpt-4.1", requests_per_minute=1),
    ]
    return Emulator([Resource("east", keys=["east-key"], deployments=deployments)])


@pytest.fixture(scope="session")
def litellm_peer() -> Iterator[Peer]:
    """LiteLLM, one for all tests of a process."""
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Emulator, str]]:
    """An emulator and its endpoint."""
    emulator = make_emulator()
    with emulator.serve() as server:
        yield emulator, server.resource_url("east")


@pytest.fixture
def bench(litellm_peer: Peer, served: tuple[Emulator, str]) -> Bench:
    """Both, with nothing left of earlier tests."""
    emulator, url = served
    emulator.reset()
    litellm_peer.ask("unregister")
    litellm_peer.ask("register")
    return Bench(litellm_peer, emulator, url)
