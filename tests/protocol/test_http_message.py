"""One exchange as plain values."""

import pytest

from azure_responses.protocol.http_message import RawResponse, Reply, Request


def test_a_repr_shows_neither_headers_nor_url() -> None:
    request = Request("POST", "https://gw?subscription-key=hush", {"api-key": "whisper"}, b"{}")
    assert "hush" not in repr(request)
    assert "whisper" not in repr(request)


def test_a_reply_is_empty_by_default_and_frozen() -> None:
    reply = Reply(204)
    assert (dict(reply.headers), reply.body) == ({}, b"")
    with pytest.raises(AttributeError):
        reply.status = 200  # type: ignore[misc]


def test_a_raw_response_is_parsed_once() -> None:
    raw = RawResponse(Reply(200, {"apim-request-id": "r1"}, b"{}"), lambda reply: [reply.status])
    assert (raw.status_code, raw.content, raw.request_id) == (200, b"{}", "r1")
    assert raw.parse() == [200]
    assert raw.parse() is raw.parse()
    assert repr(raw) == "RawResponse(status_code=200, request_id='r1')"
