"""`azure-responses batch run`: made once each, and continued after whatever ended the run."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azure_responses.batches.results import BatchResult
from azure_responses.cli import main
from azure_responses.cli.batch_run import _Lines
from azure_responses.cli.result_file import ResultFile
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Latency, Resource
from azure_responses.emulator.server import RunningServer
from azure_responses.errors import ConfigurationError
from tests.cli.pseudo_terminal import PseudoTerminal, plain


def write(path: Path, count: int, **body: Any) -> Path:
    lines = [
        json.dumps(
            {
                "custom_id": f"r{number}",
                "method": "POST",
                "url": "/v1/responses",
                "body": {"input": f"Reply with exactly: {number}", **body},
            }
        )
        for number in range(count)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def answers(path: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    found = {line["custom_id"]: line for line in lines}
    assert len(found) == len(lines)
    return found


def text_of(line: Any) -> str:
    message = next(item for item in line["response"]["body"]["output"] if item["type"] == "message")
    text: str = message["content"][0]["text"]
    return text


def calls(server: RunningServer) -> int:
    return sum(request.operation == "create" for request in server.emulator.requests)


@pytest.fixture
def slow(bare: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A served emulator that takes a moment for each answer."""
    latency = Latency(first_token=0.15, tokens_per_second=1000)
    with Emulator([Resource("r")], latency=latency).serve() as running:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", running.url)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", running.emulator.api_key)
        monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "gpt-4.1")
        yield running


def test_each_request_has_its_answer(
    served: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "q.jsonl", 20)
    assert main(["batch", "run", str(path)]) == 0
    found = answers(tmp_path / "q.output.jsonl")
    assert {name: text_of(line) for name, line in found.items()} == {
        f"r{number}": str(number) for number in range(20)
    }
    line = found["r7"]
    assert set(line) == {"id", "custom_id", "response", "error"}
    assert line["id"].startswith("batch_req_")
    assert line["response"]["status_code"] == 200
    assert line["response"]["request_id"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "20 answered, 0 failed; this run used" in captured.err
    # A second run has nothing to do.
    before = calls(served)
    assert main(["batch", "run", str(path)]) == 0
    assert calls(served) == before


def test_chat_completions_are_made_too(served: RunningServer, tmp_path: Path) -> None:
    path, output = tmp_path / "q.jsonl", tmp_path / "a.jsonl"
    body = {
        "model": "gpt-4.1",
        "messages": [{"role": "user", "content": "Reply with exactly: yes"}],
    }
    line = {"custom_id": "c", "method": "POST", "url": "/chat/completions", "body": body}
    path.write_text(json.dumps(line))
    assert main(["batch", "run", str(path), "-o", str(output)]) == 0
    shown = answers(output)["c"]["response"]["body"]
    assert shown["object"] == "chat.completion"
    assert shown["choices"][0]["message"]["content"] == "yes"


def test_a_failed_request_is_a_line_and_can_be_made_again(
    served: RunningServer, tmp_path: Path
) -> None:
    path, output = write(tmp_path / "q.jsonl", 3), tmp_path / "q.output.jsonl"
    served.emulator.faults.add(Fault("http-500", operation="create", times=1))
    assert main(["batch", "run", str(path), "--concurrency", "1", "--retries", "0"]) == 1
    found = answers(output)
    assert found["r0"]["response"]["status_code"] == 500
    assert found["r0"]["response"]["body"]["error"]
    assert found["r1"]["response"]["status_code"] == 200
    # Done is done, unless it is asked for.
    assert main(["batch", "run", str(path)]) == 1
    assert main(["batch", "run", str(path), "--retry-failed"]) == 0
    found = answers(output)
    assert len(found) == 3
    assert text_of(found["r0"]) == "0"
    assert output.stat().st_mode & 0o077 == 0


def test_a_parameter_that_the_api_does_not_have_is_refused_by_the_service(
    served: RunningServer, tmp_path: Path
) -> None:
    path = write(tmp_path / "q.jsonl", 1, temprature=1, timeout=3)
    assert main(["batch", "run", str(path)]) == 1
    line = answers(tmp_path / "q.output.jsonl")["r0"]
    assert line["response"]["status_code"] == 400
    assert "temprature" in json.dumps(line) or "timeout" in json.dumps(line)


def test_a_refused_key_stops_the_run_and_no_request_counts_as_done(
    served: RunningServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write(tmp_path / "q.jsonl", 50)
    with monkeypatch.context() as changed:
        changed.setenv("AZURE_OPENAI_API_KEY", "wrong-0123456789")
        assert main(["batch", "run", str(path)]) == 1
    assert "50 are left; to go on, run it again" in capsys.readouterr().err
    assert answers(tmp_path / "q.output.jsonl") == {}
    assert calls(served) <= 8
    assert main(["batch", "run", str(path)]) == 0


def test_an_unknown_deployment_stops_the_run(
    bare: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write(tmp_path / "q.jsonl", 5, model="nothing-like-it")
    with Emulator([Resource("r", strict_deployments=True)]).serve() as running:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", running.url)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", running.emulator.api_key)
        assert main(["batch", "run", str(path)]) == 1
    assert answers(tmp_path / "q.output.jsonl") == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file: empty_file"),
        (b"\xef\xbb\xbf{}", "line 1: invalid_json_line"),
        (b"{}\n" * 30, "and 20 more"),
    ],
)
def test_a_file_with_errors_is_wrong_usage_and_nothing_is_sent(
    served: RunningServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    told: str,
) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(content)
    assert main(["batch", "run", str(path)]) == 2
    assert told in capsys.readouterr().err
    assert calls(served) == 0
    assert not (tmp_path / "q.output.jsonl").exists()


def test_files_that_are_not_results_of_this_batch_are_left_alone(
    served: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, other = write(tmp_path / "q.jsonl", 2), tmp_path / "notes.txt"
    for content in ("my notes\n", BatchResult("", "else", status=200).to_line().decode()):
        other.write_text(content)
        assert main(["batch", "run", str(path), "-o", str(other)]) == 2
        assert other.read_text() == content
    before = path.read_text()
    assert main(["batch", "run", str(path), "-o", str(path)]) == 2
    assert path.read_text() == before
    assert main(["batch", "run", str(path), "-o", str(tmp_path)]) == 2
    assert main(["batch", "run", str(tmp_path / "none.jsonl")]) == 2
    assert main(["batch", "run", str(path), "--concurrency", "0"]) == 2
    assert capsys.readouterr().err.count("error:") == 6


def test_a_killed_run_is_continued_and_no_finished_request_is_made_again(
    slow: RunningServer, tmp_path: Path
) -> None:
    path, output = write(tmp_path / "q.jsonl", 40), tmp_path / "q.output.jsonl"
    command = [sys.executable, "-m", "azure_responses", "batch", "run", str(path)]
    command += ["--concurrency", "4"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ))
    deadline = time.monotonic() + 30
    while not (output.exists() and output.read_bytes().count(b"\n") >= 8):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    # As a full page cache or a lost power supply may leave it.
    with output.open("ab") as file:
        file.write(b'{"id":"batch_req_1","custom_id":"r39","response":{"status_c')
    done = output.read_bytes().count(b"\n")
    assert 8 <= done < 40
    assert main(["batch", "run", str(path)]) == 0
    found = answers(output)
    assert {name: text_of(line) for name, line in found.items()} == {
        f"r{number}": str(number) for number in range(40)
    }
    # Only the four under way may have been made twice.
    assert calls(slow) <= 44


def test_ctrl_c_in_a_terminal_waits_for_what_is_under_way(
    slow: RunningServer, tmp_path: Path
) -> None:
    path, output = write(tmp_path / "q.jsonl", 60), tmp_path / "q.output.jsonl"
    with PseudoTerminal(
        "batch", "run", str(path), "-m", "gpt-4.1", "--concurrency", "3",
        endpoint=slow.url, key=slow.emulator.api_key,
    ) as terminal:  # fmt: skip
        terminal.read_until("/60")
        deadline = time.monotonic() + 30
        while not output.exists() or output.read_bytes().count(b"\n") < 6:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        terminal.type("\x03")
        text = plain(terminal.read_until("to go on, run it again"))
        assert terminal.wait()[0] == 130
    assert "stopping: waiting for" in text
    done = len(answers(output))
    assert 6 <= done < 60
    # Everything that was asked for has been kept.
    assert calls(slow) == done


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    with ResultFile(tmp_path / "a") as results:
        with pytest.raises(ConfigurationError, match="Another run"):
            ResultFile(tmp_path / "a")
        results.add(BatchResult("x", "a", status=200))
    results.add(BatchResult("x", "b", status=200))
    with ResultFile(tmp_path / "a") as results:
        assert results.done == {"a": False}


def test_a_last_line_that_only_lacks_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    line = BatchResult("x", "a", status=200).to_line()
    path.write_bytes(line + BatchResult("x", "b", status=200).to_line()[:-1])
    with ResultFile(path) as results:
        results.add(BatchResult("x", "c", status=200))
    assert set(answers(path)) == {"a", "b", "c"}


def test_a_log_is_told_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    lines = _Lines(lambda: now)
    lines.begin(1000, 0, 0)
    for second in range(25):
        now = 100.0 + second
        lines.advance(second, 0)
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "0 of 1,000 requests are done",
        "10 of 1,000 requests are done, 0 of them failed",
        "20 of 1,000 requests are done, 0 of them failed",
    ]


# --- on a batch deployment ------------------------------------------------------------------------


@pytest.fixture
def batching(bare: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A served emulator with a batch deployment, whose time passes by itself."""
    deployments = [EmulatedDeployment("gpt-batch", model="gpt-5-mini", sku="GlobalBatch")]
    with Emulator([Resource("r", deployments=deployments)]).serve() as running:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", running.url)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", running.emulator.api_key)
        monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "gpt-batch")
        over = threading.Event()

        def pass_time() -> None:
            while not over.wait(0.05):
                running.emulator.clock.advance(120)

        thread = threading.Thread(target=pass_time)
        thread.start()
        yield running
        over.set()
        thread.join()


def test_a_batch_deployment_executes_a_file_and_is_followed(
    batching: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "q.jsonl", 10)
    assert main(["batch", "run", str(path), "--native", "--follow"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("batch_")
    assert "completed batch_" in captured.err
    found = answers(tmp_path / "q.output.jsonl")
    assert text_of(found["r7"]) == "7"
    assert len(found) == 10


def test_a_submitted_batch_is_shown_listed_read_and_cancelled(
    batching: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, output = write(tmp_path / "q.jsonl", 3), tmp_path / "later.jsonl"
    assert main(["batch", "run", str(path), "--native"]) == 0
    captured = capsys.readouterr()
    name = captured.out.strip()
    assert f"azure-responses batch status {name} --follow" in captured.err
    assert main(["batch", "status", name]) == 0
    assert name in capsys.readouterr().out
    assert main(["batch", "status", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == name
    assert main(["batch", "list"]) == 0
    assert name in capsys.readouterr().out
    assert main(["batch", "list", "--json", "--limit", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == name
    assert main(["batch", "status", name, "--follow", "-o", str(output)]) == 0
    assert len(answers(output)) == 3
    assert main(["batch", "run", str(path), "--native"]) == 0
    other = capsys.readouterr().out.splitlines()[-1]
    assert main(["batch", "cancel", other]) in (0, 1)
    assert main(["batch", "list", "--limit", "0"]) == 2


def test_a_batch_that_fails_names_its_lines(
    batching: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "q.jsonl", 2, model="nothing-like-it")
    assert main(["batch", "run", str(path), "--native", "--follow"]) == 1
    assert "model_not_found" in capsys.readouterr().err
    assert not (tmp_path / "q.output.jsonl").exists()


def test_follow_is_for_batch_deployments(served: RunningServer, tmp_path: Path) -> None:
    assert main(["batch", "run", str(write(tmp_path / "q.jsonl", 1)), "--follow"]) == 2
