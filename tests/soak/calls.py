"""The calls of a soak: each asks for words that nobody else asks for, and judges what comes."""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.soak.answers import Streamed, read_chat_stream, read_native_stream, text_of
from tests.soak.client import ApiCaller, Reply, Wrong, is_honest
from tests.soak.stage import MODEL

__all__ = ["KINDS", "Call", "Visit"]

_RESPONSES = "/v1/responses"
_CHAT = "/v1/chat/completions"
_TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


@dataclass
class Call:
    """One call, as its caller saw it end.

    Attributes:
        call_id: which the spend log repeats.
        kind: what was asked.
        is_billed: it uses up tokens.
        outcome: "right", "error" or "left".
        status: of HTTP.
        code: of the error.
        body: what names the usage, where the caller saw it.
        response_id: as it was given out.
        began, ended: monotonic seconds.
    """

    call_id: str
    kind: str
    is_billed: bool
    began: float
    outcome: str = ""
    status: int = 0
    code: str | None = None
    body: dict[str, Any] | None = None
    response_id: str | None = None
    ended: float = 0.0


class Visit:
    """Some calls that belong together, made by one caller one after another.

    Args:
        caller: who makes them; stranger: who has another key.
        nonce: nobody else's word.
        dice: for lengths.
        calls: where every call is noted, as it begins.
    """

    def __init__(
        self,
        caller: ApiCaller,
        stranger: ApiCaller,
        nonce: str,
        dice: random.Random,
        calls: list[Call],
    ) -> None:
        self.caller = caller
        self.stranger = stranger
        self.nonce = nonce
        self._dice = dice
        self._calls = calls
        self._made = 0

    def begin(self, kind: str, *, is_billed: bool = True) -> Call:
        """Note a call."""
        self._made += 1
        began = time.monotonic()
        call = Call(f"{self.nonce}-call-{self._made}", kind, is_billed, began)
        self._calls.append(call)
        return call

    def words(self, count: int | None = None) -> str:
        """Words to be said: each has the nonce, so that one of another stream would be seen."""
        count = count or self._dice.randint(2, 30)
        return " ".join(f"{self.nonce}-{number}" for number in range(count))

    async def create(self, kind: str, said: str | None, **body: Any) -> dict[str, Any] | None:
        """A native call, whose text is `said` unless that is None; None where it fails."""
        call = self.begin(kind)
        reply = await self.caller.ask("POST", _RESPONSES, call.call_id, {"model": MODEL, **body})
        response = reply.body
        if reply.status != 200 or response.get("status") == "failed":
            _refuse(call, reply)
            return None
        if response.get("status") != "completed":
            raise Wrong(f"{call} ended as {response.get('status')}")
        if said is not None and text_of(response) != said:
            raise Wrong(f"{call} was to say {said!r} and said {text_of(response)!r}")
        _succeed(call, reply.status, response, response["id"])
        return response

    async def stream(
        self, kind: str, said: str, *, leaves_after: int | None = None, **body: Any
    ) -> Streamed | None:
        """A streamed native call; None where it fails or is left."""
        call = self.begin(kind)
        events = self.caller.stream(
            _RESPONSES, call.call_id, {"model": MODEL, **body}, leaves_after
        )
        return _judge(call, await read_native_stream(events), said, leaves_after is not None)

    async def chat(self, kind: str, said: str, messages: list[dict[str, Any]]) -> None:
        """A chat completion."""
        call = self.begin(kind)
        body = {"model": MODEL, "messages": messages}
        reply = await self.caller.ask("POST", _CHAT, call.call_id, body)
        if reply.status != 200:
            _refuse(call, reply)
            return
        text = reply.body["choices"][0]["message"]["content"]
        if text != said:
            raise Wrong(f"{call} was to say {said!r} and said {text!r}")
        _succeed(call, reply.status, reply.body, reply.body["id"])

    async def chat_stream(
        self,
        kind: str,
        said: str,
        messages: list[dict[str, Any]],
        *,
        leaves_after: int | None = None,
    ) -> None:
        """A streamed chat completion."""
        call = self.begin(kind)
        body = {
            "model": MODEL,
            "messages": messages,
            "stream_options": {"include_usage": True},
        }
        events = self.caller.stream(_CHAT, call.call_id, body, leaves_after)
        _judge(call, await read_chat_stream(events), said, leaves_after is not None)

    async def stored(
        self, kind: str, method: str, path: str, *, status: int = 200, stranger: bool = False
    ) -> dict[str, Any] | None:
        """A call about a stored response, which is to end with `status`; None where it fails.

        A deletion may also say 404: where Azure deletes and its connection breaks before it has
        said so, the gateway asks again, and finds nothing any more.
        """
        call = self.begin(kind, is_billed=False)
        caller = self.stranger if stranger else self.caller
        reply = await caller.ask(method, f"{_RESPONSES}/{path}", call.call_id)
        if reply.status == status:
            _succeed(call, status, None, None)
            return reply.body
        if method == "DELETE" and reply.status == 404:
            call.outcome, call.status, call.code = "error", 404, "gone already"
            return {}
        _refuse(call, reply)
        return None


def _succeed(call: Call, status: int, body: Any, response_id: str | None) -> None:
    call.outcome, call.status, call.body, call.response_id = "right", status, body, response_id
    call.ended = time.monotonic()


def _refuse(call: Call, reply: Reply) -> None:
    is_failed = reply.status == 200 and isinstance(reply.body.get("error"), dict)
    if not (is_failed or is_honest(reply.status, reply.body)):
        raise Wrong(f"{call} was told {reply.status} {reply.body}")
    call.outcome, call.status, call.code = "error", reply.status, str(reply.body["error"]["code"])
    call.body = reply.body if is_failed else None
    call.ended = time.monotonic()


def _judge(call: Call, found: Streamed, said: str, may_leave: bool) -> Streamed | None:
    if found.refusal is not None:
        _refuse(call, found.refusal)
        return None
    call.status, call.response_id, call.ended = 200, found.id, time.monotonic()
    if found.error is not None:
        call.outcome, call.code, call.body = "error", str(found.error.get("code")), found.final
    else:
        call.outcome = "right" if found.is_whole else "left"
        call.body = found.final if found.is_whole else None
    is_right = found.text == said if call.outcome == "right" else said.startswith(found.text)
    if not is_right:
        raise Wrong(f"{call} was to say {said!r} and said {found.text!r}")
    if call.outcome == "left" and not may_leave:
        raise Wrong(f"{call} ended without its end, after {found.text!r}")
    return found if call.outcome == "right" else None


def _exactly(words: str) -> str:
    return f"Reply with exactly: {words}"


def _message(words: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": _exactly(words)}]


async def _native(visit: Visit) -> None:
    words = visit.words()
    await visit.create("native", words, input=_exactly(words), user=f"user-{len(words) % 5}")


async def _native_stream(visit: Visit) -> None:
    words = visit.words()
    await visit.stream("native stream", words, input=_exactly(words))


async def _chat(visit: Visit) -> None:
    words = visit.words()
    await visit.chat("chat", words, _message(words))


async def _chat_stream(visit: Visit) -> None:
    words = visit.words()
    await visit.chat_stream("chat stream", words, _message(words))


async def _follow_up(visit: Visit) -> None:
    name = visit.nonce.replace("-", "")
    words = visit.words()
    text = f"My code is {name}. {_exactly(words)}"
    first = await visit.stream("native stream", words, input=text)
    if first is None:
        return
    answer = f"Your code is {name}."
    second = await visit.create(
        "follow-up", answer, input="What is my code?", previous_response_id=first.id
    )
    if second is not None:
        await visit.stream(
            "follow-up stream", answer, input="What is my code?", previous_response_id=second["id"]
        )


async def _retrieve(visit: Visit) -> None:
    words = visit.words()
    made = await visit.create("native", words, input=_exactly(words))
    if made is None:
        return
    name = made["id"]
    await visit.stored("stranger's retrieve", "GET", name, status=404, stranger=True)
    again = await visit.stored("retrieve", "GET", name)
    if again is not None and (again["id"] != name or text_of(again) != words):
        raise Wrong(f"{name} came back as {again['id']}: {text_of(again)!r}")
    await visit.stored("input items", "GET", f"{name}/input_items")
    await visit.stored("stranger's delete", "DELETE", name, status=404, stranger=True)
    if await visit.stored("delete", "DELETE", name) is not None:
        await visit.stored("retrieve of a deleted one", "GET", name, status=404)


async def _tool(visit: Visit) -> None:
    city = visit.nonce.replace("-", "").title()
    body = {"input": f'What is the weather in the city "{city}"?', "tools": [_TOOL]}
    first = await visit.create("tool", "", tool_choice="required", **body)
    if first is None:
        return
    found = [item for item in first["output"] if item["type"] == "function_call"]
    if len(found) != 1 or city not in found[0]["arguments"]:
        raise Wrong(f"for {city} was called {found}")
    output = {
        "type": "function_call_output",
        "call_id": found[0]["call_id"],
        "output": f"{visit.nonce} is sunny",
    }
    second = await visit.create(
        "tool output", None, input=[output], tools=[_TOOL], previous_response_id=first["id"]
    )
    if second is not None and f"{visit.nonce} is sunny" not in text_of(second):
        raise Wrong(f"{visit.nonce} was answered {text_of(second)!r}")


async def _leave(visit: Visit) -> None:
    words = visit.words(60)
    await visit.stream("left stream", words, input=_exactly(words), leaves_after=12)


async def _leave_chat(visit: Visit) -> None:
    words = visit.words(60)
    await visit.chat_stream("left chat stream", words, _message(words), leaves_after=8)


KINDS: dict[Callable[[Visit], Awaitable[None]], int] = {
    _native: 20,
    _native_stream: 24,
    _chat: 16,
    _chat_stream: 16,
    _follow_up: 8,
    _retrieve: 4,
    _tool: 5,
    _leave: 4,
    _leave_chat: 3,
}
"""What a visit may be, and how often."""
