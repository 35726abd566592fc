"""The `azure-responses` command."""

import argparse
import logging
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from azure_responses.cli import ask, batch, chat_session, codex, cost, doctor, keys, servers
from azure_responses.cli.terminal import INTERRUPTED, note, report, report_interrupt, spell
from azure_responses.errors import AzureResponsesError, ConfigurationError
from azure_responses.version import __version__

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is its exit code.

    0 is done, 1 the service said no, 2 wrong usage, 130 interrupted.
    """
    parsed = _parser().parse_args(arguments)
    # azure-identity logs a page when no credential works; the error has its first line.
    logging.getLogger("azure.identity").addHandler(logging.NullHandler())
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            code: int = parsed.run(parsed)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        report_interrupt()
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe; Python's flush at exit must not fail on it.
        sys.stdout = None
        return 0
    except AzureResponsesError as error:
        report(error, has_connection_options=hasattr(parsed, "endpoint"))
        return 2 if isinstance(error, ConfigurationError) else 1


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning without the line of code, which does not help the user of a command."""
    note(f"warning: {spell(str(message))}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="azure-responses",
        description="Call the Azure OpenAI Responses API, or an emulator of it.",
    )
    parser.add_argument("--version", action="version", version=f"azure-responses {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    ask.add_command(commands)
    batch.add_command(commands)
    chat_session.add_command(commands)
    codex.add_command(commands)
    cost.add_command(commands)
    doctor.add_command(commands)
    servers.add_emulate_command(commands)
    keys.add_command(commands)
    servers.add_serve_command(commands)
    return parser
