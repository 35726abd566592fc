"""Conversations and their items, over the emulator."""

from typing import Any

import pytest

from azure_responses.emulator import Emulator
from azure_responses.errors import BadRequestError, ConfigurationError, NotFoundError
from azure_responses.types import Conversation, InputMessage
from tests.clients.both import run


def _said(count: int, word: str = "turn") -> list[dict[str, Any]]:
    return [{"type": "message", "role": "user", "content": f"{word} {n}"} for n in range(count)]


async def _texts(pages: Any) -> list[str]:
    return [item.content[0].text async for item in pages]


def test_a_conversation_is_created_read_changed_and_deleted(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        made = await client.conversations.create(metadata={"team": "law"})
        assert isinstance(made, Conversation)
        assert made.request_id
        read = await client.conversations.retrieve(made.id)
        assert read == made
        changed = await client.conversations.update(made.id, metadata={"team": "tax"})
        assert changed.metadata == {"team": "tax"}
        deleted = await client.conversations.delete(made.id)
        assert deleted.deleted
        with pytest.raises(NotFoundError) as caught:
            await client.conversations.retrieve(made.id)
        assert caught.value.hint

    run(runner, emulator, scenario)


def test_items_are_added_listed_read_and_removed(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        made = await client.conversations.create(items=_said(2))
        added = await client.conversations.items.create(made.id, items=_said(1, "more"))
        assert [item.type for item in added.data] == ["message"]
        items = client.conversations.items
        listed = await _texts(items.list(made.id, order="asc", limit=2))
        assert listed == ["turn 0", "turn 1", "more 0"]
        read = await items.retrieve(added.data[0].id, conversation_id=made.id)
        assert isinstance(read, InputMessage)
        assert read == added.data[0]
        left = await items.delete(read.id, conversation_id=made.id)
        assert left.id == made.id
        assert len(await _texts(items.list(made.id))) == 2

    run(runner, emulator, scenario)


@pytest.mark.parametrize("count", [0, 1, 20, 21, 45])
def test_any_number_of_items_is_added_in_order(runner: str, emulator: Emulator, count: int) -> None:
    async def scenario(client: Any) -> None:
        made = await client.conversations.create(items=iter(_said(count)))
        added = await client.conversations.items.create(made.id, items=iter(_said(count, "b")))
        assert [item.content[0].text for item in added.data] == [f"b {n}" for n in range(count)]
        assert added.last_id == (added.data[-1].id if count else added.last_id)
        listed = await _texts(client.conversations.items.list(made.id, order="asc", limit=100))
        assert listed == [f"turn {n}" for n in range(count)] + [f"b {n}" for n in range(count)]

    run(runner, emulator, scenario)


def test_a_failure_in_the_middle_says_what_was_added(runner: str, emulator: Emulator) -> None:
    odd = [*_said(40), {"type": 7}]

    async def scenario(client: Any) -> None:
        made = await client.conversations.create()
        with pytest.raises(BadRequestError) as caught:
            await client.conversations.items.create(made.id, items=odd)
        assert caught.value.__notes__ == ["The first 40 of 41 items were added."]
        with pytest.raises(BadRequestError) as caught:
            await client.conversations.create(items=odd)
        assert any("conv_" in note for note in caught.value.__notes__)

    run(runner, emulator, scenario)


def test_further_fields_of_a_conversation_are_not_sent_with_its_items(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        extra = {"metadata": {"a": "b"}}
        made = await client.conversations.create(items=_said(21), extra_body=extra)
        assert made.metadata == {"a": "b"}

    run(runner, emulator, scenario)


def test_a_text_in_place_of_a_list_of_includes_is_refused(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="not a list"):
            await client.conversations.items.create("conv_1", items=[], include="abc")

    run(runner, emulator, scenario)


def test_a_response_goes_on_with_a_conversation(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        made = await client.conversations.create(items=_said(1))
        response = await client.responses.create(input="hi", conversation=made.id)
        assert response.conversation.id == made.id
        listed = [item async for item in client.conversations.items.list(made.id, order="asc")]
        assert [item.role for item in listed] == ["user", "user", "assistant"]

    run(runner, emulator, scenario)


def test_a_misspelt_option_is_refused(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(TypeError, match="extra_header"):
            await client.conversations.create(extra_header={})

    run(runner, emulator, scenario)
