"""The pages of a list; written by hand on both sides, since a call fetches the first."""

from collections.abc import Callable, Iterator

from azure_responses.types.items import InputItem
from azure_responses.types.response import InputItemList

__all__ = ["InputItemPages"]


class InputItemPages:
    """The pages of a response's input items, fetched as they are needed."""

    def __init__(self, fetch: Callable[[str | None], InputItemList], after: str | None) -> None:
        self._fetch = fetch
        self._first = fetch(after)

    def first(self) -> InputItemList:
        """The first page."""
        return self._first

    @property
    def data(self) -> list[InputItem]:
        """The items of the first page."""
        return self._first.data

    @property
    def has_more(self) -> bool:
        """True when the first page is not the last."""
        return self._first.has_more

    def __iter__(self) -> Iterator[InputItem]:
        for page in self.pages():
            yield from page.data

    def pages(self) -> Iterator[InputItemList]:
        """Every page, the first one already fetched."""
        page = self._first
        yield page
        while page.has_more and page.data:
            page = self._fetch(page.last_id or getattr(page.data[-1], "id", None))
            yield page
