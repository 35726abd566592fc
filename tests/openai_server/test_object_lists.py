"""Lists of objects over several resources, for one owner and for all."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Emulator, Fault
from tests.openai_server.servers import FORM, Asker, form, make_emulator, open_asker, row

_NAMES = ("east", "west", "north")


class _Fleet:
    """Three resources behind a server, and the way to each of them beside it."""

    def __init__(self, kind: str, emulator: Emulator, asker: Asker) -> None:
        self.emulator = emulator
        self.ask = asker
        self.kind = kind

    def upload(self, name: str, model: str = "east", owner: str | None = "alice") -> str:
        """The id of a file that is uploaded through the server."""
        content = form(("purpose", "assistants"), name=name)
        self.ask.headers = {"content-type": FORM, "x-azr-model": model}
        made = self.ask("POST", "/v1/files", content, owner=owner)
        self.ask.headers = {}
        assert made.status == 200, made.content
        found: str = made.json["id"]
        return found

    def page(self, query: str = "", owner: str | None = "alice", path: str = "files") -> Any:
        found = self.ask("GET", f"/v1/{path}", query=query, owner=owner)
        assert found.status == 200, found.content
        return found.json

    def walk(self, query: str = "", owner: str | None = "alice", path: str = "files") -> list[str]:
        """The ids of all pages, paged as the openai package does it."""
        seen: list[str] = []
        after = ""
        while True:
            page = self.page(f"{query}{after}", owner, path)
            seen += [each["id"] for each in page["data"]]
            if not page["has_more"] or not page["data"]:
                return seen
            after = f"&after={page['data'][-1]['id']}"

    def at(self, name: str) -> httpx.Client:
        """Azure itself, beside the server."""
        return httpx.Client(
            base_url=f"https://{name}.openai.azure.com/openai/v1",
            headers={"api-key": f"key-of-{name}"},
            transport=self.emulator.httpx_transport(),
        )

    def reads(self) -> int:
        return len(self.emulator.requests)


@pytest.fixture(params=["sync", "async"])
def fleet(request: pytest.FixtureRequest) -> Iterator[_Fleet]:
    emulator = make_emulator(*_NAMES)
    rows = [row(name, group) for name in _NAMES for group in ("chat", name)]
    with open_asker(request.param, emulator, model_list=rows) as asker:
        yield _Fleet(request.param, emulator, asker)


def test_an_owner_is_shown_what_they_made_and_nothing_else(fleet: _Fleet) -> None:
    made = [fleet.upload(f"a{n}.txt", _NAMES[n % 3]) for n in range(7)]
    theirs = [fleet.upload(f"b{n}.txt", _NAMES[n % 3], "bob") for n in range(3)]
    page = fleet.page()
    assert {each["id"] for each in page["data"]} == set(made)
    assert (page["has_more"], page["object"]) == (False, "list")
    assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])
    assert set(fleet.walk("limit=2", "bob")) == set(theirs)
    assert fleet.page(owner="carol") == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_of_an_owner_hold_each_object_once(fleet: _Fleet, order: str, limit: int) -> None:
    made = [fleet.upload(f"a{n}.txt", _NAMES[n % 3]) for n in range(7)]
    seen = fleet.walk(f"limit={limit}&order={order}")
    assert sorted(seen) == sorted(made)
    assert fleet.walk(f"limit=100&order={order}") == seen


def test_objects_of_others_cost_an_owner_nothing(fleet: _Fleet) -> None:
    for number in range(40):
        fleet.upload(f"b{number}.txt", "east", "bob")
    mine = fleet.upload("a.txt", "east")
    before = fleet.reads()
    assert [each["id"] for each in fleet.page()["data"]] == [mine]
    assert fleet.reads() == before + 1


def test_many_objects_of_an_owner_cost_one_read_of_each_resource(fleet: _Fleet) -> None:
    made = [fleet.upload(f"a{number}.txt", _NAMES[number % 3]) for number in range(30)]
    before = fleet.reads()
    first = fleet.page("limit=15")
    assert fleet.reads() == before + 3
    last = fleet.page(f"limit=15&after={first['last_id']}")
    assert fleet.reads() == before + 6
    assert [each["id"] for each in (*first["data"], *last["data"])] == made[::-1]


def test_a_list_without_an_owner_merges_what_all_resources_have(fleet: _Fleet) -> None:
    made = [fleet.upload(f"a{n}.txt", _NAMES[n % 3], None) for n in range(5)]
    fleet.upload("hers.txt", "west")
    with fleet.at("west") as west:
        files = {"file": ("direct.txt", b"abc")}
        direct = west.post("/files", data={"purpose": "assistants"}, files=files).json()["id"]
    for limit in (1, 2, 4, 50):
        seen = fleet.walk(f"limit={limit}&order=asc", None)
        assert len(seen) == len(set(seen)) == 6
        assert set(made) < set(seen)
    (other,) = set(seen) - set(made)
    # What was made beside the router has an id of it as well.
    content = fleet.ask("GET", f"/v1/files/{other}", owner=None)
    assert content.json["filename"] == "direct.txt"
    assert direct not in seen


def test_a_page_of_all_costs_one_read_of_each_resource(fleet: _Fleet) -> None:
    for number in range(30):
        fleet.upload(f"a{number}.txt", _NAMES[number % 3], None)
    page = fleet.page("limit=5", None)
    for _ in range(3):
        before = fleet.reads()
        page = fleet.page(f"limit=5&after={page['last_id']}", None)
        assert fleet.reads() == before + 3


@pytest.mark.parametrize("owner", ["alice", None])
def test_a_list_is_cleared_while_it_is_read(fleet: _Fleet, owner: str | None) -> None:
    made = {fleet.upload(f"a{n}.txt", _NAMES[n % 3], owner) for n in range(9)}
    after = ""
    while True:
        page = fleet.page(f"limit=2{after}", owner)
        for each in page["data"]:
            made.remove(each["id"])
            assert fleet.ask("DELETE", f"/v1/files/{each['id']}", owner=owner).status == 200
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert made == set()
    assert fleet.page(owner=owner)["data"] == []


def test_a_list_goes_on_after_any_object_of_it(fleet: _Fleet) -> None:
    for owner in ("alice", None):
        for number in range(6):
            fleet.upload(f"a{number}.txt", _NAMES[number % 3], owner)
        whole = fleet.walk("limit=100", owner)
        for place, each in enumerate(whole):
            rest = fleet.page(f"limit=100&after={each}", owner)["data"]
            assert [one["id"] for one in rest] == whole[place + 1 :]


def test_a_page_before_an_object_ends_there(fleet: _Fleet) -> None:
    for owner in ("alice", None):
        for number in range(6):
            body = {"name": f"s{number}", "model": _NAMES[number % 3]}
            assert fleet.ask("POST", "/v1/vector_stores", body, owner=owner).status == 200
        whole = fleet.walk("limit=100", owner, "vector_stores")
        page = fleet.page(f"limit=2&before={whole[4]}", owner, "vector_stores")
        assert [one["id"] for one in page["data"]] == whole[2:4]


def test_what_is_gone_at_the_resource_leaves_the_list(fleet: _Fleet) -> None:
    made = [fleet.upload(f"a{n}.txt", "east") for n in range(4)]
    with fleet.at("east") as east:
        for each in east.get("/files").json()["data"][1:3]:
            assert east.delete(f"/files/{each['id']}").status_code == 200
    assert len(fleet.walk("limit=1")) == 2
    assert set(fleet.walk("limit=2")) < set(made)


def test_a_list_can_be_asked_for_one_purpose(fleet: _Fleet) -> None:
    wanted = []
    for owner in ("alice", None):
        for purpose in ("assistants", "vision"):
            fleet.ask.headers = {"content-type": FORM, "x-azr-model": "west"}
            made = fleet.ask(
                "POST", "/v1/files", form(("purpose", purpose), name="x.txt"), owner=owner
            )
            wanted.append(made.json["id"])
        fleet.ask.headers = {}
    assert fleet.walk("purpose=vision") == [wanted[1]]
    assert wanted[3] in fleet.walk("purpose=vision", None)
    assert wanted[2] not in fleet.walk("purpose=vision", None)


@pytest.mark.parametrize("owner", ["alice", None])
def test_a_resource_that_does_not_answer_fails_the_list(fleet: _Fleet, owner: str | None) -> None:
    for number in range(3):
        fleet.upload(f"a{number}.txt", _NAMES[number], owner)
    fleet.emulator.faults.add(Fault("connect-refused", resource="west"))
    failed = fleet.ask("GET", "/v1/files", owner=owner)
    assert failed.status >= 500
    assert "data" not in failed.json


def test_a_model_narrows_a_list_to_its_resources(fleet: _Fleet) -> None:
    made = [fleet.upload(f"a{n}.txt", _NAMES[n % 3], None) for n in range(6)]
    seen = fleet.walk("limit=1&model=west", None)
    assert sorted(seen) == sorted([made[1], made[4]])


def test_a_key_for_one_model_sees_the_objects_of_its_resource(fleet: _Fleet) -> None:
    for owner in ("alice", None):
        made = [fleet.upload(f"a{n}.txt", _NAMES[n % 3], owner) for n in range(3)]
        found = fleet.ask("GET", "/v1/files", owner=owner, may_call=lambda name: name == "north")
        assert [each["id"] for each in found.json["data"]] == made[2:]


@pytest.mark.parametrize("owner", ["alice", None])
@pytest.mark.parametrize(
    ("query", "param"), [("limit=0", "limit"), ("order=x", "order"), ("after=file-none", "after")]
)
def test_an_invalid_query_is_refused(
    fleet: _Fleet, owner: str | None, query: str, param: str
) -> None:
    refused = fleet.ask("GET", "/v1/files", query=query, owner=owner)
    assert (refused.status, refused.json["error"]["param"]) == (400, param)


def test_an_object_of_another_owner_is_no_cursor(fleet: _Fleet) -> None:
    theirs = fleet.upload("b.txt", owner="bob")
    refused = fleet.ask("GET", "/v1/files", query=f"after={theirs}")
    assert refused.status == 404


def test_a_cursor_whose_object_is_gone_says_so(fleet: _Fleet) -> None:
    for owner in ("alice", None):
        made = [fleet.upload(f"a{n}.txt", owner=owner) for n in range(2)]
        fleet.ask("DELETE", f"/v1/files/{made[0]}", owner=owner)
        refused = fleet.ask("GET", "/v1/files", query=f"after={made[0]}", owner=owner)
        assert (refused.status, refused.json["error"]["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("path", ["containers", "vector_stores"])
def test_other_objects_are_listed_alike(fleet: _Fleet, path: str) -> None:
    for owner in ("alice", "bob"):
        for name in _NAMES:
            body = {"name": f"of {owner}", "model": name}
            assert fleet.ask("POST", f"/v1/{path}", body, owner=owner).status == 200
    for owner in ("alice", "bob"):
        seen = fleet.page("limit=100", owner, path)["data"]
        assert [each["name"] for each in seen] == [f"of {owner}"] * 3
        assert len(fleet.walk("limit=1", owner, path)) == 3
    assert json.dumps(fleet.page(owner="carol", path=path)["data"]) == "[]"


def test_a_file_of_an_upload_in_parts_is_listed_under_its_id(fleet: _Fleet) -> None:
    body = {"bytes": 3, "filename": "a.txt", "mime_type": "text/plain", "purpose": "assistants"}
    upload = fleet.ask("POST", "/v1/uploads", {**body, "model": "west"}).json
    part = (
        b'--b\r\ncontent-disposition: form-data; name="data"; filename="p"\r\n\r\nabc\r\n--b--\r\n'
    )
    fleet.ask.headers = {"content-type": FORM}
    added = fleet.ask("POST", f"/v1/uploads/{upload['id']}/parts", part).json
    fleet.ask.headers = {}
    whole = fleet.ask("POST", f"/v1/uploads/{upload['id']}/complete", {"part_ids": [added["id"]]})
    assert whole.status == 200, whole.content
    assert fleet.walk() == [whole.json["file"]["id"]]
    assert fleet.page(owner="bob")["data"] == []


def test_an_object_made_for_an_end_user_is_listed_for_them(fleet: _Fleet) -> None:
    for user in ("ann", "eve"):
        body = {"name": user, "model": "east", "metadata": {"user_id": user}}
        assert fleet.ask("POST", "/v1/vector_stores", body).status == 200
    fleet.ask.headers = {"x-azr-end-user": "eve"}
    assert [each["name"] for each in fleet.page(path="vector_stores")["data"]] == ["eve"]
    assert fleet.page(path="vector_stores", owner="bob")["data"] == []
    fleet.ask.headers = {}
    assert len(fleet.page(path="vector_stores")["data"]) == 2
