"""A resource that breaks off before any event of any turn of a caller's WebSocket."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.gateway.gateways import serve
from tests.gateway.socket_callers import SocketCaller, scripted_config, socket_caller
from tests.router.turn_upstream import TurnUpstream
from tests.soak.scripted_upstream import ScriptedUpstream, threaded_upstream

_DELTAS = 3
_EVENTS = _DELTAS + 8
# Before this event nothing of the answer has been seen: the turn may be sent again.
_FIRST_OUTPUT = 2
_TURNS = 3

JSON = dict[str, Any]


class _Stage(NamedTuple):
    upstream: ScriptedUpstream
    url: str
    spend: Path

    def spent(self, count: int) -> list[JSON]:
        """The lines of the spend log, once there are so many, and no more of them."""
        deadline = time.monotonic() + 10
        while True:
            lines = self.spend.read_text().splitlines() if self.spend.exists() else []
            if len(lines) >= count or time.monotonic() > deadline:
                return [json.loads(line) for line in lines]
            time.sleep(0.01)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Stage]:
    spend = tmp_path_factory.mktemp("breaks") / "spend.jsonl"
    with (
        threaded_upstream() as (url, upstream),
        serve(scripted_config(url, spend_log=str(spend))) as running,
    ):
        yield _Stage(upstream, running.url, spend)


def _chain(caller: SocketCaller, model: str, scripts: list[str]) -> list[list[JSON]]:
    """Turns that continue one another, up to the first one that is not completed."""
    turns: list[list[JSON]] = []
    previous: JSON = {}
    for script in scripts:
        turns.append(caller.turn(model=model, store=False, input=script, **previous))
        if turns[-1][-1]["type"] != "response.completed":
            break
        previous = {"previous_response_id": turns[-1][-1]["response"]["id"]}
    return turns


def _check_whole(events: list[JSON]) -> None:
    """The events are those of one response, each of them once."""
    assert [event["sequence_number"] for event in events] == list(range(_EVENTS))
    text = "".join(event["delta"] for event in events if event["type"].endswith("text.delta"))
    assert text == "".join(f" word{number}" for number in range(_DELTAS))
    ids = {event["response"]["id"] for event in events if "response" in event}
    assert len(ids) == 1


def _check_broken(events: list[JSON], place: int) -> None:
    """The events are those before the break, and an end that is no success."""
    assert events[-1]["type"] in ("response.failed", "error")
    numbers = [event["sequence_number"] for event in events[:-1]]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) <= place
    assert [event["type"] for event in events].count("response.created") <= 1


def _check_turns(
    upstream: ScriptedUpstream, turns: list[list[JSON]], script: str, turn: int, place: int
) -> None:
    """What came of a chain whose turn `turn`, made by `script`, broke off at an event."""
    for whole in turns[:turn]:
        _check_whole(whole)
    if turns[turn][-1]["type"] == "response.completed":
        assert place <= _FIRST_OUTPUT, place
        assert (upstream.begun[script], upstream.ended[script]) == (2, 1)
        assert len(turns) == _TURNS
        for whole in turns[turn:]:
            _check_whole(whole)
    else:
        assert upstream.begun[script] == 1 or place <= _FIRST_OUTPUT
        _check_broken(turns[turn], place)


@pytest.mark.parametrize("fault", ["reset", "close", "half", "error"])
@pytest.mark.parametrize("turn", range(_TURNS))
@pytest.mark.parametrize("model", ["native", "http"])
def test_a_turn_whose_resource_breaks_off_is_never_completed_nor_doubled(
    stage: _Stage, model: str, turn: int, fault: str
) -> None:
    before, made = len(stage.spent(0)), 0
    for place in range(_EVENTS):
        scripts = [f"text deltas={_DELTAS} {model} {turn} {fault} {place}"] * _TURNS
        scripts[turn] += f" {fault}@{place}"
        with socket_caller(stage.url) as caller:
            turns = _chain(caller, model, scripts)
            _check_turns(stage.upstream, turns, scripts[turn], turn, place)
            # The connection itself goes on, with a chain of its own.
            _check_whole(caller.turn(model=model, input=f"text deltas={_DELTAS} again"))
        made += len(turns) + 1
    lines = stage.spent(before + made)[before:]
    assert len(lines) == made
    assert len({line["call_id"] for line in lines}) == made
    assert stage.upstream.overlaps == 0


@pytest.mark.parametrize("model", ["native", "http"])
def test_a_chain_goes_on_after_a_turn_that_broke_or_says_that_it_cannot(
    stage: _Stage, model: str
) -> None:
    for place in range(_EVENTS):
        with socket_caller(stage.url) as caller:
            script = f"text deltas={_DELTAS} {model} {place}"
            first = caller.turn(model=model, store=False, input=script)
            known = {"previous_response_id": first[-1]["response"]["id"], "store": False}
            caller.turn(model=model, input=f"{script} on reset@{place}", **known)
            after = caller.turn(model=model, input=f"{script} after", **known)
            if after[-1]["type"] == "error":
                assert after[-1]["error"]["code"] == "previous_response_not_found"
            else:
                _check_whole(after)
                sent = stage.upstream.bodies[-1]
                assert sent.get("previous_response_id") or len(sent["input"]) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_continuation_that_the_service_refuses_for_a_while_is_made_with_all_items(
    status: int, tmp_path: Path
) -> None:
    code = "rate_limit_exceeded" if status == 429 else "server_is_overloaded"
    error = {"code": code, "message": "Not now.", "type": "error"}
    refusal = {"status": status, "error": error, "headers": {"retry-after": "0.01"}}
    spend = tmp_path / "spend.jsonl"
    with (
        TurnUpstream() as upstream,
        serve(scripted_config(upstream.url, spend_log=str(spend))) as running,
    ):
        with socket_caller(running.url) as caller:
            first = caller.turn(model="native", input="hi", store=False)[-1]["response"]["id"]
            upstream.faults.append(refusal)
            frames = caller.turn(
                model="native", input="on", store=False, previous_response_id=first
            )
            assert frames[-1]["type"] == "response.completed"
            assert frames[-1]["response"]["previous_response_id"] == first
        lines = _Stage(ScriptedUpstream(), running.url, spend).spent(2)
    _, refused, again = upstream.requests
    assert (refused.body["input"], again.kinds) == ("on", ["message", "message", "message"])
    assert "previous_response_id" not in again.body
    # Two attempts are one call, which is charged once.
    assert [(line["usage"]["input_tokens"], line["attempts"]) for line in lines] == [
        (10, 1),
        (10, 2),
    ]
