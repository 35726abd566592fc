"""Files that are uploaded to several resources."""

from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.emulator import Emulator, Fault
from tests.openai_server.servers import FORM, Asker, form, make_emulator, open_asker, row

_NAMES = ("east", "west", "north")


class _Fleet:
    def __init__(self, emulator: Emulator, ask: Asker) -> None:
        self.emulator = emulator
        self.ask = ask

    def upload(
        self, *fields: tuple[str, str], owner: str | None = "alice", query: str = "", **more: Any
    ) -> Any:
        self.ask.headers = {"content-type": FORM, **more.pop("headers", {})}
        content = form(("purpose", "assistants"), *fields, content="My name is Ann.")
        made = self.ask("POST", "/v1/files", content, owner=owner, query=query, **more)
        self.ask.headers = {}
        return made

    def stored(self) -> dict[str, list[str]]:
        """The names of the files at each resource."""
        found = {}
        for name in _NAMES:
            account = self.emulator._accounts[name]
            found[name] = [file.filename for file in account.objects.files.values()]
        return found


@pytest.fixture(params=["sync", "async"])
def fleet(request: pytest.FixtureRequest) -> Iterator[_Fleet]:
    emulator = make_emulator(*_NAMES)
    rows = [row(name, group) for name in _NAMES for group in ("chat", name)]
    rows += [row(name, "pair") for name in ("east", "west")]
    # Each resource has several deployments: a call may meet them all before another resource.
    with open_asker(request.param, emulator, model_list=rows, num_retries=8) as asker:
        yield _Fleet(emulator, asker)


def test_a_file_is_uploaded_to_each_resource_of_the_group(fleet: _Fleet) -> None:
    header = {"x-azr-model": "pair", "x-azr-replicate": "true"}
    made = fleet.upload(headers=header)
    assert made.status == 200, made.content
    assert fleet.stored() == {"east": ["a.txt"], "west": ["a.txt"], "north": []}
    assert made.json["filename"] == "a.txt"
    everywhere = fleet.upload(query="replicate=true")
    assert everywhere.status == 200
    assert {name: len(files) for name, files in fleet.stored().items()} == {
        "east": 2,
        "west": 2,
        "north": 1,
    }


def _copied(fleet: _Fleet, owner: str | None = "alice", model: str = "chat") -> str:
    made = fleet.upload(headers={"x-azr-model": model, "x-azr-replicate": "true"}, owner=owner)
    assert made.status == 200, made.content
    found: str = made.json["id"]
    return found


def test_a_call_with_such_a_file_goes_to_any_resource_that_has_it(fleet: _Fleet) -> None:
    file_id = _copied(fleet, model="pair")
    content = [{"type": "input_file", "file_id": file_id}]
    body = {"model": "chat", "input": [{"role": "user", "content": content}]}
    served = set()
    for _ in range(30):
        answered = fleet.ask("POST", "/v1/responses", body)
        assert answered.status == 200, answered.content
        served.add(fleet.emulator.requests[-1].resource)
    assert served == {"east", "west"}
    fleet.emulator.faults.add(Fault("connect-refused", resource="east"))
    for _ in range(5):
        assert fleet.ask("POST", "/v1/responses", body).status == 200
        assert fleet.emulator.requests[-1].resource == "west"


def test_a_file_and_what_one_resource_stores_meet_there(fleet: _Fleet) -> None:
    file_id = _copied(fleet)
    for name in _NAMES:
        body = {"name": "s", "model": name, "file_ids": [file_id]}
        made = fleet.ask("POST", "/v1/vector_stores", body)
        assert made.status == 200, made.content
        store_id = made.json["id"]
        listed = fleet.ask("GET", f"/v1/vector_stores/{store_id}/files").json["data"]
        assert [each["id"] for each in listed] == [file_id]
        found = fleet.ask("GET", f"/v1/vector_stores/{store_id}/files/{file_id}")
        assert found.json["id"] == file_id
        gone = fleet.ask("DELETE", f"/v1/vector_stores/{store_id}/files/{file_id}")
        assert gone.json["id"] == file_id
        again = fleet.ask("POST", f"/v1/vector_stores/{store_id}/files", {"file_id": file_id})
        assert (again.status, again.json["id"]) == (200, file_id)


def test_such_a_file_is_read_wherever_it_can_be(fleet: _Fleet) -> None:
    file_id = _copied(fleet)
    for down in _NAMES[:2]:
        fleet.emulator.faults.add(Fault("connect-refused", resource=down))
    for _ in range(3):
        found = fleet.ask("GET", f"/v1/files/{file_id}")
        assert (found.status, found.json["id"]) == (200, file_id)
        assert fleet.ask("GET", f"/v1/files/{file_id}/content").content == b"My name is Ann."


@pytest.mark.parametrize("owner", ["alice", None])
def test_such_a_file_is_listed_once(fleet: _Fleet, owner: str | None) -> None:
    file_ids = [_copied(fleet, owner) for _ in range(3)]
    listed = fleet.ask("GET", "/v1/files", owner=owner).json["data"]
    assert sorted(each["id"] for each in listed) == sorted(file_ids)
    seen, after = [], ""
    while True:
        page = fleet.ask("GET", "/v1/files", query=f"limit=1{after}", owner=owner).json
        seen += [each["id"] for each in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={seen[-1]}"
    assert sorted(seen) == sorted(file_ids)
    assert fleet.ask("GET", "/v1/files", owner="bob").json["data"] == []


def test_all_copies_are_deleted(fleet: _Fleet) -> None:
    file_id = _copied(fleet)
    gone = fleet.ask("DELETE", f"/v1/files/{file_id}")
    assert gone.json == {"id": file_id, "object": "file", "deleted": True}
    assert fleet.stored() == {"east": [], "west": [], "north": []}
    assert fleet.ask("DELETE", f"/v1/files/{file_id}").status == 404
    assert fleet.ask("GET", "/v1/files").json["data"] == []


def test_a_copy_that_cannot_be_deleted_stays_and_is_told(fleet: _Fleet) -> None:
    file_id = _copied(fleet)
    fault = fleet.emulator.faults.add(Fault("http-500", resource="west"))
    failed = fleet.ask("DELETE", f"/v1/files/{file_id}")
    assert failed.status >= 500
    assert "1 of 3 copies" in failed.json["error"]["message"]
    assert "west" in failed.json["error"]["message"]
    assert {name: len(files) for name, files in fleet.stored().items()} == {
        "east": 0,
        "west": 1,
        "north": 0,
    }
    assert fault is not None
    fleet.emulator.faults.clear()
    listed = fleet.ask("GET", "/v1/files").json["data"]
    assert len(listed) == 1
    assert fleet.ask("DELETE", f"/v1/files/{file_id}").status == 200
    assert fleet.stored()["west"] == []
    assert fleet.ask("GET", "/v1/files").json["data"] == []


def test_an_upload_that_one_resource_refuses_leaves_nothing_behind(fleet: _Fleet) -> None:
    fleet.emulator.faults.add(Fault("http-400", resource="north"))
    failed = fleet.upload(query="replicate=true")
    assert failed.status == 400
    assert "could not be uploaded to north" in failed.json["error"]["message"]
    assert fleet.stored() == {"east": [], "west": [], "north": []}
    assert fleet.ask("GET", "/v1/files").json["data"] == []


def test_another_owner_cannot_use_such_a_file(fleet: _Fleet) -> None:
    file_id = _copied(fleet)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/content")):
        assert fleet.ask(method, f"/v1/files/{file_id}{path}", owner="bob").status == 404
    assert len(fleet.stored()["east"]) == 1


def test_one_resource_needs_no_copies(fleet: _Fleet) -> None:
    made = fleet.upload(headers={"x-azr-model": "west", "x-azr-replicate": "true"})
    assert made.status == 200
    assert fleet.stored() == {"east": [], "west": ["a.txt"], "north": []}
    assert len(made.json["id"]) < 80


def test_what_is_neither_true_nor_false_is_refused(fleet: _Fleet) -> None:
    refused = fleet.upload(query="replicate=maybe")
    assert (refused.status, refused.json["error"]["param"]) == (400, "replicate")


def test_a_key_replicates_only_to_what_it_may_call(fleet: _Fleet) -> None:
    made = fleet.upload(query="replicate=true", may_call=lambda name: name == "pair")
    assert made.status == 200
    assert fleet.stored()["north"] == []


@pytest.mark.parametrize("as_form", [False, True])
def test_a_container_gets_the_copy_of_its_resource(fleet: _Fleet, as_form: bool) -> None:
    file_id = _copied(fleet)
    for name in _NAMES:
        made = fleet.ask("POST", "/v1/containers", {"name": "c", "model": name})
        path = f"/v1/containers/{made.json['id']}/files"
        body: Any = {"file_id": file_id}
        if as_form:
            fleet.ask.headers = {"content-type": FORM}
            head = 'content-disposition: form-data; name="file_id"'
            body = f"--b\r\n{head}\r\n\r\n{file_id}\r\n--b--\r\n".encode()
        added = fleet.ask("POST", path, body)
        fleet.ask.headers = {}
        assert added.status == 200, added.content
        content = fleet.ask("GET", f"{path}/{added.json['id']}/content")
        assert content.content == b"My name is Ann."
