"""`router.connect()`: turns over WebSocket and over HTTP, which keep what no service stores."""

import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from azure_responses import Router
from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    AzureResponsesError,
    BadRequestError,
    ConfigurationError,
    ResponseNotFoundError,
    SteeringError,
)
from tests.router.both import RUNNERS
from tests.router.turn_upstream import TurnUpstream, message

KINDS: list[dict[str, Any]] = [
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
    {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "g", "input": "x"},
    {"type": "shell_call", "id": "sh_1", "call_id": "c3", "action": {"commands": ["ls"]}},
    {"type": "apply_patch_call", "id": "ap_1", "call_id": "c4", "operation": {"type": "x"}},
    {"type": "computer_call", "id": "cu_1", "call_id": "c5", "action": {"type": "wait"}},
    {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "s", "tools": []},
    {"type": "compaction", "id": "cmp_1", "encrypted_content": "gBBBB"},
    {"type": "image_generation_call", "id": "ig_1", "result": "aGk="},
]

Scenario = Callable[["Connection"], Coroutine[Any, Any, None]]


class Connection:
    """A connection of either side, seen as async: `await turn(…)` is one response."""

    def __init__(self, inner: Any, is_sync: bool) -> None:
        self.inner = inner
        self.is_sync = is_sync

    async def turn(self, input: Any = "hi", **arguments: Any) -> Any:
        """One turn to its end; the response."""
        return await self.finish(self.inner.create(input=input, **arguments))

    async def warm_up(self, **arguments: Any) -> Any:
        found = self.inner.warm_up(**arguments)
        return found if self.is_sync else await found

    async def finish(self, stream: Any) -> Any:
        if self.is_sync:
            with stream:
                return stream.get_final_response()
        async with stream:
            return await stream.get_final_response()

    async def events(self, stream: Any) -> list[Any]:
        if self.is_sync:
            return list(stream)
        return [event async for event in stream]

    async def run_tools(self, **arguments: Any) -> Any:
        found = self.inner.run_tools(**arguments)
        return found if self.is_sync else await found

    async def step(self, name: str, *args: Any) -> Any:
        """A method of the connection, awaited."""
        found = getattr(self.inner, name)(*args)
        return found if self.is_sync else await found


def _row(upstream: TurnUpstream, name: str = "one", **params: Any) -> dict[str, Any]:
    return {
        "model_name": "gpt",
        "params": {
            "model": "azure/gpt-5",
            "api_base": upstream.url,
            "api_key": "key",
            "allow_insecure": True,
            **params,
        },
        "model_info": {"id": name},
    }


def run(runner: str, rows: list[dict[str, Any]], scenario: Scenario, **options: Any) -> None:
    """Run a scenario on one connection of a router."""
    if runner == "sync":
        with Router(rows, **options) as router, router.connect("gpt") as connection:
            coroutine = scenario(Connection(connection, True))
            with pytest.raises(StopIteration):
                coroutine.send(None)
    else:
        anyio.run(partial(_run_async, rows, scenario, options), backend=runner)


async def _run_async(rows: Any, scenario: Scenario, options: Any) -> None:
    async with Router(rows, **options) as router, router.aconnect("gpt") as connection:
        await scenario(Connection(connection, False))


def _said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


def _outputs(call_ids: list[str]) -> list[dict[str, Any]]:
    return [{"type": "function_call_output", "call_id": one, "output": "x"} for one in call_ids]


@pytest.fixture(params=[True, False], ids=["native", "HTTP-backed"])
def is_native(request: pytest.FixtureRequest) -> bool:
    """Whether the deployment has WebSockets."""
    return bool(request.param)


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("store", [True, False])
def test_functions_are_called_in_a_loop_of_twenty_turns(
    runner: str, is_native: bool, store: bool
) -> None:
    called: list[str] = []

    def look_up(word: str) -> str:
        called.append(word)
        return "x"

    def answer(body: dict[str, Any], number: int) -> list[dict[str, Any]]:
        if number == 20:
            return [message("done")]
        call = {"name": "look_up", "arguments": '{"word": "w"}', "call_id": f"c{number}"}
        return [{**KINDS[1], **call, "id": f"fc_{number}"}]

    async def scenario(connection: Connection) -> None:
        response = await connection.run_tools(
            input="begin", tools=[look_up], store=store, max_turns=20
        )
        assert response.output_text == "done"

    with TurnUpstream(answer) as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)
        assert called == ["w"] * 19
        assert len(upstream.requests) == 20
        is_short = is_native or store
        assert len(upstream.requests[-1].kinds) == (1 if is_short else 39)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_tool_loop_of_twenty_turns_runs_with_store_false(runner: str, is_native: bool) -> None:
    def answer(body: dict[str, Any], number: int) -> list[dict[str, Any]]:
        return [{**KINDS[1], "call_id": f"c{number}", "id": f"fc_{number}"}]

    async def scenario(connection: Connection) -> None:
        response = await connection.turn("begin", store=False)
        for number in range(2, 21):
            assert response.output[0].call_id == f"c{number - 1}"
            items = _outputs([response.output[0].call_id])
            before = response.id
            response = await connection.turn(items, store=False, previous_response_id=before)
            assert response.previous_response_id == before

    with TurnUpstream(answer) as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)
        assert len(upstream.requests) == 20
        last = upstream.requests[-1]
        if is_native:
            assert upstream.handshakes == 1
            assert last.kinds == ["function_call_output"]
        else:
            pair = ["function_call", "function_call_output"]
            assert last.kinds == ["message", *pair * 19]
            assert "previous_response_id" not in last.body


@pytest.mark.parametrize("runner", RUNNERS)
def test_items_of_every_kind_are_sent_again_without_a_socket(runner: str) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        await connection.turn("on", store=False, previous_response_id=first.id)

    with TurnUpstream(lambda _, number: [dict(one) for one in KINDS]) as upstream:
        run(runner, [_row(upstream)], scenario)
        sent = upstream.requests[-1].body["input"]
        assert sent == [_said("hi"), *KINDS, _said("on")]


@pytest.mark.parametrize("runner", RUNNERS)
def test_encrypted_reasoning_is_asked_for_and_hidden(runner: str, is_native: bool) -> None:
    async def scenario(connection: Connection) -> None:
        events = await connection.events(connection.inner.create(input="hi", store=False))
        shown = [event.to_dict() for event in events]
        assert "encrypted_content" not in str(shown)
        asked = await connection.turn(store=False, include=["reasoning.encrypted_content"])
        assert asked.output[0].encrypted_content
        stored = await connection.turn()
        assert stored.output[0].to_dict().get("encrypted_content") is None

    with TurnUpstream(lambda _, number: [dict(KINDS[0])]) as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)
        wanted = ["reasoning.encrypted_content"]
        assert [one.body.get("include") for one in upstream.requests] == [wanted, wanted, None]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_model_that_does_not_reason_is_not_asked_for_reasoning(runner: str) -> None:
    async def scenario(connection: Connection) -> None:
        await connection.turn(store=False)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, model="azure/gpt-4o")], scenario)
        assert "include" not in upstream.requests[0].body


@pytest.mark.parametrize("runner", RUNNERS)
def test_stored_responses_are_continued_by_their_id(runner: str, is_native: bool) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn()
        await connection.turn("on", previous_response_id=first.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)
        last = upstream.requests[-1].body
        assert (last["previous_response_id"], last["input"]) == (f"resp_{1:032}", "on")


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("fault", ["lost", "evicted"])
def test_all_items_go_again_where_the_socket_no_longer_knows_the_response(
    runner: str, fault: Any
) -> None:
    missing = {
        "status": 400,
        "error": {"type": "invalid_request_error", "code": "previous_response_not_found"},
    }

    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        upstream.faults.append("lost" if fault == "lost" else missing)
        second = await connection.turn("on", store=False, previous_response_id=first.id)
        assert second.previous_response_id == first.id
        assert second.output_text == "answer 2" or second.output_text.startswith("answer")
        await connection.turn("more", store=False, previous_response_id=second.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=True)], scenario)
        *_, again, after = upstream.requests
        assert again.body["input"][0] == _said("hi")
        assert again.body["input"][-1] == _said("on")
        assert "previous_response_id" not in again.body
        # The socket knows the response again, so that new items are enough.
        assert (after.socket, after.body["input"]) == (again.socket, "more")
        assert upstream.handshakes == (2 if fault == "lost" else 1)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_socket_that_is_cut_after_output_ends_the_turn_and_nothing_is_sent_again(
    runner: str,
) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        upstream.faults.append("cut")
        with pytest.raises(AzureResponsesError):
            await connection.turn("on", store=False, previous_response_id=first.id)
        assert len(upstream.requests) == 2
        # The response before is not lost with the socket: its items are sent again.
        await connection.turn("again", store=False, previous_response_id=first.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=True)], scenario)
        assert upstream.requests[-1].kinds == ["message", "message", "message"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_refused_continuation_forgets_the_response_and_a_refused_fork_does_not(
    runner: str, is_native: bool
) -> None:
    refusal = {"error": {"type": "invalid_request_error", "code": "x", "message": "no"}}

    def refuse() -> None:
        upstream.faults.append({"status": 400, **refusal})
        upstream.http_faults.append((400, refusal))

    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        on = partial(connection.turn, store=False, previous_response_id=first.id)
        refuse()
        with pytest.raises(BadRequestError):
            await on(lane="fork")
        upstream.faults.clear()
        upstream.http_faults.clear()
        refuse()
        with pytest.raises(BadRequestError):
            await on()
        upstream.faults.clear()
        upstream.http_faults.clear()
        with pytest.raises(AzureResponsesError) as caught:
            await on()
        assert "not found" in str(caught.value)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_fork_has_a_socket_of_its_own_and_all_items(runner: str, is_native: bool) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        fork = await connection.turn("fork", lane="b", store=False, previous_response_id=first.id)
        await connection.turn("on", store=False, previous_response_id=first.id)
        await connection.turn("more", lane="b", store=False, previous_response_id=fork.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)
        _, fork, on, more = upstream.requests
        assert [item["content"] for item in fork.body["input"] if item.get("role") == "user"] == [
            "hi",
            "fork",
        ]
        if is_native:
            assert (fork.socket, on.socket, more.socket) == (2, 1, 2)
            assert (on.body["input"], more.body["input"]) == ("on", "more")


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_chain_without_ciphertext_goes_on_at_another_resource(
    runner: str, is_native: bool
) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        maker, other = (west, east) if west.requests else (east, west)
        error = {"error": {"code": "rate_limit_exceeded", "message": "later"}}
        maker.faults.append({"status": 429, **error})
        maker.http_faults.append((429, error))
        await connection.turn("on", store=False, previous_response_id=first.id)
        assert other.requests[-1].kinds == ["message", "message", "message"]

    with TurnUpstream() as west, TurnUpstream() as east:
        rows = [
            _row(west, "west", websocket=is_native, model="azure/gpt-4o"),
            _row(east, "east", websocket=is_native, model="azure/gpt-4o"),
        ]
        run(runner, rows, scenario)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_chain_with_encrypted_reasoning_stays_at_its_resource(
    runner: str, is_native: bool
) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        maker, other = (west, east) if west.requests else (east, west)
        error = {"error": {"code": "rate_limit_exceeded", "message": "later"}}
        maker.faults.append({"status": 429, **error})
        maker.http_faults.append((429, error))
        with pytest.raises(AzureResponsesError):
            await connection.turn("on", store=False, previous_response_id=first.id, timeout=0.5)
        assert not other.requests

    def answer(body: dict[str, Any], number: int) -> list[dict[str, Any]]:
        return [dict(KINDS[0]), message("x")]

    with TurnUpstream(answer) as west, TurnUpstream(answer) as east:
        rows = [_row(west, "west", websocket=is_native), _row(east, "east", websocket=is_native)]
        run(runner, rows, scenario)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_second_deployment_of_the_resource_gets_all_items(runner: str) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        error = {"error": {"code": "rate_limit_exceeded", "message": "later"}}
        upstream.faults.append({"status": 429, **error})
        await connection.turn("on", store=False, previous_response_id=first.id)

    with TurnUpstream(lambda _, number: [dict(KINDS[0]), message("x")]) as upstream:
        rows = [
            _row(upstream, "a", websocket=True, model="azure/gpt-5"),
            _row(upstream, "b", websocket=True, model="azure/gpt-5-b", base_model="gpt-5"),
        ]
        run(runner, rows, scenario)
        first, short, again = upstream.requests
        assert (short.socket, short.kinds) == (first.socket, [])
        assert again.socket == 2
        assert again.kinds == ["message", "reasoning", "message", "message"]
        assert again.body["model"] != first.body["model"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_an_endpoint_without_websockets_is_called_over_http(runner: str) -> None:
    async def scenario(connection: Connection) -> None:
        with pytest.warns(UserWarning, match="goes on over HTTP"):
            first = await connection.turn(store=False)
        await connection.turn("on", store=False, previous_response_id=first.id)

    with TurnUpstream(offers_sockets=False) as upstream:
        run(runner, [_row(upstream, websocket=True)], scenario)
        assert [one.socket for one in upstream.requests] == [0, 0]
        assert upstream.requests[-1].kinds == ["message", "message", "message"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_chat_deployments_keep_tool_calls_and_reasoning(runner: str) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        await connection.turn("on", store=False, previous_response_id=first.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, api="chat", model="azure/deepseek-r1")], scenario)
        roles = [one["role"] for one in upstream.requests[-1].body["messages"]]
        assert roles == ["user", "assistant", "user"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_warm_up_makes_a_response_to_go_on_from(runner: str, is_native: bool) -> None:
    async def scenario(connection: Connection) -> None:
        warm = await connection.warm_up(input="context", store=False)
        await connection.turn("hi", store=False, previous_response_id=warm.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)
        last = upstream.requests[-1].body
        if is_native:
            assert upstream.requests[0].body["generate"] is False
            assert last["input"] == "hi"
        else:
            assert len(upstream.requests) == 1
            assert last["input"] == [_said("context"), _said("hi")]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_steered_response_is_followed_by_its_successor(runner: str) -> None:
    async def scenario(connection: Connection) -> None:
        stream = connection.inner.create(input="hi", store=False)
        upstream.waits_for_steer = True
        if connection.is_sync:
            first = stream.open().response_id
        else:
            first = (await stream.open()).response_id
        await connection.step("steer", first, "be short")
        ended = await connection.finish(stream)
        assert ended.incomplete_details.reason == "steered"
        after = await connection.finish(connection.inner.successor())
        assert after.previous_response_id == first
        await connection.turn("on", store=False, previous_response_id=after.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=True)], scenario)
        assert upstream.steered[0] == {
            "type": "response.steer",
            "previous_response_id": f"resp_{1:032}",
            "input": "be short",
        }
        assert [one.socket for one in upstream.requests] == [1, 1]
        assert upstream.requests[-1].body["input"] == "on"


@pytest.mark.parametrize("runner", RUNNERS)
def test_what_cannot_be_steered_says_why(runner: str, is_native: bool) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        for response_id, code in ((first.id, "response_already"), ("x", "response_not")):
            with pytest.raises(SteeringError, match=r"response|ended") as caught:
                await connection.step("steer", response_id, "hi")
            assert str(caught.value.code).startswith(code)
        with pytest.raises(SteeringError, match="No response follows"):
            await connection.finish(connection.inner.successor())

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_lane_carries_one_response_at_a_time(runner: str, is_native: bool) -> None:
    async def scenario(connection: Connection) -> None:
        stream = connection.inner.create(input="a")
        await connection.finish(stream)
        open_stream = connection.inner.create(input="b")
        if connection.is_sync:
            open_stream.open()
        else:
            await open_stream.open()
        with pytest.raises(ConfigurationError, match="still carries"):
            await connection.turn("c")
        await connection.turn("d", lane="other")
        if connection.is_sync:
            open_stream.close()
        else:
            await open_stream.aclose()
        await connection.turn("e")

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)


def test_a_websocket_where_the_endpoint_has_none_is_refused() -> None:
    params = {"model": "azure/g", "api_base": "https://a.openai.azure.com", "api_key": "k"}
    row = {"model_name": "gpt", "params": {**params, "websocket": True}}
    Router([row]).close()
    with pytest.raises(ConfigurationError, match="has no WebSocket"):
        Router([{**row, "params": {**row["params"], "api_version": "2025-04-01-preview"}}])  # type: ignore[dict-item]


@pytest.mark.parametrize("runner", RUNNERS)
def test_no_more_sockets_stay_open_than_turns_may_be_under_way(runner: str) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False, lane="l0")
        for number in range(1, 20):
            await connection.turn(store=False, lane=f"l{number}")
        # The socket of the first lane is closed: what it knew is sent again.
        await connection.turn("on", store=False, lane="l0", previous_response_id=first.id)
        deadline = time.monotonic() + 5
        while upstream.open > 17 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert upstream.open <= 17

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=True)], scenario)
        assert upstream.requests[-1].kinds == ["message", "message", "message"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_chain_may_begin_behind_a_stored_response(runner: str, is_native: bool) -> None:
    async def scenario(connection: Connection) -> None:
        stored = await connection.turn("stored")
        # A chain of another connection, as it were: this lane does not know it any more.
        await connection.turn("other")
        first = await connection.turn("a", store=False, previous_response_id=stored.id)
        upstream.faults.append("lost")
        await connection.turn("b", store=False, previous_response_id=first.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)
        last = upstream.requests[-1].body
        assert last["previous_response_id"] == f"resp_{1:032}"
        assert [one.get("content") for one in last["input"] if one.get("role") == "user"] == [
            "a",
            "b",
        ]


def test_an_id_of_another_owner_is_not_found_and_nothing_is_sent(is_native: bool) -> None:
    with TurnUpstream() as upstream, Router([_row(upstream, websocket=is_native)]) as router:
        with router.connect("gpt", owner="alice") as connection:
            made = connection.create(input="hi", store=False).get_final_response()
            with pytest.raises(ConfigurationError, match="one owner"):
                connection.create(input="hi", owner="bob")
        with router.connect("gpt", owner="bob") as connection:
            stream = connection.create(input="on", store=False, previous_response_id=made.id)
            with pytest.raises(ResponseNotFoundError):
                stream.get_final_response()
        assert len(upstream.requests) == 1


def test_another_connection_of_the_same_owner_does_not_know_what_is_not_stored() -> None:
    with TurnUpstream() as upstream, Router([_row(upstream, websocket=True)]) as router:
        with router.connect("gpt", owner="alice") as connection:
            made = connection.create(input="hi", store=False).get_final_response()
        with router.connect("gpt", owner="alice") as connection:
            stream = connection.create(input="on", store=False, previous_response_id=made.id)
            with pytest.raises(AzureResponsesError, match="not found"):
                stream.get_final_response()


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_stream_that_is_left_early_ends_its_response_and_the_chain_goes_on(
    runner: str, is_native: bool
) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        stream = connection.inner.create(input="x", store=False, previous_response_id=first.id)
        if connection.is_sync:
            with stream:
                next(stream)
        else:
            async with stream:
                await anext(stream)
        await connection.turn("on", store=False, previous_response_id=first.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)
        assert upstream.requests[-1].kinds == ["message", "message", "message"]


def test_a_closed_connection_takes_no_more_turns() -> None:
    with TurnUpstream() as upstream, Router([_row(upstream, websocket=True)]) as router:
        with router.connect("gpt") as connection:
            stream = connection.create(input="hi")
        for use in (
            lambda: connection.create(input="hi"),
            stream.get_final_response,
            lambda: connection.steer("x", "y"),
            connection.__enter__,
        ):
            with pytest.raises(APIConnectionError, match="closed"):
                use()
        with pytest.raises(ConfigurationError, match="background"):
            router.connect("gpt").create(input="hi", background=True)


def test_a_typed_answer_is_read() -> None:
    class Answer(BaseModel):
        text: str

    with (
        TurnUpstream(lambda _, number: [message('{"text": "x"}')]) as upstream,
        Router([_row(upstream, websocket=True)]) as router,
        router.connect("gpt") as connection,
    ):
        found = connection.create(input="hi", text_format=Answer).get_final_response()
        assert found.output_parsed == Answer(text="x")
        assert upstream.requests[0].body["text"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_model_that_refuses_encrypted_reasoning_is_not_asked_again(
    runner: str, is_native: bool
) -> None:
    error = {
        "type": "invalid_request_error",
        "message": "Encrypted content is not supported with this model.",
        "param": "include",
    }

    async def scenario(connection: Connection) -> None:
        upstream.faults.append({"status": 400, "error": error})
        upstream.http_faults.append((400, {"error": error}))
        first = await connection.turn(store=False)
        await connection.turn("on", store=False, previous_response_id=first.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=is_native)], scenario)
        wanted = ["reasoning.encrypted_content"]
        assert [one.body.get("include") for one in upstream.requests] == [wanted, None, None]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_turn_goes_from_a_socket_to_a_deployment_that_speaks_chat(runner: str) -> None:
    async def scenario(connection: Connection) -> None:
        error = {"error": {"code": "rate_limit_exceeded", "message": "later"}}
        native.faults.append({"status": 429, **error})
        first = await connection.turn(store=False)
        await connection.turn("on", store=False, previous_response_id=first.id)

    with TurnUpstream() as native, TurnUpstream() as chat:
        rows = [
            _row(native, "native", websocket=True, model="azure/gpt-4o", order=1),
            _row(chat, "chat", api="chat", model="azure/gpt-4o", order=2),
        ]
        run(runner, rows, scenario)
        assert {one.path for one in chat.requests} == {"/openai/v1/chat/completions"}
        assert len(native.requests) == 1


def _not_now(status: int) -> dict[str, Any]:
    reasons = {429: "rate_limit_exceeded", 500: "server_error", 503: "server_is_overloaded"}
    error = {"code": reasons[status], "message": "Not now.", "type": "error"}
    return {"status": status, "error": error, "headers": {"retry-after": "0.01"}}


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_continuation_that_is_refused_for_a_while_is_tried_again_with_all_items(
    runner: str, status: int
) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        upstream.faults.append(_not_now(status))
        second = await connection.turn("on", store=False, previous_response_id=first.id)
        assert second.previous_response_id == first.id
        await connection.turn("more", store=False, previous_response_id=second.id)

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=True)], scenario)
        _, refused, again, more = upstream.requests
    assert (refused.body["input"], more.body["input"]) == ("on", "more")
    assert again.kinds == ["message", "message", "message"]
    assert "previous_response_id" not in again.body


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_continuation_that_is_refused_for_good_says_why_and_forgets_what_it_continues(
    runner: str, status: int
) -> None:
    async def scenario(connection: Connection) -> None:
        first = await connection.turn(store=False)
        upstream.faults.append(_not_now(status))
        with pytest.raises(APIStatusError) as caught:
            await connection.turn("on", store=False, previous_response_id=first.id)
        assert caught.value.status_code == status
        with pytest.raises(ResponseNotFoundError):
            await connection.turn("on", store=False, previous_response_id=first.id)
        assert (await connection.turn("anew", store=False)).output_text

    with TurnUpstream() as upstream:
        run(runner, [_row(upstream, websocket=True)], scenario, num_retries=0)
        # The service may store it, so that it is asked.
        asked = ["hi", "on", "on", "anew"]
        assert [one.body["input"] for one in upstream.requests] == asked
