"""A WebSocket server that answers `response.create` as a test says, and notes what it met."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

__all__ = ["Answer", "WebSocketServer", "answer_whole", "events_of", "refusal"]

Answer = Callable[[ServerConnection, dict[str, Any], int], None]


def refusal(status: int, body: str = "{}", **headers: str) -> Response:
    """The HTTP reply that refuses a handshake."""
    content = {name.replace("_", "-"): value for name, value in headers.items()}
    content |= {"content-type": "application/json", "content-length": str(len(body))}
    return Response(status, "refused", Headers(content), body.encode())


def events_of(number: int, text: str = "hi") -> list[dict[str, Any]]:
    """The events of a response, in order."""
    response = {"id": f"resp_{number}", "object": "response", "status": "in_progress", "output": []}
    delta = {"item_id": "m", "output_index": 0, "content_index": 0, "delta": text, "logprobs": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response},
        {"type": "response.output_text.delta", **delta},
        {"type": "response.completed", "response": {**response, "status": "completed"}},
    ]
    return [{**event, "sequence_number": index} for index, event in enumerate(events)]


def answer_whole(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
    """A short answer to every request."""
    for event in events_of(number):
        connection.send(json.dumps(event))


class WebSocketServer:
    """Serves `answer(connection, request, number)` for each request; numbers begin with 1.

    Args:
        answer: what each request is answered with.
        refuse: what the handshakes are answered with, the first one first; None accepts.
        context: for TLS.
        most_bytes: of a frame.

    Attributes:
        url: as the endpoint of a client.
        handshakes: the requests for a WebSocket.
        requests: the frames that came, and on which socket.
        answer: may be replaced.
        closed: the codes that sockets ended with.
    """

    def __init__(
        self,
        answer: Answer = answer_whole,
        *,
        refuse: Sequence[Response | None] = (),
        context: ssl.SSLContext | None = None,
        most_bytes: int | None = None,
    ) -> None:
        self.handshakes: list[Request] = []
        self.requests: list[tuple[int, dict[str, Any]]] = []
        self.closed: list[int | None] = []
        self.answer = answer
        self._refusals = list(refuse)
        self._context = context
        self._most_bytes = most_bytes
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def wait_for_close(self, count: int = 1, seconds: float = 5.0) -> bool:
        """True as soon as so many sockets have ended."""
        deadline = time.monotonic() + seconds
        while len(self.closed) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        return len(self.closed) >= count

    def __enter__(self) -> "WebSocketServer":
        self._server = serve(
            self._serve,
            "127.0.0.1",
            0,
            ssl=self._context,
            process_request=self._receive,
            compression=None,
            max_size=self._most_bytes,
            close_timeout=0.2,
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        # Waits with time.sleep, which tests replace in their own thread to count the client's.
        closing = threading.Thread(target=self._server.shutdown)
        closing.start()
        closing.join()
        self._thread.join(5)

    def _receive(self, _connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request)
        return self._refusals.pop(0) if self._refusals else None

    def _serve(self, connection: ServerConnection) -> None:
        socket_number = len(self.handshakes)
        try:
            for text in connection:
                request = json.loads(text)
                self.requests.append((socket_number, request))
                self.answer(connection, request, len(self.requests))
        except ConnectionClosed:
            pass
        connection.close()
        self.closed.append(connection.close_code)
