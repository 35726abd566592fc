"""Events as bytes, and a record's stream as steps."""

from collections.abc import Iterable, Iterator
from typing import Any

from azure_responses.emulator.clock import Clock
from azure_responses.emulator.exchange import Pause, Step, encode_json
from azure_responses.emulator.store import Record

__all__ = ["STREAM_LIMIT_SECONDS", "STREAM_TYPE", "chat_frames", "frame", "stream_record"]

STREAM_TYPE = ("content-type", "text/event-stream; charset=utf-8")
# A background response's stream is closed after five minutes; the response itself goes on.
STREAM_LIMIT_SECONDS = 300.0


def frame(event: dict[str, Any]) -> bytes:
    """`event: <type>`, `data: <one line>`, blank line, as charmbracelet/fantasy recorded."""
    kind: str = event["type"]
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode_json(event))


def chat_frames(chunks: Iterable[dict[str, Any]], gaps: Iterable[float]) -> Iterator[Step]:
    """`data:` lines alone and a last `[DONE]`, which no Responses stream has.

    `gaps` are the seconds before each chunk.
    """
    for chunk, gap in zip(chunks, gaps, strict=True):
        if gap:
            yield Pause(gap)
        yield b"data: " + encode_json(chunk) + b"\n\n"
    yield b"data: [DONE]\n\n"


def stream_record(
    record: Record, clock: Clock, after: int | None = None, obfuscated: bool = True
) -> Iterator[Step]:
    """The events of a response as they fall due, from the one after sequence number `after`.

    `obfuscated=False` leaves the padding out that hides the length of deltas.

    A cancelled background response's stream ends where it was; any background stream ends after
    five minutes.
    """
    start = 0 if after is None else after + 1
    closes_at = clock.now() + STREAM_LIMIT_SECONDS if record.is_background else None
    for index in range(start, len(record.events)):
        if record.due is not None:
            yield from _wait(record, record.due[index], clock, closes_at)
            was_cancelled = (
                record.cancelled_at is not None and record.due[index] > record.cancelled_at
            )
            if was_cancelled or (closes_at is not None and clock.now() >= closes_at):
                return
        event = record.events[index]
        yield frame(event if obfuscated else _without_padding(event))


def _without_padding(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "obfuscation"}


def _wait(record: Record, due: float, clock: Clock, closes_at: float | None) -> Iterator[Step]:
    until = due if closes_at is None else min(due, closes_at)
    # In slices, so that a cancellation or a moved clock is noticed while waiting.
    while (left := until - clock.now()) > 0 and record.cancelled_at is None:
        yield Pause(min(left, 0.25) if record.is_background else left)
