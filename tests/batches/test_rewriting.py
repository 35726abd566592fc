"""Lines of batches on their way to a batch deployment and back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.batches import rewriting
from azure_responses.batches.rewriting import OutputRewriter, rewrite_request


def _label(body: dict[str, Any]) -> dict[str, Any]:
    if "id" in body:
        body["id"] = "azr_" + body["id"]
    return body


def _answer(custom_id: str, body: Any) -> bytes:
    response = None if body is None else {"status_code": 200, "request_id": "r", "body": body}
    return json.dumps({"custom_id": custom_id, "response": response, "error": None}).encode()


def _run(content: bytes, sizes: list[int], model: str | None = "chat") -> bytes:
    pieces: list[bytes] = []
    rewriter, place = OutputRewriter(_label, model), 0
    for size in [*sizes, len(content) or 1]:
        pieces += rewriter.feed(content[place : place + size])
        place += size
    return b"".join([*pieces, *rewriter.end()])


def test_a_request_names_the_deployment_and_the_ids_of_its_resource() -> None:
    line = {"custom_id": "a", "body": {"model": "chat", "previous_response_id": "azr_1"}, "x": 1}
    body = {"model": "chat", "previous_response_id": "1"}
    changed = json.loads(rewrite_request(json.dumps(line).encode(), body, "my-batch"))
    assert changed == {
        "custom_id": "a",
        "body": {"model": "my-batch", "previous_response_id": "1"},
        "x": 1,
    }


@given(st.lists(st.integers(1, 40), max_size=30), st.booleans())
def test_answers_are_rewritten_however_the_file_is_cut(sizes: list[int], has_end: bool) -> None:
    lines = [
        _answer("a", {"id": "resp_1", "model": "gpt-5-mini-2025"}),
        _answer("b", {"error": {"message": "no"}}),
        _answer("c", None),
        b"not JSON",
        _answer("d", {"id": "resp_2"}),
    ]
    whole = _run(b"\n".join(lines) + b"\n" * has_end, sizes)
    assert whole.endswith(b"\n") is has_end
    found = whole.splitlines()
    assert json.loads(found[0])["response"]["body"] == {"id": "azr_resp_1", "model": "chat"}
    assert json.loads(found[1])["response"]["body"] == {"error": {"message": "no"}}
    assert json.loads(found[2])["response"] is None
    assert found[3] == b"not JSON"
    assert json.loads(found[4])["response"]["body"] == {"id": "azr_resp_2"}


def test_without_a_model_the_name_of_the_service_stays() -> None:
    whole = _run(_answer("a", {"model": "gpt-5-mini-2025"}), [], model=None)
    assert json.loads(whole)["response"]["body"]["model"] == "gpt-5-mini-2025"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]\r\n[2]\r\n",
        b'{"custom_id": "a", "body": {"model": "x"}}\r\n{"custom_id": "b"}\r\n',
        b"%PDF-1.7\n\x00\xff",
        b"\n\n{}",
    ],
)
@pytest.mark.parametrize("sizes", [[], [1, 1, 1, 1, 1], [3, 9]])
def test_another_file_passes_byte_for_byte(content: bytes, sizes: list[int]) -> None:
    assert _run(content, sizes) == content


def test_a_first_line_without_end_is_not_held_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriting, "_LONGEST", 100)
    rewriter = OutputRewriter(_label, "chat")
    sent = [*rewriter.feed(b"{" * 90), *rewriter.feed(b"{" * 20)]
    assert b"".join(sent) == b"{" * 110
    assert list(rewriter.feed(b"more")) == [b"more"]
    assert list(rewriter.end()) == []
