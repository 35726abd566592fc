"""The fixtures, used as a user's tests use them."""

import pytest

from tests.tree import PACKAGE

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _checkout_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's tests run in another folder, perhaps without the package being installed."""
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE.parent))


_USER_TESTS = """
import asyncio
import os

import pytest

import azure_responses
from azure_responses.emulator import EmulatedAgent, EmulatedDeployment, Fault


def test_a_sync_client_answers(azure_client):
    assert azure_client.responses.create(input="Reply with exactly: pong").output_text == "pong"


def test_an_async_client_answers(async_azure_client):
    async def main():
        response = await async_azure_client.responses.create(input="Reply with exactly: pong")
        assert response.output_text == "pong"

    asyncio.run(main())


def test_the_emulator_behind_the_client_says_what_it_received(azure_client, azure_emulator):
    azure_client.responses.create(input="hi")
    assert [request.operation for request in azure_emulator.requests] == ["create"]


@pytest.mark.azure(deployments=[EmulatedDeployment("mine", model="gpt-4.1")])
def test_the_marker_shapes_the_deployments(azure_client):
    assert azure_client.responses.create(input="hi").model == "mine"
    with pytest.raises(azure_responses.DeploymentNotFoundError):
        azure_client.responses.create(model="yours", input="hi")


@pytest.mark.azure(agents=[EmulatedAgent("support", version="7")])
def test_the_marker_shapes_the_agents(azure_emulator):
    assert azure_emulator.resources[0].agents[0].version == "7"


@pytest.mark.azure(faults=[Fault("http-500", times=1)])
class TestFaults:
    def test_the_marker_scripts_faults(self, azure_client, azure_emulator):
        client = azure_client.with_options(max_retries=0)
        with pytest.raises(azure_responses.InternalServerError):
            client.responses.create(input="hi")
        assert client.responses.create(input="hi").output_text

    @pytest.mark.azure(faults=[])
    def test_a_nearer_marker_wins(self, azure_client):
        assert azure_client.with_options(max_retries=0).responses.create(input="hi").output_text


def test_code_that_reads_the_environment_meets_the_emulator(azure_server):
    assert os.environ["AZURE_OPENAI_ENDPOINT"] == azure_server.url
    with azure_responses.AzureResponses() as client:
        assert client.responses.create(input="Reply with exactly: pong").output_text == "pong"


def test_the_configuration_makes_a_vcr(azure_vcr_config, tmp_path):
    import vcr

    assert vcr.VCR(**azure_vcr_config).match_on == ["method", "path", "query", "body"]
"""


def test_the_fixtures_and_the_marker_do_what_they_promise(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(_USER_TESTS)
    result = pytester.runpytest_subprocess(
        "-p", "azure_responses.pytest_plugin", "-W", "error", "--strict-markers", "-n0"
    )
    result.assert_outcomes(passed=9)


def test_a_positional_argument_of_the_marker_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.azure("gpt-4.1")
        def test_nothing(azure_client):
            pass
        """
    )
    result = pytester.runpytest_subprocess("-p", "azure_responses.pytest_plugin", "-n0")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*keyword arguments only*"])


def test_loading_the_plugin_imports_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_loaded():
            loaded = {"httpx", "pydantic", "azure_responses.emulator"} & set(sys.modules)
            assert not loaded
        """
    )
    result = pytester.runpytest_subprocess(
        "-p", "azure_responses.pytest_plugin", "-p", "no:hypothesispytest", "-n0"
    )
    result.assert_outcomes(passed=1)
