"""What a call asks of a router, and where its ids send it."""

import pytest

from azure_responses.errors import BadRequestError, ResponseNotFoundError
from azure_responses.routing.route_request import Found, Pin, Pins, RouteRequest


def test_what_is_reserved_is_input_and_output() -> None:
    assert RouteRequest("gpt", input_tokens=10, output_tokens=5).tokens == 15


_RAW = (Found("tools[0].container", "cntr_1"), Found("input[0].id", "msg_1"))


def test_raw_ids_are_refused_with_the_fix() -> None:
    with pytest.raises(BadRequestError) as raised:
        Pins(raw=_RAW).require_labels()
    assert raised.value.param == "tools[0].container"
    assert "tools[0].container, input[0].id" in raised.value.message
    assert "import_id" in str(raised.value.hint)


def test_a_raw_id_of_a_previous_response_has_the_code_after_which_clients_resend() -> None:
    previous = Found("previous_response_id", "resp_1")
    with pytest.raises(BadRequestError) as raised:
        Pins(raw=(previous,)).require_labels()
    assert raised.value.code == "previous_response_not_found"
    with pytest.raises(BadRequestError) as raised:
        Pins(raw=_RAW).require_labels()
    assert raised.value.code is None


@pytest.mark.parametrize("pins", [Pins(), Pins(hard=Pin("4ea9c1da"), raw=_RAW)])
def test_raw_ids_beside_a_hard_pin_are_let_through(pins: Pins) -> None:
    pins.require_labels()


def test_a_hard_pin_counts_before_a_soft_one() -> None:
    hard, soft = Pin("4ea9c1da"), Pin("ca234c55", is_hard=False)
    assert Pins(hard, soft).pin is hard
    assert Pins(None, soft).pin is soft
    assert Pins().pin is None


def test_what_another_resource_does_not_have_is_named() -> None:
    hard = Pin("4ea9c1da", field="conversation")
    assert Pins(hard).not_on("4ea9c1da") is None
    assert Pins(hard, raw=_RAW).not_on("ca234c55") == "conversation"
    assert Pins(raw=_RAW).not_on("ca234c55") == "tools[0].container"
    assert Pins(soft=Pin("4ea9c1da", is_hard=False)).not_on("ca234c55") is None


def test_a_request_whose_ids_are_all_readable_is_not_refused() -> None:
    Pins().require_ids()
    with pytest.raises(BadRequestError, match="is not an id") as caught:
        Pins(unreadable=("input[0].id",)).require_ids()
    assert caught.value.param == "input[0].id"


def test_two_pins_join_where_both_lead() -> None:
    one, other = Pin("a", "tag", "conversation"), Pin("a", None, "file_id")
    assert one.join(other) is one
    assert one.join(Pin("b")) is None
    several = Pin("c", None, "file_id", others=("a", "b"))
    assert several.resources == ("c", "a", "b")
    assert several.join(one) == Pin("a", "tag", "file_id")
    assert one.join(several) == Pin("a", "tag", "conversation")
    assert several.join(Pin("b", others=("d", "c"))) == Pin("c", None, "file_id", others=("b",))
    assert several.join(Pin("d", others=("e",))) is None


def test_each_resource_with_a_copy_will_do() -> None:
    pins = Pins(hard=Pin("a", field="file_id", others=("b",)))
    assert [pins.not_on(name) for name in ("a", "b", "c")] == [None, None, "file_id"]


def test_ids_that_may_be_another_owners_are_refused() -> None:
    files = Found("tools[0].container", "cntr_1")
    Pins(raw=(files,)).require_own()
    private = Found("previous_response_id", "resp_1", is_private=True)
    with pytest.raises(ResponseNotFoundError, match="resp_1"):
        Pins(raw=(files, private)).require_own()
