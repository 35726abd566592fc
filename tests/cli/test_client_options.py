"""Which client a command uses."""

import argparse

import pytest

from azure_responses.cli.client_options import (
    EMULATED_DEPLOYMENT,
    add_connection_arguments,
    open_client,
)
from azure_responses.emulator.server import RunningServer


def _parse(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_connection_arguments(parser)
    return parser.parse_args(given)


def test_the_environment_names_the_resource(
    served: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_client(_parse()) as client:
        assert client.responses.create(input="Reply with exactly: pong").output_text == "pong"
    assert len(list(served.emulator.requests)) == 1
    assert capsys.readouterr().err == ""


def test_options_come_before_the_environment(served: RunningServer) -> None:
    given = ("--endpoint", f"{served.url}/openai/v1", "--api-version", "preview", "-m", "gpt-4o")
    with open_client(_parse(*given)) as client:
        client.responses.create(input="hi")
    (request,) = served.emulator.requests
    assert request.deployment == "gpt-4o"
    assert request.query == "api-version=preview"


@pytest.mark.parametrize("model", [None, "gpt-4o"])
def test_without_an_endpoint_the_emulator_answers_and_is_named(
    bare: None, capsys: pytest.CaptureFixture[str], model: str | None
) -> None:
    given = ("-m", model) if model else ()
    with open_client(_parse(*given)) as client:
        response = client.responses.create(input="hi")
    assert response.model == (model or EMULATED_DEPLOYMENT)
    assert "embedded emulator" in capsys.readouterr().err
