"""Lists of objects of several resources."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.errors import BadRequestError
from azure_responses.routing.object_lists import (
    LARGEST_PAGE,
    ListPosition,
    ListQuery,
    Mark,
    MergedList,
    Order,
    entries_of,
    list_page,
)


class _Service:
    """Resources that list what they store, at most `most` objects on a page."""

    def __init__(self, stored: Mapping[str, list[tuple[str, int]]], most: int = 1000) -> None:
        self.stored = {name: list(objects) for name, objects in stored.items()}
        self.most = most
        self.reads = 0

    def page(
        self, resource: str, after: str | None, limit: int, *, is_descending: bool
    ) -> dict[str, Any]:
        self.reads += 1
        found = sorted(self.stored[resource], key=lambda one: one[1])
        if is_descending:
            found.reverse()
        if after is not None:
            ids = [name for name, _ in found]
            if after not in ids:
                raise LookupError(after)
            found = found[ids.index(after) + 1 :]
        kept = found[: min(limit, self.most)]
        data = [{"id": name, "created_at": created} for name, created in kept]
        return {"data": data, "has_more": len(found) > len(kept)}


def _page(
    service: _Service,
    limit: int,
    position: ListPosition,
    order: Order,
    hidden: frozenset[str] = frozenset(),
) -> MergedList:
    merged = MergedList(service.stored, limit, position, order)
    while reads := merged.next_reads():
        for read in reads:
            try:
                page = service.page(*read, is_descending=order.is_descending)
            except LookupError:
                assert merged.restart(read.resource)
            else:
                merged.add(read.resource, page, hidden)
    return merged


_STORED = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 6)), max_size=30).map(
    lambda made: {
        name: [(f"{name}{n}", at) for n, (where, at) in enumerate(made) if where == name]
        for name in ("a", "b", "c")
    }
)


@given(
    stored=_STORED,
    limit=st.integers(1, 12),
    most=st.integers(1, 7),
    is_descending=st.booleans(),
    remembers=st.booleans(),
)
@settings(deadline=None)
def test_every_split_of_objects_is_listed_once_and_in_order(
    stored: dict[str, list[tuple[str, int]]],
    limit: int,
    most: int,
    is_descending: bool,
    remembers: bool,
) -> None:
    service, order = _Service(stored, most), Order(is_descending)
    seen: list[tuple[int, str]] = []
    position = ListPosition()
    while True:
        merged = _page(service, limit, position, order)
        objects = merged.objects
        seen += [(int(each.created), each.id) for each in objects]
        if not merged.has_more:
            break
        assert len(objects) == limit
        position = ListPosition.decode(merged.position.encode())
        if not remembers:
            # All that the next request names is the last object.
            last = objects[-1]
            position = ListPosition(last.mark, {last.resource: last.id})
    names = [name for objects in stored.values() for name, _ in objects]
    assert sorted(name for _, name in seen) == sorted(names)
    times = [created for created, _ in seen]
    assert times == sorted(times, reverse=is_descending)


@given(stored=_STORED, limit=st.integers(1, 12), is_descending=st.booleans(), at=st.integers(0, 29))
@settings(deadline=None)
def test_what_precedes_an_object_is_the_same_list_read_backward(
    stored: dict[str, list[tuple[str, int]]], limit: int, is_descending: bool, at: int
) -> None:
    service = _Service(stored)
    whole = _page(service, 100, ListPosition(), Order(is_descending)).objects
    if at >= len(whole):
        return
    here = whole[at]
    query = ListQuery(limit, is_descending, before=here.id)
    position = ListPosition(here.mark, {here.resource: here.id})
    # Resources list objects of one second in reverse, too.
    before = _page(service, limit, position, query.order)
    names = [each.id for each in reversed(before.objects)]
    assert names == [each.id for each in whole[max(0, at - limit) : at]]
    assert before.has_more is (at > limit)


@given(stored=_STORED, limit=st.integers(1, 5))
@settings(deadline=None)
def test_a_list_that_is_deleted_while_it_is_read_misses_nothing(
    stored: dict[str, list[tuple[str, int]]], limit: int
) -> None:
    service, position = _Service(stored), ListPosition()
    seen: list[str] = []
    while True:
        merged = _page(service, limit, position, Order())
        seen += [each.id for each in merged.objects]
        for each in merged.objects:
            service.stored[each.resource].remove((each.id, int(each.created)))
        if not merged.has_more:
            break
        position = merged.position
    assert sorted(seen) == sorted(name for objects in stored.values() for name, _ in objects)


def test_what_is_made_while_a_list_is_read_does_not_appear_in_the_middle() -> None:
    service = _Service({"a": [("a1", 1), ("a9", 9)], "b": [("b5", 5)]})
    first = _page(service, 1, ListPosition(), Order())
    service.stored["b"].append(("b10", 10))
    rest = _page(service, 5, first.position, Order())
    assert [each.id for each in (*first.objects, *rest.objects)] == ["a9", "b5", "a1"]


def test_a_page_costs_one_read_of_each_resource() -> None:
    stored = {name: [(f"{name}{n}", n) for n in range(500)] for name in ("a", "b", "c")}
    service, position = _Service(stored), ListPosition()
    for number in range(1, 6):
        merged = _page(service, 20, position, Order())
        position = merged.position
        assert service.reads == 3 * number


def test_objects_that_are_not_shown_leave_no_gap() -> None:
    service = _Service({"a": [("a1", 1), ("a3", 3)], "b": [("b2", 2), ("b4", 4)]}, most=1)
    first = _page(service, 2, ListPosition(), Order(), frozenset({"b4", "b2"}))
    assert [each.id for each in first.objects] == ["a3", "a1"]
    assert not _page(service, 2, first.position, Order(), frozenset({"b4", "b2"})).objects


def test_a_service_that_knows_no_cursor_is_read_once() -> None:
    merged = MergedList(["a"], 5, ListPosition(Mark(2, "a"), {"a": "x"}))
    assert [tuple(read) for read in merged.next_reads()] == [("a", "x", 5)]
    everything = [{"id": "w", "created_at": 3}, {"id": "x"}, {"id": "y", "created_at": 1}]
    merged.add("a", {"data": everything})
    assert merged.next_reads() == []
    assert [each.id for each in merged.objects] == ["y"]
    assert not merged.has_more


def test_a_service_that_sends_nothing_is_not_asked_for_ever() -> None:
    merged = MergedList(["a"], 5)
    merged.next_reads()
    merged.add("a", {"data": [], "has_more": True})
    assert merged.next_reads() == []
    assert not merged.has_more


def test_reads_of_one_page_are_bounded() -> None:
    service = _Service({"a": [(f"a{n}", n) for n in range(1000)]}, most=1)
    merged = _page(service, 100, ListPosition(), Order(), frozenset(f"a{n}" for n in range(1000)))
    assert service.reads == 200
    assert merged.objects == []
    assert merged.has_more


def test_a_resource_that_fails_at_its_beginning_cannot_begin_again() -> None:
    merged = MergedList(["a"], 5, ListPosition(Mark(1, "a")))
    assert not merged.restart("a")
    lost = MergedList(["a"], 5, ListPosition(None, {"a": "x"}))
    assert not lost.restart("a")


def test_entries_are_read_as_far_as_they_are_objects() -> None:
    page = {"value": [{"id": "a"}, 3, {"id": 4}, {"id": "b", "created_at": 7}, {"id": "c"}]}
    found = [(each.id, each.created) for each in entries_of("r", page)]
    assert found == [("a", 0.0), ("b", 7.0), ("c", 7.0)]
    assert list(entries_of("r", {"data": "none"})) == []


def test_a_page_names_its_ends() -> None:
    assert list_page([{"id": "a"}, {"id": "b"}], has_more=True) == {
        "object": "list",
        "data": [{"id": "a"}, {"id": "b"}],
        "first_id": "a",
        "last_id": "b",
        "has_more": True,
    }
    assert list_page([], has_more=False)["last_id"] is None


def test_a_query_is_read_with_its_defaults() -> None:
    assert ListQuery.read("files", {}) == ListQuery(20, True, None, None, None)
    asked = {"limit": "500", "order": "asc", "after": "x", "purpose": "batch", "name": "n"}
    assert ListQuery.read("files", asked) == ListQuery(LARGEST_PAGE, False, "x", None, "batch")
    assert ListQuery.read("containers", asked).facet == "n"
    assert ListQuery.read("batches", asked).facet is None
    assert ListQuery.read("skills", {"limit": 7}).limit == 7


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": ["1"]}, "limit"),
        ({"order": "up"}, "order"),
        ({"after": "a", "before": "b"}, "before"),
    ],
)
def test_a_query_that_means_nothing_is_refused(query: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        ListQuery.read("files", query)
    assert caught.value.param == param


def test_the_cursor_says_in_which_order_objects_are_read() -> None:
    assert ListQuery(before="x").order == Order(False, True)
    assert ListQuery(is_descending=False, before="x").order == Order(True, True)
    assert ListQuery(after="x").order == Order(True, False)
    assert (ListQuery(before="x").cursor, ListQuery(after="y").cursor) == ("x", "y")


@pytest.mark.parametrize("text", ["", "3", "[1]", "[[1,2,3],{}]", "[null,3]"])
def test_what_is_not_a_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a position"):
        ListPosition.decode(text)


def test_a_position_survives_being_written_and_read() -> None:
    position = ListPosition(Mark(1.5, "a"), {"a": "x"})
    assert ListPosition.decode(position.encode()) == position
    assert json.loads(ListPosition().encode()) == [None, {}]
