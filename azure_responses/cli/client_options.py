"""Which client a command uses: the configured resource, or the embedded emulator."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from azure_responses._sync.client import AzureResponses
from azure_responses.cli.terminal import note
from azure_responses.protocol.settings import has_endpoint

__all__ = ["EMULATED_DEPLOYMENT", "add_connection_arguments", "open_client"]

EMULATED_DEPLOYMENT = "gpt-5-mini"


def add_connection_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say where to call and how; the environment says the rest."""
    group = parser.add_argument_group("connection")
    group.add_argument("--endpoint", help="the resource's URL (default: AZURE_OPENAI_ENDPOINT)")
    group.add_argument("--api-version", help="v1, preview or a dated version (default: v1)")
    group.add_argument(
        "-m", "--model", "--deployment", metavar="DEPLOYMENT", help="the deployment to ask"
    )
    group.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS")


@contextmanager
def open_client(arguments: argparse.Namespace) -> Iterator[AzureResponses]:
    """The client for a command; without an endpoint, one over the embedded emulator."""
    if arguments.endpoint is None and not has_endpoint(os.environ):
        with _emulated_client(arguments) as client:
            yield client
        return
    with AzureResponses(
        arguments.endpoint,
        api_version=arguments.api_version,
        deployment=arguments.model,
        timeout=arguments.timeout,
    ) as client:
        yield client


@contextmanager
def _emulated_client(arguments: argparse.Namespace) -> Iterator[AzureResponses]:
    from azure_responses.emulator import Emulator

    emulator = Emulator()
    note("no AZURE_OPENAI_ENDPOINT: answering from the embedded emulator, not from a model")
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        AzureResponses(
            emulator.endpoint,
            api_key=emulator.api_key,
            api_version=arguments.api_version,
            deployment=arguments.model or EMULATED_DEPLOYMENT,
            timeout=arguments.timeout,
            http_client=http_client,
        ) as client,
    ):
        yield client
