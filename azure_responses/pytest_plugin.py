"""Fixtures for testing code that calls Azure, against the emulator.

pytest loads this module in every project once the package is installed, so nothing is imported
before a fixture is used.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from azure_responses import AsyncAzureResponses, AzureResponses
    from azure_responses.emulator import Emulator
    from azure_responses.emulator.server import RunningServer

__all__ = [
    "async_azure_client",
    "azure_client",
    "azure_emulator",
    "azure_server",
    "azure_vcr_config",
    "pytest_configure",
]

# For an emulator without deployments, whose calls fail as those of an empty resource do.
_DEPLOYMENT = "gpt-5-mini"
_MARKER = (
    "azure(faults=[...], deployments=[...], agents=[...], **options): shape the emulator behind "
    "azure_emulator, azure_client and async_azure_client; options are those of "
    "azure_responses.emulator.Emulator"
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def azure_emulator(request: pytest.FixtureRequest) -> "Iterator[Emulator]":
    """A new emulator in this process, with the options of `@pytest.mark.azure(...)`."""
    from azure_responses.emulator import Emulator, Resource

    options = _options(request)
    faults = options.pop("faults", ())
    deployments, agents = options.pop("deployments", None), options.pop("agents", None)
    if deployments is not None or agents is not None:
        options["resources"] = [Resource("emulator", deployments=deployments, agents=agents)]
    emulator = Emulator(**options)
    for fault in faults:
        emulator.faults.add(fault)
    yield emulator
    emulator.close()


@pytest.fixture
def azure_client(azure_emulator: "Emulator") -> "Iterator[AzureResponses]":
    """A sync client of the emulator, with its first deployment as the default."""
    import httpx

    from azure_responses import AzureResponses

    with (
        httpx.Client(transport=azure_emulator.httpx_transport()) as http_client,
        AzureResponses(http_client=http_client, **_settings(azure_emulator)) as client,
    ):
        yield client


@pytest.fixture
def async_azure_client(azure_emulator: "Emulator") -> "AsyncAzureResponses":
    """An async client of the emulator, for any async plug-in; it need not be closed."""
    import httpx

    from azure_responses import AsyncAzureResponses

    # Closing would need an async fixture, which pytest has not without a plug-in. The transport
    # has no connections.
    http_client = httpx.AsyncClient(transport=azure_emulator.httpx_transport())
    return AsyncAzureResponses(http_client=http_client, **_settings(azure_emulator))


@pytest.fixture
def azure_server(
    azure_emulator: "Emulator", monkeypatch: pytest.MonkeyPatch
) -> "Iterator[RunningServer]":
    """The emulator on a loopback port, which the environment variables name."""
    from azure_responses.emulator.server import RunningServer

    with RunningServer(azure_emulator) as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", azure_emulator.api_key)
        monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", _settings(azure_emulator)["deployment"])
        yield server


@pytest.fixture(scope="session")
def azure_vcr_config() -> dict[str, Any]:
    """Arguments for `vcr.VCR` whose cassettes hold no secret."""
    from azure_responses.cassettes import vcr_config

    return vcr_config()


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The marker's arguments; a marker nearer to the test wins."""
    options: dict[str, Any] = {}
    for marker in request.node.iter_markers("azure"):
        if marker.args:
            raise pytest.UsageError("@pytest.mark.azure takes keyword arguments only")
        options = {**marker.kwargs, **options}
    return options


def _settings(emulator: "Emulator") -> dict[str, Any]:
    resource = emulator.resources[0]
    deployment = resource.deployments[0].name if resource.deployments else _DEPLOYMENT
    return {
        "endpoint": emulator.endpoint,
        "api_key": emulator.api_key,
        "deployment": deployment,
    }
