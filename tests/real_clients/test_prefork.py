"""gunicorn and Celery fork their workers from a process that has used a client already."""

import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.echo_server import echo_server
from tests.real_clients.driving import ROOT, find_python

_APPLICATION = "tests.real_clients.programs.prefork_application"
_WORKERS = 4


@pytest.fixture
def python() -> str:
    return find_python("AZURE_RESPONSES_WORKERS", "environment with gunicorn and Celery")


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables of a program that asks the echoing server."""
    with echo_server() as url:
        kept = {n: value for n, value in os.environ.items() if not n.startswith("AZURE_")}
        connection = {"AZURE_OPENAI_ENDPOINT": url, "AZURE_OPENAI_API_KEY": "a-key-for-nothing"}
        yield {**kept, **connection, "PYTHONPATH": str(ROOT), "CELERY_FOLDER": str(tmp_path)}


@contextmanager
def _running(command: list[str], environment: dict[str, str], ready: str) -> Iterator[str]:
    """A server; the line of its log that says that it is ready."""
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = []
        try:
            for line in process.stderr:
                lines.append(line)
                if re.search(ready, line):
                    break
            else:
                pytest.fail("".join(lines))
            yield lines[-1]
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _check(answers: list[tuple[str, str]]) -> None:
    """Each answer is the process that asked and the word that it asked for."""
    assert [word for word, answer in answers if answer.split()[1] != word] == []
    assert len({answer.split()[0] for _, answer in answers}) > 1


def test_no_worker_of_a_preloading_gunicorn_reads_the_answer_of_another(
    python: str, environment: dict[str, str]
) -> None:
    command = [python, "-m", "gunicorn", f"{_APPLICATION}:application", "--preload"]
    command += ["--workers", str(_WORKERS), "--bind", "127.0.0.1:0", "--no-control-socket"]
    without_celery = {n: value for n, value in environment.items() if n != "CELERY_FOLDER"}
    with _running(command, without_celery, "Listening at: (http\\S+)") as line:
        found = re.search(r"http://\S+", line)
        assert found
        words = [f"word-{number}" for number in range(100)]

        def get(word: str) -> tuple[str, str]:
            return word, httpx.get(f"{found[0]}/{word}", timeout=30).text

        with ThreadPoolExecutor(8) as threads:
            _check(list(threads.map(get, words)))


def test_no_worker_of_a_forking_celery_reads_the_answer_of_another(
    python: str, environment: dict[str, str]
) -> None:
    command = [python, "-m", "celery", "-A", f"{_APPLICATION}:celery", "worker"]
    command += ["--pool", "prefork", "--concurrency", str(_WORKERS), "--loglevel", "INFO"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    with _running(command, environment, "ready"):
        asking = [python, "-m", _APPLICATION]
        done = subprocess.run(
            asking, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        lines = [line.partition(" ") for line in done.stdout.splitlines()]
        assert len(lines) == 100
        _check([(word, answer) for word, _, answer in lines])
