"""Containers and their files."""

import httpx
import pytest

from azure_responses.emulator import Assumptions, Clock, Emulator, Resource
from tests.emulator.callers import BEGIN, create, open_client
from tests.emulator.operations.test_files import upload

CONTAINERS = "/openai/v1/containers"


def test_a_container_holds_files_of_both_origins(client: httpx.Client) -> None:
    file_id = upload(client, text="data")
    container = client.post(CONTAINERS, json={"name": "box", "file_ids": [file_id]}).json()
    assert container["id"].startswith("cntr_")
    assert (container["status"], container["expires_after"]["minutes"]) == ("running", 20)
    path = f"{CONTAINERS}/{container['id']}"
    sent = client.post(f"{path}/files", files={"file": ("x.csv", b"1,2")}).json()
    copied = client.post(f"{path}/files", json={"file_id": file_id}).json()
    assert sent["path"] == "/mnt/data/x.csv"
    assert copied["bytes"] == 4
    assert len(client.get(f"{path}/files").json()["data"]) == 3
    assert client.get(f"{path}/files/{sent['id']}").json() == sent
    assert client.get(f"{path}/files/{sent['id']}/content").content == b"1,2"
    assert client.delete(f"{path}/files/{sent['id']}").json()["deleted"] is True
    assert client.get(f"{path}/files/{sent['id']}").status_code == 404
    assert client.post(f"{path}/files", json={"purpose": "x"}).status_code == 400
    assert client.post(f"{path}/files", json={"file_id": "assistant-0"}).status_code == 404
    assert [item["id"] for item in client.get(CONTAINERS).json()["data"]] == [container["id"]]
    assert client.delete(path).json()["object"] == "container.deleted"
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"name": "x", "file_ids": ["assistant-0"]}, 404)]
)
def test_an_incomplete_container_is_refused(
    client: httpx.Client, body: dict[str, object], status: int
) -> None:
    assert client.post(CONTAINERS, json=body).status_code == status
    assert client.get(CONTAINERS).json()["data"] == []


def test_an_idle_container_expires_after_twenty_minutes(
    emulator: Emulator, client: httpx.Client
) -> None:
    name = client.post(CONTAINERS, json={"name": "box"}).json()["id"]
    tools = [{"type": "code_interpreter", "container": name}]
    emulator.clock.advance(19 * 60)
    assert create(client, tools=tools).status_code == 200
    emulator.clock.advance(19 * 60)
    assert client.get(f"{CONTAINERS}/{name}").json()["status"] == "running"
    emulator.clock.advance(2 * 60)
    assert client.get(f"{CONTAINERS}/{name}").json()["status"] == "expired"
    assert client.get(f"{CONTAINERS}/{name}/files").status_code == 400
    reply = create(client, tools=tools)
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, "Container is expired.")


def test_a_session_lasts_an_hour_however_busy(emulator: Emulator, client: httpx.Client) -> None:
    body = {"name": "box", "expires_after": {"anchor": "last_active_at", "minutes": 50}}
    name = client.post(CONTAINERS, json=body).json()["id"]
    for _ in range(3):
        emulator.clock.advance(15 * 60)
        assert client.get(f"{CONTAINERS}/{name}/files").status_code == 200
    emulator.clock.advance(15 * 60)
    assert client.get(f"{CONTAINERS}/{name}").json()["status"] == "expired"


def test_a_container_belongs_to_its_resource() -> None:
    emulator = Emulator([Resource("a"), Resource("b")])
    with open_client(emulator) as client:
        name = client.post(CONTAINERS, json={"name": "box"}).json()["id"]
        body = {"model": "gpt-4.1", "input": "x",
                "tools": [{"type": "code_interpreter", "container": name}]}  # fmt: skip
        reply = client.post("https://b.openai.azure.com/openai/v1/responses", json=body)
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == f"Container with id '{name}' not found."


def test_files_for_an_automatic_container_must_exist(client: httpx.Client) -> None:
    def ask(file_id: str) -> int:
        container = {"type": "auto", "file_ids": [file_id]}
        tools = [{"type": "code_interpreter", "container": container}]
        return create(client, tools=tools).status_code

    assert ask("assistant-0") == 404
    assert ask(upload(client)) == 200


def test_a_container_that_a_call_started_can_be_used_afterwards(client: httpx.Client) -> None:
    reply = create(
        client,
        model="gpt-5",
        input="Use the code interpreter to compute 2+2.",
        tools=[{"type": "code_interpreter", "container": {"type": "auto"}}],
        tool_choice={"type": "code_interpreter"},
    ).json()
    (call,) = [item for item in reply["output"] if item["type"] == "code_interpreter_call"]
    assert client.get(f"{CONTAINERS}/{call['container_id']}").json()["status"] == "running"


@pytest.mark.parametrize(
    ("asked", "name"), [("save it as CSV", "result.csv"), ("plot it", "plot.png")]
)
def test_a_cited_file_can_be_downloaded_from_its_container(
    client: httpx.Client, asked: str, name: str
) -> None:
    reply = create(
        client,
        model="gpt-5",
        input=f"Use the code interpreter to compute 2+2 and {asked}.",
        tools=[{"type": "code_interpreter", "container": {"type": "auto"}}],
        tool_choice={"type": "code_interpreter"},
    ).json()
    (note,) = reply["output"][-1]["content"][0]["annotations"]
    assert (note["type"], note["filename"]) == ("container_file_citation", name)
    text = reply["output"][-1]["content"][0]["text"]
    assert text[note["start_index"] : note["end_index"]].endswith(f"/mnt/data/{name})")
    path = f"{CONTAINERS}/{note['container_id']}/files/{note['file_id']}"
    shown = client.get(path).json()
    assert (shown["source"], shown["path"]) == ("assistant", f"/mnt/data/{name}")
    content = client.get(f"{path}/content").content
    assert len(content) == shown["bytes"] > 0


def test_a_container_has_a_memory_limit_and_can_be_found_by_name(client: httpx.Client) -> None:
    client.post(CONTAINERS, json={"name": "small"})
    large = client.post(CONTAINERS, json={"name": "large", "memory_limit": "16g"}).json()
    assert large["memory_limit"] == "16g"
    assert client.get(CONTAINERS, params={"name": "large"}).json()["data"] == [large]
    assert client.get(CONTAINERS).json()["data"][1]["memory_limit"] == "1g"
    for body in ({"name": "x", "memory_limit": "2g"}, {"name": 7}):
        assert client.post(CONTAINERS, json=body).status_code == 400


def test_an_expired_container_can_be_gone_at_once() -> None:
    assumptions = Assumptions(shows_expired_containers=False)
    emulator = Emulator(clock=Clock(BEGIN), assumptions=assumptions)
    with open_client(emulator) as client:
        name = client.post(CONTAINERS, json={"name": "box"}).json()["id"]
        assert len(client.get(CONTAINERS).json()["data"]) == 1
        emulator.clock.advance(20 * 60)
        assert client.get(CONTAINERS).json()["data"] == []
        assert client.get(f"{CONTAINERS}/{name}").status_code == 404
        assert client.get(f"{CONTAINERS}/{name}/files").status_code == 404
        tools = [{"type": "code_interpreter", "container": name}]
        reply = create(client, tools=tools)
    assert (reply.status_code, "not found" in reply.text) == (404, True)


def test_a_container_keeps_a_thousand_files(client: httpx.Client) -> None:
    path = f"{CONTAINERS}/{client.post(CONTAINERS, json={'name': 'box'}).json()['id']}/files"
    first = client.post(path, files={"file": ("a", b"x")}).json()["id"]
    for _ in range(1000):
        client.post(path, files={"file": ("a", b"x")})
    assert client.get(f"{path}/{first}").status_code == 404


def test_files_of_an_expired_container_are_gone(emulator: Emulator, client: httpx.Client) -> None:
    path = f"{CONTAINERS}/{client.post(CONTAINERS, json={'name': 'box'}).json()['id']}/files"
    file = client.post(path, files={"file": ("a", b"x")}).json()
    emulator.clock.advance(20 * 60)
    for reply in (
        client.get(f"{path}/{file['id']}/content"),
        client.delete(f"{path}/{file['id']}"),
        client.post(path, files={"file": ("a", b"x")}),
    ):
        assert (reply.status_code, reply.json()["error"]["message"]) == (
            400, "Container is expired.",
        )  # fmt: skip
