"""One file at several resources: uploaded to each, and deleted at each.

The id that its caller gets names all copies, so that calls with the file go to any of their
resources (`routing/signed_id.py`). An upload makes all copies or none.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from azure_responses._async.concurrency import gather, shield
from azure_responses.errors import (
    APIConnectionError,
    AzureResponsesError,
    ConfigurationError,
    NotFoundError,
)
from azure_responses.form_content import async_form_content
from azure_responses.router._async.object_lists import AttemptNote, send_object
from azure_responses.router._async.routed_calls import AsyncRoutedCalls
from azure_responses.router.routed_object import RoutedObject
from azure_responses.routing.purge_ledger import LedgerEntry, object_key
from azure_responses.routing.signed_id import SignedId
from azure_responses.spooled_content import async_spool

__all__ = ["AsyncFileCopies"]

_LOG = logging.getLogger("azure_responses.router")

Copy = tuple[str, str]


class AsyncFileCopies:
    """Uploads or deletes a file with copies.

    Args:
        request: `files.create` with the resources that get a copy, or `files.delete`.
        calls: the router's loop.
        note: is entered for each attempt.
    """

    def __init__(
        self, request: RoutedObject, calls: AsyncRoutedCalls, note: AttemptNote | None = None
    ) -> None:
        self._request = request
        self._calls = calls
        self._note = note

    # ── uploading ──

    async def upload(self) -> dict[str, Any]:
        """The file as the first resource describes it, with the id of all copies.

        Raises:
            AzureResponsesError: one resource did not take it; the copies made are deleted.
        """
        request = self._request
        pieces = request.pieces
        if pieces is None and request.form is not None:
            pieces = await async_form_content(request.form)
        if pieces is None:
            return await self._upload_all(request)
        spooled = await async_spool(pieces)
        try:
            return await self._upload_all(replace(request, pieces=spooled))
        finally:
            spooled.close()

    async def _upload_all(self, request: RoutedObject) -> dict[str, Any]:
        made: dict[str, dict[str, Any]] = {}

        async def upload(resource: str) -> None:
            try:
                found, _ = await send_object(request.at(resource), self._calls, self._note)
            except AzureResponsesError as error:
                error.message = (
                    f"The file could not be uploaded to {self._host(resource)}, so that no copy of "
                    f"it is kept: {error.message}"
                )
                raise
            made[resource] = found

        try:
            await gather(upload, request.resources)
        except BaseException:
            with shield():
                await self._clean_up(made)
            raise
        copies = tuple((resource, str(made[resource].get("id"))) for resource in request.resources)
        return self._join(copies, made[copies[0][0]])

    def _join(self, copies: tuple[Copy, ...], found: dict[str, Any]) -> dict[str, Any]:
        """Remember the copies, and show the first of them under the id of all."""
        request = self._request
        first = self._maker(copies[0][0])
        entry = request.entry(found, first, is_for_all=True)
        if entry is not None:
            for resource, inner in copies:
                self._calls.state.remember(_copy_of(entry, resource, inner, copies))
        label = request.reader.signer.label_copies(copies, request.owner)
        named = request.giving({inner: label for _, inner in copies})
        return named.rewriter(first).label(found)

    async def _clean_up(self, made: dict[str, dict[str, Any]]) -> None:
        """Delete the copies of a file that is not whole."""
        for resource, found in made.items():
            inner = str(found.get("id"))
            try:
                await self._delete((resource, inner))
            except AzureResponsesError as error:
                # It stays at the resource, where a purge of its end user finds it.
                entry = self._request.entry(found, self._maker(resource))
                if entry is not None:
                    self._calls.state.remember(entry)
                _LOG.warning(
                    "The copy %s of a file that was not uploaded to all resources stays at %s: %s",
                    inner,
                    self._host(resource),
                    error.message,
                )

    # ── deleting ──

    async def delete(self) -> dict[str, Any]:
        """Delete every copy; a copy that no longer exists counts as deleted.

        Raises:
            NotFoundError: no copy was found.
            AzureResponsesError: some could not be deleted; they stay under the same id.
        """
        request = self._request
        (label,) = request.copied.values()
        await self.delete_copies(label.copies)
        given = request.given.get(label.inner, label.inner)
        return {"id": given, "object": "file", "deleted": True}

    async def delete_copies(self, copies: Sequence[Copy]) -> None:
        """Delete copies at all resources; raises the errors of `delete`."""
        failed: dict[Copy, AzureResponsesError] = {}
        missing: list[NotFoundError] = []

        async def delete(copy: Copy) -> None:
            try:
                await self._delete(copy)
            except NotFoundError as error:
                missing.append(error)
            except AzureResponsesError as error:
                failed[copy] = error

        await gather(delete, copies)
        await self._remember_rest(copies, failed)
        if failed:
            hosts = ", ".join(self._host(resource) for resource, _ in failed)
            error = next(iter(failed.values()))
            error.message = (
                f"{len(failed)} of {len(copies)} copies of the file could not be deleted and stay, "
                f"at {hosts}: {error.message}"
            )
            error.hint = "Delete the same id again: the copies that are gone do no harm."
            raise error
        if len(missing) == len(copies):
            raise missing[0]

    async def _remember_rest(
        self, copies: Sequence[Copy], failed: dict[Copy, AzureResponsesError]
    ) -> None:
        """Let the first copy that stays stand for the file, in lists and for a purge."""
        state = self._calls.state
        keys = [object_key("files", resource, inner) for resource, inner in copies]
        try:
            entries = await state.find_objects(keys)
        except APIConnectionError:
            # The copies are deleted all the same; a list forgets what it does not find.
            return
        for key in entries:
            state.forget(key)
        rest = tuple(copy for copy in copies if copy in failed)
        known = next(iter(entries.values()), None)
        if known is not None:
            for resource, inner in rest:
                state.remember(_copy_of(known, resource, inner, rest))

    async def _delete(self, copy: Copy) -> None:
        resource, inner = copy
        if not self._calls.routing.of_resource(resource):
            # Its deployments left model_list: that nothing is found there proves nothing.
            raise ConfigurationError(
                "No entry of model_list is on the resource of a copy.",
                hint="Put an entry of that resource back, and delete the file again.",
            )
        request = self._request.about("files.delete", SignedId(inner, resource, resource))
        await send_object(request, self._calls, self._note)

    def _maker(self, resource: str) -> Any:
        return self._calls.routing.of_resource(resource)[0]

    def _host(self, resource: str) -> str:
        deployments = self._calls.routing.of_resource(resource)
        return deployments[0].host or deployments[0].id if deployments else "an unknown resource"


def _copy_of(
    known: LedgerEntry, resource: str, inner: str, copies: tuple[Copy, ...]
) -> LedgerEntry:
    named = copies if len(copies) > 1 else ()
    return replace(known, response_id=inner, resource=resource, deployment=resource, copies=named)
