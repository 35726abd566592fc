"""Items of every kind over a connection whose deployment speaks chat completions or Messages.

The third turn of a chain sends what one call with the whole input sends: nothing of the items is
lost or changed on the way through a connection, whichever program keeps it.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from azure_responses import AsyncAzureResponses, Router
from tests.openai_server.connections import open_caller_of, perform_over

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:The turns of this connection go over HTTP:UserWarning"),
]

_Body = dict[str, Any]
_Turn = Callable[..., Any]

_ENCRYPTED = "reasoning.encrypted_content"
_PNG = "data:image/png;base64,iVBORw0KGgo="
_PDF = "data:application/pdf;base64,JVBERi0="
_SECRET = "s" * 32
_ENDPOINT = "https://one.services.ai.azure.com"

_CALLS: list[tuple[str, _Body]] = [
    ("f", {"city": "Oslo"}),
    ("f", {"city": "Rome"}),
    ("note", {"input": "free text"}),
    ("shell", {"commands": ["ls", "pwd"], "timeout_ms": 5}),
    ("apply_patch", {"type": "create_file", "path": "a.txt", "diff": "+a"}),
    ("computer", {"actions": [{"type": "screenshot"}, {"type": "wait"}]}),
]
_TOOLS: list[_Body] = [
    {
        "type": "function",
        "name": "f",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        "strict": False,
    },
    {"type": "custom", "name": "note"},
    {"type": "shell"},
    {"type": "apply_patch"},
    {"type": "computer"},
]
_FILE = {"type": "input_file", "filename": "a.pdf", "file_data": _PDF}
_SHOWN = [
    {"type": "input_text", "text": "Look at this."},
    {"type": "input_image", "image_url": _PNG, "detail": "low"},
]
_ASKED: list[_Body] = [
    {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    },
    {
        "type": "mcp_call",
        "id": "mcp_1",
        "server_label": "s",
        "name": "look",
        "arguments": "{}",
        "output": "found",
    },
    {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "refusal", "refusal": "I will not."}],
    },
    {"type": "message", "role": "user", "content": "Go on."},
]
_LAST: list[_Body] = [{"type": "message", "role": "user", "content": "And then?"}]


def _asked(model: str) -> list[_Body]:
    """The first input; chat completions on Azure take no documents."""
    shown = [*_SHOWN, _FILE] if model.startswith("claude") else _SHOWN
    return [{"type": "message", "role": "user", "content": shown}, *_ASKED]


def _outputs(calls: list[_Body]) -> list[_Body]:
    """The results of the calls of a response, by their types."""
    results: dict[str, _Body] = {
        "function_call": {"output": [{"type": "input_text", "text": "4 °C"}]},
        "custom_tool_call": {"output": "noted"},
        "shell_call": {
            "output": [
                {"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}},
            ]
        },
        "apply_patch_call": {"status": "failed", "output": "no such file"},
        "computer_call": {"output": {"type": "computer_screenshot", "image_url": _PNG}},
    }
    return [
        {"type": f"{one['type']}_output", "call_id": one["call_id"], **results[one["type"]]}
        for one in calls
    ]


# --- what the deployments answer ------------------------------------------------------------------


def _chat_answer(number: int) -> bytes:
    """The first request gets reasoning, text and all calls, the second one a refusal."""
    calls = [
        {
            "index": place,
            "id": f"call_{place}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(given)},
        }
        for place, (name, given) in enumerate(_CALLS)
    ]
    deltas: list[_Body] = [{"role": "assistant", "reasoning_content": f"Thought {number}."}]
    if number == 1:
        deltas += [{"content": "Working."}, {"tool_calls": calls}]
    else:
        deltas += [{"content": "Some. "}, {"refusal": "No more of it."}]
    reason = "tool_calls" if number == 1 else "stop"
    chunks: list[_Body] = [{"choices": [{"index": 0, "delta": one}]} for one in deltas]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}]
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks += [{"choices": [], "usage": usage}]
    parts = [json.dumps({**head, **one}) for one in chunks]
    return b"".join(b"data: %b\n\n" % part.encode() for part in [*parts, "[DONE]"])


def _message_answer(number: int) -> bytes:
    """As `_chat_answer`, with a signed and a redacted thought."""
    blocks: list[tuple[_Body, list[_Body]]] = [
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            [
                {"type": "thinking_delta", "thinking": f"Thought {number}."},
                {"type": "signature_delta", "signature": f"c2ln{number}"},
            ],
        ),
        ({"type": "redacted_thinking", "data": f"cmVk{number}"}, []),
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "Working."}]),
    ]
    if number == 1:
        blocks += [
            (
                {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": {}},
                [{"type": "input_json_delta", "partial_json": json.dumps(given)}],
            )
            for place, (name, given) in enumerate(_CALLS)
        ]
    usage = {"input_tokens": 3, "output_tokens": 2}
    message: _Body = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude"}
    message |= {"content": [], "stop_reason": None, "usage": usage}
    events: list[_Body] = [{"type": "message_start", "message": message}]
    for place, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": place, "content_block": block})
        events += [{"type": "content_block_delta", "index": place, "delta": one} for one in deltas]
        events.append({"type": "content_block_stop", "index": place})
    reason = "tool_use" if number == 1 else "end_turn"
    events.append({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage})
    events.append({"type": "message_stop"})
    lines = (f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)
    return "".join(lines).encode()


class _Upstream:
    """One deployment; the answer of a request follows from how many answers it holds."""

    def __init__(self) -> None:
        self.bodies: list[_Body] = []

    @property
    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.bodies.append(body)
        # The refusal in what was asked is one answer.
        said = [one for one in body["messages"] if one["role"] == "assistant"]
        number = 1 if len(said) < 2 else 2
        is_chat = request.url.path.endswith("/chat/completions")
        content = _chat_answer(number) if is_chat else _message_answer(number)
        return httpx.Response(200, content=content, headers={"content-type": "text/event-stream"})


# --- three ways to one connection -----------------------------------------------------------------


def _row(model: str) -> _Body:
    params = {"model": f"azure/{model}", "api_base": _ENDPOINT, "api_key": "key"}
    return {"model_name": "group", "params": params}


@asynccontextmanager
async def _router(upstream: _Upstream, model: str) -> AsyncIterator[Router]:
    async with (
        upstream.client as http_client,
        Router(
            [_row(model)],
            async_http_client=http_client,
            affinity_secret=_SECRET,
            hosted_history="text",
        ) as router,
    ):
        yield router


@asynccontextmanager
async def _client(upstream: _Upstream, model: str) -> AsyncIterator[AsyncAzureResponses]:
    async with (
        upstream.client as http_client,
        AsyncAzureResponses(
            endpoint=_ENDPOINT,
            api_key="key",
            deployment=model,
            http_client=http_client,
            hosted_history="text",
        ) as client,
    ):
        yield client


@asynccontextmanager
async def _by_client(upstream: _Upstream, model: str) -> AsyncIterator[_Turn]:
    async with _client(upstream, model) as client, client.responses.connect() as connection:

        async def turn(**arguments: Any) -> _Body:
            found = await connection.create(**arguments).get_final_response()
            body: _Body = found.to_dict()
            return body

        yield turn


@asynccontextmanager
async def _by_router(upstream: _Upstream, model: str) -> AsyncIterator[_Turn]:
    async with _router(upstream, model) as router, router.aconnect("group") as connection:

        async def turn(**arguments: Any) -> _Body:
            found = await connection.create(**arguments).get_final_response()
            body: _Body = found.to_dict()
            return body

        yield turn


@asynccontextmanager
async def _by_server(upstream: _Upstream, model: str) -> AsyncIterator[_Turn]:
    async with (
        _router(upstream, model) as router,
        open_caller_of(router, perform_over(router, "alice"), owner="alice") as caller,
    ):

        async def turn(**arguments: Any) -> _Body:
            frames = await caller.turn(model="group", **arguments)
            body: _Body = frames[-1]["response"]
            return body

        yield turn


_WAYS = {"client": _by_client, "router": _by_router, "server": _by_server}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["DeepSeek-V3.1", "claude-opus-4-6", "claude-sonnet-4-5"])
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=_WAYS)
def way(request: pytest.FixtureRequest) -> Callable[[_Upstream, str], Any]:
    return _WAYS[request.param]


def _settings(**more: Any) -> _Body:
    return {"tools": _TOOLS, "store": False, "reasoning": {"effort": "high"}, **more}


async def _whole(model: str) -> tuple[_Body, list[str]]:
    """What one call with the whole input sends, and the types of its items."""
    upstream = _Upstream()
    settings = _settings(include=[_ENCRYPTED])
    async with _client(upstream, model) as client:
        items = _asked(model)
        for number in range(3):
            async with client.responses.stream(input=items, **settings) as stream:
                output = (await stream.get_final_response()).to_dict()["output"]
            if number == 2:
                break
            items += output
            items += _outputs([one for one in output if one["type"].endswith("_call")])
            items += _LAST if number else []
    return upstream.bodies[-1], [item["type"] for item in items]


@pytest.mark.parametrize("asks", [False, True], ids=["asks no reasoning", "asks for reasoning"])
async def test_a_third_turn_sends_what_one_call_with_the_whole_input_sends(
    way: Callable[[_Upstream, str], Any], model: str, asks: bool
) -> None:
    upstream = _Upstream()
    settings = _settings(**({"include": [_ENCRYPTED]} if asks else {}))
    async with way(upstream, model) as turn:
        first = await turn(input=_asked(model), **settings)
        calls = [one for one in first["output"] if one["type"].endswith("_call")]
        assert len(calls) == len(_CALLS)
        assert {one["type"] for one in calls} == {
            "function_call",
            "custom_tool_call",
            "shell_call",
            "apply_patch_call",
            "computer_call",
        }
        second = await turn(input=_outputs(calls), previous_response_id=first["id"], **settings)
        third = await turn(input=_LAST, previous_response_id=second["id"], **settings)
    assert third["status"] == "completed"
    expected, kinds = await _whole(model)
    assert kinds.count("reasoning") >= 2
    assert upstream.bodies[2] == expected
    sent = json.dumps(expected, ensure_ascii=False)
    signs = ["Thought 1.", "I will not.", "iVBORw0KGgo=", "4 °C", "found"]
    if model.startswith("claude"):
        signs += ["JVBERi0=", "c2ln1", "c2ln2", "cmVk1", "cmVk2"]
    else:
        signs += ["No more of it."]
    assert [sign for sign in signs if sign not in sent] == []
