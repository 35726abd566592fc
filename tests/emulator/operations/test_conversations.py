"""Conversations and their items."""

import httpx
import pytest

from azure_responses.emulator import Assumptions, Emulator
from tests.emulator.callers import create, open_client

CONVERSATIONS = "/openai/v1/conversations"
HELLO = {"role": "user", "content": "Hello"}


def test_a_conversation_lives_and_dies(client: httpx.Client) -> None:
    body = {"metadata": {"a": "b"}, "items": [HELLO]}
    made = client.post(CONVERSATIONS, json=body).json()
    assert made["id"].startswith("conv_")
    assert (made["object"], made["metadata"]) == ("conversation", {"a": "b"})
    path = f"{CONVERSATIONS}/{made['id']}"
    assert client.get(path).json() == made
    assert client.post(path, json={"metadata": {"c": "d"}}).json()["metadata"] == {"c": "d"}
    assert client.delete(path).json() == {
        "id": made["id"],
        "object": "conversation.deleted",
        "deleted": True,
    }
    assert client.get(path).status_code == 404


def test_items_can_be_added_read_and_taken_out(client: httpx.Client) -> None:
    path = f"{CONVERSATIONS}/{client.post(CONVERSATIONS).json()['id']}/items"
    added = client.post(path, json={"items": [HELLO, {**HELLO, "content": "Bye"}]}).json()["data"]
    assert [item["content"][0]["text"] for item in added] == ["Hello", "Bye"]
    assert client.get(path).json()["data"] == added[::-1]
    one = f"{path}/{added[0]['id']}"
    assert client.get(one).json() == added[0]
    assert client.delete(one).json()["object"] == "conversation"
    assert client.get(one).status_code == 404
    assert client.get(path).json()["data"] == added[1:]


def test_a_response_can_refer_to_an_item_of_a_conversation(client: httpx.Client) -> None:
    item = {"role": "user", "content": "My name is Ada."}
    name = client.post(CONVERSATIONS, json={"items": [item]}).json()["id"]
    (listed,) = client.get(f"{CONVERSATIONS}/{name}/items").json()["data"]
    question = {"role": "user", "content": "What is my name?"}
    reference = {"type": "item_reference", "id": listed["id"]}
    reply = create(client, input=[reference, question])
    assert "Ada" in reply.json()["output"][0]["content"][0]["text"]


@pytest.mark.parametrize("items", ["text", [1], [HELLO] * 21, [{"type": ["message"]}]])
def test_items_that_are_none_or_too_many_are_refused(client: httpx.Client, items: object) -> None:
    reply = client.post(CONVERSATIONS, json={"items": items})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "items")


def test_a_resource_can_lack_conversations_that_its_projects_have() -> None:
    emulator = Emulator(assumptions=Assumptions(offers_conversations=False))
    token = emulator.issuer.mint("https://ai.azure.com")
    with open_client(emulator) as client:
        for reply in (client.post(CONVERSATIONS, json={}), client.get(f"{CONVERSATIONS}/conv_0")):
            assert reply.status_code == 404
            assert reply.json()["error"] == {"code": "404", "message": "Resource not found"}
        headers = {"authorization": f"Bearer {token}"}
        reply = client.post(f"/api/projects/p{CONVERSATIONS}", json={}, headers=headers)
        assert reply.status_code == 200


def test_metadata_has_at_most_16_pairs(client: httpx.Client) -> None:
    pairs = {str(number): "x" for number in range(17)}
    reply = client.post(CONVERSATIONS, json={"metadata": pairs})
    assert reply.json()["error"]["code"] == "object_above_max_properties"
