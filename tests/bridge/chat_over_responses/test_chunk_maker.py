from typing import Any

from azure_responses.bridge.chat_over_responses.chunk_maker import ChunkMaker
from azure_responses.types import ChatCompletionChunk

ENVELOPE: dict[str, Any] = {"id": "r", "created": 1, "model": "m"}


def test_the_quick_way_makes_the_same_chunk_as_the_careful_one() -> None:
    for has_usage in (False, True):
        maker = ChunkMaker(ENVELOPE, has_usage)
        quick, careful = maker.content("Hi"), maker.delta({"content": "Hi"})
        assert quick == careful == ChatCompletionChunk.model_validate(careful.to_dict())
        assert quick.to_json() == careful.to_json()
        assert ("usage" in quick.to_dict()) is has_usage


def test_chunks_share_nothing_that_can_change() -> None:
    maker = ChunkMaker(ENVELOPE, False)
    first = maker.content("a")
    first.usage = None
    first.choices[0].delta.role = "assistant"
    first.choices[0].logprobs = None
    assert maker.content("b").to_dict() == maker.delta({"content": "b"}).to_dict()
    assert "usage" not in maker.content("b").to_dict()


def test_a_new_address_holds_from_then_on() -> None:
    maker = ChunkMaker(ENVELOPE, False)
    maker.readdress({"id": "s", "created": 2, "model": "n"})
    assert maker.content("a").id == maker.delta({}).id == maker.last({}, {}).id == "s"


def test_logprobs_and_closing_chunks() -> None:
    maker = ChunkMaker(ENVELOPE, False)
    logprobs = maker.delta({}, [{"token": "a"}]).choices[0].logprobs
    assert logprobs is not None
    assert logprobs.to_dict() == {"content": [{"token": "a"}], "refusal": None}
    last = maker.last({"finish_reason": "stop"}, {"status": "cancelled"})
    assert (last.choices[0].finish_reason, last.status) == ("stop", "cancelled")
    assert maker.usage(None, {}).choices == []
