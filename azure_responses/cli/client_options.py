"""Which client a command uses: the configured resource, or the embedded emulator."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from azure_responses._sync.client import AzureResponses
from azure_responses.cli.terminal import note
from azure_responses.protocol.environment import has_endpoint

__all__ = ["EMULATED_DEPLOYMENT", "add_connection_arguments", "client_arguments", "open_client"]

# A deployment that every emulator has.
EMULATED_DEPLOYMENT = "gpt-5-mini"


def add_connection_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the connection; the environment has the key and the other settings."""
    group = parser.add_argument_group("connection")
    group.add_argument("--endpoint", help="the resource's URL (default: AZURE_OPENAI_ENDPOINT)")
    group.add_argument("--api-version", help="v1, preview or a dated version (default: v1)")
    group.add_argument(
        "-m", "--model", "--deployment", metavar="DEPLOYMENT", help="the deployment to ask"
    )
    group.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS")


@contextmanager
def client_arguments(arguments: argparse.Namespace, note_for_emulator: str) -> Iterator[Any]:
    """The arguments of a command's client; without an endpoint those of the embedded emulator."""
    given = {
        "endpoint": arguments.endpoint,
        "api_version": arguments.api_version,
        "deployment": arguments.model,
        "timeout": arguments.timeout,
    }
    if arguments.endpoint is not None or has_endpoint(os.environ):
        yield given
        return
    # Imported on use: the emulator takes longer to import than the rest of a command.
    from azure_responses.emulator import Emulator

    emulator = Emulator()
    note(f"no AZURE_OPENAI_ENDPOINT: {note_for_emulator}")
    with httpx.Client(transport=emulator.httpx_transport()) as http_client:
        yield {
            **given,
            "endpoint": emulator.endpoint,
            "api_key": emulator.api_key,
            "deployment": arguments.model or EMULATED_DEPLOYMENT,
            "http_client": http_client,
        }


@contextmanager
def open_client(arguments: argparse.Namespace) -> Iterator[AzureResponses]:
    """The client of a command."""
    note_for_emulator = "answering from the embedded emulator, not from a model"
    with (
        client_arguments(arguments, note_for_emulator) as given,
        AzureResponses(**given) as client,
    ):
        yield client
