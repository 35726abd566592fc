"""`azure-responses batch`: many requests from a file."""

import argparse
from pathlib import Path

from azure_responses.cli import native_batch
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
    _add_status(actions)
    cancel = actions.add_parser("cancel", help="cancel a batch of a batch deployment")
    cancel.add_argument("id", help="of the batch")
    add_connection_arguments(cancel)
    cancel.set_defaults(run=run_cancel)
    listed = actions.add_parser("list", help="list the batches of a resource, newest first")
    listed.add_argument("--limit", type=int, default=20, metavar="N", help="how many (default: 20)")
    listed.add_argument("--json", action="store_true", help="print each as a line of JSON")
    add_connection_arguments(listed)
    listed.set_defaults(run=run_list)


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
    parser.add_argument(
        "--native",
        action="store_true",
        help="have a batch deployment execute it, at half the price and within a day",
    )
    parser.add_argument(
        "--follow", action="store_true", help="with --native: wait for its end and write OUT"
    )
    parser.add_argument("--retry-failed", action="store_true", help="make failed requests again")
    parser.add_argument("--retries", type=int, default=8, metavar="N", help="of each request")
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def _add_status(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser("status", help="show or follow a batch of a batch deployment")
    parser.add_argument("id", help="of the batch")
    parser.add_argument("--follow", action="store_true", help="wait for its end")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="the file of the answers")
    parser.add_argument("--json", action="store_true", help="print the batch as JSON")
    add_connection_arguments(parser)
    parser.set_defaults(run=run_status)


def run_status(arguments: argparse.Namespace) -> int:
    """Show a batch, or follow it to its end and write its answers."""
    with open_client(arguments) as client:
        batch = client.batches.retrieve(arguments.id)
        if arguments.follow or arguments.output is not None:
            return native_batch.follow(client, batch, arguments.output)
        return native_batch.show(batch, as_json=arguments.json)


def run_cancel(arguments: argparse.Namespace) -> int:
    """Cancel a batch."""
    with open_client(arguments) as client:
        return native_batch.cancel(client, arguments.id)


def run_list(arguments: argparse.Namespace) -> int:
    """List the batches of a resource."""
    if arguments.limit < 1:
        raise ConfigurationError("--limit is not a number from 1.")
    with open_client(arguments) as client:
        return native_batch.list_batches(client, arguments.limit, as_json=arguments.json)


def run(arguments: argparse.Namespace) -> int:
    """Make the requests that have no answer yet; 1 when some have failed."""
    path: Path = arguments.file
    if arguments.native:
        return _run_native(arguments)
    if arguments.follow:
        raise ConfigurationError("--follow is for --native: a run from here is followed anyway.")
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


def _run_native(arguments: argparse.Namespace) -> int:
    path: Path = arguments.file
    output = output_of(path, arguments.output)
    with open_client(arguments) as client:
        model = arguments.model or client.deployment
        check_file(path, model)
        batch = native_batch.submit(client, path, model)
        print(batch.id, flush=True)
        if arguments.follow:
            return native_batch.follow(client, batch, output)
        note(f"to follow it: azure-responses batch status {batch.id} --follow -o {output}")
    return 0


def output_of(path: Path, given: Path | None) -> Path:
    """Where the results go."""
    output = given or path.with_name(path.stem + ".output.jsonl")
    if output.resolve() == path.resolve():
        raise ConfigurationError("The answers cannot go into the file of the requests.")
    return output
