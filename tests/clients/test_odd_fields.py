"""One odd field never costs the answer, and never makes it empty without an error."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.bridge import BridgedRequest, ChatStream, accumulate_chunks, to_chat_completion
from azure_responses.errors import UnreadableResponseError
from azure_responses.pricing import cost
from azure_responses.protocol.decode import decode
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.partial_response import TextPieces
from azure_responses.protocol.stream import ResponseStream
from azure_responses.types import EVENT_TYPES, ITEM_TYPES, Refusal, Response
from azure_responses.types.content import ReasoningText, SummaryText
from tests.odd_fields import oddities, replaced, sample
from tests.protocol.samples import make_call, make_typed_call

ANSWER = "The answer."
TEXT = {
    "type": "output_text",
    "text": ANSWER,
    "annotations": [
        {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 3},
        {"type": "file_citation", "file_id": "f", "filename": "n", "index": 1},
    ],
    "logprobs": [{"token": "The", "logprob": -0.1, "bytes": [84], "top_logprobs": []}],
}
MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "phase": "final_answer",
    "content": [TEXT],
}
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 14,
}
BODY = {
    **sample(Response, 2),
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "model": "gpt-5-mini",
    "output": [MESSAGE],
    "usage": USAGE,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
}
REQUEST = BridgedRequest({})


def _items() -> Iterator[dict[str, Any]]:
    """An item of every kind besides the message, and parts of the other kinds."""
    for kind, model in ITEM_TYPES.items():
        if kind != "message":
            yield sample(model)
    for part in (Refusal, ReasoningText, SummaryText):
        yield {**MESSAGE, "id": "msg_0", "phase": "commentary", "content": [sample(part)]}


# An empty answer, and another one, are no odd fields.
_ORDINARY = [
    (("output",), []),
    (("output", 0, "content"), []),
    (("output", 0, "content"), "surprise"),
    (("output", 0, "content"), ["surprise"]),
    (("output", 0, "content", 0), "surprise"),
    (("output", 0, "content", 0, "text"), "surprise"),
]


def _bodies() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Where what is odd, and the response with it."""
    for path, odd in oddities(BODY):
        if (path, odd) not in _ORDINARY:
            yield (path, odd), replaced(BODY, path, odd)
    for item in _items():
        body = {**BODY, "output": [item, MESSAGE]}
        for path, odd in oddities(item):
            place = ("output", 0, *path)
            yield (item["type"], path, odd), replaced(body, place, odd)


def _whole(body: dict[str, Any]) -> Response:
    reply = Reply(200, {"apim-request-id": "a"}, json.dumps(body).encode())
    return decode(make_typed_call(Response), reply, 0.0)


def _check_whole(body: dict[str, Any]) -> bool:
    """True where the text was read, False where the error says what could not be."""
    try:
        response = _whole(body)
    except UnreadableResponseError as error:
        refusal = error
    else:
        return _check_read(response, body)
    assert "output" in refusal.message
    assert isinstance(refusal.response, Response)
    assert refusal.response.to_dict() == body
    return False


def _check_read(response: Response, body: dict[str, Any]) -> bool:
    assert response.to_dict() == body
    assert json.loads(response.to_json()) == body
    # A part of another kind that has lost its type may stand before it.
    assert response.output_text.endswith(ANSWER)
    content = to_chat_completion(response, REQUEST).choices[0].message.content
    assert content is not None
    assert content.endswith(ANSWER)
    cost(response)
    return True


def _outcomes(cases: Iterator[tuple[Any, Any]], check: Any) -> Counter[bool]:
    """How many cases were read and how many refused by name; all that are neither fail at once."""
    outcomes: Counter[bool] = Counter()
    wrong = []
    for where, case in cases:
        try:
            outcomes[check(case)] += 1
        except Exception as error:
            wrong.append((where, repr(error)[:200]))
    assert wrong == []
    return outcomes


def test_no_odd_field_of_a_response_costs_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = _outcomes(_bodies(), _check_whole)
    with capsys.disabled():
        print(f" [{outcomes.total()} replies, {outcomes[False]} refused by name]", end="")
    assert outcomes[True] > 3_000
    # Only what is the text itself, or around it, cannot be done without.
    assert 10 < outcomes[False] < 60


def _numbered(*events: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def _events() -> list[dict[str, Any]]:
    opening = {**BODY, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    started = {**MESSAGE, "status": "in_progress", "content": []}
    empty = {**TEXT, "text": "", "annotations": [], "logprobs": []}
    logprobs = TEXT["logprobs"]
    kind = "response.output_text"
    return _numbered(
        {"type": "response.created", "response": opening},
        {"type": "response.in_progress", "response": opening},
        {"type": "response.output_item.added", "output_index": 0, "item": started},
        {"type": "response.content_part.added", **place, "part": empty},
        {"type": f"{kind}.delta", **place, "delta": "The ", "logprobs": logprobs},
        {"type": f"{kind}.delta", **place, "delta": "answer", "obfuscation": "x"},
        {"type": f"{kind}.delta", **place, "delta": "."},
        {"type": f"{kind}.done", **place, "text": ANSWER, "logprobs": logprobs},
        {"type": "response.content_part.done", **place, "part": TEXT},
        {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE},
        {"type": "response.completed", "response": BODY},
    )


_Streams = Iterator[tuple[Any, list[dict[str, Any]]]]


def _streams() -> _Streams:
    events = _events()
    for index, event in enumerate(events):
        for path, odd in oddities(event):
            if (path[1:], odd) not in _ORDINARY:
                yield (event["type"], path, odd), replaced(events, (index, *path), odd)


def _habitual_streams() -> _Streams:
    """Every gateway's own habit: the same field is odd in each event of a kind."""
    events = _events()
    for delta in (events[4], events[2], events[9]):
        for path, odd in oddities(delta):
            yield (
                (delta["type"], path, odd),
                [
                    replaced(event, path, odd) if _has(event, path, delta["type"]) else event
                    for event in events
                ],
            )


def _has(event: Any, path: Any, kind: str) -> bool:
    for name in path:
        event = event.get(name) if isinstance(event, dict) else None
    return event is not None


def _other_streams() -> _Streams:
    """Streams with one event of every other kind, each of its fields odd in turn."""
    events = _events()
    known = {event["type"] for event in events} | {"error", "response.failed"}
    for kind, model in EVENT_TYPES.items():
        if kind in known or kind in ("response.incomplete", "response.queued"):
            continue
        event = {**sample(model), "output_index": 3, "sequence_number": 5}
        for path, odd in oddities(event):
            if kind == "response.steer.failed" and path == ("type",):
                # Without its type it is an object with an error: the end of a stream.
                continue
            stream = [*events[:5], replaced(event, path, odd), *events[5:]]
            yield (kind, path, odd), stream


class _Read:
    """What comes of a stream, read as a client and as the chat bridge read it."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        names = [event["type"] for event in _events()]
        if len(events) > len(names):
            names.insert(5, str(events[5].get("type")))
        stream = ResponseStream(make_call(max_retries=0))
        stream.open({}, 0.0)
        chat, pieces = ChatStream(REQUEST), TextPieces()
        self.text = ""
        self.chunks: list[Any] = []
        data = b"".join(
            b"event: %b\ndata: %b\n\n" % (name.encode(), json.dumps(event).encode())
            for name, event in zip(names, events, strict=True)
        )
        for event in [*stream.receive(data), *stream.end()]:
            self.text += pieces.take(event) or ""
            self.chunks += chat.feed(event)
        stream.next_step(None, 0.0, 0.0, 0.0)
        self.chunks += chat.finish()
        assert stream.final_response is not None
        self.final = stream.final_response
        self.completion = chat.final


def _check_stream(events: list[dict[str, Any]]) -> bool:
    try:
        read = _Read(events)
    except UnreadableResponseError:
        return False
    assert read.final.output_text == ANSWER
    assert read.text == ANSWER
    assert read.completion is not None
    assert read.completion.choices[0].message.content == ANSWER
    assert accumulate_chunks(read.chunks).choices[0].message.content == ANSWER
    return True


@pytest.mark.parametrize("streams", [_streams, _habitual_streams, _other_streams])
def test_no_odd_field_of_a_stream_costs_its_text(
    streams: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = _outcomes(streams(), _check_stream)
    with capsys.disabled():
        print(f" [{outcomes.total()} streams, {outcomes[False]} refused by name]", end="")
    assert outcomes[True] > 100
    assert outcomes[False] < 30
