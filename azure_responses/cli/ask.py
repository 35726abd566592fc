"""`azure-responses ask`: one question, one answer."""

import argparse
import sys
from typing import Any

from azure_responses.cli.connection import add_connection_arguments, open_client
from azure_responses.cli.terminal import note
from azure_responses.client import AzureResponses
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
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask and print; 1 when the model gave no text to print."""
    prompt = _read_prompt(arguments.prompt)
    parameters: dict[str, Any] = {
        "input": prompt,
        "instructions": arguments.instructions,
        "max_output_tokens": arguments.max_output_tokens,
    }
    streams = arguments.stream if arguments.stream is not None else not arguments.json
    with open_client(arguments) as client:
        if arguments.json:
            return _print_json(client, parameters, streams=streams)
        response = _print_text(client, parameters, streams=streams)
    return _explain_end(response)


def _read_prompt(given: str | None) -> str:
    if given is not None and given != "-":
        return given
    if given is None and sys.stdin.isatty():
        raise ConfigurationError(
            "No prompt was given.", hint='Run azure-responses ask "your question".'
        )
    text = sys.stdin.read().strip()
    if not text:
        raise ConfigurationError("The prompt on standard input is empty.")
    return text


def _print_json(client: AzureResponses, parameters: dict[str, Any], *, streams: bool) -> int:
    if not streams:
        print(client.responses.create(**parameters).to_json())
        return 0
    for event in client.responses.create(stream=True, **parameters):
        print(event.to_json(), flush=True)
    return 0


def _print_text(client: AzureResponses, parameters: dict[str, Any], *, streams: bool) -> Response:
    if not streams:
        response: Response = client.responses.create(**parameters)
        print(response.output_text or response.refusal or "")
        return response
    with client.responses.stream(**parameters) as stream:
        has_text = False
        for event in stream:
            if event.type in ("response.output_text.delta", "response.refusal.delta"):
                sys.stdout.write(event.delta)  # type: ignore[attr-defined]
                sys.stdout.flush()
                has_text = True
        if has_text:
            print()
        final: Response = stream.get_final_response()
    return final


def _explain_end(response: Response) -> int:
    if response.status == "incomplete":
        reason = getattr(response.incomplete_details, "reason", None) or "no reason given"
        note(f"incomplete: {reason}")
    if response.output_text or response.refusal:
        return 0
    note("the model gave no text; --json shows the whole response")
    return 1
