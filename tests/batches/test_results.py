"""The lines of output and error files: written, read again, and counted."""

import json
from typing import Any

import pytest

from azure_responses.batches.results import (
    CANCELLED,
    EXPIRED,
    BatchResult,
    BatchTokens,
    read_result,
)


def test_an_answer_is_a_line_as_the_service_writes_it() -> None:
    result = BatchResult("batch_req_1", "a", status=200, request_id="r", body={"id": "resp_1"})
    assert not result.is_failed
    assert json.loads(result.to_line()) == {
        "id": "batch_req_1",
        "custom_id": "a",
        "response": {"status_code": 200, "request_id": "r", "body": {"id": "resp_1"}},
        "error": None,
    }


def test_a_refused_request_has_its_answer_in_the_error_file() -> None:
    body = {"error": {"code": "content_filter", "message": "no"}}
    result = BatchResult("batch_req_1", "a", status=400, body=body)
    assert result.is_failed
    shown = json.loads(result.to_line())
    assert shown["response"] == {"status_code": 400, "request_id": "", "body": body}
    assert shown["error"] is None


@pytest.mark.parametrize("error", [EXPIRED, CANCELLED])
def test_a_request_that_was_not_made_has_an_error(error: tuple[str, str]) -> None:
    result = BatchResult("batch_req_1", "a", error=error)
    assert result.is_failed
    shown = json.loads(result.to_line())
    assert shown["response"] is None
    assert shown["error"] == {"code": error[0], "message": error[1]}


@pytest.mark.parametrize(
    "result",
    [
        BatchResult("batch_req_1", "a", status=200, request_id="r", body={"id": "resp_1"}),
        BatchResult("batch_req_1", "ä\n", status=500, request_id="", body=None),
        BatchResult("", "a", error=EXPIRED),
    ],
)
def test_a_line_that_was_written_is_read_again(result: BatchResult) -> None:
    line = result.to_line()
    assert line.count(b"\n") == 1
    assert read_result(line) == result


@pytest.mark.parametrize(
    "text",
    [
        BatchResult("x", "a", status=200, body={"id": "resp_1"}).to_line()[:-20],
        b"[]",
        b"{}",
        b'{"custom_id": 1}',
        b'{"custom_id": "a"}',
        b'{"custom_id": "a", "response": {"status_code": "200"}}',
    ],
)
def test_a_torn_or_foreign_line_is_not_a_result(text: bytes) -> None:
    assert read_result(text) is None


def test_lines_of_azure_without_an_id_are_read() -> None:
    text = b'{"custom_id": "a", "response": {"status_code": 200, "body": {}}, "error": null}'
    assert read_result(text) == BatchResult("", "a", status=200, body={})


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        (
            {
                "usage": {
                    "input_tokens": 5,
                    "input_tokens_details": {"cached_tokens": 2},
                    "output_tokens": 7,
                    "output_tokens_details": {"reasoning_tokens": 3},
                }
            },
            BatchTokens(5, 2, 7, 3),
        ),
        ({"usage": {"prompt_tokens": 5, "completion_tokens": 7}}, BatchTokens(5, 0, 7, 0)),
        ({"usage": None}, BatchTokens()),
        (None, BatchTokens()),
    ],
)
def test_tokens_of_responses_and_of_completions_are_counted(body: Any, usage: BatchTokens) -> None:
    assert BatchResult("x", "a", status=200, body=body).usage() == usage
    assert usage.to_dict()["total_tokens"] == usage.input + usage.output
