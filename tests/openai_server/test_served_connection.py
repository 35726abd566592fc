"""One WebSocket connection of a caller: turns, lanes, chains, steering, and how it ends."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.errors import BadRequestError, InternalServerError
from azure_responses.openai_server.served_connection import ServedConnection
from azure_responses.openai_server.turn_queue import WebSocketLimits
from azure_responses.router import Router
from azure_responses.router._async.routed_connection import AsyncRoutedConnection
from tests.openai_server.connections import SSE, Caller, Perform, open_caller, open_caller_of, sse
from tests.openai_server.servers import make_emulator, rows

pytestmark = pytest.mark.anyio

STEER = {"type": "response.steer", "input": "Stop."}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def router() -> Iterator[Router]:
    with Router(rows("east")) as router:
        yield router


class Upstream:
    """Makes turns by hand: each begins, and ends when it is allowed to."""

    def __init__(self, *, waits: bool = True) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.most_at_once = self.at_once = self.given_up = 0
        self.waits = waits
        self.gates: dict[str, asyncio.Event] = {}

    def end(self, name: str) -> None:
        self.gates.setdefault(name, asyncio.Event()).set()

    async def begun(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.bodies) < count:
                await asyncio.sleep(0.001)

    async def perform(self, body: bytes, turn: Any, send: Any) -> None:
        sent = json.loads(body)
        name = sent["input"]
        self.bodies.append(sent)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            created = {"type": "response.created", "response": {"id": f"resp_{name}"}}
            turn.show(created)
            await send({"type": "http.response.start", "status": 200, "headers": SSE})
            await send({"type": "http.response.body", "body": sse(created), "more_body": True})
            if self.waits:
                await self.gates.setdefault(name, asyncio.Event()).wait()
            response = {"id": f"resp_{name}", "status": "completed", "output": [], "store": False}
            ended = {"type": "response.completed", "response": response}
            await send({"type": "http.response.body", "body": sse(turn.show(ended))})
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        finally:
            self.at_once -= 1


def refuse(status: int, code: str) -> Perform:
    """Turns that are refused."""

    async def perform(body: bytes, turn: Any, send: Any) -> None:
        error = {"error": {"code": code, "message": "No.", "type": "t", "param": None}}
        headers = [(b"content-type", b"application/json"), (b"Retry-After", b"2")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(error).encode()})

    return perform


async def test_a_turn_brings_the_events_of_a_stream_and_stays_open_for_the_next() -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:
        first = await caller.turn(model="chat", input="Say hello")
        assert first[0]["type"] == "response.created"
        assert first[-1]["type"] == "response.completed"
        assert not any("stream_id" in frame for frame in first)
        second = await caller.turn(model="chat", input="Say hello")
        assert second[-1]["type"] == "response.completed"
        assert first[-1]["response"]["id"] != second[-1]["response"]["id"]


async def test_frames_of_a_named_lane_carry_its_name() -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:
        frames = await caller.turn(model="chat", input="Say hello", stream_id="a.b-c_1")
        assert {frame["stream_id"] for frame in frames} == {"a.b-c_1"}


async def test_a_chain_that_no_service_stores_is_kept_by_the_connection() -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:
        (*_, first) = await caller.turn(model="chat", input="My name is Ada.", store=False)
        previous = first["response"]["id"]
        (*_, second) = await caller.turn(
            input="What is my name?", store=False, previous_response_id=previous
        )
        assert second["type"] == "response.completed"
        assert second["response"]["previous_response_id"] == previous
        assert "Ada" in str(second["response"]["output"])


async def test_a_warm_up_has_no_output_and_is_what_a_chain_begins_with() -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:
        warm = await caller.turn(
            model="chat", input="My name is Ada.", generate=False, stream_id="a"
        )
        assert [frame["type"] for frame in warm] == ["response.created", "response.completed"]
        assert {frame["stream_id"] for frame in warm} == {"a"}
        response = warm[-1]["response"]
        assert response["output"] == []
        assert response["usage"]["total_tokens"] == 0
        (*_, second) = await caller.turn(
            input="What is my name?", previous_response_id=response["id"], stream_id="a"
        )
        assert "Ada" in str(second["response"]["output"])


async def test_a_warm_up_is_refused_as_a_turn_would_be(router: Router) -> None:
    asked = []

    async def check(body: bytes, turn: Any) -> None:
        asked.append(json.loads(body))
        raise BadRequestError("Not this model.", status_code=403, code="model_not_allowed")

    perform = Upstream().perform
    async with open_caller_of(router, perform, check=check) as caller:
        (refused,) = await caller.turn(model="chat", input="x", generate=False, stream_id="a")
        assert (refused["status"], refused["error"]["code"]) == (403, "model_not_allowed")
        assert refused["stream_id"] == "a"
        assert asked == [{"model": "chat", "input": "x", "stream": True}]


async def test_a_warm_up_with_a_wrong_parameter_is_refused_and_the_connection_stays() -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:
        (refused,) = await caller.turn(model="chat", input="x", tools=["y"], generate=False)
        assert refused["error"]["code"] == "invalid_type"
        assert (await caller.turn(model="chat", input="hi"))[-1]["type"] == "response.completed"


@pytest.mark.parametrize("lane", [None, "a"])
async def test_an_unknown_previous_response_is_refused_in_the_words_of_the_protocol(
    lane: str | None,
) -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:
        named = {} if lane is None else {"stream_id": lane}
        asked = {"store": False, "previous_response_id": "resp_abc", **named}
        (refused,) = await caller.turn(model="chat", input="x", **asked)
        assert refused == {
            "type": "error",
            "status": 400,
            "error": {
                "type": "invalid_request_error",
                "code": "previous_response_not_found",
                "message": "Previous response with id 'resp_abc' not found.",
                "param": "previous_response_id",
            },
            **named,
        }
        assert (await caller.turn(model="chat", input="hi"))[-1]["type"] == "response.completed"


async def test_a_refused_continuation_forgets_its_response_and_a_refused_fork_does_not() -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:

        async def begin() -> dict[str, Any]:
            (*_, first) = await caller.turn(
                model="chat", input="My name is Ada.", store=False, stream_id="a"
            )
            return {"store": False, "previous_response_id": first["response"]["id"]}

        chain = await begin()
        (refused,) = await caller.turn(input="x", temperature="hot", **chain, stream_id="b")
        assert refused["type"] == "error"
        (*_, found) = await caller.turn(input="What is my name?", **chain, stream_id="b")
        assert "Ada" in str(found["response"]["output"])
        chain = await begin()
        (refused,) = await caller.turn(input="x", temperature="hot", **chain, stream_id="a")
        assert refused["error"]["code"] != "previous_response_not_found"
        (refused,) = await caller.turn(input="x", **chain, stream_id="a")
        assert refused["error"]["code"] == "previous_response_not_found"


async def test_the_model_of_the_query_or_of_the_first_turn_serves_turns_without_one(
    router: Router,
) -> None:
    upstream = Upstream(waits=False)
    async with open_caller_of(router, upstream.perform) as caller:
        await caller.turn(model="chat", input="1")
        await caller.turn(input="2")
        await caller.turn(model="other", input="3")
        await caller.turn(input="4")
    async with open_caller_of(router, upstream.perform, model="query") as caller:
        await caller.turn(input="5")
        await caller.turn(model="chat", input="6")
    models = [body["model"] for body in upstream.bodies]
    assert models == ["chat", "chat", "other", "chat", "query", "chat"]


async def test_turns_of_one_lane_follow_one_another_and_lanes_are_made_at_once(
    router: Router,
) -> None:
    upstream = Upstream()
    async with open_caller_of(router, upstream.perform) as caller:
        for lane in ("a", "b"):
            for number in (1, 2):
                caller.create(model="chat", input=f"{lane}{number}", stream_id=lane)
        await upstream.begun(2)
        assert [await caller.receive(), await caller.receive()]
        upstream.end("b1")
        assert (await caller.receive())["response"]["id"] == "resp_b1"
        assert (await caller.receive())["response"]["id"] == "resp_b2"
        for name in ("a1", "a2", "b2"):
            upstream.end(name)
        await upstream.begun(4)
        order = [body["input"] for body in upstream.bodies]
        assert order.index("a1") < order.index("a2")


async def test_sixteen_turns_are_made_at_once_and_thirty_two_lanes_have_names(
    router: Router,
) -> None:
    upstream = Upstream()
    async with open_caller_of(router, upstream.perform) as caller:
        for number in range(32):
            caller.create(model="chat", input=f"{number}", stream_id=f"lane{number}")
        caller.create(model="chat", input="default")
        caller.create(model="chat", input="x", stream_id="one-more")
        await upstream.begun(16)
        frames = [await caller.receive() for _ in range(17)]
        (refused,) = [frame for frame in frames if frame["type"] == "error"]
        assert refused["error"]["code"] == "websocket_stream_limit_reached"
        assert refused["stream_id"] == "one-more"
        for number in range(32):
            upstream.end(f"{number}")
        upstream.end("default")
        rest = [await caller.receive() for _ in range(2 * 33 - 16)]
        assert {frame["type"] for frame in rest} == {"response.created", "response.completed"}
        assert upstream.most_at_once == 16


async def test_turns_beyond_those_that_may_wait_are_refused(router: Router) -> None:
    upstream = Upstream()
    async with open_caller_of(router, upstream.perform, WebSocketLimits(most_waiting=1)) as caller:
        for name in ("1", "2", "3"):
            caller.create(model="chat", input=name, stream_id="a")
        await upstream.begun(1)
        frames = [await caller.receive(), await caller.receive()]
        (refused,) = [frame for frame in frames if frame["type"] == "error"]
        assert (refused["status"], refused["stream_id"]) == (429, "a")
        upstream.end("1")
        upstream.end("2")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "invalid_json"),
        ("[]", "invalid_json"),
        ("", "invalid_json"),
        ('{"type":"response.create","input":"a","input":"b"}', "invalid_json"),
        ('{"type":"response.create","temperature":1e999}', "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ({"type": "response.inject"}, "invalid_value"),
        ({"input": "x"}, "invalid_value"),
        ({"type": "response.create", "stream_id": ""}, "invalid_stream_id"),
        ({"type": "response.create", "generate": 1}, "invalid_value"),
    ],
)
async def test_a_frame_that_asks_for_nothing_is_refused_and_the_connection_stays(
    router: Router, frame: Any, code: str
) -> None:
    upstream = Upstream(waits=False)
    async with open_caller_of(router, upstream.perform) as caller:
        await caller.turn(model="chat", input="1")
        caller.send(frame)
        refused = await caller.receive()
        assert (refused["type"], refused["status"], refused["error"]["code"]) == (
            "error", 400, code,
        )  # fmt: skip
        assert (await caller.turn(input="2"))[-1]["type"] == "response.completed"


@pytest.mark.parametrize("frame", [{"type": "session.update"}, {}, STEER])
async def test_a_first_frame_of_another_type_ends_the_connection(
    router: Router, frame: dict[str, Any]
) -> None:
    async with open_caller_of(router, Upstream().perform) as caller:
        caller.send(frame)
        assert (await caller.receive())["error"]["param"] == "type"
        assert (await caller.closed()).code == 1008


async def test_a_first_frame_that_does_not_come_in_time_ends_the_connection(
    router: Router,
) -> None:
    limits = WebSocketLimits(first_seconds=0.02)
    async with open_caller_of(router, Upstream().perform, limits) as caller:
        caller.send("{")
        assert (await caller.receive())["error"]["code"] == "invalid_json"
        assert (await caller.receive())["type"] == "error"
        assert (await caller.closed()).code == 1008


async def test_a_binary_frame_ends_the_connection_and_its_turns(router: Router) -> None:
    upstream = Upstream()
    async with open_caller_of(router, upstream.perform) as caller:
        caller.create(model="chat", input="1")
        await upstream.begun(1)
        caller.send(b"{}")
        assert (await caller.closed()).code == 1003
        assert upstream.given_up == 1


async def test_a_large_frame_is_read_and_passed(router: Router) -> None:
    upstream = Upstream(waits=False)
    async with open_caller_of(router, upstream.perform) as caller:
        await caller.turn(model="chat", instructions="ä" * 1_000_000, input="1")
        assert len(upstream.bodies[0]["instructions"]) == 1_000_000


async def test_a_caller_who_leaves_gives_up_the_turns(router: Router) -> None:
    upstream = Upstream()
    async with open_caller_of(router, upstream.perform) as caller:
        for lane in ("a", "b"):
            caller.create(model="chat", input=lane, stream_id=lane)
        caller.create(model="chat", input="waits", stream_id="a")
        await upstream.begun(2)
        caller.send(None)
        assert (await caller.closed()).code == 1006
        assert (upstream.given_up, len(upstream.bodies)) == (2, 2)


async def test_a_frame_that_cannot_be_sent_ends_the_connection(router: Router) -> None:
    upstream = Upstream()
    async with open_caller_of(router, upstream.perform) as caller:
        caller.create(model="chat", input="1")
        await upstream.begun(1)
        caller.has_left = True
        upstream.end("1")
        assert (await caller.closed()).code == 1006


async def test_a_turn_that_fails_unexpectedly_ends_with_an_error_and_the_connection_stays(
    router: Router,
) -> None:
    upstream = Upstream(waits=False)

    async def perform(body: bytes, turn: Any, send: Any) -> None:
        if b"fail" in body:
            raise RuntimeError("a defect")
        await upstream.perform(body, turn, send)

    async with open_caller_of(router, perform) as caller:
        (failed,) = await caller.turn(model="chat", input="fail")
        assert (failed["type"], failed["status"]) == ("error", 502)
        assert (await caller.turn(input="1"))[-1]["type"] == "response.completed"


async def test_a_refusal_says_when_to_come_back(router: Router) -> None:
    async with open_caller_of(router, refuse(429, "rate_limit_exceeded")) as caller:
        (refused,) = await caller.turn(model="chat", input="1", stream_id="a")
        assert refused == {
            "type": "error",
            "status": 429,
            "error": {"code": "rate_limit_exceeded", "message": "No.", "type": "t", "param": None},
            "headers": {"retry-after": "2"},
            "stream_id": "a",
        }


async def test_after_its_time_a_connection_ends_when_its_turns_have_ended(router: Router) -> None:
    upstream = Upstream()
    limits = WebSocketLimits(max_seconds=0.06)
    async with open_caller_of(router, upstream.perform, limits) as caller:
        caller.create(model="chat", input="1", stream_id="a")
        caller.create(model="chat", input="2", stream_id="a")
        await upstream.begun(1)
        await asyncio.sleep(0.07)
        caller.create(model="chat", input="3", stream_id="b")
        assert (await caller.receive())["type"] == "response.created"
        late = await caller.receive()
        assert late["error"]["code"] == "websocket_connection_limit_reached"
        assert late["stream_id"] == "b"
        upstream.end("1")
        assert (await caller.receive())["type"] == "response.completed"
        assert (await caller.receive())["stream_id"] == "a"
        assert await caller.receive() == {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "code": "websocket_connection_limit_reached",
                "message": "Responses websocket connection limit reached (0.001 minutes). Create a "
                "new websocket connection to continue.",
            },
            "status": 400,
        }
        assert (await caller.closed()).code == 1000
        assert len(upstream.bodies) == 1


async def test_a_connection_without_turns_and_messages_ends_after_its_idle_time(
    router: Router,
) -> None:
    upstream = Upstream()
    limits = WebSocketLimits(idle_seconds=0.05)
    async with open_caller_of(router, upstream.perform, limits) as caller:
        caller.create(model="chat", input="1")
        await upstream.begun(1)
        await asyncio.sleep(0.1)
        assert not caller.task.done()
        upstream.end("1")
        assert await caller.closed() == (1000, "idle")


async def test_a_drained_connection_ends_when_its_turns_have_ended(router: Router) -> None:
    upstream = Upstream()
    error = InternalServerError("Shutting down.", status_code=503, code="shutting_down")
    async with open_caller_of(router, upstream.perform) as caller:
        caller.create(model="chat", input="1")
        caller.create(model="chat", input="2")
        await upstream.begun(1)
        caller.connection.drain(error)
        caller.connection.drain(error)
        upstream.end("1")
        assert [(await caller.receive())["type"] for _ in range(2)][-1] == "response.completed"
        last = await caller.receive()
        assert (last["status"], last["error"]["code"]) == (503, "shutting_down")
        assert (await caller.closed()).code == 1012


async def test_an_idle_connection_is_drained_at_once(router: Router) -> None:
    error = InternalServerError("Shutting down.", status_code=503, code="shutting_down")
    async with open_caller_of(router, Upstream().perform) as caller:
        caller.connection.drain(error)
        assert (await caller.closed()).code == 1012


async def test_a_caller_who_left_before_the_last_word_is_no_error(router: Router) -> None:
    async with open_caller_of(router, Upstream().perform) as caller:
        caller.has_left = True
        caller.connection.drain(InternalServerError("x", status_code=503, code="y"))
        assert (await caller.closed()).code == 1006


async def test_a_connection_whose_task_is_cancelled_leaves_nothing_running(
    router: Router,
) -> None:
    upstream = Upstream()
    caller = Caller()
    routed = AsyncRoutedConnection(router.parts.async_calls, router.parts.reader)
    connection = ServedConnection(routed, upstream.perform, caller.take)
    task = asyncio.create_task(connection.run(caller.inbox.get))
    caller.create(model="chat", input="1")
    caller.create(model="chat", input="2")
    await upstream.begun(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (upstream.given_up, len(upstream.bodies)) == (1, 1)


async def test_a_defect_of_the_socket_is_raised(router: Router) -> None:
    async def receive() -> None:
        raise RuntimeError("a defect")

    routed = AsyncRoutedConnection(router.parts.async_calls, router.parts.reader)
    connection = ServedConnection(routed, Upstream().perform, Caller().take)
    with pytest.raises(RuntimeError, match="a defect"):
        await connection.run(receive)


@pytest.mark.parametrize(
    ("response_id", "code"),
    [
        ("resp_1", "response_already_completed"),
        ("resp_2", "steering_not_supported"),
        ("resp_other", "response_not_found"),
        (None, "invalid_input"),
    ],
)
async def test_a_steer_that_cannot_be_followed_fails_with_its_input(
    router: Router, response_id: str | None, code: str
) -> None:
    upstream = Upstream()
    async with open_caller_of(router, upstream.perform) as caller:
        upstream.end("1")
        await caller.turn(model="chat", input="1")
        caller.create(input="2", stream_id="a")
        await caller.receive()
        caller.send({**STEER, "previous_response_id": response_id})
        failed = await caller.receive()
        assert failed["type"] == "response.steer.failed"
        assert failed["error"]["code"] == code
        assert failed["steer"] == {"previous_response_id": response_id, "input": "Stop."}
        assert failed.get("stream_id") == ("a" if response_id == "resp_2" else None)
        upstream.end("2")
        assert (await caller.rest())[-1]["type"] == "response.completed"
