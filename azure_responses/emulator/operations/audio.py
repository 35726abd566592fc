"""Audio: texts that are read aloud, and speech that is written down."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

from azure_responses.emulator import engine
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.event_streams import STREAM_TYPE, frame
from azure_responses.emulator.http_messages import Pause, PlannedReply, ReplyStep, json_reply
from azure_responses.emulator.operations.deployed import flag, on_deployment, spend
from azure_responses.emulator.operations.fields import read_text
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.service_errors import (
    invalid_request,
    invalid_type,
    invalid_value,
    out_of_range,
    too_long,
    unsupported_value,
)
from azure_responses.emulator.tokens import count_text, split_tokens

__all__ = ["speak", "transcribe", "translate"]

_LONGEST_TEXT = 4096
_SOUNDS = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
}
_PIECE = 4096


# --- speech ---------------------------------------------------------------------------------------


def speak(call: EmulatedCall) -> PlannedReply:
    """`POST /audio/speech`: MP3, WAV or samples; other formats have WAV's bytes."""
    return on_deployment(call, "speech", _speak_on)


def _speak_on(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
    body = call.body
    text = read_text(body, "input")
    # A voice of one's own is an object with an id.
    if not isinstance(body.get("voice"), dict):
        read_text(body, "voice")
    if len(text) > _LONGEST_TEXT:
        raise too_long("input", len(text), _LONGEST_TEXT)
    kind = body.get("response_format") or "mp3"
    if not isinstance(kind, str) or kind not in _SOUNDS:
        raise invalid_value("response_format", kind, tuple(_SOUNDS))
    _check_speed(body.get("speed"))
    tokens = count_text(text)
    delay = spend(call, deployment, tokens)
    sound = engine.read_aloud(text, kind)
    if body.get("stream_format") == "sse":
        events = _speech_events(sound, tokens, delay)
        return PlannedReply(200, [STREAM_TYPE], steps=events)
    # Sent in pieces of unknown number, as the service sends it while it speaks.
    return PlannedReply(
        200, [("content-type", _SOUNDS[kind])], steps=iter(_pieces(sound)), delay=delay
    )


def _check_speed(speed: Any) -> None:
    if speed is None:
        return
    if isinstance(speed, bool) or not isinstance(speed, int | float):
        raise invalid_type("speed", "a number", speed)
    if not 0.25 <= speed <= 4.0:
        limit = 4.0 if speed > 4.0 else 0.25
        raise out_of_range("speed", float(speed), limit, is_above=speed > 4.0)


def _pieces(sound: bytes) -> list[bytes]:
    return [sound[begin : begin + _PIECE] for begin in range(0, len(sound), _PIECE)]


def _speech_events(sound: bytes, tokens: int, delay: float) -> Iterator[ReplyStep]:
    if delay:
        yield Pause(delay)
    for piece in _pieces(sound):
        yield frame({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    spoken = len(sound) // 1000
    usage = {"input_tokens": tokens, "output_tokens": spoken, "total_tokens": tokens + spoken}
    yield frame({"type": "speech.audio.done", "usage": usage})


# --- transcriptions -------------------------------------------------------------------------------

_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
# OpenAI's reference: newer models have no times.
_NEWER_FORMATS = ("json", "text")
_LARGEST_SOUND = 25 * 1024**2


def transcribe(call: EmulatedCall) -> PlannedReply:
    """`POST /audio/transcriptions`."""
    return on_deployment(
        call, "transcriptions", lambda call, deployment: _write_on(call, deployment, "transcribe")
    )


def translate(call: EmulatedCall) -> PlannedReply:
    """`POST /audio/translations`: into English, which is what the emulator hears anyway."""
    return on_deployment(
        call, "transcriptions", lambda call, deployment: _write_on(call, deployment, "translate")
    )


def _write_on(call: EmulatedCall, deployment: EmulatedDeployment, task: str) -> PlannedReply:
    form = call.form
    file = form.file()
    if file.content.size > _LARGEST_SOUND:
        # As OpenAI's service words it in many public issues.
        raise invalid_request(
            f"413: Maximum content size limit ({_LARGEST_SOUND}) exceeded "
            f"({file.content.size} bytes read)",
            status=413,
        )
    if file.content.size == 0:
        message = "Audio file might be corrupted or unsupported"
        raise invalid_request(message, "file", "invalid_value")
    kind = _read_format(form.fields.get("response_format"), deployment.model_name)
    sound = file.content.read()
    text, seconds = engine.write_down(sound, file.filename), engine.measure_seconds(sound)
    delay = spend(call, deployment, count_text(text))
    is_newer = _is_newer(deployment.model_name)
    usage = _usage(text, seconds, is_newer)
    # Whisper ignores `stream`.
    if flag(form.fields.get("stream")) and is_newer:
        return PlannedReply(200, [STREAM_TYPE], steps=_text_events(text, usage, delay))
    if kind == "json":
        reply = json_reply({"text": text, "usage": usage})
    elif kind == "verbose_json":
        words = "word" in form.fields.get("timestamp_granularities[]", "")
        language = form.fields.get("language", "english") if task == "transcribe" else "english"
        reply = json_reply({
            **_describe(text, seconds, words), "task": task, "language": language, "usage": usage
        })  # fmt: skip
    else:
        content = _WRITTEN[kind](text, seconds).encode()
        reply = PlannedReply(200, [("content-type", "text/plain; charset=utf-8")], content)
    reply.delay = delay
    return reply


def _is_newer(model: str) -> bool:
    return "transcribe" in model


def _read_format(kind: str | None, model: str) -> str:
    kind = kind or "json"
    if kind not in _FORMATS:
        raise invalid_value("response_format", kind, _FORMATS)
    if _is_newer(model) and kind not in _NEWER_FORMATS:
        raise unsupported_value("response_format", kind, model, _NEWER_FORMATS)
    return kind


def _usage(text: str, seconds: float, is_newer: bool) -> dict[str, Any]:
    if not is_newer:
        return {"type": "duration", "seconds": seconds}
    heard, written = max(1, int(seconds * 10)), count_text(text)
    return {
        "type": "tokens",
        "input_tokens": heard,
        "input_token_details": {"audio_tokens": heard, "text_tokens": 0},
        "output_tokens": written,
        "total_tokens": heard + written,
    }


def _describe(text: str, seconds: float, words: bool) -> dict[str, Any]:
    segment = {
        "id": 0, "seek": 0, "start": 0.0, "end": seconds, "text": text, "tokens": [50364],
        "temperature": 0.0, "avg_logprob": -0.25, "compression_ratio": 1.0, "no_speech_prob": 0.01,
    }  # fmt: skip
    shown: dict[str, Any] = {"duration": seconds, "text": text, "segments": [segment]}
    if words:
        spoken = text.split()
        step = seconds / max(1, len(spoken))
        shown["words"] = [
            {"word": word, "start": round(at * step, 2), "end": round((at + 1) * step, 2)}
            for at, word in enumerate(spoken)
        ]
    return shown


def _time(seconds: float, point: str) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    clock = f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}"
    return f"{clock}{point}{rest % 1000:03}"


_WRITTEN: dict[str, Callable[[str, float], str]] = {
    "text": lambda text, _: text + "\n",
    "srt": lambda text, seconds: f"1\n{_time(0, ',')} --> {_time(seconds, ',')}\n{text}\n\n\n",
    "vtt": lambda text, seconds: f"WEBVTT\n\n{_time(0, '.')} --> {_time(seconds, '.')}\n{text}\n\n",
}


def _text_events(text: str, usage: dict[str, Any], delay: float) -> Iterator[ReplyStep]:
    if delay:
        yield Pause(delay)
    for piece in split_tokens(text):
        yield frame({"type": "transcript.text.delta", "delta": piece})
    yield frame({"type": "transcript.text.done", "text": text, "usage": usage})
