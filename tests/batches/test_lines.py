"""What an input file may hold, and which code and line each error has."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.batches import lines as module
from azure_responses.batches.lines import BatchInput, BatchLine, LineError, LineSplitter, read_line


def line(custom_id: str = "a", **changes: Any) -> bytes:
    value: dict[str, Any] = {
        "custom_id": custom_id,
        "method": "POST",
        "url": "/v1/responses",
        "body": {"model": "gpt", "input": "hi"},
    }
    return json.dumps({**value, **changes}).encode()


def check(*texts: bytes, **options: Any) -> list[tuple[str, int | None]]:
    checked = BatchInput(**options)
    for text in texts:
        checked.add(text)
    return [(error.code, error.line) for error in checked.end()]


@given(st.lists(st.binary(max_size=8).map(lambda b: b.replace(b"\n", b"x")), max_size=6), st.data())
def test_lines_are_the_same_however_the_file_is_cut(
    parts: list[bytes], data: st.DataObject
) -> None:
    whole = b"\n".join(parts)
    found: list[bytes] = []
    splitter, rest = LineSplitter(), whole
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += splitter.feed(rest[:size])
        rest = rest[size:]
    found += splitter.end()
    expected = [part.removesuffix(b"\r") for part in parts]
    if expected and not expected[-1]:
        expected.pop()
    assert found == expected


@pytest.mark.parametrize(
    ("url", "stands_for"),
    [
        ("/v1/responses", "/v1/responses"),
        ("/responses", "/v1/responses"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
    ],
)
def test_every_spelling_of_a_url_is_read(url: str, stands_for: str) -> None:
    read = read_line(line(url=url), 7)
    assert read == BatchLine(7, "a", stands_for, {"model": "gpt", "input": "hi"})
    assert read.model == "gpt"


@pytest.mark.parametrize(
    ("text", "code", "param"),
    [
        (b"\xef\xbb\xbf" + line(), "invalid_json_line", None),
        (b'{"custom_id": "a"', "invalid_json_line", None),
        (b"[1]", "invalid_json_line", None),
        (b'{"custom_id": NaN}', "invalid_json_line", None),
        (b"\xff", "invalid_json_line", None),
        (line(custom_id=""), "invalid_request", "custom_id"),
        (line(custom_id="a" * 513), "invalid_request", "custom_id"),
        (line(custom_id=1), "invalid_request", "custom_id"),  # type: ignore[arg-type]
        (line(method="GET"), "invalid_request", "method"),
        (line(url="/v1/embeddings"), "url_mismatch", "url"),
        (line(url=["/v1/responses"]), "url_mismatch", "url"),
        (line(body="hi"), "invalid_request", "body"),
        (line(body={"stream": True}), "invalid_request", "body.stream"),
        (line(body={"background": True}), "invalid_request", "body.background"),
    ],
)
def test_a_line_that_cannot_be_made_says_why(text: bytes, code: str, param: str | None) -> None:
    with pytest.raises(LineError) as caught:
        read_line(text, 3)
    shown = caught.value.to_dict()
    assert (shown["code"], shown["param"], shown["line"]) == (code, param, 3)
    assert shown["message"].endswith(".")


def test_a_right_file_has_no_errors_and_one_model() -> None:
    checked = BatchInput("/v1/responses")
    assert checked.add(line("a")) is not None
    assert checked.add(b"") is None
    assert checked.add(line("b")) is not None
    assert checked.end() == []
    assert (checked.total, checked.model) == (2, "gpt")


def test_an_empty_file_is_refused() -> None:
    assert check() == [("empty_file", None)]
    assert check(b"", b"  ") == [("empty_file", None)]


def test_each_line_that_does_not_fit_the_others_is_named() -> None:
    other = line("c", body={"model": "gpt-2"})
    chat = line("d", url="/v1/chat/completions")
    assert check(line("a"), line("a"), other, chat) == [
        ("duplicate_custom_id", 2),
        ("model_mismatch", 3),
        ("url_mismatch", 4),
    ]


def test_the_endpoint_of_the_batch_is_that_of_the_lines() -> None:
    chat = line(url="/chat/completions")
    assert check(chat, endpoint="/v1/responses") == [("url_mismatch", 1)]
    assert check(chat, endpoint="/v1/chat/completions") == []
    # Azure takes this endpoint for files of responses.
    assert check(line(), endpoint="/chat/completions") == []


def test_a_line_without_a_model_takes_the_given_one() -> None:
    bare = line(body={"input": "hi"})
    assert check(bare) == [("invalid_request", 1)]
    assert check(bare, model="gpt") == []
    assert check(bare, line("b", body={"model": ""}), model="gpt") == []


def test_a_file_with_too_many_lines_or_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LINES", 2)
    assert check(*(line(str(n)) for n in range(4))) == [("too_many_tasks", None)]
    monkeypatch.setattr(module, "MOST_LINES", 100)
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    assert check(*(line(str(n)) for n in range(4))) == [("invalid_request", None)]


def test_at_most_a_hundred_errors_are_kept() -> None:
    assert len(check(*[b"x"] * 300)) == 100
