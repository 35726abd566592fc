"""`azure-responses ask`: one question, one answer."""

import argparse
import sys
from typing import Any

from azure_responses._sync.client import AzureResponses
from azure_responses.cli.background import follow
from azure_responses.cli.client_options import add_connection_arguments, open_client
from azure_responses.cli.rendering import (
    incomplete_reason,
    print_texts,
    print_whole,
    summarise,
    texts_of,
)
from azure_responses.cli.terminal import INTERRUPTED, note
from azure_responses.errors import ConfigurationError
from azure_responses.types.response import Response

__all__ = ["add_command"]


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser(
        "ask",
        help="ask one question and print the answer as it arrives",
        description="Ask one question. The prompt is the argument, or standard input.",
    )
    parser.add_argument("prompt", nargs="?", help="the question; - or nothing reads stdin")
    parser.add_argument("--instructions", help="how the model should answer")
    parser.add_argument("--max-output-tokens", type=int, metavar="N")
    parser.add_argument(
        "--stream",
        action=argparse.BooleanOptionalAction,
        help="print as it arrives (the default, except with --json)",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the response as JSON; with --stream, one event per line",
    )
    parser.add_argument("--cost", action="store_true", help="print tokens and cost on stderr")
    parser.add_argument(
        "--background",
        action="store_true",
        help="let the service work without a time limit, and follow it; a lost connection does not "
        "stop it, Ctrl-C does",
    )
    parser.add_argument(
        "--resume", metavar="ID", help="follow a background response started before"
    )
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask and print; 1 when the model gave no text to print."""
    if arguments.resume and arguments.prompt is not None:
        raise ConfigurationError(
            "--resume takes no prompt.", hint="Ask a new question without --resume."
        )
    is_background = arguments.background or arguments.resume
    parameters = {} if arguments.resume else _read_parameters(arguments)
    with open_client(arguments) as client:
        if is_background:
            response = follow(
                client,
                parameters,
                resume=arguments.resume,
                streams=_streams(arguments),
                as_json=arguments.json,
            )
        else:
            response = _answer(client, parameters, arguments)
    # The user stopped a background response, or left it running.
    if response is None:
        return INTERRUPTED
    if arguments.cost:
        note(summarise(response))
    return 0 if arguments.json else _explain_end(response)


def _read_parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "input": _read_prompt(arguments.prompt),
        "instructions": arguments.instructions,
        "max_output_tokens": arguments.max_output_tokens,
    }


def _read_prompt(given: str | None) -> str:
    if given is not None and given != "-":
        return given
    # A terminal would wait for a text without showing that it does.
    if given is None and sys.stdin.isatty():
        raise ConfigurationError(
            "No prompt was given.", hint='Run azure-responses ask "your question".'
        )
    text = sys.stdin.read().strip()
    if not text:
        raise ConfigurationError("The prompt on standard input is empty.")
    return text


def _streams(arguments: argparse.Namespace) -> bool:
    given: bool | None = arguments.stream
    # A program that reads JSON usually wants one object.
    return given if given is not None else not arguments.json


def _answer(
    client: AzureResponses, parameters: dict[str, Any], arguments: argparse.Namespace
) -> Response:
    """The answer, printed as it arrives or at its end."""
    if not _streams(arguments):
        response: Response = client.responses.create(**parameters)
        print_whole(response, as_json=arguments.json)
        return response
    with client.responses.stream(**parameters) as stream:
        if arguments.json:
            for event in stream:
                print(event.to_json(), flush=True)
        else:
            print_texts(texts_of(stream))
        final: Response = stream.get_final_response()
        return final


def _explain_end(response: Response) -> int:
    if reason := incomplete_reason(response):
        note(reason)
    # Else exit code 1: a script must not take an empty output for an answer.
    if response.output_text or response.refusal:
        return 0
    note("the model gave no text; --json shows the whole response")
    return 1
