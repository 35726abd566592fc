import json
from collections.abc import Mapping
from typing import Any

import pytest

from azure_responses import AzureResponses, BadRequestError, ConfigurationError, RateLimitError
from azure_responses.protocol.connection_turns import (
    ConnectionTurns,
    TurnRequest,
    WrittenTurn,
    check_lane,
    steering_error,
)
from azure_responses.protocol.options import NO_OPTIONS, Options
from azure_responses.types import Response, parse_event

_ENCRYPTED = "reasoning.encrypted_content"


def _turns(*, replays: bool = True, **arguments: Any) -> ConnectionTurns:
    settings = {"deployment": "prod", "api_key": "k", **arguments}
    client = AzureResponses("https://r.openai.azure.com", **settings)
    return ConnectionTurns(client._operations, replays)


def _ask(extra: Mapping[str, Any] | None = None, **parameters: Any) -> TurnRequest:
    return TurnRequest({"store": False, **parameters}, Options(extra_body=extra))


def _body(written: WrittenTurn) -> dict[str, Any]:
    content = written.state.call.request.body
    assert isinstance(content, bytes)
    return dict(json.loads(content))


def _short(written: WrittenTurn) -> dict[str, Any]:
    continuation = written.state.call.continuation
    assert continuation is not None
    assert continuation.content is not None
    return dict(json.loads(continuation.content))


def _answer(number: int, **fields: Any) -> Response:
    thought = {"type": "reasoning", "id": f"rs_{number}", "summary": [], "encrypted_content": "c"}
    call = {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}
    body = {"id": f"resp_{number}", "status": "completed", "output": [thought, call], **fields}
    return Response.model_validate({"store": False, **body})


def _second(turns: ConnectionTurns, request: TurnRequest, *, is_socket: bool = True) -> WrittenTurn:
    turns.keep(turns.write(_ask(input="one"), is_socket=is_socket), _answer(1))
    return turns.write(request, is_socket=is_socket)


def test_a_continuation_has_a_short_form_and_one_that_stands_alone() -> None:
    request = _ask(input="two", previous_response_id="resp_1")
    written = _second(_turns(), request)
    whole, short = _body(written), _short(written)
    assert "previous_response_id" not in whole
    kinds = [item["type"] for item in whole["input"]]
    assert kinds == ["message", "reasoning", "function_call", "message"]
    assert short["previous_response_id"] == "resp_1"
    assert short["input"] == "two"
    assert whole["include"] == short["include"] == [_ENCRYPTED]


def test_over_http_only_the_whole_form_is_sent() -> None:
    request = _ask(input="two", previous_response_id="resp_1")
    written = _second(_turns(replays=False), request, is_socket=False)
    assert len(_body(written)["input"]) == 4
    assert written.state.call.continuation is None


def test_without_replay_nothing_is_kept_of_what_a_socket_carries() -> None:
    turns = _turns(replays=False)
    request = _ask(input="two", previous_response_id="resp_1")
    written = _second(turns, request)
    assert _body(written)["previous_response_id"] == "resp_1"
    assert "include" not in _body(written)
    assert turns.memory.size == 0


def test_a_turn_that_has_gone_over_http_after_all_is_kept() -> None:
    turns = _turns(replays=False)
    request = _ask(input="one")
    written = turns.write(request, is_socket=True)
    turns.note_http(request, written)
    turns.note_http(request, written)
    turns.keep(written, _answer(1))
    assert turns.memory.find("resp_1") is not None


def test_a_response_that_the_service_stores_is_not_sent_again() -> None:
    turns = _turns()
    stored = turns.write(TurnRequest({"input": "one"}, NO_OPTIONS), is_socket=True)
    turns.keep(stored, _answer(1, store=True))
    written = turns.write(_ask(input="two", previous_response_id="resp_1"), is_socket=True)
    assert _body(written)["previous_response_id"] == "resp_1"
    assert "include" not in _body(stored)


def test_parameters_in_extra_body_are_read_and_replaced_too() -> None:
    extra = {"previous_response_id": "resp_1", "input": "two", "stream_id": "x"}
    whole = _body(_second(_turns(), _ask(extra, input="hidden")))
    assert len(whole["input"]) == 4
    assert whole["stream_id"] == "x"
    only = _body(_second(_turns(), _ask({"previous_response_id": "resp_1"}, input="two")))
    assert "previous_response_id" not in only


@pytest.mark.parametrize(
    ("parameters", "arguments", "asks"),
    [
        ({}, {}, True),
        ({"include": ["file_search_call.results"]}, {}, True),
        ({"include": [_ENCRYPTED]}, {}, False),
        ({"store": True}, {}, False),
        ({"model": "gpt-4.1"}, {}, False),
        ({"model": "gpt-5-mini"}, {}, True),
        ({"model": "DeepSeek-V3.1"}, {}, False),
    ],
)
def test_encrypted_reasoning_is_asked_for_where_a_replay_needs_it(
    parameters: dict[str, Any], arguments: dict[str, Any], asks: bool
) -> None:
    written = _turns(**arguments).write(_ask(input="one", **parameters), is_socket=True)
    assert written.adds_encryption is asks


def test_an_agent_is_not_asked_for_encrypted_reasoning() -> None:
    client = AzureResponses("https://r.services.ai.azure.com/api/projects/p", api_key="k")
    turns = ConnectionTurns(client._operations, replays=True)
    assert not turns.write(_ask(input="one", agent="a"), is_socket=True).adds_encryption


def _refusal(message: str = "Encrypted content is not supported with this model.") -> Any:
    return BadRequestError(message, status_code=400)


def test_a_deployment_that_refuses_encrypted_reasoning_is_not_asked_again() -> None:
    turns = _turns()
    request = _ask(input="two", previous_response_id="resp_1", include=["a.b"])
    written = _second(turns, request)
    assert not turns.drop_encryption(written, _refusal("something else"))
    assert not turns.drop_encryption(written, RateLimitError("ncrypted content", status_code=429))
    assert turns.drop_encryption(written, _refusal())
    assert _body(written)["include"] == _short(written)["include"] == ["a.b"]
    assert not turns.drop_encryption(written, _refusal())
    first = turns.write(_ask(input="three"), is_socket=True)
    assert "include" not in _body(first)


def test_a_refused_first_turn_is_sent_without_include() -> None:
    turns = _turns()
    written = turns.write(_ask(input="one"), is_socket=True)
    assert turns.drop_encryption(written, _refusal())
    assert "include" not in _body(written)


def test_a_successor_inherits_the_settings_and_is_kept_with_what_steered() -> None:
    turns = _turns()
    asked = _ask({"input": "one", "top_p": 0.5}, instructions="Be brief.")
    turns.keep(turns.write(asked, is_socket=True), _answer(1))
    messages = [{"role": "user", "content": "Now."}]
    successor = asked.successor("resp_1", ("Shorter.", messages), dict)
    assert successor.text_format is dict
    successor = asked.successor("resp_1", ("Shorter.", messages), None)
    written = turns.write(successor, is_socket=True)
    continuation = written.state.call.continuation
    assert continuation is not None
    assert continuation.is_adopted
    assert continuation.previous_id == "resp_1"
    turns.keep(written, _answer(2))
    kept = turns.memory.find("resp_2")
    assert kept is not None
    items = kept.continued({})["input"]
    contents = [item["content"] for item in items if item.get("role") == "user"]
    assert contents == ["one", "Shorter.", "Now."]


def test_input_that_the_service_has_queued_comes_before_that_of_the_turn() -> None:
    turns = _turns()
    output = {"type": "function_call_output", "call_id": "1", "output": "4"}
    turns.keep(turns.write(_ask(input="one"), is_socket=True), _answer(1))
    request = TurnRequest(
        {"store": False, "input": [output], "previous_response_id": "resp_1"},
        NO_OPTIONS,
        queued=("Shorter.",),
    )
    written = turns.write(request, is_socket=True)
    assert _short(written)["input"] == [output]
    assert [item.get("content") for item in _body(written)["input"][-2:]] == ["Shorter.", None]


def test_a_background_response_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no background"):
        _turns().check(_ask({"background": True}, input="one"))


@pytest.mark.parametrize("name", ["", "a b", "ä", "x" * 257, 3])
def test_a_lane_has_the_names_of_a_stream_id(name: Any) -> None:
    check_lane(None)
    check_lane("A-z_0.9" * 30)
    with pytest.raises(ConfigurationError, match="invalid"):
        check_lane(name)


def _event(**fields: Any) -> Any:
    return parse_event(json.dumps(fields))


def test_a_failed_steer_gives_its_input_back() -> None:
    steer = {"previous_response_id": "resp_1"}
    failure = {"code": "response_already_completed", "message": "Too late."}
    event = _event(type="response.steer.failed", steer={**steer, "input": "Now."}, error=failure)
    error = steering_error(event)
    assert (error.message, error.code) == ("Too late.", "response_already_completed")
    assert error.input == "Now."
    silent = _event(type="response.steer.failed", steer=steer, error={**failure, "message": ""})
    assert steering_error(silent, "Sent.").input == "Sent."
    assert steering_error(silent).message


def test_a_pending_steer_names_what_is_required() -> None:
    stub = {"type": "function_call_output", "call_id": "1", "name": "f"}
    event = _event(
        type="response.steer.pending",
        steer={"id": "steer_1", "previous_response_id": "resp_1"},
        reason="waiting_for_required_input",
        required_input=[stub],
    )
    error = steering_error(event)
    assert error.code == "waiting_for_required_input"
    assert error.required_input == (stub,)
    assert error.input is None
