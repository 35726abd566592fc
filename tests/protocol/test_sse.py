"""Server-sent events, against the standard's own examples and a plain reference reader."""

import itertools
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azure_responses.protocol.sse import ServerSentEvent, SSEDecoder
from tests.recordings import exchanges

_Pairs = list[tuple[str | None, bytes]]


def _decode(*chunks: bytes) -> _Pairs:
    """The events that are complete without the flush."""
    decoder = SSEDecoder()
    return [(name, data) for chunk in chunks for name, data in decoder.feed(chunk)]


def _reference(stream: bytes) -> tuple[_Pairs, _Pairs]:
    """The standard's algorithm on the whole stream: its events, and what a flush would add."""
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    *lines, rest = text.split(b"\n")
    name: str | None = None
    data: list[bytes] = []
    events: _Pairs = []
    for line in [*lines, None, rest, b""]:
        if line is None:
            complete = len(events)
            continue
        if line == b"" and data:
            events.append((name, b"\n".join(data)))
        if line == b"":
            name, data = None, []
            continue
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if field == b"data":
            data.append(value)
        if field == b"event":
            name = value.decode("utf-8", "replace") or None
    return events[:complete], events[complete:]


# Characters that end a line for str.splitlines, but not in a stream.
_ODD_SPACE = '{"t": "\u2028\u2029\x0b\x0c\x1c\x85"}'.encode()


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [(None, b"YHOO\n+2\n10")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\n"
            b"data:second event\nid\n\ndata:  third event\n\n",
            [(None, b"first event"), (None, b"second event"), (None, b" third event")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [(None, b""), (None, b"\n")]),
        (b"data:test\n\ndata: test\n\n", [(None, b"test"), (None, b"test")]),
        (b"event: add\ndata: 1\n\ndata: 2\n\n", [("add", b"1"), (None, b"2")]),
        (b"event: lost\n\ndata: 2\n\n", [(None, b"2")]),
        (b"event:\ndata: 1\n\n", [(None, b"1")]),
        (b"event: a\nevent: b\ndata: 1\n\n", [("b", b"1")]),
        (b"retry: 10\nnonsense: x\ndata: 1\n\n", [(None, b"1")]),
        (b"data: " + _ODD_SPACE + b"\n\n", [(None, _ODD_SPACE)]),
        (b"\xef\xbb\xbfdata: 1\n\n", [(None, b"1")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\n\n", []),
        (b"data: 1\r\rdata: 2\r\n\r\ndata: 3\n\r\n", [(None, b"1"), (None, b"2"), (None, b"3")]),
        (b"data: 1", []),
        (b"data: 1\n", []),
        (b"", []),
        (b"<html><body>502</body></html>\n\n", []),
        (b"event: \xff\ndata: \xff\n\n", [("\ufffd", b"\xff")]),
    ],
)
def test_the_standards_rules(stream: bytes, expected: _Pairs) -> None:
    assert _decode(stream) == expected
    assert _decode(*(stream[i : i + 1] for i in range(len(stream)))) == expected
    assert _reference(stream)[0] == expected


_LINES = st.sampled_from(
    [
        b"",
        b"",
        b"data: {}",
        b"data:",
        b"data",
        b"data:  x ",
        b"event: response.created",
        b"event:",
        b": comment",
        b"id: 7",
        b"retry: 3",
        b"\xef\xbb\xbfdata: bom",
        b'data: {"text": "\xe2\x80\xa8"}',
        b"datax: no",
    ]
)
_ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


@st.composite
def _streams(draw: st.DrawFn) -> bytes:
    lines = draw(st.lists(st.tuples(_LINES | st.binary(max_size=6), _ENDS), max_size=20))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef"]))
    return mark + b"".join(line + end for line, end in lines) + draw(_LINES)


def _split(stream: bytes, cuts: list[int]) -> list[bytes]:
    points = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(points)]


@given(_streams(), st.lists(st.integers(0, 200), max_size=30))
@example(b"data: 1\r\n\r\ndata: 2\r\n\r\n", [8, 8, 9])
@example(b"\xef\xbb\xbfdata: 1\n\n", [0, 1, 2])
@example(b"\xef\xbb", [])
def test_any_split_gives_the_events_of_the_whole(stream: bytes, cuts: list[int]) -> None:
    complete, left = _reference(stream)
    for chunks in ([stream], _split(stream, cuts)):
        decoder = SSEDecoder()
        events = [tuple(event) for chunk in chunks for event in decoder.feed(chunk)]
        assert events == complete
        assert [tuple(event) for event in decoder.flush()] == left


def test_every_recorded_stream_is_read_alike_whole_and_in_pieces() -> None:
    streams = [exchange.sse.encode() for exchange in exchanges() if exchange.sse]
    assert len(streams) > 20
    for stream in streams:
        complete, left = _reference(stream)
        for size in (7, 64, 4096):
            decoder = SSEDecoder()
            found: list[ServerSentEvent] = []
            for start in range(0, len(stream), size):
                found += decoder.feed(stream[start : start + size])
            assert [tuple(event) for event in found] == complete
            assert [tuple(event) for event in decoder.flush()] == left


@pytest.mark.parametrize(
    ("stream", "left"),
    [
        (b"data: 1", [(None, b"1")]),
        (b"event: e\ndata: 1\n", [("e", b"1")]),
        (b"event: e", []),
        (b"", []),
        (b"data: 1\n\n", []),
        (b"\xef\xbb\xbfdata: 1", [(None, b"1")]),
    ],
)
def test_flush_offers_what_a_trimmed_end_left(stream: bytes, left: _Pairs) -> None:
    decoder = SSEDecoder()
    decoder.feed(stream)
    assert [tuple(event) for event in decoder.flush()] == left
    assert decoder.flush() == []


def _seconds(stream: bytes, size: int) -> float:
    best = float("inf")
    for _ in range(3):
        decoder = SSEDecoder()
        started = time.perf_counter()
        count = sum(len(decoder.feed(stream[i : i + size])) for i in range(0, len(stream), size))
        best = min(best, time.perf_counter() - started)
        assert count >= 1
    return best


def test_one_huge_event_costs_about_what_as_many_bytes_of_small_events_do() -> None:
    huge = b"data: " + b"x" * 2_000_000 + b"\n\n"
    small = (b"data: " + b"x" * 500 + b"\n\n") * 4_000
    # A decoder that joins its buffer again for every chunk is a thousand times slower here.
    assert _seconds(huge, 512) < 10 * _seconds(small, 512) + 0.01
