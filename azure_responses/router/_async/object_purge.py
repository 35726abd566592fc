"""Deletes one object of any kind for a purge."""

import time
from collections.abc import Mapping
from typing import Any

from azure_responses.errors import (
    APIStatusError,
    DeploymentNotFoundError,
    InternalServerError,
    NotFoundError,
    ResponseNotFoundError,
    UnsupportedOperationError,
)
from azure_responses.protocol.object_table import OBJECT_OPERATIONS
from azure_responses.router._async.file_copies import AsyncFileCopies
from azure_responses.router._async.object_lists import send_object
from azure_responses.router._async.routed_calls import AsyncRoutedCalls
from azure_responses.router.object_reader import ObjectReader
from azure_responses.router.routed_object import ObjectCall, RoutedObject
from azure_responses.routing.purge_ledger import READABLE_AFTER, LedgerEntry
from azure_responses.routing.signed_id import SignedId

__all__ = ["AsyncObjectPurge"]

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
# Azure's own words for a path that it does not have, which says nothing about an object.
_NO_SUCH_PATH = frozenset({"404", "unknown_url"})


class AsyncObjectPurge:
    """Deletes objects where they are stored.

    Args:
        reader: reads calls on objects.
        calls: the router's loop.
        options: of each call, such as its `timeout`.
    """

    def __init__(
        self, reader: ObjectReader, calls: AsyncRoutedCalls, options: Mapping[str, Any]
    ) -> None:
        self._reader = reader
        self._calls = calls
        self._options = options

    async def delete(self, entry: LedgerEntry) -> None:
        """Delete the object of an entry.

        Raises:
            ResponseNotFoundError: the service does not have it any more.
            AzureResponsesError: it could not be deleted.
        """
        try:
            if entry.copies:
                request = self._request("files.delete", entry)
                await AsyncFileCopies(request, self._calls).delete_copies(entry.copies)
            elif entry.kind == "batches":
                await self._delete_batch(entry)
            else:
                ending = "cancel" if entry.kind == "uploads" else "delete"
                await self._send(f"{entry.kind}.{ending}", entry)
        except (NotFoundError, UnsupportedOperationError) as error:
            raise _judge(error, entry, time.time()) from error

    async def _delete_batch(self, entry: LedgerEntry) -> None:
        """Delete what a batch has written; the batch itself cannot be deleted.

        Its input is a file with an entry of its own.
        """
        batch = await self._send("batches.retrieve", entry)
        if batch.get("status") not in _ENDED:
            await self._send("batches.cancel", entry)
            raise InternalServerError(
                "The batch is at work: it is being cancelled, and may still write.",
                status_code=503,
                hint="Purge again in some minutes.",
            )
        for name in ("output_file_id", "error_file_id"):
            written = batch.get(name)
            if isinstance(written, str) and written:
                await self._delete_file(written, entry)

    async def _delete_file(self, file_id: str, entry: LedgerEntry) -> None:
        label = SignedId(file_id, entry.resource, entry.resource)
        request = self._request("batches.retrieve", entry).about("files.delete", label)
        try:
            await send_object(request, self._calls)
        except NotFoundError as error:
            if error.code in _NO_SUCH_PATH:
                raise

    async def _send(self, operation: str, entry: LedgerEntry) -> dict[str, Any]:
        found, _ = await send_object(self._request(operation, entry), self._calls)
        return found

    def _request(self, operation: str, entry: LedgerEntry) -> RoutedObject:
        signer = self._reader.reader.signer
        # Signed for the owner of the entry, or it would not be found.
        label = signer.label_id(
            entry.response_id,
            deployment_tag=entry.resource,
            resource_tag=entry.resource,
            owner=entry.owner,
        )
        row, options = OBJECT_OPERATIONS[operation], dict(self._options)
        return self._reader.read(ObjectCall(row, (label,), owner=entry.owner, options=options))


def _judge(error: APIStatusError, entry: LedgerEntry, now: float) -> APIStatusError:
    """What a refusal means: the object is gone only where it must have been there to be found."""
    if error.status_code != 404 or isinstance(error, DeploymentNotFoundError):
        return error
    if error.code in _NO_SUCH_PATH:
        return error
    age = now - entry.created
    if age >= READABLE_AFTER:
        return ResponseNotFoundError(error.message, status_code=404, code=error.code)
    return InternalServerError(
        f"It was not found, but it was made only {max(age, 0.0):.0f} s ago and may not be readable "
        "yet.",
        status_code=503,
        hint="Purge again in a minute.",
    )
