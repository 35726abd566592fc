"""The pages of a list, awaited; written by hand on both sides, since `await` fetches the first."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any, Generic, Self, TypeVar, cast

from azure_responses.errors import AzureResponsesError
from azure_responses.types.items import InputItem
from azure_responses.types.models import ModelInfo, ModelList
from azure_responses.types.page import Page
from azure_responses.types.response import InputItemList

__all__ = ["AsyncInputItemPages", "AsyncListedModels", "AsyncPages", "async_list_models"]

T = TypeVar("T")


class AsyncPages(Generic[T]):
    """A list of stored objects, whose pages are fetched as they are needed.

    Iterate with `async for` over the objects of all pages, or await it for the first
    page, whose objects are in `data`.

    Args:
        fetch: the page that begins after a position.
        after: where the list begins.
    """

    def __init__(
        self, fetch: "Callable[[str | None], Awaitable[Page[T]]]", after: str | None
    ) -> None:
        self._fetch = fetch
        self._after = after
        self._first: Page[T] | None = None

    async def first(self) -> "Page[T]":
        """The first page as the service sent it."""
        if self._first is None:
            self._first = await self._fetch(self._after)
        return self._first

    def __await__(self) -> Generator[Any, Any, Self]:
        yield from self.first().__await__()
        return self

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.data:
                yield item

    async def pages(self) -> "AsyncIterator[Page[T]]":
        """Every page."""
        position: str | None = None
        page = await self.first()
        yield page
        # A service that does not know `after` would send its first page for ever.
        while page.next_position not in (None, position):
            position = page.next_position
            page = await self._fetch(position)
            yield page

    async def iter_pages(self) -> "AsyncIterator[AsyncPages[T]]":
        """Every page, as the openai package gives them."""
        pages: AsyncPages[T] | None = await self
        while pages is not None:
            yield pages
            pages = await pages.get_next_page() if pages.has_next_page() else None

    @property
    def data(self) -> list[T]:
        """The objects of the first page."""
        return self._fetched.data

    @property
    def has_more(self) -> bool | None:
        """True if the service says that more pages follow."""
        return self._fetched.has_more

    @property
    def first_id(self) -> str | None:
        """The id of the first object of the page, where the service says it."""
        return self._fetched.first_id

    @property
    def last_id(self) -> str | None:
        """The id of the last object of the page, where the service says it."""
        return self._fetched.last_id

    def has_next_page(self) -> bool:
        """True where `get_next_page` has something to fetch."""
        return self._fetched.next_position not in (None, self._after)

    async def get_next_page(self) -> "AsyncPages[T]":
        """The list from the next page on; raises RuntimeError after the last."""
        if not self.has_next_page():
            raise RuntimeError("There is no page after the last.")
        return await AsyncPages(self._fetch, self._fetched.next_position)

    @property
    def _fetched(self) -> "Page[T]":
        if self._first is None:
            raise AzureResponsesError(
                "The list has not been fetched.", hint="Await it, or iterate with `async for`."
            )
        return self._first


class AsyncInputItemPages(AsyncPages[InputItem]):
    """The pages of a response's input items, fetched as they are needed.

    Iterate with `async for`, or await it for the first page.
    """

    async def first(self) -> InputItemList:
        """The first page."""
        return cast(InputItemList, await super().first())

    def __await__(self) -> Generator[Any, Any, InputItemList]:  # type: ignore[override]
        return self.first().__await__()


class AsyncListedModels:
    """The models of a resource: await it for the list, or iterate it with `async for`.

    Args:
        fetch: the list.
    """

    def __init__(self, fetch: Callable[[], Awaitable[ModelList]]) -> None:
        self._fetch = fetch

    def __await__(self) -> Generator[Any, Any, ModelList]:
        return self._fetch().__await__()

    async def __aiter__(self) -> AsyncIterator[ModelInfo]:
        for model in (await self).data:
            yield model


def async_list_models(fetch: Callable[[], Awaitable[ModelList]]) -> AsyncListedModels:
    """The models, which are fetched when they are awaited or iterated."""
    return AsyncListedModels(fetch)
