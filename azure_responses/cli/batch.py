"""`azure-responses batch`: many requests from a file."""

import argparse
from pathlib import Path

from azure_responses.cli.batch_run import LocalRun, check_file, open_progress
from azure_responses.cli.client_options import add_connection_arguments, open_client
from azure_responses.cli.result_file import ResultFile
from azure_responses.cli.terminal import INTERRUPTED, note
from azure_responses.errors import ConfigurationError

__all__ = ["add_command"]

_MOST_AT_ONCE = 256


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser(
        "batch",
        help="make the requests of a file",
        description="Make the requests of a file of JSON lines, as batches of Azure have them.",
    )
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _add_run(actions)


def _add_run(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "run",
        help="make the requests of a file",
        description="Make the requests of a file and write a line for each answer. A run that was "
        "stopped, by Ctrl-C too, is continued by the same command.",
    )
    parser.add_argument("file", type=Path, help="JSON lines with custom_id, method, url and body")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="the file of the answers (default: FILE with .output.jsonl at its end)",
    )
    parser.add_argument(
        "--concurrency", type=int, default=8, metavar="N", help="requests at once (default: 8)"
    )
    parser.add_argument("--retry-failed", action="store_true", help="make failed requests again")
    parser.add_argument("--retries", type=int, default=8, metavar="N", help="of each request")
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the requests that have no answer yet; 1 when some have failed."""
    path: Path = arguments.file
    if not 1 <= arguments.concurrency <= _MOST_AT_ONCE:
        raise ConfigurationError(f"--concurrency is not from 1 to {_MOST_AT_ONCE}.")
    with open_client(arguments) as client:
        model = arguments.model or client.deployment
        names = check_file(path, model)
        output = output_of(path, arguments.output)
        with ResultFile(output, retries_failed=arguments.retry_failed) as results:
            if not results.done.keys() <= names:
                raise ConfigurationError(
                    f"{output} has results of requests that are not in {path}.",
                    hint="Name another file by -o.",
                )
            careful = client.with_options(max_retries=arguments.retries)
            local = LocalRun(careful, path, results, model, arguments.concurrency, open_progress())
            try:
                is_whole = local.run(len(names))
            finally:
                note(local.summary())
                if len(results.done) < len(names):
                    note(f"{len(names) - len(results.done):,} are left; to go on, run it again")
            if not is_whole:
                return INTERRUPTED
            note(f"the answers are in {output}")
            return 1 if any(results.done.values()) else 0


def output_of(path: Path, given: Path | None) -> Path:
    """Where the results go."""
    output = given or path.with_name(path.stem + ".output.jsonl")
    if output.resolve() == path.resolve():
        raise ConfigurationError("The answers cannot go into the file of the requests.")
    return output
