"""Where an id may stand, what is not a labelled id never reaches the service, whatever it is."""

import json
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import httpx
import openai
import pytest

from azure_responses import BadRequestError, ResponseNotFoundError, Router
from azure_responses.emulator import Emulator
from azure_responses.emulator.server import RunningServer
from azure_responses.openai_transport import transport
from tests.gateway.gateways import config_of, serve
from tests.openai_server.servers import Asker, make_emulator, open_asker
from tests.router.both import emulate, rows_of, run

_REFUSED = (BadRequestError, ResponseNotFoundError)
_RAW = "resp_0742d30c1d273351016a6145f48170819f9d1cdfc7d5d7887a"

# An id in any of these shapes is one the service might read.
_SHAPES: dict[str, Any] = {
    "object": {"id": _RAW},
    "object of an object": {"id": {"id": _RAW}},
    "empty object": {},
    "list": [_RAW],
    "empty list": [],
    "nested list": [[_RAW]],
    "list of an object": [{"id": _RAW}],
    "number": 742,
    "fraction": 7.5,
    "true": True,
    "false": False,
}
_STRINGS: dict[str, Any] = {
    "raw id": _RAW,
    "empty string": "",
    "whitespace": f" {_RAW}\n",
    "whitespace only": " ",
    "look-alike letters": _RAW.replace("resp", "rеsр"),
    "look-alike label": "resp_\uff41zr1_AAAA",
    "marker without a label": "azr1_",
    "address": f"https://example.com/{_RAW}",
    "data address": f"data:,{_RAW}",
}


def _tool(**fields: Any) -> dict[str, Any]:
    return {"input": "Hi", "tools": [fields]}


def _item(**fields: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": "Hi"}, fields]}


def _part(**fields: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [fields]}]}


Body = Callable[[Any], dict[str, Any]]

# Places of things that the service looks up: not even a string may stand there without a label.
_LOOKED_UP: dict[str, Body] = {
    "previous_response_id": lambda v: {"input": "Hi", "previous_response_id": v},
    "conversation.id": lambda v: {"input": "Hi", "conversation": {"id": v}},
    "prompt.id": lambda v: {"input": "Hi", "prompt": {"id": v}},
    "prompt_cache_options": lambda v: {
        "input": "Hi",
        "prompt_cache_options": {"comparison_response_id": v},
    },
    "item_reference": lambda v: _item(type="item_reference", id=v),
    "input as an object": lambda v: {"input": {"type": "item_reference", "id": v}},
    "item by id": lambda v: _item(id=v),
    "item by id and nulls": lambda v: _item(id=v, type=None, content=None),
    "image by id": lambda v: _item(type="image_generation_call", id=v, result=None),
    "reasoning by id": lambda v: _item(type="reasoning", id=v, summary=[]),
    "container_id": lambda v: _item(type="code_interpreter_call", id="ci_1", container_id=v),
    "environment of an item": lambda v: _item(
        type="shell_call", call_id="c", environment={"type": "x", "container_id": v}
    ),
    "container": lambda v: _tool(type="code_interpreter", container=v),
    "environment": lambda v: _tool(type="shell", environment={"container_id": v}),
    "skill": lambda v: _tool(type="shell", environment={"skills": [{"skill_id": v}]}),
    "container in an object": lambda v: _tool(type="code_interpreter", container={"id": v}),
    "environment in an object": lambda v: _tool(type="shell", environment={"id": v}),
    "vector_store_ids[0]": lambda v: _tool(type="file_search", vector_store_ids=[v]),
    "file_ids[0]": lambda v: _tool(type="code_interpreter", container={"file_ids": [v]}),
    "tool in a namespace": lambda v: _tool(
        type="namespace", tools=[{"type": "file_search", "vector_store_ids": [v]}]
    ),
}
_FILES: dict[str, Body] = {
    "input_file": lambda v: _part(type="input_file", file_id=v),
    "input_image": lambda v: _part(type="input_image", file_id=v),
    "tool output": lambda v: _item(
        type="function_call_output", call_id="c", output=[{"type": "input_file", "file_id": v}]
    ),
    "screenshot": lambda v: _item(type="computer_call_output", call_id="c", output={"file_id": v}),
    "prompt variable": lambda v: {
        "input": "Hi",
        "prompt": {"id": None, "variables": {"a": {"type": "input_file", "file_id": v}}},
    },
    "image mask": lambda v: _tool(type="image_generation", input_image_mask={"file_id": v}),
}
# A string there need not be a label: the service looks up none of these.
_SAID: dict[str, Body] = {
    "id of a message": lambda v: _item(type="message", id=v, role="assistant", content="Hi"),
    "id of a call": lambda v: _item(type="function_call", id=v, call_id="c", arguments="{}"),
    "approval": lambda v: _item(type="mcp_approval_response", approval_request_id=v, approve=True),
    "encrypted reasoning": lambda v: _item(type="reasoning", summary=[], encrypted_content=v),
    "compaction": lambda v: _item(type="compaction", encrypted_content=v),
    "file of a citation": lambda v: _item(
        role="assistant", content=[{"type": "output_text", "annotations": [{"file_id": v}]}]
    ),
}
# An object or a list may stand there; the ids are inside.
_LISTS: dict[str, Body] = {
    "vector_store_ids": lambda v: _tool(type="file_search", vector_store_ids=v),
    "file_ids": lambda v: _tool(type="code_interpreter", container={"file_ids": v}),
}
_NEITHER_OBJECT_NOR_STRING = {
    name: shape for name, shape in _SHAPES.items() if not name.endswith("object") or "list" in name
}
_NO_LIST = {n: s for n, s in _SHAPES.items() if n not in ("list", "empty list")}
_OBJECTS: dict[str, Body] = {
    "conversation": lambda v: {"input": "Hi", "conversation": v},
    "prompt": lambda v: {"input": "Hi", "prompt": v},
    "container as an object": lambda v: _tool(type="code_interpreter", container=v),
}
_MISSPELT: dict[str, dict[str, Any]] = {
    "capitals": {"Previous_Response_Id": _RAW},
    "all capitals": {"PREVIOUS_RESPONSE_ID": _RAW},
    "capital in an object": {"conversation": {"ID": _RAW}},
    "capital in an item": {"input": [{"type": "item_reference", "Id": _RAW}]},
    "capital in a tool": {"tools": [{"type": "file_search", "Vector_Store_Ids": [_RAW]}]},
    "capital of a field with objects": {"Input": [{"type": "item_reference", "id": _RAW}]},
    "list in the input": {"input": [[{"type": "item_reference", "id": _RAW}]]},
}
_NAMES = {name: {"input": "Hi", **body} for name, body in _MISSPELT.items()}


def _cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for places, shapes in (
        (_LOOKED_UP, {**_SHAPES, **_STRINGS}),
        (_FILES, _SHAPES),
        (_SAID, _SHAPES),
        (_LISTS, {**_NO_LIST, **_STRINGS}),
        (_OBJECTS, {**_NEITHER_OBJECT_NOR_STRING, **_STRINGS}),
    ):
        for place, make in places.items():
            for shape, value in shapes.items():
                if place != "container" or "object" not in shape or "list" in shape:
                    yield f"{place}: {shape}", make(value)
    yield from _NAMES.items()


_CASES = dict(_cases())


def test_a_router_refuses_every_shape_at_every_place(runner: str) -> None:
    emulator = emulate(2)

    async def scenario(router: Any) -> None:
        for name, body in _CASES.items():
            for given in (body, {"input": "Hi", "extra_body": body}):
                with pytest.raises(_REFUSED):
                    await router.responses(model="gpt", **given)
                assert not emulator.requests, name

    run(runner, emulator, scenario)


def _as_chat(body: dict[str, Any]) -> dict[str, Any]:
    """The same in a chat call, where the input becomes what messages may carry."""
    chat = {**body, "messages": [{"role": "user", "content": "Hi"}]}
    given = chat.pop("input", None)
    if isinstance(given, list):
        hosted = {"role": "assistant", "content": "Hi", "hosted_items": given}
        chat["messages"] = [*chat["messages"], hosted]
    return chat


def test_chat_calls_refuse_them_too(runner: str) -> None:
    emulator = emulate(2)

    async def scenario(router: Any) -> None:
        for name, body in _CASES.items():
            if isinstance(body.get("input"), dict):
                continue
            with pytest.raises(_REFUSED):
                await router.completion(model="gpt", **_as_chat(body))
            assert not emulator.requests, name

    run(runner, emulator, scenario)


class _Id(Enum):
    RAW = _RAW


class _Model:
    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def model_dump(self, **_: Any) -> dict[str, Any]:
        return self._fields


@pytest.mark.parametrize("make", [*_LOOKED_UP.values(), *_FILES.values()])
def test_what_python_has_and_json_has_not_is_refused(make: Body) -> None:
    emulator = emulate(2)
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        Router(rows_of(emulator), http_client=http_client) as router,
    ):
        for value in (
            (_RAW,),
            {_RAW},
            (part for part in [_RAW]),
            _Id.RAW,
            _Model(container_id=[_RAW], id=[_RAW]),
            _RAW.encode(),
        ):
            with pytest.raises(_REFUSED):
                router.responses(model="gpt", **make(value))
        assert not emulator.requests


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("names", [("east", "west"), ("east",)])
def test_server_refuse_them_from_owners(kind: str, names: tuple[str, ...]) -> None:
    emulator = make_emulator()
    with open_asker(kind, emulator, *names) as ask:
        _refuse_all(ask, emulator, is_sole=len(names) == 1)


def _refuse_all(ask: Asker, emulator: Emulator, *, is_sole: bool) -> None:
    for name, body in _CASES.items():
        if is_sole and _is_string_case(name):
            continue
        for path, sent in (
            ("/v1/responses", body),
            ("/v1/responses", {**body, "stream": True}),
            ("/v1/chat/completions", _as_chat(body)),
        ):
            if path.endswith("completions") and isinstance(body.get("input"), dict):
                continue
            found = ask("POST", path, {"model": "chat", **sent})
            assert found.status in (400, 404), (name, path, found.content)
            assert found.json["error"]["param"], (name, path)
            assert not emulator.requests, (name, path)


def _is_string_case(name: str) -> bool:
    """What one resource may know, such as a file that the operator stored there."""
    return name.rpartition(": ")[2] in _STRINGS


@pytest.mark.parametrize("item", [
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {"id": "msg_1", "status": "completed"},
    {"id": "msg_1", "type": None},
    {"type": "image_generation_call", "id": "ig_1", "result": None},
])  # fmt: skip
def test_an_owner_names_no_item_that_was_not_given_to_them(item: dict[str, Any]) -> None:
    emulator = make_emulator()
    with open_asker("sync", emulator, "east") as ask:
        found = ask("POST", "/v1/responses", {"model": "chat", "input": [item]})
        assert (found.status, found.json["error"]["param"]) == (404, "input[0].id")
        found = ask("POST", "/v1/responses", {"model": "chat", "input": item})
        assert (found.status, found.json["error"]["param"]) == (404, "input.id")
        assert not emulator.requests


def test_one_resource_judges_shapes_itself_where_nobody_owns_anything() -> None:
    emulator = make_emulator()
    with open_asker("sync", emulator, "east") as ask:
        body = {"model": "chat", "input": "Hi", "previous_response_id": {"id": _RAW}}
        assert ask("POST", "/v1/responses", body, owner=None).status == 400
        assert len(emulator.requests) == 1


def test_null_is_no_id() -> None:
    emulator = make_emulator()
    with open_asker("sync", emulator, "east", "west") as ask:
        body = {"model": "chat", "input": "Hi", "previous_response_id": None, "conversation": None}
        assert ask("POST", "/v1/responses", body).status == 200


def test_a_gateway_refuses_them_in_the_bytes_of_its_callers() -> None:
    emulator = make_emulator()
    few = [body for name, body in _CASES.items() if name.endswith((": object", ": raw id"))]
    bodies = [json.dumps({"model": "chat", **body}) for body in (*few, *_NAMES.values())]
    start = '{"model": "chat", "input": "Hi", '
    bodies += [
        f'{start}"previous_response_id": null, "previous_response_id": "{_RAW}"}}',
        f'{start}"previous_response_id":"{_RAW}","previous_response_id":null}}',
        f'{start}"previous\\u005fresponse\\u005fid": "{_RAW}"}}',
        f'{start}"previous_response_id": "{_RAW[:4]}\\u005f{_RAW[5:]}"}}',
        f'{start}"conversation": {{"id": null, "id" : "{_RAW}"}}}}',
    ]
    with (
        RunningServer(emulator) as served,
        serve(config_of(served.url, "east", "west")) as running,
        running.client() as client,
    ):
        for body in bodies:
            found = client.post("/v1/responses", content=body)
            assert found.status_code in (400, 404), (body, found.text)
            assert found.json()["error"]["message"]
        assert not emulator.requests


def _untyped(http_client: Any) -> Any:
    # openai 3.x names the class of httpx2, and takes what behaves as one.
    return http_client


def test_an_injected_transport_refuses_them() -> None:
    emulator = emulate(2)
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        Router(rows_of(emulator), http_client=http_client) as router,
        httpx.Client(transport=transport(router)) as injected,
        openai.OpenAI(
            base_url="http://router/v1", api_key="none", http_client=_untyped(injected)
        ) as client,
    ):
        for name, body in _CASES.items():
            with pytest.raises((openai.BadRequestError, openai.NotFoundError)):
                client.responses.create(model="gpt", extra_body=body)
            assert not emulator.requests, name


def test_cursors_of_another_resource_or_owner_are_refused() -> None:
    emulator = make_emulator()
    with open_asker("sync", emulator, "east", "west") as ask:
        made: dict[str, tuple[str, str]] = {}
        while len(made) < 2:
            answer = ask("POST", "/v1/responses", {"model": "chat", "input": "Hi"})
            item = answer.json["output"][-1]["id"]
            made[answer.headers["x-litellm-model-id"]] = answer.json["id"], item
        (first, own), (_, foreign) = made.values()
        path = f"/v1/responses/{first}/input_items"
        sent = len(emulator.requests)
        for field in ("after", "before"):
            for query in (f"{field}={foreign}", f"{field}={own[:-2]}"):
                refused = ask("GET", path, query=query)
                assert (refused.status, refused.json["error"]["param"]) == (404, field)
        assert ask("GET", path, query=f"after={own}", owner="bob").status == 404
        for path_id in (_RAW, "%20", f"%20{first}", first[:-1], f"{first}%0a", "..", "{}"):
            assert ask("GET", f"/v1/responses/{path_id}").status in (400, 404), path_id
        assert len(emulator.requests) == sent


async def _read_all(pages: Any) -> None:
    async for _ in pages if hasattr(pages, "__aiter__") else await pages:
        pass


def test_a_typed_cursor_that_is_no_string_is_refused(runner: str) -> None:
    emulator = emulate(2)

    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="Hi")
        for cursor in ({"id": _RAW}, [_RAW], 7, ""):
            with pytest.raises(BadRequestError):
                await _read_all(router.input_items(made.id, after=cursor))
        for given in ({"id": made.id}, [made.id], 7, "", None, True):
            with pytest.raises(BadRequestError):
                await router.retrieve(given)
        assert len(emulator.requests) == 1

    run(runner, emulator, scenario)
