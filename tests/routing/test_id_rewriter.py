"""What goes out carries signed ids, and nothing else is changed."""

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.routing.affinity import Affinity
from azure_responses.routing.id_rewriter import IdRewriter
from azure_responses.routing.signed_id import IdSigner
from azure_responses.types import Response, parse_event

from ..recordings import Exchange, exchanges
from .affinity_samples import EAST, LABELLER, RESPONSE_ID, WEST, ciphertext, id_of, object_id_of

_LABEL = re.compile(rb"[A-Za-z][A-Za-z0-9]*[_-]azr1_[A-Za-z0-9_-]+")
_WRAPPED = re.compile(rb'"azr1_[A-Za-z0-9_-]{22}_')


def _labels(**options: Any) -> IdRewriter:
    return IdRewriter(LABELLER, EAST, **options)


def _unlabel(text: bytes, owner: str | None = None) -> bytes:
    def read(found: re.Match[bytes]) -> bytes:
        label = LABELLER.read(found[0].decode(), owner)
        assert label is not None
        return label.inner.encode()

    return _WRAPPED.sub(b'"', _LABEL.sub(read, text))


def _response(**fields: Any) -> dict[str, Any]:
    return {
        "id": RESPONSE_ID,
        "object": "response",
        "status": "completed",
        "previous_response_id": "resp_0",
        "conversation": {"id": "conv_1"},
        "instructions": [{"type": "item_reference", "id": "msg_0"}],
        "metadata": {"id": "mine", "note": "text"},
        "tools": [
            {"type": "file_search", "vector_store_ids": ["vs_1"]},
            {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file-1"]}},
            {"type": "function", "name": "id", "parameters": {"properties": {"id": {}}}},
        ],
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
            {
                "type": "code_interpreter_call",
                "id": "ci_1",
                "code": "resp_1",
                "container_id": "cntr_1",
                "status": "completed",
            },
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [
                    {
                        "type": "output_text",
                        "text": "conv_1",
                        "annotations": [
                            {
                                "type": "container_file_citation",
                                "container_id": "cntr_1",
                                "file_id": "cfile_1",
                            }
                        ],
                    }
                ],
            },
            {"type": "later", "id": "lt_1", "file_id": "x", "encrypted_content": "gBBBB"},
        ],
        **fields,
    }


def _expected() -> dict[str, Any]:
    expected = _response()
    expected["id"] = id_of(RESPONSE_ID)
    expected["previous_response_id"] = id_of("resp_0")
    expected["conversation"]["id"] = id_of("conv_1")
    expected["instructions"][0]["id"] = id_of("msg_0")
    expected["tools"][0]["vector_store_ids"] = [object_id_of("vs_1")]
    expected["tools"][1]["container"]["file_ids"] = [object_id_of("file-1")]
    reasoning, code, message, later = expected["output"]
    reasoning |= {"id": id_of("rs_1"), "encrypted_content": ciphertext("gAAAA")}
    code |= {"id": id_of("ci_1"), "container_id": object_id_of("cntr_1")}
    message["id"] = id_of("msg_1")
    citation = message["content"][0]["annotations"][0]
    citation |= {"container_id": object_id_of("cntr_1"), "file_id": object_id_of("cfile_1")}
    later |= {"id": id_of("lt_1"), "encrypted_content": ciphertext("gBBBB")}
    return expected


def test_every_id_of_a_response_is_labelled_and_nothing_else() -> None:
    response = _response()
    assert _labels().label(response) is response
    assert response == _expected()


def test_labelling_twice_changes_nothing() -> None:
    labels = _labels()
    once = labels.label(_response())
    again = copy.deepcopy(once)
    assert labels.label(again) == once
    assert _labels().label(copy.deepcopy(once)) == once


def test_labels_of_another_router_are_labelled_over() -> None:
    other = IdRewriter(IdSigner([b"another secret of enough bytes !"]), WEST)
    once = other.label(_response())
    twice = _labels().label(copy.deepcopy(once))
    label = LABELLER.read(twice["id"])
    assert label is not None
    assert label.inner == once["id"]
    assert twice["output"][0]["encrypted_content"] == ciphertext(
        once["output"][0]["encrypted_content"]
    )


def test_ids_of_items_that_are_not_stored_stay() -> None:
    labelled = _labels().label(_response(store=False))
    assert [item["id"] for item in labelled["output"]] == ["rs_1", "ci_1", "msg_1", "lt_1"]
    assert labelled["id"] == id_of(RESPONSE_ID)
    assert labelled["output"][0]["encrypted_content"] == ciphertext("gAAAA")
    assert labelled["output"][1]["container_id"] == object_id_of("cntr_1")


def test_what_the_caller_gave_is_repeated_as_it_was_given() -> None:
    body = {"previous_response_id": id_of("resp_0", owner="ann"), "input": "Hi",
            "tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]}  # fmt: skip
    unlabelled = Affinity(LABELLER).read(body, "ann").unlabel()
    labels = IdRewriter(LABELLER, WEST, "ann", given=unlabelled.given)
    labelled = labels.label(_response(**unlabelled.body))
    assert labelled["previous_response_id"] == body["previous_response_id"]
    assert labelled["tools"] == body["tools"]
    assert labelled["id"] == id_of(RESPONSE_ID, WEST, "ann")


def test_pages_deletions_and_compactions_are_labelled() -> None:
    items = [{"type": "message", "id": "msg_1", "role": "user", "content": []}]
    page: dict[str, Any] = {
        "object": "list",
        "data": items,
        "first_id": "msg_1",
        "last_id": "msg_1",
    }
    label = id_of("msg_1")
    assert _labels().label(page) == {
        "object": "list",
        "data": [{"type": "message", "id": label, "role": "user", "content": []}],
        "first_id": label,
        "last_id": label,
    }
    deleted = {"id": RESPONSE_ID, "object": "response", "deleted": True}
    assert _labels().label(dict(deleted)) == {**deleted, "id": id_of(RESPONSE_ID)}
    item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAA"}
    kept = {"type": "message", "id": "msg_1", "role": "user", "content": []}
    compacted: dict[str, Any] = {"id": "resp_1", "object": "response.compaction"}
    compacted["output"] = [kept, dict(item)]
    labelled = _labels(given={"msg_1": "msg_given"}).label(compacted)
    assert labelled["output"][0]["id"] == "msg_given"
    assert labelled["output"][1] == {**item, "encrypted_content": ciphertext("gAAAA")}


def test_chat_completions_are_labelled() -> None:
    message = {
        "role": "assistant",
        "content": "resp_1",
        "reasoning_items": [{"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAA"}],
        "tool_calls": [{"id": "call_1", "type": "function"}],
    }
    completion = {"id": "resp_1", "choices": [{"message": copy.deepcopy(message)}]}
    labelled = _labels().label(completion)
    assert labelled["id"] == id_of("resp_1")
    reasoning = {"id": id_of("rs_1"), "encrypted_content": ciphertext("gAAAA")}
    message["reasoning_items"] = [{"type": "reasoning", **reasoning}]
    assert labelled["choices"][0]["message"] == message


def test_values_of_names_that_are_anybodys_are_labelled() -> None:
    prompt = {"id": "pmpt_1", "variables": {"id": "text", "a": {"file_id": "file-1"}}}
    labelled = _labels().label({"id": "resp_1", "prompt": prompt, "output": [["odd"], None]})
    assert labelled["prompt"] == {
        "id": id_of("pmpt_1"),
        "variables": {"id": "text", "a": {"file_id": object_id_of("file-1")}},
    }
    assert labelled["output"] == [["odd"], None]


def test_fields_of_odd_shapes_are_left_alone() -> None:
    odd = {"response": "resp_1", "conversation": 1, "previous_response_id": {"id": "resp_1"}}
    assert _labels().label(copy.deepcopy(odd)) == odd


def test_errors_name_ids_as_the_caller_knows_them() -> None:
    labels = _labels(given={RESPONSE_ID: id_of(RESPONSE_ID), "file-1": "file-1"})
    text = f"Previous response with id '{RESPONSE_ID}' not found. file-1 msg_1"
    assert labels.label_text(text) == text.replace(RESPONSE_ID, id_of(RESPONSE_ID))


def _delta(item_id: str | None) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "item_id": item_id, "output_index": 0,
            "content_index": 0, "delta": "msg_1"}  # fmt: skip


def _label_copy(labels: IdRewriter, event: dict[str, Any]) -> dict[str, Any]:
    """A copy of an event with its signed ids, which are the same the second time."""
    labelled = labels.label(copy.deepcopy(event))
    assert labels.label(copy.deepcopy(event)) == labelled
    return labelled


def test_a_delta_carries_the_label_of_its_item() -> None:
    assert _label_copy(_labels(), _delta("msg_1")) == _delta(id_of("msg_1"))


def test_events_of_steering_name_the_response_as_their_caller_does() -> None:
    accepted = {"type": "response.steer.accepted", "steer": {"previous_response_id": RESPONSE_ID}}
    labelled = _label_copy(_labels(), accepted)
    assert labelled["steer"] == {"previous_response_id": id_of(RESPONSE_ID)}


def test_a_delta_of_a_response_that_is_not_stored_stays() -> None:
    labels = _labels()
    created: dict[str, Any] = {"type": "response.created", "response": _response(store=False)}
    assert labels.label(created)["response"]["id"] == id_of(RESPONSE_ID)
    assert _label_copy(labels, _delta("msg_1")) == _delta("msg_1")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "keepalive", "sequence_number": 3},
        {"type": "error", "error": {"code": "x", "message": "id"}},
        {"type": "response.output_text.delta", "item_id": ""},
    ],
)
def test_events_without_ids_are_unchanged(event: dict[str, Any]) -> None:
    assert _label_copy(_labels(), event) == event


def test_an_id_that_is_also_a_text_is_left_alone_as_a_text() -> None:
    event = {"type": "response.created", "response": _response(metadata={"a": RESPONSE_ID})}
    labelled = _label_copy(_labels(), event)
    assert labelled["response"]["metadata"] == {"a": RESPONSE_ID}
    assert labelled["response"]["id"] == id_of(RESPONSE_ID)


def test_an_event_of_an_unknown_kind_survives_with_its_ids_labelled() -> None:
    event = {"type": "response.later", "item_id": "msg_1", "x": {"id": "x_1"}, "store": None,
             "response": {"id": "resp_1", "store": False}}  # fmt: skip
    assert _label_copy(_labels(), event) == {
        **event,
        "response": {"id": id_of("resp_1"), "store": False},
    }


def test_an_id_of_no_characters_stays_without_a_label() -> None:
    tool = {"type": "file_search", "vector_store_ids": ["", None]}
    body = {"id": "", "output": [{"type": "message", "id": "", "content": []}], "tools": [tool]}
    assert _labels().label(copy.deepcopy(body)) == body


@given(st.text(), st.text())
def test_odd_ids_are_labelled_like_any_other(item_id: str, delta: str) -> None:
    event = {**_delta(item_id), "delta": delta}
    label = id_of(item_id) if item_id else ""
    assert _label_copy(_labels(), event) == {**event, "item_id": label}


def _streams() -> list[Exchange]:
    """Recorded streams of responses that have ids."""
    begun = [exchange for exchange in exchanges() if "response.created" in (exchange.sse or "")]
    return [exchange for exchange in begun if re.search(r'"id": ?"[^"]', exchange.sse or "")]


def test_recorded_streams_change_in_nothing_but_their_ids() -> None:
    streams = _streams()
    assert streams
    for exchange in streams:
        labels = _labels(owner="ann")
        events = [json.dumps(event) for event in exchange.event_objects()]
        labelled = [json.dumps(labels.label(json.loads(event))) for event in events]
        assert labelled != events, exchange.id
        for before, after in zip(events, labelled, strict=True):
            assert _unlabel(after.encode(), "ann") == before.encode(), exchange.id


def test_recorded_events_with_signed_ids_are_still_those_that_types_can_read() -> None:
    for exchange in exchanges():
        labels = _labels()
        for event in exchange.event_objects():
            if not str(event.get("type")).startswith("response."):
                continue
            labelled = labels.label(copy.deepcopy(event))
            assert parse_event(json.dumps(labelled)).to_dict() == labelled, exchange.id


def test_recorded_replies_change_in_nothing_but_their_ids_and_lead_home() -> None:
    count = 0
    for exchange in exchanges():
        body = exchange.body
        if not isinstance(body, dict) or body.get("object") != "response" or "id" not in body:
            continue
        value = _labels().label(copy.deepcopy(body))
        assert _unlabel(json.dumps(value).encode()) == json.dumps(body).encode()
        assert Response.model_validate(value).to_dict() == value
        replay = Affinity(LABELLER).read({"input": value["output"]})
        assert replay.unlabel(EAST.resource).body == {"input": body["output"]}
        count += 1
    assert count


def test_the_events_of_a_stream_agree_with_its_final_response() -> None:
    for exchange in _streams():
        labels = _labels()
        met, final = set(), None
        for event in exchange.event_objects():
            labelled = labels.label(copy.deepcopy(event))
            met.add(labelled.get("item_id"))
            final = labelled.get("response", final)
        if final is not None and final["status"] == "completed" and final["output"]:
            assert met - {None} <= {item["id"] for item in final["output"]}, exchange.id
