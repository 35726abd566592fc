"""Bodies as they arrive: whole, in pieces, too long, too slow, or not at all."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from azure_responses.gateway import body_reader
from azure_responses.gateway.body_reader import (
    BodyMemory,
    CallerLeft,
    Refused,
    check_json,
    read_body,
)


def read(
    *messages: Any,
    headers: dict[str, str] | None = None,
    limit: int = 10,
    take: Callable[[int], None] = lambda _: None,
) -> bytes:
    waiting = list(messages)

    async def receive() -> Any:
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    return asyncio.run(read_body(receive, headers or {}, limit, take))


def piece(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_is_put_together() -> None:
    assert read(piece(b"whole")) == b"whole"
    assert read(piece(b"in ", more=True), piece(b"two")) == b"in two"
    assert read(piece(b"")) == b""


@pytest.mark.parametrize(
    ("messages", "headers", "status"),
    [
        ([piece(b"x" * 11)], {}, 413),
        ([piece(b"x" * 6, more=True), piece(b"x" * 6)], {}, 413),
        ([], {"content-length": "11"}, 413),
        ([], {"content-length": "9" * 400}, 413),
        ([], {"content-encoding": "compress"}, 415),
        ([], {"content-encoding": "gzip", "content-type": "multipart/form-data; boundary=b"}, 415),
        ([], {"content-type": "Text/Plain"}, 415),
    ],
)
def test_what_cannot_be_taken_is_refused(
    messages: list[Any], headers: dict[str, str], status: int
) -> None:
    with pytest.raises(Refused) as caught:
        read(*messages, headers=headers)
    assert caught.value.error.status == status
    assert caught.value.error.headers["connection"] == "close"


def test_odd_headers_are_no_reason_to_refuse() -> None:
    headers = {"content-length": "some", "content-encoding": " Identity "}
    assert read(piece(b"x"), headers=headers) == b"x"


def test_a_caller_who_leaves_is_noticed() -> None:
    with pytest.raises(CallerLeft):
        read(piece(b"x", more=True), {"type": "http.disconnect"})


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_reader, "_PIECE_SECONDS", 0.02)
    with pytest.raises(Refused) as caught:
        read(piece(b"x", more=True))
    assert caught.value.error.status == 408


def test_each_byte_of_a_long_body_is_counted_once_and_a_short_one_is_not() -> None:
    taken: list[int] = []
    pieces = [piece(b"x" * 50_000, more=True), piece(b"x" * 50_000, more=True), piece(b"x")]
    assert len(read(*pieces, limit=10**6, take=taken.append)) == sum(taken) == 100_001
    taken.clear()
    read(piece(b"x" * 60_000), limit=10**6, take=taken.append)
    assert taken == []


def test_bodies_fill_a_memory_of_which_one_caller_gets_half() -> None:
    memory = BodyMemory(100)
    memory.take("alice", 30)
    memory.take("alice", 20)
    with pytest.raises(Refused) as caught:
        memory.take("alice", 1)
    response = caught.value.error
    assert (response.status, response.code, response.retry_after) == (503, "gateway_saturated", 1.0)
    assert "max_bodies_bytes" in response.body["error"]["message"]
    memory.take("bob", 40)
    with pytest.raises(Refused):
        memory.take("carol", 11)
    memory.give_back("alice", 50)
    memory.take("carol", 50)


def test_a_body_that_takes_long_to_read_is_refused_by_the_limit_it_breaks() -> None:
    assert check_json(b"[1,2,3]", 10) == 3
    with pytest.raises(Refused) as caught:
        check_json(b"[1,2,3]", 2)
    response = caught.value.error
    assert (response.status, response.code) == (413, "request_too_large")
    assert "2 JSON values (general_settings.max_body_values)" in response.body["error"]["message"]
    with pytest.raises(Refused) as caught:
        check_json(b"[%b]" % (b"9" * 2000), 10)
    assert (caught.value.error.status, caught.value.error.code) == (400, "invalid_json")
