"""Responses that are stored on our side: kept within bounds, and answered as the service does."""

import json
from typing import Any

import pytest

from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.stored_response import (
    MOST_SECONDS,
    ResponseMemory,
    StoredResponse,
    answer_stored,
    is_kept_here,
    item_missing,
    previous_missing,
)

URL = "https://r.openai.azure.com/openai/v1/responses/resp_bridged_1"


def make(number: int, created_at: float = 0.0, text: str = "") -> StoredResponse:
    output = [{"type": "message", "id": f"msg_out_{number}", "text": text}]
    return StoredResponse(
        {"id": f"resp_bridged_{number}", "output": output},
        [{"type": "message", "id": f"msg_in_{number}"}],
        created_at=created_at,
    )


def body(reply: Reply) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(reply.body)
    return value


def test_what_is_kept_is_found_by_its_id_and_by_the_ids_of_its_items() -> None:
    memory = ResponseMemory()
    memory.save(make(1), 0.0)
    assert memory.load("resp_bridged_1", 1.0) == make(1)
    assert memory.load("resp_bridged_2", 1.0) is None
    for item_id in ("msg_in_1", "msg_out_1"):
        found = memory.load_item(item_id, 1.0)
        assert found is not None
        assert found["id"] == item_id
    assert memory.load_item("msg_none", 1.0) is None


def test_a_deleted_response_is_gone_with_its_items() -> None:
    memory = ResponseMemory()
    memory.save(make(1), 0.0)
    memory.delete("resp_bridged_1")
    memory.delete("resp_bridged_1")
    assert memory.load("resp_bridged_1", 1.0) is None
    assert memory.load_item("msg_in_1", 1.0) is None


def test_an_item_that_a_later_response_repeats_outlives_the_earlier_one() -> None:
    memory = ResponseMemory()
    memory.save(make(1), 0.0)
    again = StoredResponse({"id": "resp_bridged_2", "output": []}, [{"id": "msg_out_1"}])
    memory.save(again, 0.0)
    memory.delete("resp_bridged_1")
    assert memory.load_item("msg_out_1", 1.0) == {"id": "msg_out_1"}


def test_a_response_is_kept_for_thirty_days() -> None:
    memory = ResponseMemory()
    memory.save(make(1), 0.0)
    assert memory.load("resp_bridged_1", MOST_SECONDS - 1) is not None
    assert memory.load("resp_bridged_1", MOST_SECONDS) is None
    assert memory.load_item("msg_in_1", MOST_SECONDS) is None
    memory.save(make(2, created_at=MOST_SECONDS), MOST_SECONDS)
    assert len(memory._kept) == 1


def test_the_oldest_go_first_where_there_are_too_many_or_too_large_ones() -> None:
    memory = ResponseMemory(most=2)
    for number in range(3):
        memory.save(make(number), 0.0)
    assert [memory.load(f"resp_bridged_{n}", 0.0) is not None for n in range(3)] == [
        False,
        True,
        True,
    ]
    small = ResponseMemory(most_bytes=1000)
    small.save(make(1, text="x" * 500), 0.0)
    small.save(make(2, text="x" * 500), 0.0)
    assert small.load("resp_bridged_1", 0.0) is None
    small.save(make(3, text="x" * 5000), 0.0)
    assert not small._kept
    assert small._bytes == 0


def test_a_response_of_the_same_id_takes_the_place_of_the_first() -> None:
    memory = ResponseMemory()
    memory.save(make(1), 0.0)
    memory.save(make(1, text="new"), 0.0)
    found = memory.load("resp_bridged_1", 0.0)
    assert found is not None
    assert found.response["output"][0]["text"] == "new"
    assert len(memory._kept) == 1


def test_half_a_surrogate_pair_is_kept_like_any_other_text() -> None:
    memory = ResponseMemory()
    memory.save(make(1, text="\ud800"), 0.0)
    assert memory.load("resp_bridged_1", 0.0) is not None


def test_a_conversation_is_the_history_the_input_and_the_output() -> None:
    first = make(1)
    second = StoredResponse(make(2).response, make(2).input_items, first.conversation())
    ids = [item["id"] for item in second.conversation()]
    assert ids == ["msg_in_1", "msg_out_1", "msg_in_2", "msg_out_2"]
    without_output = StoredResponse({"id": "resp_bridged_3", "output": None}, [])
    assert without_output.conversation() == []


def test_a_compaction_stands_for_all_before_it() -> None:
    output = [{"type": "compaction", "id": "cmp_1"}, {"type": "message", "id": "msg_2"}]
    stored = StoredResponse({"id": "r", "output": output}, [{"id": "msg_1"}], [{"id": "msg_0"}])
    assert [item["id"] for item in stored.conversation()] == ["cmp_1", "msg_2"]


def test_json_gives_back_what_was_stored() -> None:
    stored = StoredResponse(make(1).response, make(1).input_items, [{"id": "x"}], 12.5)
    assert StoredResponse.from_json(json.loads(json.dumps(stored.to_json()))) == stored
    with pytest.raises(KeyError):
        StoredResponse.from_json({})


def test_what_is_not_there_is_answered_with_404() -> None:
    reply = answer_stored("retrieve", "resp_bridged_1", URL, None)
    assert reply.status == 404
    assert body(reply)["error"]["message"] == "Response with id 'resp_bridged_1' not found."


def test_a_stored_response_is_answered_as_it_was() -> None:
    assert body(answer_stored("retrieve", "resp_bridged_1", URL, make(1))) == make(1).response


def test_neither_a_stream_nor_a_cancellation_is_possible() -> None:
    streamed = answer_stored("retrieve", "resp_bridged_1", f"{URL}?stream=true", make(1))
    assert streamed.status == 400
    assert body(streamed)["error"]["param"] == "stream"
    cancelled = answer_stored("cancel", "resp_bridged_1", f"{URL}/cancel", make(1))
    assert body(cancelled)["error"]["message"] == "Cannot cancel a synchronous response."


def test_a_deletion_is_confirmed() -> None:
    reply = answer_stored("delete", "resp_bridged_1", URL, make(1))
    assert body(reply) == {"id": "resp_bridged_1", "object": "response.deleted", "deleted": True}


PAGES = [
    ("", ["5", "4", "3", "2", "1"], False),
    ("limit=2", ["5", "4"], True),
    ("limit=2&order=asc", ["1", "2"], True),
    ("order=asc&after=3", ["4", "5"], False),
    ("order=asc&before=3", ["1", "2"], False),
    ("order=asc&after=1&before=5&limit=2", ["2", "3"], True),
    ("after=1", [], False),
]


@pytest.mark.parametrize(("query", "ids", "has_more"), PAGES)
def test_input_items_are_listed_in_pages(query: str, ids: list[str], has_more: bool) -> None:
    items = [{"id": str(number)} for number in range(1, 6)]
    stored = StoredResponse({"id": "resp_bridged_1"}, items)
    page = body(answer_stored("input_items", "resp_bridged_1", f"{URL}?{query}", stored))
    assert [item["id"] for item in page["data"]] == ids
    assert page["has_more"] is has_more
    assert page["first_id"] == (ids[0] if ids else None)
    assert page["last_id"] == (ids[-1] if ids else None)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("order=up", "order"),
        ("after=none", "after"),
        ("before=none", "before"),
    ],
)
def test_an_invalid_page_is_refused_by_name(query: str, param: str) -> None:
    reply = answer_stored("input_items", "resp_bridged_1", f"{URL}?{query}", make(1))
    assert reply.status == 400
    assert body(reply)["error"]["param"] == param


def test_what_a_request_refers_to_in_vain_is_said_as_the_service_does() -> None:
    error = body(previous_missing("resp_x"))["error"]
    assert error["code"] == "previous_response_not_found"
    assert error["param"] == "previous_response_id"
    assert (
        "`store` is set to false" in body(item_missing("msg_x", stores=False))["error"]["message"]
    )
    assert "store" not in body(item_missing("msg_x", stores=True))["error"]["message"]


def test_ids_of_what_is_stored_here_are_told_from_others() -> None:
    assert is_kept_here("msg_bridged_1")
    assert not is_kept_here("msg_1")


def in_background(status: str, deadline: float | None = None) -> StoredResponse:
    response = {"id": "resp_bridged_1", "status": status, "background": True, "output": []}
    return StoredResponse(response, [], [], deadline=deadline)


def test_a_background_response_that_is_overdue_has_failed() -> None:
    begun = in_background("in_progress", deadline=10.0)
    assert begun.is_unfinished
    assert not begun.can_be_continued
    assert begun.as_of(10.0) is begun
    late = begun.as_of(10.5)
    assert (late.response["status"], late.response["error"]["code"]) == ("failed", "server_error")
    done = in_background("completed", deadline=10.0)
    assert done.can_be_continued
    assert done.as_of(11.0) is done
    endless = in_background("queued")
    assert endless.as_of(1e12) is endless
    assert not begun.ended("cancelled").can_be_continued


def test_cancelling_a_background_response_shows_how_it_ended() -> None:
    for status in ("completed", "cancelled"):
        reply = answer_stored("cancel", "resp_bridged_1", URL, in_background(status))
        assert (reply.status, body(reply)["status"]) == (200, status)


def test_a_background_response_survives_as_text_and_older_texts_are_read() -> None:
    begun = in_background("in_progress", deadline=10.0)
    assert StoredResponse.from_json(begun.to_json()) == begun
    older = {name: value for name, value in begun.to_json().items() if name != "deadline"}
    assert StoredResponse.from_json(older).deadline is None
