"""Audio: read aloud, written down, streamed."""

import base64
import io
import wave
from typing import Any

import httpx
import pytest

from tests.emulator.callers import events_of

AUDIO = "/openai/v1/audio"
TEXT = "Der Garten ist grün."


def speak(client: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": "gpt-4o-mini-tts", "input": TEXT, "voice": "alloy", **fields}
    return client.post(f"{AUDIO}/speech", json=body)


def write(
    client: httpx.Client, sound: bytes, path: str = "transcriptions", **data: Any
) -> httpx.Response:
    data = {"model": "whisper-1", **data}
    return client.post(f"{AUDIO}/{path}", data=data, files={"file": ("a.wav", sound)})


def test_speech_is_a_wav_that_can_be_played(client: httpx.Client) -> None:
    reply = speak(client, response_format="wav")
    assert reply.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(reply.content)) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, 24_000)
        assert file.getnframes() / 24_000 == pytest.approx(len(TEXT) / 15, abs=0.02)


def test_speech_is_mp3_by_default_and_samples_for_pcm(client: httpx.Client) -> None:
    reply = speak(client)
    assert reply.headers["content-type"] == "audio/mpeg"
    assert reply.content.startswith(b"ID3")
    frames = reply.content[reply.content.index(b"\xff\xfb") :]
    assert len(frames) % 104 == 0
    assert len(speak(client, response_format="pcm").content) % 480 == 0
    for kind in ("opus", "aac", "flac"):
        assert speak(client, response_format=kind).headers["content-type"] == f"audio/{kind}"


def test_speech_can_be_streamed_as_events(client: httpx.Client) -> None:
    events = events_of(speak(client, stream_format="sse"))
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert events[-1]["type"] == "speech.audio.done"
    sound = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert sound == speak(client).content


@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_what_was_read_aloud_is_written_down_again(client: httpx.Client, kind: str) -> None:
    sound = speak(client, response_format=kind).content
    assert write(client, sound).json()["text"] == TEXT
    assert write(client, sound, "translations").json()["text"] == TEXT


def test_other_recordings_are_described(client: httpx.Client) -> None:
    assert write(client, b"x" * 999).json()["text"] == "This is the recording a.wav of 999 bytes."


def test_a_transcription_has_the_format_that_is_asked_for(client: httpx.Client) -> None:
    sound = speak(client, response_format="wav").content
    verbose = write(
        client,
        sound,
        response_format="verbose_json",
        language="de",
        **{"timestamp_granularities[]": "word"},
    ).json()
    assert (verbose["task"], verbose["language"]) == ("transcribe", "de")
    assert verbose["segments"][0]["end"] == verbose["duration"] == pytest.approx(1.33, abs=0.02)
    assert [one["word"] for one in verbose["words"]] == TEXT.split()
    assert write(client, sound, response_format="text").text == TEXT + "\n"
    srt = write(client, sound, response_format="srt").text
    assert srt.startswith("1\n00:00:00,000 --> 00:00:01,3")
    assert write(client, sound, response_format="vtt").text.startswith("WEBVTT\n\n00:00:00.000")
    translated = write(client, sound, "translations", response_format="verbose_json").json()
    assert (translated["task"], translated["language"]) == ("translate", "english")


def test_newer_models_count_tokens_and_stream(client: httpx.Client) -> None:
    sound = speak(client).content
    reply = write(client, sound, model="gpt-4o-transcribe").json()
    assert reply["usage"]["type"] == "tokens"
    assert write(client, sound).json()["usage"]["type"] == "duration"
    events = events_of(write(client, sound, model="gpt-4o-transcribe", stream="true"))
    assert "".join(event.get("delta", "") for event in events) == TEXT
    assert (events[-1]["type"], events[-1]["text"]) == ("transcript.text.done", TEXT)
    # Whisper does not stream.
    assert write(client, sound, stream="true").json()["text"] == TEXT


@pytest.mark.parametrize(
    "fields",
    [
        {"input": ""},
        {"input": "x" * 4097},
        {"voice": None},
        {"response_format": "midi"},
        {"speed": 0.1},
        {"speed": 5},
        {"speed": "fast"},
        {"model": "whisper"},
    ],
)
def test_invalid_speech_is_refused(client: httpx.Client, fields: dict[str, Any]) -> None:
    assert speak(client, **fields).status_code == 400


def test_invalid_transcriptions_are_refused(client: httpx.Client) -> None:
    assert write(client, b"").status_code == 400
    assert write(client, b"x", response_format="docx").status_code == 400
    newer = write(client, b"x", model="gpt-4o-transcribe", response_format="srt")
    assert newer.json()["error"]["code"] == "unsupported_value"
    large = write(client, b"x" * (25 * 1024**2 + 1))
    assert (large.status_code, "26214400" in large.text) == (413, True)
    reply = client.post(f"{AUDIO}/transcriptions", data={"model": "whisper"}, files={"a": b"x"})
    assert reply.json()["error"]["param"] == "file"


def test_the_dated_surface_has_audio_below_the_deployment(client: httpx.Client) -> None:
    version = "?api-version=2025-03-01-preview"
    path = f"/openai/deployments/tts/audio/speech{version}"
    sound = client.post(path, json={"input": TEXT, "voice": "alloy"}).content
    path = f"/openai/deployments/whisper/audio/transcriptions{version}"
    assert client.post(path, files={"file": ("a.mp3", sound)}).json()["text"] == TEXT
