"""Where the kept items of a chain lead, and what the caller of a turn is shown."""

from typing import Any

import pytest

from azure_responses.protocol.connection_memory import ConnectionMemory
from azure_responses.protocol.reasoning_filter import ENCRYPTED_REASONING
from azure_responses.router.connection_turn import ChainPins, ConnectionTurn, chain_pin
from azure_responses.routing.affinity import Affinity
from azure_responses.routing.route_request import Pin
from azure_responses.routing.signed_id import IdSigner, SignedId

MAKER = SignedId("resp_1", "d1", "r1")
HARD = Pin("r1", "d2", "input[0].id")
SOFT = Pin("r1", "d2", "input[0].encrypted_content", False)
WISH = Pin("r1", "d2", "input[0]", False, True)


@pytest.mark.parametrize(
    ("own", "chain", "maker", "expected"),
    [
        (None, [], None, None),
        (None, [], MAKER, Pin("r1", "d1", "previous_response_id", False, True)),
        (None, [SOFT], MAKER, SOFT._replace(deployment="d1")),
        (None, [SOFT], SignedId("resp_1", "d9", "r9"), SOFT),
        (HARD, [SOFT], MAKER, HARD._replace(deployment="d1")),
        (None, [HARD, SOFT], None, HARD),
        (HARD._replace(resource="r2"), [HARD], None, HARD),
        (None, [WISH], MAKER, Pin("r1", "d1", "previous_response_id", False, True)),
        (WISH, [SOFT], None, SOFT),
        (None, [WISH], None, WISH),
        (SOFT._replace(resource="r2"), [SOFT], None, SOFT._replace(resource="r2")),
    ],
)
def test_a_chain_goes_where_its_items_lead_and_best_to_its_maker(
    own: Pin | None, chain: list[Pin], maker: SignedId | None, expected: Pin | None
) -> None:
    assert chain_pin(own, chain, maker) == expected


def _turn(body: dict[str, Any], memory: ConnectionMemory | None = None) -> ConnectionTurn:
    memory = memory or ConnectionMemory()
    pins = ChainPins(Affinity(IdSigner([b"0123456789abcdef"])), None)
    kept = memory.find(body.get("previous_response_id"))
    return ConnectionTurn(body, None, kept=kept, memory=memory, pins=pins)


@pytest.mark.parametrize(
    ("body", "reasons", "include"),
    [
        ({"store": False}, True, [ENCRYPTED_REASONING]),
        ({"store": False, "include": ["x"]}, True, ["x", ENCRYPTED_REASONING]),
        ({"store": False, "include": [ENCRYPTED_REASONING]}, True, [ENCRYPTED_REASONING]),
        ({"store": False}, False, None),
        ({"store": True}, True, None),
        ({}, True, None),
    ],
)
def test_encrypted_reasoning_is_asked_for_where_nothing_is_stored(
    body: dict[str, Any], reasons: bool, include: list[str] | None
) -> None:
    assert _turn(body).included(body, reasons=reasons).get("include") == include


def test_what_was_not_asked_for_is_hidden_and_kept() -> None:
    memory = ConnectionMemory()
    turn = _turn({"store": False, "input": "a"}, memory)
    turn.included({}, reasons=True)
    item = {"type": "reasoning", "id": "rs_1", "encrypted_content": "g"}
    said = {"type": "message", "content": "x"}
    done = turn.show({"type": "response.output_item.done", "item": dict(item)})
    assert done["item"] == {"type": "reasoning", "id": "rs_1"}
    response = {"id": "r1", "status": "completed", "store": False, "output": [dict(item), said]}
    shown = turn.show({"type": "response.completed", "response": response})
    assert shown["response"]["output"] == [{"type": "reasoning", "id": "rs_1"}, said]
    turn.ended(shown["response"])
    turn.ended(failed=True)
    continued = memory.continued({"previous_response_id": "r1"})
    assert continued is not None
    assert continued["input"][1:] == [item, said]


@pytest.mark.parametrize(
    ("status", "failed", "knows_old", "knows_new"),
    [
        ("completed", False, False, True),
        ("incomplete", False, False, True),
        ("failed", False, False, False),
        ("completed", True, False, False),
        ("in_progress", True, False, False),
        ("in_progress", False, True, False),
    ],
)
def test_the_end_of_a_turn_decides_what_can_be_continued(
    status: str, failed: bool, knows_old: bool, knows_new: bool
) -> None:
    memory = ConnectionMemory()
    memory.keep(None, {}, {"id": "r1", "store": False})
    turn = _turn({"previous_response_id": "r1", "store": False}, memory)
    turn.ended({"id": "r2", "status": status, "store": False, "output": []}, failed=failed)
    assert (memory.find("r1") is not None, memory.find("r2") is not None) == (knows_old, knows_new)


def test_a_warm_up_that_was_answered_here_is_carried_whatever_it_says() -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "a"}, {"id": "resp_warmup_1", "store": True})
    turn = _turn({"previous_response_id": "resp_warmup_1"}, memory)
    assert turn.carried is not None
    assert (turn.pin(None), turn.base_id(), turn.continuation()) == (None, None, None)
    assert turn.choose_socket(object(), sends_items=False) is False
