"""`responses.connect()` of the openai package, its sessions and its lanes.

The behaviours are those of OpenAI's guide to WebSocket mode, which Open Responses tests: turns one
after the other, continuation, recovery with `store: false`, a response that is not found, a failed
continuation, a compaction. Each runs over every model of `_MODELS`.
"""

import asyncio
import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openai
from openai.lib.responses_websocket import (
    AsyncResponsesWebSocketSession,
    ResponsesWebSocketLimits,
    ResponsesWebSocketSession,
)

from tests.real_clients.programs.errand import Errand, run

# Deployments called over HTTP, over WebSockets, and by two other APIs.
_MODELS = {
    "gateway": ("gpt-5-mini", "gpt-5-mini-socket", "kimi-k2.5", "claude-sonnet-4-5"),
    "injected": ("gpt-5-mini", "gpt-5-mini-socket", "kimi-k2.5", "claude-sonnet-4-5"),
    "emulator": ("gpt-5-mini",),
}
_NAME = "My name is Ada."
_ASK = "What is my name?"
_PONG = "Reply with exactly: pong"
_TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
_LIMITS = ResponsesWebSocketLimits(
    max_lanes=8,
    max_events_per_lane=256,
    max_events=1024,
    max_bytes_per_lane=16 * 1024 * 1024,
    max_bytes=32 * 1024 * 1024,
    max_response_bytes=None,
)
_ENDS = ("response.completed", "response.incomplete", "response.failed", "error")


class Talk:
    """Turns over one connection."""

    def __init__(self, connection: Any, model: str) -> None:
        self._connection = connection
        self._model = model
        self.kinds: list[str] = []

    def turn(self, **parameters: Any) -> Any:
        """The last event of a turn; no other turn's events come before it."""
        body = {"type": "response.create", "model": self._model, **parameters}
        self._connection.send(body)
        return self.end()

    def end(self) -> Any:
        """The next event that ends a turn."""
        self.kinds = []
        while True:
            event = self._connection.recv()
            self.kinds.append(event.type)
            if event.type in _ENDS:
                return event

    def say(self, text: str, **parameters: Any) -> Any:
        """The response to a text."""
        event = self.turn(input=[{"role": "user", "content": text}], **parameters)
        assert event.type == "response.completed", event
        return event.response

    def refused(self, **parameters: Any) -> dict[str, Any]:
        """What a refused turn says."""
        event = self.turn(**parameters)
        assert event.type == "error", event
        shown: dict[str, Any] = event.to_dict()
        return {"status": shown.get("status"), **shown["error"]}


@contextmanager
def _arguments(errand: Errand) -> Iterator[dict[str, Any]]:
    """Of a client; where calls are injected, a router in this process serves its WebSockets."""
    if errand.mode != "injected":
        yield {"base_url": errand.base_url, "api_key": errand.key}
        return
    from azure_responses import Router
    from azure_responses.openai_transport import websocket

    with Router(errand.rows) as router, websocket(router) as endpoint:
        url = endpoint.url
        # The endpoint takes WebSockets alone.
        yield {"api_key": "unused", "base_url": "http://unused.invalid", "websocket_base_url": url}


@contextmanager
def _client(errand: Errand) -> Iterator[Any]:
    with _arguments(errand) as arguments, openai.OpenAI(**arguments) as client:
        yield client


@contextmanager
def _talk(errand: Errand, model: str) -> Iterator[Talk]:
    with _client(errand) as client, client.responses.connect() as connection:
        yield Talk(connection, model)


def _each(errand: Errand, see: Callable[[Errand, str], Any], only: str = "") -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for model in filter(lambda model: only in model, _MODELS[errand.mode]):
        # One deployment that fails must not hide what the others do.
        try:
            seen[model] = see(errand, model)
        except Exception:
            seen[model] = traceback.format_exc()
    return seen


def sequential(errand: Errand) -> Any:
    def see(errand: Errand, model: str) -> Any:
        with _talk(errand, model) as talk:
            texts = [talk.say(_PONG).output_text for _ in range(3)]
            return {"texts": texts, "first": talk.kinds[0], "version": openai.__version__}

    return _each(errand, see)


def continued(errand: Errand) -> Any:
    def see(errand: Errand, model: str) -> Any:
        texts = []
        for store in (True, False):
            with _talk(errand, model) as talk:
                response = talk.say(_NAME, store=store)
                for _ in range(3):
                    response = talk.say(_ASK, store=store, previous_response_id=response.id)
                    texts.append(response.output_text)
        return texts

    return _each(errand, see)


def recovered(errand: Errand) -> Any:
    def see(errand: Errand, model: str) -> Any:
        with _talk(errand, model) as talk:
            first = talk.say(_NAME, store=False)
        with _talk(errand, model) as talk:
            ask = {"role": "user", "content": _ASK}
            error = talk.refused(input=[ask], store=False, previous_response_id=first.id)
            spoken = [item.to_dict() for item in first.output if item.type == "message"]
            whole = [{"role": "user", "content": _NAME}, *spoken, ask]
            event = talk.turn(input=whole, store=False)
            return {"code": error["code"], "text": event.response.output_text}

    return _each(errand, see)


def not_found(errand: Errand) -> Any:
    def see(errand: Errand, model: str) -> Any:
        with _talk(errand, model) as talk:
            missing = f"resp_{'0' * 48}"
            error = talk.refused(input=_ASK, store=False, previous_response_id=missing)
            shown = {name: error[name] for name in ("status", "type", "code", "param")}
            return {
                **shown,
                "says": missing in error["message"],
                "text": talk.say(_PONG).output_text,
            }

    return _each(errand, see)


def evicted(errand: Errand) -> Any:
    def see(errand: Errand, model: str) -> Any:
        with _talk(errand, model) as talk:
            first = talk.say(_NAME, store=False)
            after = {"previous_response_id": first.id, "store": False}
            output = {"type": "function_call_output", "call_id": "call_none", "output": "x"}
            failed = talk.refused(input=[output], **after)
            error = talk.refused(input=_ASK, **after)
            return {"status": failed["status"], "code": error["code"]}

    return _each(errand, see)


def compacted(errand: Errand) -> Any:
    if errand.mode == "injected":
        return {}  # There is no HTTP to compact over.

    def see(errand: Errand, model: str) -> Any:
        with _client(errand) as client, client.responses.connect() as connection:
            talk = Talk(connection, model)
            first = talk.say(_NAME)
            said = [{"role": "user", "content": _NAME}, *(i.to_dict() for i in first.output)]
            compaction = client.responses.compact(model=model, input=said)
            items = [item.to_dict() for item in compaction.output]
            event = talk.turn(input=[*items, {"role": "user", "content": _ASK}])
            return [event.response.output_text, event.response.previous_response_id]

    # Of the three APIs only Responses compacts.
    return _each(errand, see, only="gpt-5")


def warmed_up(errand: Errand) -> Any:
    def see(errand: Errand, model: str) -> Any:
        with _talk(errand, model) as talk:
            spoken = [{"role": "user", "content": _NAME}, {"role": "assistant", "content": "Hi."}]
            event = talk.turn(generate=False, input=spoken, tools=[_TOOL], store=False)
            kinds, warm = talk.kinds, event.response
            first = talk.say(_ASK, store=False, previous_response_id=warm.id)
            return {
                "kinds": [kinds[0], kinds[-1]],
                "output": len(warm.output),
                "text": first.output_text,
            }

    return _each(errand, see)


def looped(errand: Errand) -> Any:
    def see(errand: Errand, model: str) -> Any:
        with _talk(errand, model) as talk:
            more: Any = {"store": False, "tools": [_TOOL]}
            prompt = "get_weather in Paris [[azure:rounds:19]]"
            response, rounds = talk.say(prompt, **more), 0
            while calls := [item for item in response.output if item.type == "function_call"]:
                rounds += 1
                outputs = [
                    {"type": "function_call_output", "call_id": call.call_id, "output": "21"}
                    for call in calls
                ]
                event = talk.turn(input=outputs, previous_response_id=response.id, **more)
                response = event.response
            return {"rounds": rounds, "told": response.output_text.count("21")}

    return _each(errand, see)


def survived(errand: Errand) -> Any:
    """What is not a turn is answered with an error, and the connection goes on."""

    def see(errand: Errand, model: str) -> Any:
        with _talk(errand, model) as talk:
            talk.say(_PONG)
            statuses = []
            for text in ("{", "[]", json.dumps({"type": "response.unknown"})):
                talk._connection.send_raw(text)
                event = talk.end()
                statuses.append((event.type, event.to_dict().get("status")))
            unknown = talk.refused(input="x", no_such_parameter=1)
            return {
                "seen": statuses,
                "status": unknown["status"],
                "text": talk.say(_PONG).output_text,
            }

    return _each(errand, see)


def steered(errand: Errand) -> Any:
    """No model here can be steered: the input comes back."""

    def see(errand: Errand, model: str) -> Any:
        with _talk(errand, model) as talk:
            response = talk.say(_PONG)
            talk._connection.response.steer(input="Hurry.", previous_response_id=response.id)
            event = talk._connection.recv()
            return {"type": event.type, "text": talk.say(_PONG).output_text}

    return _each(errand, see)


def lanes(errand: Errand) -> Any:
    """Turns of several lanes at once, each of which continues its own."""

    if errand.mode == "emulator":
        return {}  # Azure has none.

    def see(errand: Errand, model: str) -> Any:
        with (
            _client(errand) as client,
            client.responses.connect() as connection,
            ResponsesWebSocketSession(connection, limits=_LIMITS) as session,
        ):
            every = {name: session.lane(name.lower()) for name in ("Ada", "Bob", "Cleo")}
            for name, lane in every.items():
                lane.send(_create(model, f"My name is {name}."))
            firsts = {name: lane.get_final_response(timeout=30) for name, lane in every.items()}
            for name, lane in every.items():
                lane.send(_create(model, _ASK, previous_response_id=firsts[name].id))
            return {n: lane.get_final_response(timeout=30).output_text for n, lane in every.items()}

    return _each(errand, see)


def forked(errand: Errand) -> Any:
    """A lane goes on from another lane's response, and both go on afterwards."""
    if errand.mode == "emulator":
        return {}
    return _each(errand, lambda errand, model: asyncio.run(_fork(errand, model)))


async def _fork(errand: Errand, model: str) -> Any:
    with _arguments(errand) as arguments:
        return await _fork_over(openai.AsyncOpenAI(**arguments), model)


async def _fork_over(made: openai.AsyncOpenAI, model: str) -> list[str]:
    async with (
        made as client,
        client.responses.connect() as connection,
        AsyncResponsesWebSocketSession(connection, limits=_LIMITS) as session,
    ):
        source, fork = session.lane("source"), session.lane("fork")

        async def say(lane: Any, text: str, **more: Any) -> Any:
            await lane.send(_create(model, text, **more))
            return await asyncio.wait_for(lane.get_final_response(), 30)

        first = await say(source, _NAME)
        other = await say(fork, _ASK, previous_response_id=first.id)
        texts = [other.output_text]
        for lane, before in ((source, first), (fork, other)):
            texts.append((await say(lane, _ASK, previous_response_id=before.id)).output_text)
        return texts


def _create(model: str, text: str, **more: Any) -> Any:
    given = [{"role": "user", "content": text}]
    return {"type": "response.create", "model": model, "input": given, "store": False, **more}


if __name__ == "__main__":
    run(
        sequential,
        continued,
        recovered,
        not_found,
        evicted,
        compacted,
        warmed_up,
        looped,
        survived,
        steered,
        lanes,
        forked,
    )
