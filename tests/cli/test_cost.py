"""`azure-responses cost`, run as a user runs it."""

import io
import json
import os
import pty
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from azure_responses.cli import main
from azure_responses.pricing import to_record
from tests.pricing.bodies import body, reply, usage


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Two users, two models: 1000 tokens in and 100 out each."""
    path = tmp_path / "calls.jsonl"
    lines = [
        body("gpt-5.1", user="ann") | {"id": "resp_1"},
        body("gpt-5.1", user="bob") | {"id": "resp_2"},
        body("gpt-5-mini", user="bob") | {"id": "resp_3"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def _write(tmp_path: Path, *lines: Any) -> str:
    path = tmp_path / "lines.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", "utf-8")
    return str(path)


def _total(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["cost", *arguments, "--json"]) == 0
    total: dict[str, Any] = json.loads(capsys.readouterr().out)["total"]
    return total


def test_a_plain_table_has_a_row_for_each_and_a_total(
    calls: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cost", str(calls)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "end user  model       deployment  calls  input  cached  output  reasoning  cost USD",
        "ann       gpt-5.1     -               1  1,000       0     100          0  0.002250",
        "bob       gpt-5.1     -               1  1,000       0     100          0  0.002250",
        "bob       gpt-5-mini  -               1  1,000       0     100          0  0.000450",
        "total                                 3  3,000       0     300          0  0.004950",
    ]


def test_rows_are_totalled_by_the_columns_asked_for(
    calls: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cost", str(calls), "--by", "end_user"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["end", "bob", "ann", "total"]
    assert lines[1].endswith("0.002700")


def test_without_columns_there_is_one_line(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", str(calls), "--by", ""]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_json_has_the_rows_and_the_total_exactly(
    calls: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cost", str(calls), "--by", "model", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [(row["model"], row["cost"]) for row in printed["rows"]] == [
        ("gpt-5.1", "0.00450"),
        ("gpt-5-mini", "0.00045"),
    ]
    assert Decimal(printed["total"]["cost"]) == Decimal("0.00495")


def test_lines_come_from_standard_input(
    calls: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(calls.read_text("utf-8")))
    assert _total(capsys)["calls"] == 3


def test_lines_may_be_of_any_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    completion = {"id": "c", "object": "chat.completion", "model": "gpt-5.1", "choices": []}
    path = _write(
        tmp_path,
        {"type": "response.created", "response": body(status="in_progress") | {"usage": None}},
        {"type": "response.output_text.delta", "delta": "x"},
        {"type": "error", "message": "x"},
        {"type": "response.completed", "response": body() | {"id": "stream"}},
        "",
        completion | {"usage": {"prompt_tokens": 1000}},
        {"custom_id": "1", "response": {"body": body("gpt-5", usage(1000)) | {"id": "batch"}}},
        to_record(reply(), cost=Decimal("0.5")) | {"id": "record"},
    )
    total = _total(capsys, path)
    assert total["calls"] == 4
    assert Decimal(total["cost"]) == (
        Decimal("0.00225") + Decimal("0.00125") + Decimal("0.000625") + Decimal("0.5")
    )


def test_a_log_is_read_among_other_lines_which_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = to_record(reply(), cost=Decimal("0.5"), end_user="ann")
    path = _write(
        tmp_path,
        "INFO starting",
        f"2026-11-20 INFO azure_responses {json.dumps(record)}",
        '{"record": "something else"}',
        "{broken",
    )
    assert main(["cost", path, "--from-log", "--by", "end_user"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[1].split() == [
        *("ann", "1", "1,000", "0", "100", "0", "0.500000")
    ]
    assert captured.err == "skipped 3 lines without a call\n"


def test_repricing_ignores_what_the_log_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _write(tmp_path, to_record(reply(), cost=Decimal("0.5")))
    assert Decimal(_total(capsys, path, "--reprice")["cost"]) == Decimal("0.00225")


@pytest.mark.parametrize(
    ("arguments", "cost"),
    [
        (["--base-model", "gpt-5-mini"], "0.00045"),
        (["--base-model", "gpt-5.1", "--zone", "us"], "0.002475"),
        (["--base-model", "gpt-5.1", "--zone", "data-zone", "--region", "eastus"], "0.002475"),
        (["--base-model", "gpt-5.1", "--tier", "batch"], "0.001125"),
    ],
)
def test_the_terms_of_all_calls_may_be_said(
    arguments: list[str], cost: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _write(tmp_path, body("prod"))
    assert Decimal(_total(capsys, path, *arguments)["cost"]) == Decimal(cost)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '{"deployments": {"prod": {"base_model": "gpt-5-mini"}}}'),
        ("c.yaml", "pricing:\n  deployments:\n    prod: {base_model: gpt-5-mini}\n"),
    ],
)
def test_prices_and_deployments_come_from_a_configuration(
    name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    path = _write(tmp_path, body("x"))
    total = _total(capsys, path, "--deployment", "prod", "--config", str(tmp_path / name))
    assert Decimal(total["cost"]) == Decimal("0.00045")
    assert total["unpriced"] == 0


def test_a_cost_not_known_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = [{"type": "image_generation_call"}]
    path = _write(tmp_path, body("gpt-99"), body(output=image) | {"id": "resp_2"})
    assert main(["cost", path, "--by", "model"]) == 0
    captured = capsys.readouterr()
    priced, unknown, total = captured.out.splitlines()[1:]
    assert priced.endswith("0.002250*")
    assert unknown.endswith("unknown")
    assert total.endswith("0.002250*")
    assert "2 of 2 calls have a part whose price is not known" in captured.err


def test_a_file_without_calls_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", _write(tmp_path, "")]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "no call found\n")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{broken"], "Line 1 is not JSON"),
        ([body(), "5"], "Line 2 is not a response"),
        ([{"hello": 1}], "Line 1 is not a response"),
    ],
)
def test_a_line_that_is_no_call_is_named(
    lines: list[Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cost", _write(tmp_path, *lines)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "--from-log" in captured.err


def test_bytes_that_are_no_text_are_an_error_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\xfe\x00")
    assert main(["cost", str(path)]) == 2
    assert "Line 1 is not JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl cannot be read: No such file"),
        (["--by", "colour"], "There is no column 'colour'."),
        (["--config", "nowhere.json"], "nowhere.json cannot be read: No such file"),
    ],
)
def test_wrong_usage_is_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cost", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.json", "{", "cannot be understood"),
        ("c.yaml", "a: [", "cannot be understood"),
        ("c.yaml", "[]", "not a mapping"),
        ("c.json", '{"tools": {"hammer": 1}}', "no price of 'hammer'"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_2(
    name: str, text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    assert main(["cost", "--config", str(path)]) == 2
    assert message in capsys.readouterr().err


def _without(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """As if a distribution were not installed."""
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)


def test_yaml_that_is_not_installed_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _without(monkeypatch, "yaml")
    path = tmp_path / "c.yaml"
    path.write_text("{}", "utf-8")
    assert main(["cost", "--config", str(path)]) == 2
    assert "pip install 'azure-responses[cli]'" in capsys.readouterr().err


def _in_terminal(command: list[str]) -> str:
    """What a command prints on a pseudo-terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    printed = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        printed += part
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return printed.decode()


def test_on_a_terminal_the_table_has_borders(tmp_path: Path) -> None:
    path = _write(tmp_path, body(user="[bold]ann"))
    printed = _in_terminal([sys.executable, "-m", "azure_responses", "cost", path])
    assert "┃" in printed
    assert "[bold]ann" in printed
    assert "0.002250" in printed


def test_a_table_with_borders_has_every_row_and_the_total_apart(
    calls: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["cost", str(calls), "--by", "end_user"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith("│")]
    assert [row.split()[1] for row in rows] == ["bob", "ann", "total"]
    assert lines.index(rows[2]) - lines.index(rows[1]) == 2


def test_a_name_too_long_for_its_column_is_continued_and_not_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "".join(f"{number:03}" for number in range(40))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["cost", _write(tmp_path, body(user=name)), "--by", "end_user"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    assert "".join(row.split("│")[1].strip() for row in rows).startswith(name)


def test_on_a_terminal_without_rich_the_table_is_plain(
    calls: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["cost", str(calls)]) == 0
    plain = capsys.readouterr().out
    _without(monkeypatch, "rich")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["cost", str(calls)]) == 0
    assert capsys.readouterr().out == plain


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--storage", "11GB", "--days", "30"], "11GB for 30 days, the first GB free: $30"),
        (["--storage", "500 mb"], "500 mb for 1 days, the first GB free: $0"),
        (
            ["--storage", "2147483648", "--json"],
            '{"bytes": 2147483648, "days": 1.0, "cost": "0.1"}',
        ),
    ],
)
def test_storage_is_priced_by_size_and_days(
    options: list[str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cost", *options]) == 0
    assert capsys.readouterr().out.startswith(shown)


@pytest.mark.parametrize("options", [["--storage", "much"], ["--storage", "1GB", "--days", "-1"]])
def test_a_size_that_cannot_be_read_is_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cost", *options]) == 2
    assert "error:" in capsys.readouterr().err
