"""Responses kept on our side, shared by replicas: sealed, found at once, gone when deleted."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from azure_responses.bridge.conversions import LazySealer
from azure_responses.errors import APIConnectionError
from azure_responses.gateway.response_table import DatabaseTexts
from azure_responses.protocol.stored_response import StoredResponse
from azure_responses.store.connection import read_address
from azure_responses.store.response_texts import (
    AsyncSharedResponses,
    RedisTexts,
    ResponseTexts,
    SharedResponses,
)
from tests.store.redis_server import RedisServer

SECRET = b"s" * 32


def make_stored(name: str = "resp_bridged_1", text: str = "Hello") -> StoredResponse:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    output = [{"id": "msg_bridged_2", "type": "message", "role": "assistant", "content": content}]
    item = {"id": "msg_bridged_1", "type": "message", "role": "user", "content": "Hi"}
    return StoredResponse({"id": name, "output": output}, [item], (), time.time())


@pytest.fixture(params=["redis", "sqlite"])
def texts(
    request: pytest.FixtureRequest, tmp_path: Path, lasting_server: RedisServer
) -> Iterator[ResponseTexts]:
    if request.param == "redis":
        yield RedisTexts(read_address(lasting_server.url, timeout=2.0), prefix=tmp_path.name)
        return
    database = DatabaseTexts(str(tmp_path / "keys.db"))
    yield database
    database.close()


def shared(texts: ResponseTexts, *secrets: bytes) -> SharedResponses:
    return SharedResponses(texts, LazySealer(list(secrets or (SECRET,)), os.urandom))


def test_what_one_replica_saves_another_finds(texts: ResponseTexts) -> None:
    stored = make_stored()
    shared(texts).save(stored)
    found = shared(texts).load(stored.id)
    assert found is not None
    assert found.to_json() == stored.to_json()
    item = shared(texts).load_item("msg_bridged_2")
    assert item is not None
    assert item["role"] == "assistant"


def test_the_text_is_sealed_for_its_own_id(texts: ResponseTexts) -> None:
    shared(texts).save(make_stored(text="a private matter"))
    text = texts.get("resp_bridged_1")
    assert text is not None
    assert "private" not in text
    texts.put("resp_bridged_9", text, [], 60.0)
    assert shared(texts).load("resp_bridged_9") is None
    assert shared(texts, b"another secret").load("resp_bridged_1") is None


def test_an_older_secret_still_opens(texts: ResponseTexts) -> None:
    shared(texts, b"old").save(make_stored())
    assert shared(texts, b"new", b"old").load("resp_bridged_1") is not None


def test_a_response_is_replaced_and_deleted(texts: ResponseTexts) -> None:
    responses = shared(texts)
    responses.save(make_stored(text="one"))
    responses.save(make_stored(text="two"))
    found = responses.load("resp_bridged_1")
    assert found is not None
    assert found.response["output"][0]["content"][0]["text"] == "two"
    responses.delete("resp_bridged_1")
    responses.delete("resp_bridged_1")
    assert responses.load("resp_bridged_1") is None
    assert responses.load_item("msg_bridged_2") is None
    assert responses.load_item("msg_bridged_0") is None


def test_a_response_is_gone_when_its_time_is_over(texts: ResponseTexts) -> None:
    texts.put("resp_bridged_1", "text", ["msg_bridged_1"], -1.0)
    if isinstance(texts, DatabaseTexts):
        assert texts.get("resp_bridged_1") is None
        texts._cleaned = 0.0
        texts.put("resp_bridged_2", "text", [], 60.0)
        assert texts.owner_of("msg_bridged_1") is None


def test_async_callers_have_the_same(texts: ResponseTexts) -> None:
    async def run() -> Any:
        responses = AsyncSharedResponses(shared(texts))
        await responses.save(make_stored())
        item = await responses.load_item("msg_bridged_1")
        await responses.delete("resp_bridged_1")
        return item, await responses.load("resp_bridged_1")

    item, gone = anyio.run(run)
    assert item["content"] == "Hi"
    assert gone is None


def test_an_outage_keeps_a_response_in_this_process(redis_server: RedisServer) -> None:
    texts = RedisTexts(read_address(redis_server.url, timeout=0.5))
    responses = shared(texts)
    responses.save(make_stored("resp_bridged_0"))
    redis_server.kill()
    responses.save(make_stored())
    assert responses.load("resp_bridged_1") is not None
    assert responses.load_item("msg_bridged_2") is not None
    with pytest.raises(APIConnectionError, match="store of responses does not answer"):
        responses.load("resp_bridged_0")


def test_a_response_that_is_too_large_is_not_kept(
    texts: ResponseTexts, caplog: pytest.LogCaptureFixture
) -> None:
    responses = shared(texts)
    responses.save(make_stored(text="x" * (17 * 2**20)))
    assert responses.load("resp_bridged_1") is None
    assert "is not stored" in caplog.text
