"""One exchange as plain values."""

import pytest

from azure_responses.protocol.http_message import Reply, Request


def test_a_repr_shows_neither_headers_nor_url() -> None:
    request = Request("POST", "https://gw?subscription-key=hush", {"api-key": "whisper"}, b"{}")
    assert "hush" not in repr(request)
    assert "whisper" not in repr(request)


def test_a_reply_is_empty_by_default_and_frozen() -> None:
    reply = Reply(204)
    assert (dict(reply.headers), reply.body) == ({}, b"")
    with pytest.raises(AttributeError):
        reply.status = 200  # type: ignore[misc]
