"""Records and what is readable of them when."""

import pytest

from azure_responses.emulator.response_store import (
    RETENTION_SECONDS,
    EmulatedResponse,
    ResponseStore,
    drop_nulls,
    listed_items,
)


def record(name: str = "resp_1", **fields: object) -> EmulatedResponse:
    values: dict[str, object] = {
        "response": {"id": name, "status": "completed"},
        "events": [],
        "due": None,
        "sent": "hello",
        "output_items": [{"id": f"msg_{name}", "type": "message"}],
        "parent": None,
        "created_at": 100.0,
        "finished_at": 110.0,
        "readable_at": 120.0,
        **fields,
    }
    return EmulatedResponse(**values)  # type: ignore[arg-type]


def test_a_record_is_found_between_readable_and_expired() -> None:
    store = ResponseStore()
    store.add(record())
    assert store.find("resp_1", 119.9) is None
    assert store.find("resp_1", 120.0) is not None
    assert store.find("resp_1", 100.0 + RETENTION_SECONDS - 1) is not None
    assert store.find("resp_1", 100.0 + RETENTION_SECONDS) is None
    assert len(store) == 0


def test_items_are_found_whether_produced_or_sent_and_go_with_their_response() -> None:
    store = ResponseStore()
    added = record()
    store.add(added)
    sent_id = added.input_items[0]["id"]
    for item_id in ("msg_resp_1", sent_id):
        assert store.find_item(item_id, 119.0) is None
        assert store.find_item(item_id, 120.0) is not None
    store.discard("resp_1")
    assert store.find_item("msg_resp_1", 120.0) is None
    assert store.find_item(sent_id, 120.0) is None


def test_an_unknown_item_is_looked_for_in_vain_and_discarding_twice_is_fine() -> None:
    store = ResponseStore()
    store.add(record(output_items=[{"type": "message"}]))
    assert store.find_item("msg_0", 200.0) is None
    store.discard("resp_1")
    store.discard("resp_1")
    assert len(store) == 0


def test_history_runs_from_the_oldest_ancestor_to_the_record_itself() -> None:
    first = record("resp_1", sent="one")
    second = record("resp_2", sent=[{"role": "user", "content": "two"}], parent=first)
    third = record("resp_3", sent=None, parent=second)
    history = third.history(200.0)
    assert [item.get("content", [{"text": "-"}])[0]["text"] for item in history] == [
        "one", "-", "two", "-", "-",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "prefix"),
    [("reasoning", "rs_"), ("function_call", "fc_"), ("function_call_output", "fco_"),
     ("custom_tool_call", "ctc_"), ("custom_tool_call_output", "ctco_"), ("odd", "item_")],
)  # fmt: skip
def test_items_get_ids_of_their_kind(kind: str, prefix: str) -> None:
    (item,) = listed_items([{"type": kind}], "seed")
    assert item["id"].startswith(prefix)
    assert len(item["id"]) == len(prefix) + 50


def test_an_item_keeps_its_own_id_and_content() -> None:
    sent = {"id": "msg_mine", "type": "message", "role": "user", "content": []}
    (item,) = listed_items([sent], "seed")
    assert item == {**sent, "status": "completed"}


def test_a_background_record_without_times_is_running_until_it_ends() -> None:
    events = [{"type": "response.created", "response": {"id": "resp_1", "status": "queued"}}]
    running = record(is_background=True, events=events)
    assert running.as_of(105.0)["status"] == "in_progress"
    assert running.as_of(110.0)["status"] == "completed"


def test_the_oldest_responses_go_where_there_are_too_many() -> None:
    store = ResponseStore(most=2)
    for name in ("resp_1", "resp_2", "resp_3"):
        store.add(record(name))
    assert [bool(store.find(f"resp_{n}", 130.0)) for n in (1, 2, 3)] == [False, True, True]
    assert store.find_item("msg_resp_1", 130.0) is None


def test_the_oldest_responses_go_where_their_requests_are_too_large() -> None:
    store = ResponseStore(most_bytes=100)
    store.add(record("resp_1", size=60))
    store.add(record("resp_2", size=30))
    assert store.find("resp_1", 130.0) is not None
    store.add(record("resp_3", size=1000))
    assert [bool(store.find(f"resp_{n}", 130.0)) for n in (1, 2, 3)] == [False, False, True]
    store.discard("resp_3")
    store.add(record("resp_4", size=90))
    assert store.find("resp_4", 130.0) is not None


def test_fields_that_are_null_are_dropped_however_deep() -> None:
    given = {"a": None, "b": [{"c": None, "d": 0}, None], "e": {"f": False, "g": None}}
    assert drop_nulls(given) == {"b": [{"d": 0}, None], "e": {"f": False}}
