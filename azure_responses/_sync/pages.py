"""The pages of a list; written by hand on both sides, since a call fetches the first."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar, cast

from azure_responses.types.items import InputItem
from azure_responses.types.models import ModelList
from azure_responses.types.page import Page
from azure_responses.types.response import InputItemList

__all__ = ["InputItemPages", "ListedModels", "Pages", "list_models"]

T = TypeVar("T")


class Pages(Generic[T]):
    """A list of stored objects, whose pages are fetched as they are needed.

    Iterate over all objects, whatever page they are on; those of the first page are in `data`.

    Args:
        fetch: the page that begins after a position.
        after: where the list begins.
    """

    def __init__(self, fetch: "Callable[[str | None], Page[T]]", after: str | None) -> None:
        self._fetch = fetch
        self._after = after
        self._first = fetch(after)

    def first(self) -> "Page[T]":
        """The first page as the service sent it."""
        return self._first

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.data

    def pages(self) -> "Iterator[Page[T]]":
        """Every page, the first one already fetched."""
        position: str | None = None
        page = self._first
        yield page
        # A service that does not know `after` would send its first page for ever.
        while page.next_position not in (None, position):
            position = page.next_position
            page = self._fetch(position)
            yield page

    def iter_pages(self) -> "Iterator[Pages[T]]":
        """Every page, as the openai package gives them."""
        pages: Pages[T] | None = self
        while pages is not None:
            yield pages
            pages = pages.get_next_page() if pages.has_next_page() else None

    @property
    def data(self) -> list[T]:
        """The objects of the first page."""
        return self._first.data

    @property
    def has_more(self) -> bool | None:
        """Whether the first page is not the last, as far as the service says so."""
        return self._first.has_more

    @property
    def first_id(self) -> str | None:
        """The id of the first object of the page, where the service says it."""
        return self._first.first_id

    @property
    def last_id(self) -> str | None:
        """The id of the last object of the page, where the service says it."""
        return self._first.last_id

    def has_next_page(self) -> bool:
        """True where `get_next_page` has something to fetch."""
        return self._first.next_position not in (None, self._after)

    def get_next_page(self) -> "Pages[T]":
        """The list from the next page on; raises RuntimeError after the last."""
        if not self.has_next_page():
            raise RuntimeError("There is no page after the last.")
        return Pages(self._fetch, self._first.next_position)


class InputItemPages(Pages[InputItem]):
    """The pages of a response's input items, fetched as they are needed."""

    def first(self) -> InputItemList:
        """The first page."""
        return cast(InputItemList, self._first)


ListedModels = ModelList
"""The models of a resource; on the async side they are awaited or iterated."""


def list_models(fetch: Callable[[], ModelList]) -> ListedModels:
    """The models, fetched now."""
    return fetch()
