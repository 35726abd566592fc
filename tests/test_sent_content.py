"""One attempt to send content."""

from collections.abc import AsyncIterator, Iterator

import anyio
import pytest

from azure_responses.errors import APIConnectionError, APITimeoutError
from azure_responses.sent_content import SentContent


class _Pieces:
    content_type = "text/plain"
    is_repeatable = True

    def __init__(self, *pieces: bytes, length: int | None = None, fails: bool = False) -> None:
        self.length = length
        self._pieces = pieces
        self._fails = fails

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._fails:
            raise OSError("the disk is broken")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def test_progress_is_noted_for_each_piece_and_after_the_last() -> None:
    sent = SentContent(_Pieces(b"a", b"b"))
    noted: list[bool] = []
    sent.note_progress = noted.append
    assert list(sent) == [b"a", b"b"]
    assert noted == [False, False, False]
    noted.clear()

    async def send() -> None:
        assert [piece async for piece in sent] == [b"a", b"b"]
        await sent.aclose()

    anyio.run(send)
    # Reading a piece takes no time of the service's.
    assert noted == [True, False, True, False, True, False]
    assert (sent.content_type, sent.is_repeatable) == ("text/plain", True)


def test_an_error_of_the_content_is_kept_apart_from_those_of_the_network() -> None:
    sent = SentContent(_Pieces(b"a", fails=True))
    with pytest.raises(OSError, match="disk"):
        list(sent)
    assert isinstance(sent.error, OSError)


def test_an_error_says_how_far_the_body_had_come() -> None:
    sent = SentContent(_Pieces(b"abc", b"d", length=10))
    next(iter(sent))
    error = APIConnectionError("The connection failed.")
    sent.explain(error)
    assert str(error).startswith("The connection failed, after 3 of 10 bytes of the body. (hint:")
    late = APITimeoutError("The service did not answer in time.")
    sent.explain(late)
    assert str(late) == "The service did not answer in time, after 3 of 10 bytes of the body."


@pytest.mark.parametrize("taken", [0, 2])
def test_nothing_is_added_where_the_body_has_no_part_in_it(taken: int) -> None:
    sent = SentContent(_Pieces(b"a", b"b", length=2))
    pieces = iter(sent)
    for _ in range(taken):
        next(pieces)
    error = APIConnectionError("It failed.")
    sent.explain(error)
    assert str(error) == "It failed."
