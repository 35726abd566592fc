from azure_responses.protocol.sse import SSEDecoder
from azure_responses.protocol.warm_up import is_warm_up, warm_up_events, write_events
from azure_responses.types import parse_event


def test_only_a_turn_that_generates_nothing_is_a_warm_up() -> None:
    assert is_warm_up({"generate": False})
    assert not is_warm_up({"generate": True})
    assert not is_warm_up({})


def test_a_warm_up_is_answered_by_a_complete_response_without_output() -> None:
    body = {"model": "gpt-5-mini", "store": False, "instructions": None, "generate": False}
    sent = write_events(warm_up_events(body, "resp_warmup_1", 1790000000.5))
    created, completed = (parse_event(data, name) for name, data in SSEDecoder().feed(sent))
    assert created.type == "response.created"
    assert completed.type == "response.completed"
    assert completed.response.to_dict() == {
        "id": "resp_warmup_1",
        "object": "response",
        "created_at": 1790000000,
        "status": "completed",
        "output": [],
        "model": "gpt-5-mini",
        "store": False,
        "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
    }
