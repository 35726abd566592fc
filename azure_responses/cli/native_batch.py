"""Batches that a batch deployment executes: submitted, followed, read, cancelled and listed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from pydantic_core import to_json

from azure_responses._sync.client import AzureResponses
from azure_responses.batches.lines import BatchInput
from azure_responses.batches.rewriting import rewrite_request
from azure_responses.cli.batch_run import BatchProgress, file_lines, open_progress
from azure_responses.cli.rendering import print_columns
from azure_responses.cli.terminal import INTERRUPTED, note
from azure_responses.errors import ConfigurationError
from azure_responses.types.batches import Batch

__all__ = ["cancel", "follow", "list_batches", "show", "submit"]


def submit(client: AzureResponses, path: Path, model: str | None) -> Batch:
    """Upload a file, whose lines have been checked, and begin its batch."""
    url = _url_of(path, model)
    with _complete(path, model) as content:
        file = client.files.create(file=(path.name, content, "application/jsonl"), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=url, completion_window="24h")


def _url_of(path: Path, model: str | None) -> str:
    checked = BatchInput(model=model)
    lines = (checked.add(text) for text in file_lines(path))
    return next(line.url for line in lines if line is not None)


@contextmanager
def _complete(path: Path, model: str | None) -> Iterator[IO[bytes]]:
    """The file, in which each line names a model: Azure does not add one."""
    with tempfile.TemporaryFile() as written:
        checked = BatchInput(model=model)
        for text in file_lines(path):
            line = checked.add(text)
            if line is not None and line.model is None and model is not None:
                text = rewrite_request(text, line.body, model)
            written.write(text + b"\n")
        written.seek(0)
        yield written


def follow(client: AzureResponses, batch: Batch, output: Path | None) -> int:
    """Wait for the end of a batch, and write its answers; the exit code.

    Ctrl-C leaves the batch running.
    """
    progress = open_progress()
    try:
        ended = _wait(client, batch, progress)
    except KeyboardInterrupt:
        progress.end()
        where = "" if output is None else f" -o {output}"
        note(f"the batch goes on; to follow it: azure-responses batch status {batch.id} "
             f"--follow{where}")  # fmt: skip
        return INTERRUPTED
    return _conclude(client, ended, output)


def _wait(client: AzureResponses, batch: Batch, progress: BatchProgress) -> Batch:
    has_begun = False

    def tell(found: Batch) -> None:
        nonlocal has_begun
        counts = found.request_counts
        total = 0 if counts is None else counts.total
        if counts is None or not total:
            return
        done = counts.completed + counts.failed
        if not has_begun:
            has_begun = True
            progress.begin(total, done, counts.failed)
        progress.advance(done, counts.failed)

    note(f"{batch.status} {batch.id}")
    ended = client.batches.wait(batch.id, on_progress=tell)
    if has_begun:
        progress.end()
    return ended


def _conclude(client: AzureResponses, batch: Batch, output: Path | None) -> int:
    counts = batch.request_counts
    shown = "" if counts is None else f": {counts.completed:,} answered, {counts.failed:,} failed"
    note(f"{batch.status} {batch.id}{shown}")
    for error in (batch.errors.data if batch.errors else None) or []:
        place = "the file" if error.line is None else f"line {error.line}"
        note(f"{place}: {error.code}: {error.message}")
    if output is not None and (batch.output_file_id or batch.error_file_id):
        _write(client, batch, output)
        note(f"the answers are in {output}")
    is_clean = batch.status == "completed" and not (counts and counts.failed)
    return 0 if is_clean else 1


def _write(client: AzureResponses, batch: Batch, output: Path) -> None:
    """Write output and error file into one; the file is there when it is whole."""
    fresh = output.with_name(output.name + ".new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for file_id in (batch.output_file_id, batch.error_file_id):
                if file_id:
                    _append(client, file_id, file)
        os.replace(fresh, output)
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            fresh.unlink()


def _append(client: AzureResponses, file_id: str, file: IO[bytes]) -> None:
    last = b"\n"
    with client.files.with_streaming_response.content(file_id) as content:
        for piece in content.iter_bytes():
            file.write(piece)
            last = piece[-1:] or last
    if last != b"\n":
        file.write(b"\n")


def show(batch: Batch, *, as_json: bool) -> int:
    """Print a batch; 1 for one that has failed."""
    if as_json:
        print(batch.to_json())
    else:
        print_columns([[name, value] for name, value in _facts(batch)], 2)
    return 1 if batch.status == "failed" else 0


def _facts(batch: Batch) -> Iterator[tuple[str, str]]:
    counts = batch.request_counts
    yield "id", batch.id
    yield "status", str(batch.status)
    if counts is not None:
        yield "requests", f"{counts.total:,}"
        yield "answered", f"{counts.completed:,}"
        yield "failed", f"{counts.failed:,}"
    for name in ("input_file_id", "output_file_id", "error_file_id"):
        value: Any = getattr(batch, name)
        if value:
            yield name, value


def cancel(client: AzureResponses, batch_id: str) -> int:
    """Cancel a batch."""
    batch = client.batches.cancel(batch_id)
    note(f"{batch.status} {batch.id}")
    return 0


def list_batches(client: AzureResponses, limit: int, *, as_json: bool) -> int:
    """Print the newest batches."""
    rows: list[list[str]] = []
    for batch in client.batches.list(limit=min(limit, 100)):
        if len(rows) >= limit:
            break
        counts = batch.request_counts
        done = "" if counts is None else f"{counts.completed + counts.failed:,}/{counts.total:,}"
        rows.append([batch.id, str(batch.status), done])
        if as_json:
            print(to_json(batch.to_dict()).decode())
    if rows and not as_json:
        print_columns([["id", "status", "done"], *rows], 2)
    if not rows:
        note("there are no batches")
    return 0
