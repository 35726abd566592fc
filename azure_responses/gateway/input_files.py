"""Input files of batches that the gateway keeps in its database."""

import time
from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import replace

from azure_responses.batches.lines import MOST_BYTES
from azure_responses.gateway.batch_records import KeptFile, digest_of
from azure_responses.gateway.batch_runner import BatchRunner, new_id
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.openai_server.request_json import invalid_request

__all__ = ["store_input"]

_PART = 512 * 1024
_MOST_FILES = 500
_EXPIRY = range(3600, 30 * 86_400 + 1)


async def store_input(
    runner: BatchRunner,
    caller: ApiCaller,
    filename: str,
    content: AsyncIterable[bytes],
    fields: Mapping[str, str],
    end_user: str | None = None,
) -> KeptFile:
    """Keep an input file.

    Args:
        runner: has the database.
        caller: whose file it is.
        filename: as it was sent.
        content: the bytes of the file.
        fields: of the form, for `expires_after[seconds]`.
        end_user: for whom it is, so that a purge finds it.

    Raises:
        BadRequestError: it is too long, or the caller has too many.
    """
    ask, tables = runner.ask, runner.tables
    now, expires = time.time(), _read_expiry(fields)
    if expires is None:
        _check_room(await ask(tables.list_files, caller.owner, now, "batch"))
    until = None if expires is None else now + expires
    file = KeptFile(new_id("file-"), caller.owner, "batch", filename[:512], 0, now, until)
    file = replace(file, end_user_digest=digest_of(end_user))
    await ask(tables.add_file, file)
    try:
        size = await _store_parts(runner, file.id, content)
    except BaseException:
        await ask(tables.drop_file, file.id)
        raise
    await ask(tables.finish_file, file.id, size)
    found = await ask(tables.find_file, file.id, caller.owner, now)
    assert found is not None
    return found


def _check_room(known: Sequence[KeptFile]) -> None:
    if sum(file.expires is None for file in known) >= _MOST_FILES:
        raise invalid_request(
            f"There are {_MOST_FILES} batch files that do not expire.",
            code="quota_exceeded",
            hint="Delete some, or send expires_after.",
        )


async def _store_parts(runner: BatchRunner, file_id: str, content: AsyncIterable[bytes]) -> int:
    ask, tables = runner.ask, runner.tables
    held, size, number = bytearray(), 0, 0
    async for piece in content:
        held += piece
        size += len(piece)
        if size > MOST_BYTES:
            megabytes = MOST_BYTES // 1024 // 1024
            raise invalid_request(
                f"The file has more than {megabytes} MB.", param="file", code="file_too_large"
            )
        while len(held) >= _PART:
            await ask(tables.add_part, file_id, number, bytes(held[:_PART]))
            number += 1
            del held[:_PART]
    if held:
        await ask(tables.add_part, file_id, number, bytes(held))
    return size


def _read_expiry(fields: Mapping[str, str]) -> int | None:
    text = fields.get("expires_after[seconds]")
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 9 or int(text) not in _EXPIRY:
        raise invalid_request(
            f"expires_after[seconds] is not from {_EXPIRY[0]} to {_EXPIRY[-1]}.",
            param="expires_after",
        )
    return int(text)
