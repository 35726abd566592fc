"""instructor."""

from pathlib import Path

import pytest

from tests.real_clients.driving import Report, drive, find_clients


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return drive(find_clients("instructor"), "drive_instructor", folder)


@pytest.mark.parametrize("case", ["tools", "json_schema", "responses", "responses_async"])
def test_a_model_is_filled(report: Report, mode: str, case: str) -> None:
    verdict = report.judge(mode, case)
    assert verdict.seen["parsed"]["age"] == 36
    assert verdict.seen.get("tokens", 1) > 0
    assert verdict.statuses == [200]


def test_a_model_is_filled_piece_by_piece(report: Report, mode: str) -> None:
    seen = report.judge(mode, "partial").seen
    assert seen["states"] > 1
    assert seen["parsed"]["age"] == 36
