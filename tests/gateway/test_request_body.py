"""Bodies as they arrive: whole, in pieces, too long, too slow, or not at all."""

import asyncio
from typing import Any

import pytest

from azure_responses.gateway import request_body
from azure_responses.gateway.request_body import CallerLeft, Refused, read_body


def read(*messages: Any, headers: dict[str, str] | None = None, limit: int = 10) -> bytes:
    waiting = list(messages)

    async def receive() -> Any:
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    return asyncio.run(read_body(receive, headers or {}, limit))


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
        ([], {"content-encoding": "br"}, 415),
        ([], {"content-type": "Text/Plain"}, 415),
    ],
)
def test_what_cannot_be_taken_is_refused(
    messages: list[Any], headers: dict[str, str], status: int
) -> None:
    with pytest.raises(Refused) as caught:
        read(*messages, headers=headers)
    assert caught.value.denial.status == status
    assert caught.value.denial.headers["connection"] == "close"


def test_odd_headers_are_no_reason_to_refuse() -> None:
    headers = {"content-length": "some", "content-encoding": " Identity "}
    assert read(piece(b"x"), headers=headers) == b"x"


def test_a_caller_who_leaves_is_noticed() -> None:
    with pytest.raises(CallerLeft):
        read(piece(b"x", more=True), {"type": "http.disconnect"})


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "_PIECE_SECONDS", 0.02)
    with pytest.raises(Refused) as caught:
        read(piece(b"x", more=True))
    assert caught.value.denial.status == 408
