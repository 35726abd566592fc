"""Files, vector stores, containers, conversations and their kin, over three resources."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import pytest

from azure_responses.emulator import Emulator, Fault
from tests.openai_server.servers import FORM, Answered, Asker, form, make_emulator, open_asker, row

_NAMES = ("east", "west", "north")
_FOLLOW_UPS = 200
_TEXT = "---\nname: notes\ndescription: What Ann wrote.\n---\nMy name is Ann."
_form = partial(form, name="notes.md", content=_TEXT)


class Fleet:
    """Three resources behind a server: the group "chat" on all, and one group on each.

    Attributes:
        owner: who calls.
    """

    def __init__(self, emulator: Emulator, ask: Asker) -> None:
        self.emulator = emulator
        self.owner: str | None = "ann"
        self._ask = ask

    def call(
        self, method: str, path: str, body: Any = None, *, model: str | None = None, query: str = ""
    ) -> Answered:
        headers = {} if model is None else {"x-azr-model": model}
        if isinstance(body, bytes):
            headers["content-type"] = FORM
        self._ask.headers = headers
        return self._ask(method, f"/v1{path}", body, owner=self.owner, query=query)

    def make(self, path: str, body: Any, home: str) -> str:
        made = self.call("POST", path, body, model=home)
        assert made.status == 200, made.content
        assert self.emulator.requests[-1].resource == home
        return str(made.json["id"])

    def file(self, home: str) -> str:
        return self.make("/files", _form(("purpose", "assistants")), home)

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The error of a call that is refused before anything is sent, and its status."""
        sent = len(self.emulator.requests)
        answer = self.call(method, path, body, **more)
        assert len(self.emulator.requests) == sent
        return {"status": answer.status, **answer.json["error"]}


@pytest.fixture(params=["sync", "async"])
def fleet(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    with _fleet(request.param) as made:
        yield made


@contextmanager
def _fleet(kind: str, names: tuple[str, ...] = _NAMES) -> Iterator[Fleet]:
    emulator = make_emulator(*names, log_size=5000)
    rows = [row(name, "chat") for name in names] + [row(name, name) for name in names]
    with open_asker(kind, emulator, model_list=rows) as ask:
        yield Fleet(emulator, ask)


def _response(fleet: Fleet, **more: Any) -> Answered:
    return fleet.call("POST", "/responses", {"model": "chat", "input": "My name?", **more})


def _with_tool(fleet: Fleet, **tool: Any) -> Answered:
    return _response(fleet, tools=[tool], tool_choice="required")


def _with_input_file(fleet: Fleet, file: str) -> Answered:
    content = [{"type": "input_file", "file_id": file}, {"type": "input_text", "text": "Read."}]
    return _response(fleet, input=[{"role": "user", "content": content}])


def _shell(fleet: Fleet, skill: str) -> Answered:
    reference = {"type": "skill_reference", "skill_id": skill}
    environment = {"type": "container_auto", "skills": [reference]}
    return _with_tool(fleet, type="shell", environment=environment)


Made = dict[str, str]
_FOLLOWING: dict[str, Callable[[Fleet, Made], Answered]] = {
    "a file is read": lambda fleet, made: fleet.call("GET", f"/files/{made['file']}"),
    "a file is downloaded": lambda fleet, made: fleet.call("GET", f"/files/{made['file']}/content"),
    "a store gets a file": lambda fleet, made: fleet.call(
        "POST", f"/vector_stores/{made['store']}/files", {"file_id": made["file"]}
    ),
    "a store is made of files": lambda fleet, made: fleet.call(
        "POST", "/vector_stores", {"file_ids": [made["file"]]}, model="chat"
    ),
    "a store is searched": lambda fleet, made: fleet.call(
        "POST", f"/vector_stores/{made['store']}/search", {"query": "name"}
    ),
    "files of a store are listed after one": lambda fleet, made: fleet.call(
        "GET", f"/vector_stores/{made['store']}/files", query=f"after={made['file']}"
    ),
    "a file batch is read": lambda fleet, made: fleet.call(
        "GET", f"/vector_stores/{made['store']}/file_batches/{made['file_batch']}"
    ),
    "a container is made of files": lambda fleet, made: fleet.call(
        "POST", "/containers", {"name": "c", "file_ids": [made["file"]]}
    ),
    "a file of a container is downloaded": lambda fleet, made: fleet.call(
        "GET", f"/containers/{made['container']}/files/{made['container_file']}/content"
    ),
    "a conversation gets an item": lambda fleet, made: fleet.call(
        "POST",
        f"/conversations/{made['conversation']}/items",
        {"items": [{"type": "message", "role": "user", "content": "hi"}]},
    ),
    "an item of a conversation is read": lambda fleet, made: fleet.call(
        "GET", f"/conversations/{made['conversation']}/items/{made['item']}"
    ),
    "an upload gets a part": lambda fleet, made: fleet.call(
        "POST", f"/uploads/{made['upload']}/parts", _form(field="data")
    ),
    "a skill is read": lambda fleet, made: fleet.call("GET", f"/skills/{made['skill']}/versions"),
    "a response reads a file": lambda fleet, made: _with_input_file(fleet, made["file"]),
    "a response searches a store": lambda fleet, made: _with_tool(
        fleet, type="file_search", vector_store_ids=[made["store"]]
    ),
    "a response runs in a container": lambda fleet, made: _with_tool(
        fleet, type="code_interpreter", container=made["container"]
    ),
    "a response makes a container of files": lambda fleet, made: _with_tool(
        fleet, type="code_interpreter", container={"type": "auto", "file_ids": [made["file"]]}
    ),
    "a response goes on with a conversation": lambda fleet, made: _response(
        fleet, conversation=made["conversation"]
    ),
    "a response uses a skill": lambda fleet, made: _shell(fleet, made["skill"]),
}


def _make_all(fleet: Fleet, home: str) -> Made:
    made = {
        "file": fleet.file(home),
        "store": fleet.make("/vector_stores", {"name": "v"}, home),
        "container": fleet.make("/containers", {"name": "c"}, home),
        "upload": fleet.make(
            "/uploads",
            {
                "bytes": 10**6,
                "filename": "a.jsonl",
                "mime_type": "application/jsonl",
                "purpose": "batch",
            },
            home,
        ),
    }
    items = [{"type": "message", "role": "user", "content": "My name is Ann."}]
    made["conversation"] = fleet.make("/conversations", {"items": items}, home)
    page = fleet.call("GET", f"/conversations/{made['conversation']}/items").json
    made["item"] = page["data"][0]["id"]
    made["skill"] = fleet.make("/skills", _form(field="files[]", name="s/SKILL.md"), home)
    # What is made within an object needs no model.
    made["container_file"] = fleet.make(f"/containers/{made['container']}/files", _form(), home)
    body = {"file_ids": [made["file"]]}
    batches = f"/vector_stores/{made['store']}/file_batches"
    made["file_batch"] = fleet.make(batches, body, home)
    return made


@pytest.mark.parametrize("follow", _FOLLOWING)
def test_each_of_200_follow_ups_reaches_the_resource_that_has_the_object(follow: str) -> None:
    with _fleet("async") as fleet:
        made = {home: _make_all(fleet, home) for home in _NAMES}
        for turn in range(_FOLLOW_UPS):
            home = _NAMES[turn * 7 % 3]
            answer = _FOLLOWING[follow](fleet, made[home])
            assert answer.status == 200, answer.content
            assert fleet.emulator.requests[-1].resource == home


@pytest.mark.parametrize("follow", _FOLLOWING)
def test_another_owner_finds_nothing_and_nothing_is_sent(fleet: Fleet, follow: str) -> None:
    made = _make_all(fleet, "west")
    sent = len(fleet.emulator.requests)
    for fleet.owner in ("bob", None):
        answer = _FOLLOWING[follow](fleet, made)
        assert answer.status == 404, answer.content
    assert len(fleet.emulator.requests) == sent


@pytest.mark.parametrize(
    "text",
    ["..", ".", "../responses", "..%2Fresponses", "%2e%2e%2fvector_stores", "a%2Fb", "file%3Fx=1",
     "file%23x", "file%20x", "%25", "file-azr1_AAAA", "assistant-azr1_", "azr1_"],
)  # fmt: skip
@pytest.mark.parametrize("owner", ["ann", None])
def test_a_hostile_id_reaches_no_other_path(text: str, owner: str | None) -> None:
    with _fleet("async", ("east",)) as fleet:
        fleet.owner = owner
        for method, path in (
            ("GET", f"/files/{text}"),
            ("GET", f"/files/{text}/content"),
            ("DELETE", f"/vector_stores/{text}"),
            ("GET", f"/containers/{text}/files/{text}/content"),
            ("POST", f"/vector_stores/{text}/search"),
        ):
            fleet.emulator.requests.clear()
            answer = fleet.call(method, path, {"query": "x"} if method == "POST" else None)
            assert answer.status in (400, 404, 405), answer.content
            # What was sent all the same has the id in one segment of the path it belongs to.
            for entry in fleet.emulator.requests:
                assert entry.path.count("/") == path.count("/") + 2
                start = "/".join(entry.path.split("/")[:4])
                assert start == "/openai/v1/" + path.split("/")[1]


_WRONG: dict[str, Callable[[Made], tuple[str, str, Any]]] = {
    "a file for a container": lambda made: ("GET", f"/containers/{made['file']}", None),
    "a container for a file": lambda made: ("GET", f"/files/{made['container']}/content", None),
    "a store for a conversation": lambda made: ("GET", f"/conversations/{made['store']}", None),
    "a conversation for a file of a store": lambda made: (
        "POST", f"/vector_stores/{made['store']}/files", {"file_id": made["conversation"]}
    ),
    "a file of a container for a file": lambda made: (
        "GET", f"/files/{made['container_file']}/content", None
    ),
    "a file for a response": lambda made: ("GET", f"/responses/{made['file']}", None),
}  # fmt: skip


@pytest.mark.parametrize("wrong", _WRONG)
def test_a_label_of_a_wrong_kind_is_not_found_and_named_as_it_was_given(
    fleet: Fleet, wrong: str
) -> None:
    made = _make_all(fleet, "north")
    answer = fleet.call(*_WRONG[wrong](made))
    assert answer.status in (400, 404), answer.content
    message = answer.json["error"]["message"]
    assert "azr1_" in message
    for entry in fleet.emulator.requests:
        for name in made:
            assert entry.path.rpartition("/")[2] not in message or name == "version"


def test_ids_of_two_resources_are_refused_and_both_fields_are_named(fleet: Fleet) -> None:
    east, west = fleet.file("east"), fleet.file("west")
    error = fleet.refused("POST", "/vector_stores", {"file_ids": [east, west]})
    assert error["status"] == 400
    assert "file_ids[0] and file_ids[1]" in error["message"]
    store = fleet.make("/vector_stores", {}, "north")
    error = fleet.refused("POST", f"/vector_stores/{store}/files", {"file_id": east})
    assert "vector_store_id and file_id" in error["message"]


def test_without_a_model_the_answer_names_the_choices(fleet: Fleet) -> None:
    error = fleet.refused("POST", "/conversations", {})
    assert (error["status"], error["code"]) == (400, "missing_required_parameter")
    assert error["hint"].endswith("chat or east or west or north.")


@pytest.mark.parametrize(
    "named",
    [
        {"body": {"model": "west"}},
        {"body": {"target_model_names": ["west", "east"]}},
        {"body": {}, "query": "model=west"},
        {"body": {}, "model": "west"},
    ],
)
def test_the_model_may_be_named_anywhere_and_is_not_sent(
    fleet: Fleet, named: dict[str, Any]
) -> None:
    more = {name: value for name, value in named.items() if name != "body"}
    body = {"name": "mine", "x_unknown": {"a": 1}, **named["body"]}
    answer = fleet.call("POST", "/vector_stores", body, **more)
    entry = fleet.emulator.requests[-1]
    assert entry.resource == "west"
    assert b"west" not in entry.body
    # What is unknown here is the service's to judge.
    assert b"x_unknown" in entry.body
    assert answer.status == 200


def test_a_body_without_ids_is_sent_byte_for_byte(fleet: Fleet) -> None:
    sent = b'{ "name":"v",  "metadata" : {"file_id": "file-1"} }'
    headers = {"x-azr-model": "west", "content-type": "application/json"}
    fleet._ask.headers = headers
    answer = fleet._ask("POST", "/v1/vector_stores", sent, owner="ann")
    assert answer.status == 200
    assert fleet.emulator.requests[-1].body == sent
    assert answer.json["metadata"] == {"file_id": "file-1"}


def test_what_code_interpreter_wrote_is_downloaded_by_its_citation(fleet: Fleet) -> None:
    tool = {"type": "code_interpreter", "container": {"type": "auto"}}
    asked = {"input": "Plot 1, 2 and 3.", "tools": [tool], "tool_choice": "required"}
    answer = _response(fleet, **asked)
    cited = [
        note
        for item in answer.json["output"]
        if item["type"] == "message"
        for part in item["content"]
        for note in part["annotations"]
        if note["type"] == "container_file_citation"
    ]
    files = f"/containers/{cited[0]['container_id']}/files"
    path = f"{files}/{cited[0]['file_id']}/content"
    listed = fleet.call("GET", files).json["data"]
    assert [file["id"] for file in listed] == [cited[0]["file_id"]]
    assert listed[0]["container_id"] == cited[0]["container_id"]
    download = fleet.call("GET", path)
    assert download.status == 200
    assert download.content
    assert download.headers["x-content-type-options"] == "nosniff"
    fleet.owner = "bob"
    assert fleet.call("GET", path).status == 404


def test_an_object_that_is_gone_is_a_404_and_its_deployment_goes_on(fleet: Fleet) -> None:
    file = fleet.file("east")
    assert fleet.call("DELETE", f"/files/{file}").json["id"] == file
    for _ in range(6):
        answer = fleet.call("GET", f"/files/{file}")
        assert answer.status == 404
        assert file in answer.json["error"]["message"]
    assert fleet.call("POST", "/responses", {"model": "east", "input": "hi"}).status == 200


def test_a_resource_that_fails_is_not_replaced_by_another(fleet: Fleet) -> None:
    file = fleet.file("east")
    fleet.emulator.faults.add(
        Fault("http-500", resource="east", operation="files.retrieve", times=1)
    )
    assert fleet.call("GET", f"/files/{file}").status == 200
    fleet.emulator.faults.add(Fault("http-400", resource="east"))
    assert fleet.call("GET", f"/files/{file}").status == 400
    assert {entry.resource for entry in fleet.emulator.requests} == {"east"}


def test_a_query_that_says_a_thing_twice_is_refused(fleet: Fleet) -> None:
    store = fleet.make("/vector_stores", {}, "east")
    error = fleet.refused("GET", f"/vector_stores/{store}/files", query="limit=1&limit=2")
    assert (error["status"], error["param"]) == (400, "limit")


@pytest.mark.parametrize(
    "query",
    [
        "include[]=a&include[]=b",
        "include=a&include=b",
        "include[0]=a&include[1]=b",
        "include%5B%5D=a&include=b",
    ],
)
def test_a_list_in_the_query_may_be_written_in_any_way(fleet: Fleet, query: str) -> None:
    conversation = fleet.make("/conversations", {}, "east")
    fleet.call("GET", f"/conversations/{conversation}/items", query=f"{query}&unknown=1&limit=5")
    sent = parse_qs(fleet.emulator.requests[-1].query)
    assert sent == {"include[]": ["a", "b"], "limit": ["5"]}


def test_a_model_that_is_not_there_is_not_found(fleet: Fleet) -> None:
    error = fleet.refused("POST", "/vector_stores", {}, model="gpt-9")
    assert (error["status"], error["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("body", [b"[1]", b"{", b'{"a":1,"a":2}', b'{"api_key": "x"}'])
def test_a_body_that_cannot_be_read_is_refused(fleet: Fleet, body: bytes) -> None:
    fleet._ask.headers = {"x-azr-model": "east", "content-type": "application/json"}
    answer = fleet._ask("POST", "/v1/vector_stores", body, owner="ann")
    assert answer.status == 400
    assert len(fleet.emulator.requests) == 0
