"""Labels in a request say where it goes, and come off before it is sent."""

import copy
import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import BadRequestError, ResponseNotFoundError
from azure_responses.protocol.request_body import encode_body
from azure_responses.protocol.stored_response import SEALED
from azure_responses.routing.affinity import Affinity
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.route_request import Found, Pin
from azure_responses.routing.signed_id import IdSigner, SignedId, make_tag
from azure_responses.types import Response

from .affinity_samples import EAST, LABELLER, RESPONSE_ID, WEST, ciphertext, id_of

AFFINITY = Affinity(LABELLER)


def _pin(field: str, deployment: Any = EAST, is_hard: bool = True) -> Pin:
    return Pin(deployment.resource, deployment.tag, field, is_hard)


def _reasoning(encrypted: str, item_id: str = "rs_1") -> dict[str, Any]:
    return {"type": "reasoning", "id": item_id, "summary": [], "encrypted_content": encrypted}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"previous_response_id": id_of(RESPONSE_ID)}, "previous_response_id"),
        ({"conversation": id_of("conv_1")}, "conversation"),
        ({"conversation": {"id": id_of("conv_1")}}, "conversation.id"),
        ({"input": [{"type": "item_reference", "id": id_of("msg_1")}]}, "input[0].id"),
        ({"input": [{"id": id_of("msg_1")}]}, "input[0].id"),
        ({"input": [{"type": "image_generation_call", "id": id_of("ig_1")}]}, "input[0].id"),
        ({"input": [{"type": "reasoning", "id": id_of("rs_1"), "summary": []}]}, "input[0].id"),
        (
            {"input": [{"type": "compaction", "encrypted_content": ciphertext("gAAAA")}]},
            "input[0].encrypted_content",
        ),
        (
            {"input": [{"type": "code_interpreter_call", "container_id": id_of("cntr_1")}]},
            "input[0].container_id",
        ),
        (
            {"tools": [{"type": "file_search", "vector_store_ids": ["vs_0", id_of("vs_1")]}]},
            "tools[0].vector_store_ids[1]",
        ),
        (
            {"messages": [{"role": "user", "content": [{"file": {"file_id": id_of("file-1")}}]}]},
            "messages[0].content[0].file.file_id",
        ),
        (
            {"messages": [{"reasoning_items": [{"id": id_of("rs_1")}]}], "store": True},
            "messages[0].reasoning_items[0].id",
        ),
        ({"extra_body": {"previous_response_id": id_of("resp_1")}},
         "extra_body.previous_response_id"),
    ],
)  # fmt: skip
def test_what_a_resource_stores_pins_hard(body: dict[str, Any], field: str) -> None:
    pins = AFFINITY.read(body).pins
    assert pins.hard == _pin(field)
    assert pins.pin is pins.hard


@pytest.mark.parametrize(
    "body",
    [
        {"input": "Hi", "model": "gpt", "metadata": {"id": id_of(RESPONSE_ID)}},
        {"input": id_of(RESPONSE_ID), "instructions": id_of(RESPONSE_ID)},
        {"input": [{"type": "message", "id": "msg_1", "role": "assistant", "content": "Hi"}]},
        {"input": [{"type": "message", "id": id_of("msg_1"), "role": "user", "content": "Hi"}]},
        {"input": [{"type": "function_call", "id": "fc_1", "call_id": "a", "arguments": "{}"}]},
        {"input": [{"type": "image_generation_call", "id": "ig_1", "result": "iVBORw0KGgo="}]},
        {"input": [{"type": "mcp_approval_response", "approval_request_id": "mcpr_1"}]},
        {"input": [{"content": [{"annotations": [{"file_id": id_of("file-1")}]}], "role": "a"}]},
        {"input": [{"type": "reasoning", "id": "rs_1", "content": [{"text": "So …"}]}]},
        {"messages": [{"reasoning_items": [{"type": "reasoning", "id": "rs_1"}]}]},
        {"messages": [{"tool_calls": [{"id": "call_1"}]}, {"tool_call_id": "call_1"}]},
        {"messages": [{"content": [{"file": {"file_id": "https://example.com/a.pdf"}}]}]},
    ],
)
def test_what_is_there_in_full_pins_nothing(body: dict[str, Any]) -> None:
    pins = AFFINITY.read(body).pins
    assert pins.pin is None
    assert pins.raw == ()


def test_raw_ids_of_stored_things_are_reported_with_their_places() -> None:
    items = [{"type": "item_reference", "id": "msg_1"}, {"type": "reasoning", "id": "rs_1"}]
    tools = [{"type": "code_interpreter", "container": "cntr_1"}]
    body = {"previous_response_id": "resp_1", "tools": tools, "input": items}
    assert AFFINITY.read(body).pins.raw == (
        Found("previous_response_id", "resp_1", is_private=True),
        Found("tools[0].container", "cntr_1"),
        Found("input[0].id", "msg_1", is_private=True),
        Found("input[1].id", "rs_1", is_private=True),
    )


def test_the_latest_encrypted_reasoning_pins_softly() -> None:
    items = [_reasoning(ciphertext("gaaa", WEST)), _reasoning(ciphertext("gbbb")),
             _reasoning("gccc")]  # fmt: skip
    pins = AFFINITY.read({"input": items}).pins
    assert pins.pin == _pin("input[1].encrypted_content", is_hard=False)
    assert pins.hard is None
    assert pins.raw_ciphertexts == ("input[2].encrypted_content",)


def test_a_hard_pin_counts_before_that_of_reasoning() -> None:
    body = {"previous_response_id": id_of(RESPONSE_ID, WEST),
            "input": [_reasoning(ciphertext("gbbb"))]}  # fmt: skip
    pins = AFFINITY.read(body).pins
    assert pins.pin == _pin("previous_response_id", WEST)
    assert pins.soft == _pin("input[0].encrypted_content", is_hard=False)


def test_two_resources_that_store_are_refused_by_name() -> None:
    body = {"previous_response_id": id_of(RESPONSE_ID), "conversation": id_of("conv_1", WEST)}
    with pytest.raises(BadRequestError, match="previous_response_id and conversation name"):
        AFFINITY.read(body)
    same = {**body, "conversation": id_of("conv_1")}
    assert AFFINITY.read(same).pins.hard == _pin("previous_response_id")


def test_what_the_request_continues_pins_before_what_its_input_names() -> None:
    item = {"type": "item_reference", "id": id_of("msg_1")}
    for body in (
        {"input": [item], "previous_response_id": id_of(RESPONSE_ID)},
        {"previous_response_id": id_of(RESPONSE_ID), "input": [item]},
    ):
        assert AFFINITY.read(body).pins.hard == _pin("previous_response_id")


def test_a_forged_label_is_refused_wherever_it_stands() -> None:
    forged = id_of("msg_1")[:-1]
    body = {"input": [{"type": "message", "id": forged, "role": "user", "content": ""}]}
    with pytest.raises(ResponseNotFoundError) as raised:
        AFFINITY.read(body)
    assert raised.value.param == "input[0].id"


def test_a_forged_ciphertext_is_refused() -> None:
    block = {"encrypted_content": ciphertext("gAAAA") + "x"}
    with pytest.raises(BadRequestError, match=r"messages\[0\].thinking_blocks\[0\]"):
        AFFINITY.read({"messages": [{"thinking_blocks": [block]}]})


def test_another_owners_item_reference_is_refused() -> None:
    reference = {"type": "item_reference", "id": id_of("msg_1", owner="ann")}
    assert AFFINITY.read({"input": [reference]}, "ann").pins.hard is not None
    for owner in (None, "bob"):
        with pytest.raises(ResponseNotFoundError):
            AFFINITY.read({"input": [reference]}, owner)


def test_labels_come_off_and_what_was_given_is_remembered() -> None:
    label, reference = id_of(RESPONSE_ID), id_of("msg_1")
    body: dict[str, Any] = {
        "previous_response_id": label,
        "tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}],
        "input": [
            {"type": "item_reference", "id": reference},
            _reasoning(ciphertext("gAAAA"), id_of("rs_1")),
        ],
        "metadata": {"id": label},
    }
    before = copy.deepcopy(body)
    unlabelled = AFFINITY.read(body).unlabel(EAST.resource)
    assert unlabelled.body == {
        **body,
        "previous_response_id": RESPONSE_ID,
        "input": [{"type": "item_reference", "id": "msg_1"}, _reasoning("gAAAA")],
    }
    assert unlabelled.warnings == ()
    assert unlabelled.given["vs_1"] == "vs_1"
    assert (unlabelled.given[RESPONSE_ID], unlabelled.given["msg_1"]) == (label, reference)
    assert body == before


def test_a_body_without_labels_is_the_callers_own() -> None:
    body = {"model": "gpt", "input": [_reasoning("gAAAA"), {"role": "user", "content": "Hi"}]}
    assert AFFINITY.read(body).unlabel(EAST.resource).body is body


def test_reasoning_of_another_resource_is_left_out() -> None:
    request = AFFINITY.read({"input": [_reasoning(ciphertext("gaaa")), _reasoning("gbbb")]})
    assert request.unlabel(None).body == {"input": [_reasoning("gaaa"), _reasoning("gbbb")]}
    assert request.unlabel(EAST.resource).body == request.unlabel(None).body
    elsewhere = request.unlabel(WEST.resource)
    assert elsewhere.body == {"input": [_reasoning("gbbb")]}
    assert len(elsewhere.warnings) == 1
    assert request.unlabel(EAST.resource, strip_raw=True).body == {"input": [_reasoning("gaaa")]}


def test_what_is_stored_elsewhere_is_never_sent() -> None:
    request = AFFINITY.read({"previous_response_id": id_of(RESPONSE_ID)})
    with pytest.raises(BadRequestError, match="previous_response_id"):
        request.unlabel(WEST.resource)


def test_what_can_be_read_once_is_kept_for_the_next_attempt() -> None:
    items = ({"type": "item_reference", "id": id_of(name)} for name in ("msg_1", "msg_2"))
    request = AFFINITY.read({"input": items, "include": iter(["a"])})
    expected = {
        "input": [{"type": "item_reference", "id": name} for name in ("msg_1", "msg_2")],
        "include": ["a"],
    }
    for _ in range(2):
        assert json.loads(encode_body(request.unlabel().body) or b"") == expected


def test_models_of_an_earlier_response_are_sent_as_the_client_sends_them() -> None:
    output = [
        _reasoning(ciphertext("gAAAA"), id_of("rs_1")),
        {"type": "message", "id": id_of("msg_1"), "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "Hi", "annotations": []}]},
        {"type": "later", "id": id_of("lt_1"), "encrypted_content": ciphertext("gBBBB")},
    ]  # fmt: skip
    response = Response.model_validate({"id": "resp_1", "output": output})
    before = response.to_dict()
    sent = encode_body(AFFINITY.read({"input": response.output}).unlabel().body)
    plain = json.loads(json.dumps(before))
    plain["output"][0] |= {"id": "rs_1", "encrypted_content": "gAAAA"}
    plain["output"][1]["id"] = "msg_1"
    plain["output"][2] |= {"id": "lt_1", "encrypted_content": "gBBBB"}
    assert sent == encode_body({"input": Response.model_validate(plain).output})
    assert response.to_dict() == before


_ITEMS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.text(),
            "type": st.sampled_from(["message", "reasoning", "function_call", "compaction"]),
            "content": st.text() | st.lists(st.fixed_dictionaries({"file_id": st.text()})),
            "encrypted_content": st.text(),
            "arguments": st.text(),
            "tools": st.lists(st.dictionaries(st.sampled_from(["container", "x"]), st.text())),
            "environment": st.fixed_dictionaries({"file_ids": st.lists(st.text())}),
        },
    )
)


def _labelled(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    labelled = copy.deepcopy(items)
    for item in labelled:
        if "id" in item:
            item["id"] = id_of(item["id"])
        if "encrypted_content" in item:
            item["encrypted_content"] = ciphertext(item["encrypted_content"])
        for part in item["content"] if isinstance(item.get("content"), list) else ():
            part["file_id"] = id_of(part["file_id"])
        for tool in item.get("tools", ()):
            if "container" in tool:
                tool["container"] = id_of(tool["container"])
        if "environment" in item:
            item["environment"]["file_ids"] = [id_of(i) for i in item["environment"]["file_ids"]]
    return labelled


@given(_ITEMS)
def test_items_of_any_shape_come_out_as_they_went_in(items: list[dict[str, Any]]) -> None:
    body = json.loads(json.dumps({"input": _labelled(items)}))
    before = copy.deepcopy(body)
    assert AFFINITY.read(body).unlabel(EAST.resource).body == {"input": items}
    assert body == before


def _litellm(model_id: str) -> str:
    said = f"litellm:custom_llm_provider:azure;model_id:{model_id};response_id:{RESPONSE_ID}"
    return "resp_" + b64encode(said.encode()).decode()


_LITELLM_CIPHERTEXT = f"litellm_enc:{b64encode(b'model_id:east').decode()};gAAAA"


def test_litellms_ids_are_raw_unless_they_are_accepted() -> None:
    assert AFFINITY.read_id(_litellm("east")) is None
    body = {"input": [_reasoning(_LITELLM_CIPHERTEXT)]}
    assert AFFINITY.read(body).pins.soft is None


def test_litellms_ids_lead_to_the_deployment_they_name() -> None:
    affinity = Affinity(LABELLER, [EAST, WEST], accept_litellm_ids=True)
    body = {"previous_response_id": _litellm("east"), "input": [_reasoning(_LITELLM_CIPHERTEXT)]}
    request = affinity.read(body)
    assert request.pins.hard == _pin("previous_response_id")
    assert request.pins.soft == _pin("input[0].encrypted_content", is_hard=False)
    assert request.unlabel().body == {
        "previous_response_id": RESPONSE_ID,
        "input": [_reasoning("gAAAA")],
    }
    raw = affinity.read({"previous_response_id": "resp_1", "input": [_reasoning("gAAAA")]})
    assert raw.pins.pin is None


def test_litellms_ids_are_not_understood_in_calls_of_an_owner() -> None:
    affinity = Affinity(LABELLER, [EAST], accept_litellm_ids=True)
    assert affinity.read_id(_litellm("east"), "ann") is None
    expected = SignedId(RESPONSE_ID, EAST.tag, EAST.resource)
    assert affinity.read_id(_litellm("east")) == expected


def test_a_deployment_that_only_litellm_knows_is_an_error_that_names_it() -> None:
    affinity = Affinity(LABELLER, [EAST], accept_litellm_ids=True)
    with pytest.raises(ResponseNotFoundError, match=r"'north'.*model_info\.id"):
        affinity.read_id(_litellm("north"))


def test_an_id_alone_is_read() -> None:
    assert AFFINITY.read_id("resp_1") is None
    assert AFFINITY.read_id(id_of("resp_1")) == SignedId("resp_1", EAST.tag, EAST.resource)
    other = Affinity(IdSigner([b"another secret of enough bytes !"]))
    with pytest.raises(ResponseNotFoundError, match="affinity_secret") as raised:
        other.read_id(id_of("resp_1"))
    assert raised.value.param == "response_id"


def test_what_is_no_id_stays_beside_a_label_that_is_taken_off() -> None:
    body = {
        "previous_response_id": {"id": "resp_x"},
        "input": [{"type": "item_reference", "id": id_of("msg_1")}],
    }
    assert AFFINITY.read(body).unlabel().body == {
        "previous_response_id": {"id": "resp_x"},
        "input": [{"type": "item_reference", "id": "msg_1"}],
    }


NORTH = Deployment("north", "gpt", "gpt-5", make_tag("north"), make_tag("https://north.example"))


def _copied(*places: Deployment) -> str:
    copies = [(one.resource, f"assistant-{one.id}") for one in places]
    return LABELLER.label_copies(copies)


def test_a_file_with_copies_leads_to_each_of_their_resources() -> None:
    label = _copied(EAST, WEST)
    ids = AFFINITY.read({"input": [{"content": [{"type": "input_file", "file_id": label}]}]})
    assert ids.pins.hard == Pin(
        EAST.resource, None, "input[0].content[0].file_id", others=(WEST.resource,)
    )
    for place in (EAST, WEST):
        sent = ids.unlabel(place.resource)
        assert sent.body["input"][0]["content"][0]["file_id"] == f"assistant-{place.id}"
        assert sent.given == {"assistant-east": label, "assistant-west": label}
    assert ids.unlabel().body["input"][0]["content"][0]["file_id"] == "assistant-east"
    with pytest.raises(BadRequestError, match="another resource stores"):
        ids.unlabel(NORTH.resource)


def test_a_request_goes_where_everything_it_names_is() -> None:
    files = [_copied(EAST, WEST), _copied(NORTH, WEST, EAST)]
    tools = [{"type": "code_interpreter", "container": {"type": "auto", "file_ids": files}}]
    assert AFFINITY.read({"tools": tools}).pins.hard == Pin(
        EAST.resource, None, "tools[0].container.file_ids[0]", others=(WEST.resource,)
    )
    body = {"tools": tools, "previous_response_id": id_of(RESPONSE_ID, WEST)}
    ids = AFFINITY.read(body)
    assert ids.pins.hard == Pin(WEST.resource, WEST.tag, "previous_response_id")
    sent = ids.unlabel(WEST.resource).body
    assert sent["tools"][0]["container"]["file_ids"] == ["assistant-west"] * 2
    # The caller's body is as it was, for another attempt.
    assert files[0] == _copied(EAST, WEST)


def test_copies_that_are_nowhere_together_are_refused_with_both_fields() -> None:
    body = {
        "previous_response_id": id_of(RESPONSE_ID, NORTH),
        "input": [{"content": [{"type": "input_file", "file_id": _copied(EAST, WEST)}]}],
    }
    with pytest.raises(BadRequestError, match="previous_response_id and input") as caught:
        AFFINITY.read(body)
    assert caught.value.param == "input[0].content[0].file_id"


def test_reasoning_that_was_sealed_here_prefers_its_resource_and_does_not_need_it() -> None:
    items = [_reasoning(ciphertext(f"{SEALED}x", WEST))]
    pins = AFFINITY.read({"input": items}).pins
    assert pins.hard is None
    assert pins.soft is not None
    assert (pins.soft.resource, pins.soft.is_wish) == (WEST.resource, True)
    mixed = AFFINITY.read({"input": [*items, _reasoning(ciphertext("gaaa"))]}).pins
    assert mixed.soft == _pin("input[1].encrypted_content", is_hard=False)
