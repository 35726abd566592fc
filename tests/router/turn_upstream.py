"""A resource that serves responses over WebSocket and over HTTP, as a test scripts it.

It knows what the service would know: a socket the latest response it made, `stored` what was made
with `store` unset or true. It shares no code with the package or its emulator.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import uvicorn

__all__ = ["Received", "TurnUpstream", "message"]

Answer = Callable[[dict[str, Any], int], list[dict[str, Any]]]


@dataclass(frozen=True)
class Received:
    """A request: the number of the socket that it came over, 0 for HTTP, and its body."""

    socket: int
    body: dict[str, Any]
    path: str = ""

    @property
    def kinds(self) -> list[str]:
        """The types of the items of its input."""
        given = self.body.get("input")
        items = given if isinstance(given, list) else []
        return [item.get("type", "message") for item in items]


def message(text: str, number: int = 0) -> dict[str, Any]:
    """An answer of the model."""
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return {
        "type": "message",
        "id": f"msg_{number}",
        "role": "assistant",
        "status": "completed",
        "content": content,
    }


class TurnUpstream:
    """One resource.

    Args:
        answer: the output of a request, by its body and its number, which begins with 1.
        offers_sockets: False answers a handshake with 404.

    Attributes:
        requests: what came, in order.
        handshakes: how many sockets were opened.
        open: how many are open.
        faults: what the next turns over WebSocket do in place of answering: `"lost"` before any
            event, `"cut"` after the first delta, an object as an `error` frame.
        http_faults: (status, body) of the next requests over HTTP.
        steered: the frames of `response.steer` that came.
        holds: set it to let an answer wait before its terminal event.
    """

    def __init__(self, answer: Answer | None = None, *, offers_sockets: bool = True) -> None:
        self.answer: Answer = answer or (lambda _, number: [message(f"answer {number}", number)])
        self.offers_sockets = offers_sockets
        self.requests: list[Received] = []
        self.handshakes = 0
        self.open = 0
        self.faults: deque[Any] = deque()
        self.http_faults: deque[tuple[int, dict[str, Any]]] = deque()
        self.stored: set[str] = set()
        self.steered: list[dict[str, Any]] = []
        self.waits_for_steer = False
        self._server: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __enter__(self) -> "TurnUpstream":
        config = uvicorn.Config(
            self._serve,
            port=0,
            interface="asgi3",
            log_level="error",
            ws="websockets-sansio",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            pass
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.should_exit = True
        self._thread.join(5)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
        else:
            await self._serve_http(scope, receive, send)

    async def _serve_http(self, scope: Any, receive: Any, send: Any) -> None:
        content, more = b"", True
        while more:
            part = await receive()
            content, more = content + part.get("body", b""), part.get("more_body", False)
        body = json.loads(content)
        self.requests.append(Received(0, body, scope["path"]))
        refusal = self._refusal(body, None)
        if self.http_faults:
            refusal = self.http_faults.popleft()
        if refusal is not None:
            await _send(send, refusal[0], "application/json", json.dumps(refusal[1]).encode())
            return
        if scope["path"].endswith("/chat/completions"):
            sse = b"".join(b"data: %b\n\n" % part.encode() for part in _chunks(self, body))
        else:
            events = self._events(body, len(self.requests))
            lines = (f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)
            sse = "".join(lines).encode()
        await _send(send, 200, "text/event-stream", sse)

    async def _serve_socket(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if not self.offers_sockets:
            start = {"type": "websocket.http.response.start", "status": 404, "headers": []}
            await send(start)
            await send({"type": "websocket.http.response.body", "body": b""})
            return
        await send({"type": "websocket.accept"})
        self.handshakes += 1
        self.open += 1
        number, latest = self.handshakes, [""]
        try:
            while True:
                frame = await receive()
                if frame["type"] == "websocket.disconnect":
                    return
                if not await self._turn(json.loads(frame["text"]), number, latest, send, receive):
                    await send({"type": "websocket.close", "code": 1011})
                    return
        finally:
            self.open -= 1

    async def _turn(
        self, frame: dict[str, Any], number: int, latest: list[str], send: Any, receive: Any
    ) -> bool:
        """Answer one frame; False to close the socket."""
        body = {name: value for name, value in frame.items() if name != "type"}
        assert frame["type"] == "response.create"
        self.requests.append(Received(number, body))
        fault = self.faults.popleft() if self.faults else None
        if fault == "lost":
            return False
        refusal = self._refusal(body, latest[0])
        if isinstance(fault, dict):
            refusal = fault["status"], fault
        if refusal is not None:
            if body.get("previous_response_id") == latest[0]:
                latest[0] = ""
            await _frame(send, {"type": "error", "status": refusal[0], **refusal[1]})
            return True
        for event in self._events(body, len(self.requests)):
            if event["type"] == "response.completed" and self.waits_for_steer:
                await self._take_steer(event, body, number, latest, send, receive)
                return True
            await _frame(send, event)
            if fault == "cut" and event["type"].endswith(".delta"):
                return False
        latest[0] = event["response"]["id"]
        return True

    async def _take_steer(
        self,
        event: dict[str, Any],
        body: dict[str, Any],
        number: int,
        latest: list[str],
        send: Any,
        receive: Any,
    ) -> None:
        """Wait for a steer, end the response, and begin its successor by itself."""
        self.waits_for_steer = False
        steer = json.loads((await receive())["text"])
        self.steered.append(steer)
        told = {"id": "steer_1", "previous_response_id": steer["previous_response_id"]}
        await _frame(
            send, {"type": "response.steer.accepted", "sequence_number": 50, "steer": told}
        )
        response = event["response"]
        response |= {"status": "incomplete", "incomplete_details": {"reason": "steered"}}
        await _frame(send, {**event, "type": "response.incomplete", "response": response})
        await asyncio.sleep(0.02)
        latest[0] = response["id"]
        for one in self._events({**body, "previous_response_id": latest[0]}, 900):
            await _frame(send, one)
        latest[0] = one["response"]["id"]

    def _refusal(
        self, body: dict[str, Any], latest: str | None
    ) -> tuple[int, dict[str, Any]] | None:
        previous = body.get("previous_response_id")
        if previous is None or previous == latest or previous in self.stored:
            return None
        error = {
            "type": "invalid_request_error",
            "code": "previous_response_not_found",
            "message": f"Previous response with id '{previous}' not found.",
            "param": "previous_response_id",
        }
        return 400, {"error": error}

    def _events(self, body: dict[str, Any], number: int) -> list[dict[str, Any]]:
        response_id = f"resp_{number:032}"
        if body.get("store") is not False:
            self.stored.add(response_id)
        output = self.answer(body, number)
        shown = ENCRYPTED in (body.get("include") or ())
        for item in output:
            if not shown:
                item.pop("encrypted_content", None) if item["type"] == "reasoning" else None
        response = {
            "id": response_id,
            "object": "response",
            "created_at": 1,
            "model": body["model"],
            "status": "in_progress",
            "store": body.get("store") is not False,
            "previous_response_id": body.get("previous_response_id"),
            "output": [],
        }
        usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        delta = {"item_id": "msg_0", "output_index": 0, "content_index": 0, "delta": "hi"}
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": response},
            {"type": "response.in_progress", "response": response},
            {"type": "response.output_text.delta", "logprobs": [], **delta},
            *(
                {"type": "response.output_item.done", "output_index": place, "item": item}
                for place, item in enumerate(output)
            ),
            {
                "type": "response.completed",
                "response": {**response, "status": "completed", "output": output, "usage": usage},
            },
        ]
        return [{**event, "sequence_number": place} for place, event in enumerate(events)]


ENCRYPTED = "reasoning.encrypted_content"


def _chunks(upstream: TurnUpstream, body: dict[str, Any]) -> list[str]:
    """The chunks of a chat completion."""
    upstream.answer(body, len(upstream.requests))
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    said = {"index": 0, "delta": {"role": "assistant", "content": "hi"}, "finish_reason": None}
    ended = {"index": 0, "delta": {}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return [
        json.dumps({**head, "choices": [said]}),
        json.dumps({**head, "choices": [ended]}),
        json.dumps({**head, "choices": [], "usage": usage}),
        "[DONE]",
    ]


async def _send(send: Any, status: int, kind: str, content: bytes) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _frame(send: Any, event: dict[str, Any]) -> None:
    await send({"type": "websocket.send", "text": json.dumps(event)})
