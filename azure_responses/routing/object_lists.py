"""One list of the objects of several resources: pages of each are merged by the time of creation.

A resource lists its own objects in order, page by page; `MergedList` says which page of which
resource is needed next, and takes from what has come the object whose turn it is. Between two
requests of a caller nothing has to be remembered: the next page begins after a mark, the place of
the last object. Where each resource was left is only known, it spares reading its list again from
the beginning.

    merged = MergedList(resources, limit, position)
    while reads := merged.next_reads():
        for read in reads:
            merged.add(read.resource, …the page of that resource after read.after…)
    merged.objects, merged.has_more, merged.position
"""

import json
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from azure_responses.errors import BadRequestError
from azure_responses.routing.purge_ledger import FACETS

__all__ = [
    "LARGEST_PAGE",
    "MERGED_LISTS",
    "ListPosition",
    "ListQuery",
    "ListedObject",
    "Mark",
    "MergedList",
    "Order",
    "Read",
    "entries_of",
    "list_page",
]

MERGED_LISTS: Mapping[str, str] = {
    f"{kind}.list": kind for kind in ("files", "vector_stores", "containers", "batches", "skills")
}
"""Operations that list objects of all resources → the kind of the objects.

Lists inside an object, such as the files of a vector store, come from its resource only.
"""

LARGEST_PAGE = 100
"""The most objects of one page."""

_DEFAULT_PAGE = 20
_MOST_READS = 200


class Mark(NamedTuple):
    """A place in the order of a list: that of an object, by its creation and its resource."""

    created: float
    resource: str

    def precedes(self, other: "Mark", order: "Order") -> bool:
        """It comes before another place."""
        if self.created != other.created:
            return (self.created > other.created) is order.is_descending
        return self.resource != other.resource and (
            (self.resource > other.resource) is order.is_backward
        )


class Order(NamedTuple):
    """In which order objects are read.

    Attributes:
        is_descending: the latest come first.
        is_backward: of objects of one second those of the resource with the last tag come first,
            and not of the first one; so that a list read backward is the same list.
    """

    is_descending: bool = True
    is_backward: bool = False


class ListPosition(NamedTuple):
    """Where the next page begins.

    Attributes:
        mark: the place of the last object before it; None at the beginning.
        after: resource → the id of the last object that was taken there, where it is known.
    """

    mark: Mark | None = None
    after: Mapping[str, str] = {}

    def encode(self) -> str:
        """The position as text."""
        return json.dumps([self.mark, dict(self.after)], separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> "ListPosition":
        """A position from `encode`.

        Raises ValueError for anything else.
        """
        try:
            mark, after = json.loads(text)
            return cls(None if mark is None else Mark(*mark), dict(after))
        except (TypeError, ValueError) as error:
            raise ValueError("The text is not a position in a list.") from error


_BEGINNING = ListPosition()
_LATEST_FIRST = Order()


class ListQuery(NamedTuple):
    """What the query of a list asks for.

    Attributes:
        limit: objects of the page.
        is_descending: the latest come first.
        after, before: ids of objects, as the caller knows them.
        facet: only objects with this purpose or name; None for all.
    """

    limit: int = _DEFAULT_PAGE
    is_descending: bool = True
    after: str | None = None
    before: str | None = None
    facet: str | None = None

    @classmethod
    def read(cls, kind: str, query: Mapping[str, Any]) -> "ListQuery":
        """The query of a list of a kind of objects.

        Raises:
            BadRequestError: a limit below 1, an unknown order, or both cursors.
        """
        order, after, before = query.get("order"), query.get("after"), query.get("before")
        if order not in (None, "", "asc", "desc"):
            raise _invalid("order", "order is neither asc nor desc.")
        if after and before:
            raise _invalid("before", "after and before cannot be used together.")
        facet = query.get(FACETS.get(kind, ""))
        return cls(
            _read_limit(query.get("limit")), order != "asc", after or None, before or None, facet
        )

    @property
    def cursor(self) -> str | None:
        """The id at which the page begins or, of a page before an object, ends."""
        return self.after or self.before

    @property
    def order(self) -> Order:
        """In which order objects are read: what precedes a `before` from there backward."""
        is_backward = self.before is not None
        return Order(self.is_descending is not is_backward, is_backward)


def _read_limit(given: Any) -> int:
    if given in (None, ""):
        return _DEFAULT_PAGE
    try:
        limit = int(given)
    except (TypeError, ValueError):
        limit = 0
    if limit < 1:
        raise _invalid("limit", "limit is not a number from 1 on.")
    return min(limit, LARGEST_PAGE)


def _invalid(name: str, message: str) -> BadRequestError:
    return BadRequestError(
        message, status_code=400, code="invalid_value", type="invalid_request_error", param=name
    )


class ListedObject(NamedTuple):
    """An object of a list.

    Attributes:
        resource: the tag of where it is stored.
        id: as the service knows it.
        created: unix seconds.
        value: the object as the service describes it.
    """

    resource: str
    id: str
    created: float
    value: dict[str, Any]

    @property
    def mark(self) -> Mark:
        """Its place in the order."""
        return Mark(self.created, self.resource)


class Read(NamedTuple):
    """A page to read: the resource, the id before it, and the number of objects."""

    resource: str
    after: str | None
    limit: int


class _ListSource:
    """The part of one resource's list that was read, and where the next page begins."""

    def __init__(self, resource: str, after: str | None, skipped: Mark | None) -> None:
        self.resource = resource
        self.next_after = after
        self.taken_after = after
        # What comes before this place was in earlier pages, or is newer than the list.
        self.skipped = skipped
        self.waiting: deque[ListedObject] = deque()
        self.hidden: set[str] = set()
        self.has_more = True

    def take(self) -> ListedObject:
        taken = self.waiting.popleft()
        self.taken_after = taken.id
        return taken

    def drop(self, order: Order) -> None:
        """Pass over what is not shown and stands in front."""
        while self.waiting:
            first = self.waiting[0]
            if self.skipped is not None:
                if first.mark.precedes(self.skipped, order):
                    self.take()
                    continue
                self.skipped = None
            if first.id not in self.hidden:
                return
            self.take()


class MergedList:
    """One page of the merged list.

    Args:
        resources: tags of the resources.
        limit: objects of the page.
        position: where the page begins.
        order: in which order they are read.

    Attributes:
        objects: those of the page so far.
    """

    def __init__(
        self,
        resources: Iterable[str],
        limit: int,
        position: ListPosition = _BEGINNING,
        order: Order = _LATEST_FIRST,
    ) -> None:
        self.objects: list[ListedObject] = []
        self._limit = limit
        self._mark = position.mark
        self._order = order
        self._reads = 0
        self._sources = {}
        for resource in sorted(set(resources), reverse=order.is_backward):
            after = position.after.get(resource)
            skipped = position.mark if after is None else None
            self._sources[resource] = _ListSource(resource, after, skipped)

    def next_reads(self) -> list[Read]:
        """The pages that are needed before the next object can be taken; none at the end."""
        while len(self.objects) < self._limit:
            empty = [one for one in self._sources.values() if one.has_more and not one.waiting]
            if empty:
                return self._ask(empty) if self._reads < _MOST_READS else []
            first = self._first()
            if first is None:
                break
            self.objects.append(first.take())
            self._mark = self.objects[-1].mark
            first.drop(self._order)
        return []

    def _ask(self, sources: list[_ListSource]) -> list[Read]:
        self._reads += len(sources)
        # What is only passed over is read in the largest pages.
        return [
            Read(
                one.resource,
                one.next_after,
                LARGEST_PAGE if one.skipped or one.hidden else self._limit,
            )
            for one in sources
        ]

    def _first(self) -> _ListSource | None:
        waiting = [one for one in self._sources.values() if one.waiting]
        # Of equal times the first resource comes first: `min` takes the first one that it meets.
        return min(waiting, key=self._time, default=None)

    def _time(self, source: _ListSource) -> float:
        created = source.waiting[0].created
        return -created if self._order.is_descending else created

    def add(self, resource: str, page: Mapping[str, Any], hidden: Collection[str] = ()) -> None:
        """A page of a resource's list has come; objects with the ids `hidden` are not shown."""
        source = self._sources[resource]
        found = list(entries_of(resource, page))
        ids = [each.id for each in found]
        if source.next_after in ids:
            # A service that does not know `after` lists everything.
            found = found[ids.index(source.next_after) + 1 :]
        # One that says there is more and sends nothing would be asked for ever.
        source.has_more = page.get("has_more") is True and bool(found)
        if found:
            source.next_after = found[-1].id
        source.waiting.extend(found)
        source.hidden.update(hidden)
        source.drop(self._order)

    def restart(self, resource: str) -> bool:
        """Read a resource's list from its beginning; False where that was done already.

        The object that its list was to go on after may have been deleted.
        """
        source = self._sources[resource]
        if source.next_after is None or self._mark is None:
            return False
        fresh = self._sources[resource] = _ListSource(resource, None, self._mark)
        fresh.hidden.update(each.id for each in self.objects if each.resource == resource)
        return True

    @property
    def has_more(self) -> bool:
        """There are further objects, as far as the resources say."""
        return any(one.waiting or one.has_more for one in self._sources.values())

    @property
    def position(self) -> ListPosition:
        """Where the page after this one begins."""
        taken = {name: one.taken_after for name, one in self._sources.items()}
        return ListPosition(
            self._mark, {name: after for name, after in taken.items() if after is not None}
        )


def entries_of(resource: str, page: Mapping[str, Any]) -> Iterable[ListedObject]:
    """The objects of a page of one resource; what has no id is passed over."""
    # One sample of Azure's lists has its entries under `value`.
    entries, created = page.get("data", page.get("value")), 0.0
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            continue
        given = entry.get("created_at")
        # An object without a time stays beside the one before it.
        created = float(given) if isinstance(given, int | float) else created
        yield ListedObject(resource, entry["id"], created, entry)


def list_page(objects: list[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """The reply to a list; the ids of the objects are those that the caller knows."""
    return {
        "object": "list",
        "data": objects,
        "first_id": objects[0]["id"] if objects else None,
        "last_id": objects[-1]["id"] if objects else None,
        "has_more": has_more,
    }
