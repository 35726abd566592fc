"""`azure-responses doctor`: what is wrong, step by step, and the fix."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from azure_responses.cli.client_options import add_connection_arguments, client_arguments
from azure_responses.cli.terminal import StatusLine, encodes, paint, spell
from azure_responses.doctor import Diagnosis, diagnose
from azure_responses.errors import ConfigurationError

__all__ = ["add_command"]

# Seconds; shorter than that of the other commands, because a failure is what is expected here.
_TIMEOUT = 30.0
_EMULATED = "examining the embedded emulator, not a resource"
_MARKS = {True: "✓", False: "✗", None: "–"}
_WORDS = {True: "ok  ", False: "FAIL", None: "skip"}
_STYLES = {True: "green", False: "red", None: "dim"}


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser(
        "doctor",
        help="find out why a resource does not answer",
        description="Examine step by step what a call needs: the URL, DNS, TCP, TLS, the "
        "version, the key or token, the role, the deployment, and one short call (16 output "
        "tokens, which are billed). Exit code 1 means that a step failed.",
    )
    parser.add_argument("--json", action="store_true", help="for a support ticket; holds no secret")
    parser.add_argument(
        "--parameters",
        metavar="JSON|@FILE",
        help="parameters of the call that fails, such as "
        '\'{"input": "…", "temperature": 0}\' or @request.json',
    )
    add_connection_arguments(parser)
    parser.set_defaults(run=run, timeout=_TIMEOUT)


def run(arguments: argparse.Namespace) -> int:
    """Examine and print; 1 when a step failed."""
    parameters = _read_parameters(arguments.parameters)
    with client_arguments(arguments, _EMULATED) as subject:
        diagnosis = _examine(subject, parameters)
    if arguments.json:
        print(json.dumps(diagnosis.to_dict(), indent=2, ensure_ascii=False))
    else:
        for line in _lines(diagnosis, sys.stdout):
            print(line)
    return 0 if diagnosis.ok else 1


def _examine(subject: dict[str, Any], parameters: dict[str, Any]) -> Diagnosis:
    status = StatusLine()
    try:
        with status:
            # A status line in a file would stand before every report.
            if sys.stderr.isatty():
                status.show("examining")
            return diagnose(parameters=parameters, **subject)
    except TypeError as error:
        raise ConfigurationError(f"--parameters cannot be used: {error}") from error


def _read_parameters(given: str | None) -> dict[str, Any]:
    if given is None:
        return {}
    try:
        text = Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given
        parameters = json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"--parameters cannot be read: {error}") from error
    if not isinstance(parameters, dict):
        raise ConfigurationError("--parameters is not a JSON object.", hint="Write {…}.")
    return parameters


def _lines(diagnosis: Diagnosis, stream: TextIO) -> Iterator[str]:
    # Code pages of Windows lack the marks.
    marks = _MARKS if all(encodes(stream, mark) for mark in _MARKS.values()) else _WORDS
    width = max(len(finding.name) for finding in diagnosis.findings)
    for finding in diagnosis.findings:
        mark = paint(marks[finding.ok], _STYLES[finding.ok], stream)
        yield f"{mark} {finding.name:<{width}}  {_printable(finding.detail, stream)}"
        if finding.fix:
            label = "fix" if finding.ok is False else "note"
            indent = " " * (len(marks[finding.ok]) + width + 3)
            yield f"{indent}{label}: {_printable(spell(finding.fix), stream)}"
    yield ""
    yield _conclude(diagnosis)


def _conclude(diagnosis: Diagnosis) -> str:
    failed = ", ".join(finding.name for finding in diagnosis.failures)
    verdict = f"failed: {failed}" if failed else "nothing is wrong"
    request = f" (request id {diagnosis.request_id})" if diagnosis.request_id else ""
    return f"{verdict}{request}"


def _printable(text: str, stream: TextIO) -> str:
    """`text` without what the stream cannot show or a terminal would execute."""
    encoding = stream.encoding or "utf-8"
    shown = text.encode(encoding, "replace").decode(encoding, "replace")
    return "".join(character if character.isprintable() else " " for character in shown)
