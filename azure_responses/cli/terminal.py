"""What the command says on stderr."""

import sys

from azure_responses.errors import APIStatusError, AzureResponsesError

__all__ = ["note", "report", "report_interrupt"]


def note(text: str) -> None:
    """Tell the user something that is not the answer."""
    print(text, file=sys.stderr, flush=True)


def report(error: AzureResponsesError) -> None:
    """Say what went wrong and what to change, without a traceback."""
    status = f"{error.status_code} " if isinstance(error, APIStatusError) else ""
    note(f"error: {status}{error.message}")
    if error.hint:
        note(f"hint: {error.hint}")
    if isinstance(error, APIStatusError) and error.request_id:
        note(f"request id: {error.request_id}")


def report_interrupt() -> None:
    """End the line that the interrupt broke off, so that the prompt starts on one of its own."""
    sys.stdout.write("\n")
    sys.stdout.flush()
    note("interrupted")
