"""The batch object: what is asked for, its statuses, and what the openai package reads of it."""

from typing import Any

import pytest
from openai.types import Batch as OpenAIBatch

from azure_responses.batches.batch import ENDED, STATUSES, BatchRecord, read_request, read_window
from azure_responses.batches.lines import LineError
from azure_responses.batches.results import BatchTokens

NOW = 1_800_000_000.5
ASKED: dict[str, Any] = {
    "input_file_id": "file-1",
    "endpoint": "/v1/responses",
    "completion_window": "24h",
}


def _begun(**changes: Any) -> BatchRecord:
    return read_request({**ASKED, **changes}, "batch_1", NOW)


def test_a_new_batch_is_validating_and_expires_after_its_window() -> None:
    batch = _begun(metadata={"job": "nightly"})
    shown = OpenAIBatch.model_validate(batch.to_dict())
    assert shown.status == "validating"
    assert shown.created_at == 1_800_000_000
    assert shown.expires_at == 1_800_000_000 + 86_400
    assert shown.metadata == {"job": "nightly"}
    assert shown.request_counts is not None
    assert shown.request_counts.total == 0
    assert not batch.has_ended


def test_each_status_has_its_time() -> None:
    batch = _begun()
    for number, status in enumerate(STATUSES[1:], start=1):
        batch = batch.moved(status, NOW + number)
        assert batch.status == status
        assert batch.has_ended is (status in ENDED)
    shown = batch.to_dict()
    for number, status in enumerate(STATUSES[1:], start=1):
        assert shown[f"{status}_at"] == 1_800_000_000 + number


def test_a_file_with_errors_ends_the_batch() -> None:
    error = LineError("invalid_json_line", "The line is not JSON.", line=3)
    shown = OpenAIBatch.model_validate(_begun().refused([error], NOW).to_dict())
    assert shown.status == "failed"
    assert shown.errors is not None
    assert shown.errors.data is not None
    assert (shown.errors.data[0].code, shown.errors.data[0].line) == ("invalid_json_line", 3)
    assert shown.failed_at == 1_800_000_000


def test_model_counts_and_usage_are_shown_where_they_are_known() -> None:
    batch = _begun().moved("completed", NOW, model="gpt", total=3, completed=2, failed=1)
    shown = OpenAIBatch.model_validate(batch.to_dict(BatchTokens(1, 0, 2, 0)))
    assert shown.model == "gpt"
    assert shown.usage is not None
    assert shown.usage.total_tokens == 3
    assert "usage" not in batch.to_dict()


@pytest.mark.parametrize(
    ("text", "seconds"), [("24h", 86_400), ("90m", 5400), ("2 d", 172_800), ("14d", 1_209_600)]
)
def test_a_window_is_a_number_of_minutes_hours_or_days(text: str, seconds: int) -> None:
    assert read_window(text) == seconds


@pytest.mark.parametrize("text", ["", "0h", "15d", "24", "24s", 24, None, "٢h"])
def test_another_window_is_refused(text: Any) -> None:
    with pytest.raises(LineError) as caught:
        read_window(text)
    assert caught.value.param == "completion_window"


def test_output_files_may_expire() -> None:
    given = {"anchor": "created_at", "seconds": 1_209_600}
    assert _begun(output_expires_after=given).file_seconds == 1_209_600


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input_file_id", None),
        ("input_file_id", ""),
        ("endpoint", "/v1/embeddings"),
        ("endpoint", ["/v1/responses"]),
        ("metadata", "x"),
        ("metadata", {str(n): "" for n in range(17)}),
        ("metadata", {"a": 1}),
        ("metadata", {"a" * 65: ""}),
        ("metadata", {"a": "b" * 513}),
        ("output_expires_after", 3600),
        ("output_expires_after", {"seconds": 3599}),
        ("output_expires_after", {"seconds": 7200.5}),
    ],
)
def test_a_request_with_an_invalid_field_names_it(field: str, value: Any) -> None:
    with pytest.raises(LineError) as caught:
        _begun(**{field: value})
    assert caught.value.param == field
    assert caught.value.code == "invalid_request"
