"""Bodies of streamed answers clean up however little of them was read."""

from collections.abc import AsyncIterator, Iterator

import anyio
import pytest

from azure_responses.openai_server.exchange import AsyncStreamBody, StreamBody


def _pieces(ended: list[bool]) -> Iterator[bytes]:
    try:
        yield b"one"
        yield b"two"
    finally:
        ended.append(True)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_body_that_is_closed_ends_its_call_once_however_much_was_read(count: int) -> None:
    ended: list[bool] = []
    body = StreamBody(_pieces(ended))
    read = [piece for piece, _ in zip(iter(body), range(count), strict=False)] if count else []
    body.close()
    body.close()
    assert read == [b"one", b"two"][:count]
    assert ended == [True]


@pytest.mark.parametrize("reads", [False, True])
def test_an_async_body_that_is_closed_ends_its_call(reads: bool) -> None:
    ended: list[bool] = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"one"
            yield b"two"
        finally:
            ended.append(True)

    async def read_and_close() -> None:
        body = AsyncStreamBody(pieces())
        if reads:
            assert await anext(aiter(body)) == b"one"
        await body.aclose()
        await body.aclose()

    anyio.run(read_and_close)
    assert ended == [True]
