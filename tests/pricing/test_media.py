"""What images and audio cost."""

import logging
from decimal import Decimal
from typing import Any

import pytest

from azure_responses.pricing import PriceBook
from azure_responses.pricing.media import read_media_use
from azure_responses.pricing.use import AudioUse, ImageTokens, Tokens, read_use

IMAGE = {
    "created": 1,
    "data": [{"b64_json": ""}],
    "usage": {
        "total_tokens": 1100,
        "input_tokens": 100,
        "output_tokens": 1000,
        "input_tokens_details": {"text_tokens": 60, "image_tokens": 40},
    },
}
HEARD = {
    "text": "Hello.",
    "usage": {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
        "output_tokens": 45,
        "total_tokens": 59,
    },
}


def cost(operation: str, result: dict[str, Any], model: str | None) -> Decimal | None:
    return PriceBook().total(read_media_use(operation, result), "my-deployment", model)


def test_images_cost_what_their_tokens_cost() -> None:
    use = read_media_use("images.generations", IMAGE)
    assert use.tokens == Tokens(input=100, output=1000)
    assert use.images == ImageTokens(text_input=60, image_input=40, image_output=1000)
    # 60 x $5 + 40 x $10 + 1000 x $40, per million
    assert cost("images.edits", IMAGE, "gpt-image-1") == Decimal("0.0407")


def test_a_discount_holds_for_images_and_audio() -> None:
    book = PriceBook()
    book.register_discount(Decimal("0.5"))
    use = read_media_use("images.edits", IMAGE)
    assert book.total(use, "x", "gpt-image-1") == Decimal("0.02035")
    spoken = read_media_use("audio.speech", {"usage": {"type": "characters", "characters": 100}})
    assert book.total(spoken, "tts") == Decimal("0.00075")


def test_a_transcription_is_priced_by_its_tokens() -> None:
    assert read_media_use("audio.transcriptions", HEARD).audio == AudioUse(4, 10, 45)
    # 4 x $2.5 + 10 x $6 + 45 x $10, per million
    assert cost("audio.transcriptions", HEARD, "gpt-4o-transcribe") == Decimal("0.00052")


@pytest.mark.parametrize(
    "result",
    [
        {"text": "", "usage": {"type": "duration", "seconds": 8.5}},
        {"text": "", "duration": "8.5", "segments": []},
        {"text": "", "duration": 8.5},
    ],
)
def test_a_transcription_is_priced_by_its_duration(result: dict[str, Any]) -> None:
    assert cost("audio.transcriptions", result, "whisper") == Decimal("0.00085")


def test_speech_is_priced_by_characters_or_tokens() -> None:
    read_aloud = {"usage": {"type": "characters", "characters": 1000}}
    assert cost("audio.speech", read_aloud, "tts-1-hd") == Decimal("0.03")
    spoken = {"usage": {"input_tokens": 10, "output_tokens": 100, "total_tokens": 110}}
    # 10 x $0.6 + 100 x $12, per million
    assert cost("audio.speech", spoken, "gpt-4o-mini-tts") == Decimal("0.001206")


def test_embeddings_are_priced_by_their_input() -> None:
    reply = {
        "object": "list",
        "data": [],
        "model": "text-embedding-3-large",
        "usage": {"prompt_tokens": 1000, "total_tokens": 1000},
    }
    assert PriceBook().total(read_use(reply), "emb") == Decimal("0.000143")


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("images.generations", {"created": 1, "data": []}),
        ("images.generations", {"usage": None}),
        ("audio.transcriptions", {"text": "Hello."}),
        ("audio.transcriptions", {"duration": "long"}),
        ("audio.transcriptions", {"duration": "NaN"}),
        ("audio.transcriptions", {"duration": -1}),
        ("audio.translations", {"usage": {"type": "duration"}, "duration": 5}),
    ],
)
def test_a_reply_without_counts_has_no_price(operation: str, result: dict[str, Any]) -> None:
    use = read_media_use(operation, result)
    assert (use.tokens, use.images, use.audio) == (None, None, None)
    assert PriceBook().total(use, "gpt-image-1") is None


def test_audio_tokens_may_be_left_out() -> None:
    usage = {"input_tokens": 14, "input_tokens_details": 3, "output_tokens": 1, "total_tokens": 15}
    assert read_media_use("audio.transcriptions", {"usage": usage}).audio == AudioUse(14, 0, 1)


def test_the_deployments_name_is_a_name_of_its_model() -> None:
    use = read_media_use("audio.transcriptions", HEARD)
    assert PriceBook().total(use, "gpt-4o-transcribe", "unheard-of") == Decimal("0.00052")


def test_a_missing_price_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    book, use = PriceBook(), read_media_use("images.generations", IMAGE)
    with caplog.at_level(logging.WARNING, "azure_responses.pricing"):
        assert book.total(use, None, "unheard-of") is None
        assert book.total(use, None, "unheard-of") is None
        assert book.total(read_media_use("audio.speech", HEARD), None) is None
    assert [record.message for record in caplog.records] == [
        "The cost of a call is not known: there is no price of unheard-of for images or audio.",
        "The cost of a call is not known: there is no price of a model that the reply does not "
        "name for images or audio.",
    ]


def test_a_count_without_a_price_has_no_cost(caplog: pytest.LogCaptureFixture) -> None:
    assert cost("audio.transcriptions", HEARD, "whisper") is None
    assert "no price for one of the counts" in caplog.text


def test_what_is_provisioned_costs_nothing_more() -> None:
    book = PriceBook()
    book.register_deployment("mine", provisioned=True)
    assert book.total(read_media_use("audio.speech", HEARD), "mine") == 0
