"""Lists of the objects of all resources that a caller may use.

A caller with an owner, or who asks for an end user, is shown what was made for them. The state
knows what that is and in which order, so that a page costs one look-up there and, at the
resources, at most one read for each object, however many objects of others there are. For all other
callers the resources' own lists are merged, at one read of each for a page; objects of owners are
left out.

Where a resource cannot be read the list fails: the rest would pass for all there is.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple

from azure_responses._async.concurrency import gather
from azure_responses.errors import (
    APIStatusError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    UnsupportedOperationError,
)
from azure_responses.router._async.attempt import AsyncAttempt
from azure_responses.router._async.routed_calls import AsyncRoutedCalls
from azure_responses.router.attempts import Answer
from azure_responses.router.routed_object import RoutedObject
from azure_responses.router.targets import AsyncTarget
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.object_lists import (
    LARGEST_PAGE,
    MERGED_LISTS,
    ListPosition,
    ListQuery,
    Mark,
    MergedList,
    Read,
    entries_of,
    list_page,
)
from azure_responses.routing.purge_ledger import READABLE_AFTER, LedgerEntry, object_key
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.signed_id import SignedId

__all__ = ["AsyncObjectLists", "AttemptNote", "send_object"]

_MOST_READS = 300
# The most objects of one resource that one read of its list may find for a page.
_WORTH_A_LIST = 4

AttemptNote = Callable[[Deployment, RoutedCall], AbstractContextManager[None]]
"""Is entered for each attempt, and sees its error."""


class _Cursor(NamedTuple):
    """The object at which a page begins or ends."""

    resource: str
    id: str


class AsyncObjectLists:
    """One page of a list.

    Args:
        request: the list, as its caller asked for it.
        calls: the router's loop.
        note: is entered for each attempt.
    """

    def __init__(
        self, request: RoutedObject, calls: AsyncRoutedCalls, note: AttemptNote | None = None
    ) -> None:
        self._request = request
        self._calls = calls
        self._state = calls.state
        self._note = note
        self._kind = MERGED_LISTS[request.operation]
        self._query = ListQuery.read(self._kind, request.query)
        self._owner, self._end_user = request.call.owner, request.call.end_user

    async def page(self) -> dict[str, Any]:
        """The page, with the ids as the caller knows them.

        Raises:
            BadRequestError: the query is invalid, or the object of its cursor no longer exists.
            AzureResponsesError: a resource, or a shared state, cannot be read.
        """
        begin = await self._position()
        if self._owner is None and self._end_user is None:
            objects, has_more, end = await self._merged(begin)
        else:
            objects, has_more, end = await self._owned(begin)
        if objects and has_more:
            self._state.note_text(self._name_of(objects[-1]["id"]), end.encode())
        if self._query.before is not None:
            objects.reverse()
        return list_page(objects, has_more=has_more)

    # ── where a page begins ──

    async def _position(self) -> ListPosition:
        given = self._query.cursor
        if given is None:
            return ListPosition()
        cursor = self._read_cursor(given)
        noted = await self._state.text_of(self._name_of(given))
        if noted is not None:
            return ListPosition.decode(noted)
        mark = Mark(await self._created(cursor), cursor.resource)
        return ListPosition(mark, {cursor.resource: cursor.id})

    def _name_of(self, last_id: str) -> str:
        """The name under which it is noted where the page after an object begins."""
        asked = [self._request.operation, self._owner, self._end_user, self._query.order]
        place = json.dumps([*asked, self._query.facet, last_id])
        return "list:" + hashlib.sha256(place.encode()).hexdigest()[:32]

    def _read_cursor(self, given: str) -> _Cursor:
        field = "after" if self._query.after else "before"
        affinity = self._request.reader.affinity
        label = affinity.read_id(given, self._owner, field)
        resources = self._request.resources
        if label is not None:
            return _Cursor(label.resource, label.inner)
        if self._owner is not None or len(resources) != 1:
            raise _lost(field)
        return _Cursor(resources[0], given)

    async def _created(self, cursor: _Cursor) -> float:
        """When the object of a cursor was created."""
        key = object_key(self._kind, cursor.resource, cursor.id)
        entry = (await self._state.find_objects([key])).get(key)
        if entry is not None:
            return entry.created
        label = SignedId(cursor.id, cursor.resource, cursor.resource)
        try:
            found, _ = await send_object(
                self._request.about(f"{self._kind}.retrieve", label), self._calls, self._note
            )
        except NotFoundError:
            raise _lost("after" if self._query.after else "before") from None
        created = found.get("created_at")
        return float(created) if isinstance(created, int | float) else 0.0

    # ── of all owners ──

    async def _merged(self, begin: ListPosition) -> tuple[list[dict[str, Any]], bool, ListPosition]:
        query, request = self._query, self._request
        merged = MergedList(request.resources, query.limit, begin, query.order)
        makers: dict[str, Deployment] = {}
        entries: dict[tuple[str, str], LedgerEntry] = {}
        missing: dict[str, UnsupportedOperationError] = {}

        async def read(page: Read) -> None:
            try:
                body, maker = await send_object(
                    request.reading(page, query.order), self._calls, self._note
                )
            except UnsupportedOperationError as error:
                # The resource does not offer such objects; another one may.
                missing[page.resource] = error
                merged.add(page.resource, {})
                return
            except (NotFoundError, BadRequestError):
                # The object that its list was to go on after may have been deleted meanwhile.
                if page.after is None or not merged.restart(page.resource):
                    raise
                return
            makers[page.resource] = maker
            found = await self._entries_in(page.resource, body)
            entries.update(found)
            hidden = [inner for (_, inner), entry in found.items() if self._is_hidden(entry)]
            merged.add(page.resource, body, hidden)

        while reads := merged.next_reads():
            await gather(read, reads)
        if missing and len(missing) == len(request.resources):
            raise next(iter(missing.values()))
        if merged.has_more and not merged.objects:
            raise _busy()
        labelled = [
            self._labelled(each.value, makers[each.resource], entries.get((each.resource, each.id)))
            for each in merged.objects
        ]
        return labelled, merged.has_more, merged.position

    async def _entries_in(
        self, resource: str, page: Mapping[str, Any]
    ) -> dict[tuple[str, str], LedgerEntry]:
        """The entries of the objects on a page of a resource."""
        ids = [each.id for each in entries_of(resource, page)]
        keys = [object_key(self._kind, resource, each) for each in ids]
        entries = await self._state.find_objects(keys)
        return {(resource, entry.response_id): entry for entry in entries.values()}

    def _is_hidden(self, entry: LedgerEntry) -> bool:
        """It is an owner's, or another copy of the file is the one that stands in the list."""
        is_listed = self._places(entry)[:1] == ((entry.resource, entry.response_id),)
        return entry.owner is not None or not is_listed

    # ── of one owner ──

    async def _owned(self, begin: ListPosition) -> tuple[list[dict[str, Any]], bool, ListPosition]:
        limit, last = self._query.limit, self._entry_at(begin)
        objects: list[dict[str, Any]] = []
        shown, reads = dict(begin.after), 0
        while len(objects) < limit and reads < _MOST_READS:
            page = await self._entries(last, limit - len(objects))
            if not page:
                return objects, False, begin
            reads += len(page)
            listed = await self._listed(page, shown)
            found = await gather(partial(self._fetch, listed), page)
            objects += [each for each in found if each is not None]
            shown |= {entry.resource: entry.response_id for entry in page}
            last = page[-1]
        has_more = bool(await self._entries(last, 1))
        if has_more and not objects:
            raise _busy()
        assert last is not None
        mark = Mark(last.created, last.resource)
        return objects, has_more, ListPosition(mark, shown)

    def _entry_at(self, begin: ListPosition) -> LedgerEntry | None:
        """An entry at the place where the page begins; the object may be gone by now."""
        mark = begin.mark
        if mark is None:
            return None
        inner = begin.after.get(mark.resource, "")
        return LedgerEntry(inner, "", mark.resource, created=mark.created, kind=self._kind)

    async def _entries(self, after: LedgerEntry | None, limit: int) -> list[LedgerEntry]:
        """The next entries whose objects the caller may reach."""
        found: list[LedgerEntry] = []
        while len(found) < limit:
            page = await self._state.objects_of(
                self._kind,
                owner=self._owner,
                end_user=self._end_user,
                facet=self._query.facet,
                after=after,
                limit=LARGEST_PAGE,
                is_descending=self._query.order.is_descending,
            )
            if not page:
                break
            found += [entry for entry in page if self._places(entry)]
            after = page[-1]
        return found[:limit]

    def _places(self, entry: LedgerEntry) -> tuple[tuple[str, str], ...]:
        """Where the caller may reach the object."""
        places = entry.copies or ((entry.resource, entry.response_id),)
        return tuple(place for place in places if place[0] in self._request.resources)

    async def _listed(
        self, page: Sequence[LedgerEntry], shown: Mapping[str, str]
    ) -> dict[tuple[str, str], tuple[dict[str, Any], Deployment]]:
        """What one read of a resource's own list has of a page, where that may spare others.

        Objects of other owners stand there as well, so that it may be nothing.
        """
        homes = Counter(self._places(entry)[0][0] for entry in page)
        found: dict[tuple[str, str], tuple[dict[str, Any], Deployment]] = {}

        async def read(resource: str) -> None:
            asked = Read(resource, shown.get(resource), LARGEST_PAGE)
            request = self._request.reading(asked, self._query.order)
            try:
                body, maker = await send_object(request, self._calls, self._note)
            except (NotFoundError, BadRequestError):
                # The object that the list was to go on after no longer exists.
                return
            for each in entries_of(resource, body):
                found[resource, each.id] = each.value, maker

        await gather(read, [each for each, count in homes.items() if count >= _WORTH_A_LIST])
        return found

    async def _fetch(
        self,
        listed: Mapping[tuple[str, str], tuple[dict[str, Any], Deployment]],
        entry: LedgerEntry,
    ) -> dict[str, Any] | None:
        """The object of an entry as it is now; None where it no longer exists."""
        places = self._places(entry)
        resource, inner = places[0]
        if places[0] in listed:
            known, maker = listed[places[0]]
            return self._labelled(known, maker, entry)
        label = SignedId(inner, resource, resource, places if len(places) > 1 else ())
        try:
            found, maker = await send_object(
                self._request.about(f"{self._kind}.retrieve", label), self._calls, self._note
            )
        except NotFoundError:
            # One that was just made may not be readable yet.
            if time.time() - entry.created >= READABLE_AFTER:
                self._state.forget(entry.key)
            return None
        return self._labelled(found, maker, entry)

    # ── what both use ──

    def _labelled(
        self, found: dict[str, Any], maker: Deployment, entry: LedgerEntry | None
    ) -> dict[str, Any]:
        request = self._request
        if entry is not None and entry.copies:
            label = request.reader.signer.label_copies(entry.copies, self._owner)
            request = request.giving({inner: label for _, inner in entry.copies})
        return request.rewriter(maker).label(found)


async def send_object(
    request: RoutedObject, calls: AsyncRoutedCalls, note: AttemptNote | None = None
) -> tuple[dict[str, Any], Deployment]:
    """A reply with the service's own ids, and which deployment it is of; nothing is remembered."""

    async def attempt(target: AsyncTarget, call: RoutedCall, left: float | None) -> Answer[Any]:
        made = AsyncAttempt(request, target, call, left, calls)
        with nullcontext() if note is None else note(target.deployment, call):
            reply = await made.send()
        return Answer((reply.body, target.deployment), reply.outcome)

    routed = await calls.perform(request.route_request, attempt)
    body, deployment = routed.result
    return body, deployment


def _lost(field: str) -> BadRequestError:
    return BadRequestError(
        f"The object that {field} names is not in the list.",
        status_code=400,
        code="invalid_cursor",
        type="invalid_request_error",
        param=field,
        hint="Begin the list again, or name an object of it that still exists.",
    )


def _busy() -> APIStatusError:
    return InternalServerError(
        "Too much of the list is gone or not to be shown: it was not read to the next object.",
        status_code=503,
        hint="Ask again: what is gone has been taken out of the list.",
    )
