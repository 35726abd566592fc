import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.gateway.spend_writer import SpendLog


def test_lines_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "spend.jsonl"
    for text in (b"1\n", b"2\n"):
        log = SpendLog(path)
        log.write([text, text])
        log.close()
    assert path.read_bytes() == b"1\n1\n2\n2\n"
    assert log.path == path


def test_only_owner_and_group_read_it(tmp_path: Path) -> None:
    path = tmp_path / "spend.jsonl"
    SpendLog(path).close()
    assert path.stat().st_mode & 0o027 == 0


@pytest.mark.parametrize("is_recreated", [True, False])
def test_a_log_that_was_moved_is_begun_anew(tmp_path: Path, is_recreated: bool) -> None:
    path = tmp_path / "spend.jsonl"
    log = SpendLog(path)
    log.write([b"1\n"])
    path.rename(tmp_path / "spend.jsonl.1")
    if is_recreated:
        path.touch()
    log.write([b"2\n"])
    log.close()
    assert (tmp_path / "spend.jsonl.1").read_bytes() == b"1\n"
    assert path.read_bytes() == b"2\n"


def test_a_line_that_a_crash_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "spend.jsonl"
    path.write_bytes(b'1\n{"record": "azu')
    log = SpendLog(path)
    log.write([b"2\n"])
    log.close()
    assert path.read_bytes() == b'1\n{"record": "azu\n2\n'


def test_a_write_that_failed_half_way_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spend.jsonl"
    log = SpendLog(path)
    write = os.write
    answers = [3, None]

    def fill_up(file: int, data: bytes) -> int:
        allowed = answers.pop(0)
        if allowed is None:
            raise OSError(28, "No space left on device")
        return write(file, data[:allowed])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fill_up)
        with pytest.raises(OSError, match="No space"):
            log.write([b"first\n"])
    log.write([b"first\n", b"second\n"])
    log.close()
    assert path.read_bytes() == b"fir\nfirst\nsecond\n"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="descriptors are counted in /proc")
def test_a_disk_that_stays_full_takes_no_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SpendLog(tmp_path / "spend.jsonl")
    write = os.write
    has_room = [True]

    def fill_up(file: int, data: bytes) -> int:
        if not has_room.pop():
            has_room.append(False)
            raise OSError(28, "No space left on device")
        has_room.append(False)
        return write(file, data[:3])

    counts = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fill_up)
        for _ in range(3):
            with pytest.raises(OSError, match="No space"):
                log.write([b"first\n"])
            counts.append(len(os.listdir("/proc/self/fd")))
    assert counts[0] == counts[1] == counts[2]
    log.write([b"first\n"])
    log.close()
    assert (tmp_path / "spend.jsonl").read_bytes() == b"fir\nfirst\n"


def test_long_batches_are_cut_between_lines(tmp_path: Path) -> None:
    path = tmp_path / "spend.jsonl"
    log = SpendLog(path)
    lines = [bytes([97 + n % 26]) * 300_000 + b"\n" for n in range(10)]
    log.write(lines)
    log.close()
    assert path.read_bytes() == b"".join(lines)


def test_a_log_that_cannot_be_opened_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file") as caught:
        SpendLog(tmp_path / "none" / "spend.jsonl")
    assert "spend_log" in str(caught.value.hint)


_APPEND = """
import sys
from pathlib import Path
from azure_responses.gateway.spend_writer import SpendLog
log = SpendLog(Path(sys.argv[1]))
for number in range(200):
    line = b'{"who": %s, "text": "%s"}\\n' % (sys.argv[2].encode(), b"x" * (number * 7))
    log.write([line] * 5)
"""


def test_processes_that_append_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "spend.jsonl"
    processes = [
        subprocess.Popen([sys.executable, "-c", _APPEND, str(path), str(n)]) for n in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    # A process that opens the file while another writes may add an empty line.
    records = [json.loads(line) for line in path.read_text().splitlines() if line]
    assert [sum(r["who"] == n for r in records) for n in range(3)] == [1000, 1000, 1000]
