"""Input files of batches, put into the gateway's database, and what became of a batch."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from azure_responses.gateway.batch_records import KeptFile
from azure_responses.gateway.batch_tables import BatchTables
from azure_responses.gateway.database import open_database

__all__ = ["line", "open_tables", "output_of", "put_file", "requests", "wait_for"]


def line(custom_id: str, **changes: Any) -> dict[str, Any]:
    """A line whose answer is its custom id."""
    body = {"model": "chat", "input": f"Reply with exactly: {custom_id}"}
    value = {"custom_id": custom_id, "method": "POST", "url": "/v1/responses", "body": body}
    return {**value, **changes}


def requests(count: int, **changes: Any) -> list[dict[str, Any]]:
    """So many lines, `r0`, `r1`, …"""
    return [line(f"r{number}", **changes) for number in range(count)]


@contextmanager
def open_tables(url: str) -> Iterator[BatchTables]:
    """The tables of a database."""
    database = open_database(url)
    try:
        yield BatchTables(database)
    finally:
        database.close()


def put_file(
    tables: BatchTables,
    lines: list[dict[str, Any]],
    *,
    file_id: str = "file-input",
    owner: str | None = "master",
    part: int = 1000,
) -> str:
    """Store an input file in parts; its id."""
    content = b"".join(json.dumps(each).encode() + b"\n" for each in lines)
    tables.add_file(KeptFile(file_id, owner, "batch", "q.jsonl", 0, time.time()))
    for number, start in enumerate(range(0, len(content), part)):
        tables.add_part(file_id, number, content[start : start + part])
    tables.finish_file(file_id, len(content))
    return file_id


def wait_for(
    client: httpx.Client, batch_id: str, ready: Callable[[Any], bool], seconds: float = 60.0
) -> Any:
    """The batch, once it is ready."""
    deadline = time.monotonic() + seconds
    while True:
        batch = client.get(f"/v1/batches/{batch_id}").json()
        if ready(batch):
            return batch
        assert time.monotonic() < deadline, batch
        time.sleep(0.05)


def output_of(client: httpx.Client, file_id: str) -> dict[str, Any]:
    """The lines of a file by their custom ids, each of which stands there once."""
    reply = client.get(f"/v1/files/{file_id}/content")
    assert reply.status_code == 200
    assert int(reply.headers["content-length"]) == len(reply.content)
    lines = [json.loads(each) for each in reply.text.splitlines()]
    found = {each["custom_id"]: each for each in lines}
    assert len(found) == len(lines)
    return found
