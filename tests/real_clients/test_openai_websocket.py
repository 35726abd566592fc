"""The openai package's WebSockets: the version tests hold names to, and a newer one."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.real_clients.driving import MODES, Report, drive, find_python

_NAMED_ADA = "Your name is Ada."
_NOT_FOUND = "previous_response_not_found"


@pytest.fixture(scope="module", params=["tested", "newer"])
def report(request: pytest.FixtureRequest, folder: Path) -> Report:
    """What a version of the package saw; the newer one has an older websockets."""
    if request.param == "newer":
        python = find_python("AZURE_RESPONSES_NEWER_OPENAI", "newer openai")
        return drive(python, "drive_openai_websocket", folder, ("gateway", "emulator"))
    return drive(sys.executable, "drive_openai_websocket", folder)


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, report: Report) -> str:
    """Whether turns go to the gateway, to a router in the program's process, or to Azure itself."""
    if request.param not in report.entries:
        pytest.skip("azure-responses is not installed beside the newer openai")
    return str(request.param)


def _seen(report: Report, mode: str, case: str) -> list[Any]:
    """What a case saw, model by model."""
    seen: dict[str, Any] = report.judge(mode, case).seen
    assert len(seen) == 1 if mode == "emulator" else len(seen) in (2, 4)
    return list(seen.values())


def test_turns_follow_one_another(report: Report, mode: str) -> None:
    for seen in _seen(report, mode, "sequential"):
        assert (seen["texts"], seen["first"]) == (["pong"] * 3, "response.created")


def test_a_response_is_continued_by_its_id_stored_or_not(report: Report, mode: str) -> None:
    for seen in _seen(report, mode, "continued"):
        assert seen == [_NAMED_ADA] * 6


def test_another_connection_takes_the_whole_input_where_nothing_is_stored(
    report: Report, mode: str
) -> None:
    for seen in _seen(report, mode, "recovered"):
        assert seen == {"code": _NOT_FOUND, "text": _NAMED_ADA}


def test_a_response_that_is_not_there_is_said_not_to_be(report: Report, mode: str) -> None:
    for seen in _seen(report, mode, "not_found"):
        assert seen == {
            "status": 400,
            "type": "invalid_request_error",
            "code": _NOT_FOUND,
            "param": "previous_response_id",
            "says": True,
            "text": "pong",
        }


def test_a_continuation_that_is_refused_forgets_the_response(report: Report, mode: str) -> None:
    for seen in _seen(report, mode, "evicted"):
        assert seen == {"status": 400, "code": _NOT_FOUND}


def test_a_compaction_begins_a_new_chain(report: Report, mode: str) -> None:
    if mode == "injected":
        pytest.skip("the endpoint of a process takes WebSockets alone")
    for seen in _seen(report, mode, "compacted"):
        assert seen == [_NAMED_ADA, None]


def test_a_warm_up_is_continued(report: Report, mode: str) -> None:
    for seen in _seen(report, mode, "warmed_up"):
        assert seen["kinds"] == ["response.created", "response.completed"]
        assert (seen["output"], seen["text"]) == (0, _NAMED_ADA)


def test_a_loop_of_twenty_turns_runs_to_its_end(report: Report, mode: str) -> None:
    for seen in _seen(report, mode, "looped"):
        assert seen == {"rounds": 19, "told": 19}


def test_a_connection_survives_what_is_not_a_turn(report: Report, mode: str) -> None:
    for seen in _seen(report, mode, "survived"):
        assert seen == {"seen": [["error", 400]] * 3, "status": 400, "text": "pong"}


def test_steering_that_is_refused_leaves_the_connection_open(report: Report, mode: str) -> None:
    for seen in _seen(report, mode, "steered"):
        assert seen == {"type": "response.steer.failed", "text": "pong"}


def test_lanes_of_a_session_are_served_side_by_side(report: Report, mode: str) -> None:
    if mode == "emulator":
        pytest.skip("Azure has no lanes")
    for seen in _seen(report, mode, "lanes"):
        assert seen == {name: f"Your name is {name}." for name in ("Ada", "Bob", "Cleo")}


def test_a_lane_goes_on_from_another_lanes_response(report: Report, mode: str) -> None:
    if mode == "emulator":
        pytest.skip("Azure has no lanes")
    for seen in _seen(report, mode, "forked"):
        assert seen == [_NAMED_ADA] * 3
