"""The pages of a list, awaited; written by hand on both sides, since `await` fetches the first."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

from azure_responses.types.items import InputItem
from azure_responses.types.response import InputItemList

__all__ = ["AsyncInputItemPages"]


class AsyncInputItemPages:
    """The pages of a response's input items, fetched as they are needed.

    Iterate with `async for`, or await it for the first page.
    """

    def __init__(
        self, fetch: Callable[[str | None], Awaitable[InputItemList]], after: str | None
    ) -> None:
        self._fetch = fetch
        self._after = after

    async def first(self) -> InputItemList:
        """The first page."""
        return await self._fetch(self._after)

    def __await__(self) -> Generator[Any, Any, InputItemList]:
        return self._fetch(self._after).__await__()

    async def __aiter__(self) -> AsyncIterator[InputItem]:
        async for page in self.pages():
            for item in page.data:
                yield item

    async def pages(self) -> AsyncIterator[InputItemList]:
        """Every page."""
        page = await self._fetch(self._after)
        yield page
        while page.has_more and page.data:
            page = await self._fetch(page.last_id or getattr(page.data[-1], "id", None))
            yield page
