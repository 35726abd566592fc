"""Vectors and sound by rule: the same text gives the same bytes."""

import base64
import hashlib
import io
import math
import re
import struct
import wave
from collections.abc import Sequence
from functools import lru_cache

__all__ = ["embed", "measure_seconds", "pack_vector", "read_aloud", "write_down"]

_WORD = re.compile(r"\w+")
# Longer texts are judged by their beginning.
_MOST_WORDS = 64


@lru_cache(maxsize=4096)
def _word_vector(word: str, dimensions: int) -> tuple[float, ...]:
    # The bytes for fewer dimensions begin those for more, as the vectors of the service do.
    digest = hashlib.shake_128(word.encode("utf-8", "replace")).digest(dimensions)
    return tuple(byte - 127.5 for byte in digest)


def embed(text: str, dimensions: int) -> list[float]:
    """A vector of length 1 that is near those of texts with the same words."""
    words = _WORD.findall(text.lower())[:_MOST_WORDS] or [text]
    vectors = [_word_vector(word, dimensions) for word in words]
    summed = [sum(column) for column in zip(*vectors, strict=True)]
    length = math.sqrt(sum(number * number for number in summed)) or 1.0
    return [number / length for number in summed]


def pack_vector(vector: Sequence[float]) -> str:
    """The vector as little-endian 32-bit floats in base64."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


# --- sound ----------------------------------------------------------------------------------------

_RATE = 24_000
# Speech has about so many characters a second.
_PACE = 15.0
_LONGEST_SECONDS = 30.0
# In every format, so that a transcription finds what was read aloud.
_MARK = re.compile(rb"emulated-text:([A-Za-z0-9+/=]*);")
# MPEG 1 layer III, 32 kbit/s, 44.1 kHz, mono: 104 bytes that are 26 ms of silence.
_MP3_FRAME = b"\xff\xfb\x10\xc0" + b"\0" * 100
_MP3_SECONDS = 1152 / 44_100


def read_aloud(text: str, kind: str) -> bytes:
    """Sound of the text's length: silence as MP3, a hum as WAV, and as samples alone for `pcm`."""
    seconds = min(_LONGEST_SECONDS, max(0.2, len(text) / _PACE))
    mark = b"emulated-text:" + base64.b64encode(text.encode("utf-8", "replace")) + b";"
    if kind == "mp3":
        frames = _MP3_FRAME * math.ceil(seconds / _MP3_SECONDS)
        return _id3_tag(mark) + frames
    samples = _hum(seconds)
    if kind == "pcm":
        return samples
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples)
    # A chunk that players skip.
    padded = mark + b"\0" * (len(mark) % 2)
    whole = buffer.getvalue() + b"emu " + struct.pack("<I", len(padded)) + padded
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def _hum(seconds: float) -> bytes:
    period = struct.pack("<240h", *(int(800 * math.sin(math.tau * at / 240)) for at in range(240)))
    return period * max(1, round(seconds * _RATE / 240))


def _id3_tag(comment: bytes) -> bytes:
    body = b"TXXX" + struct.pack(">I", _synchsafe(len(comment) + 2)) + b"\0\0\0\0" + comment
    return b"ID3\x04\0\0" + struct.pack(">I", _synchsafe(len(body))) + body


def _synchsafe(number: int) -> int:
    # Seven bits of each byte.
    return sum((number >> 7 * place & 0x7F) << 8 * place for place in range(4))


def write_down(sound: bytes, filename: str) -> str:
    """What was read aloud into these bytes, or a sentence about a recording of another origin."""
    found = _MARK.search(sound)
    if found is None:
        return f"This is the recording {filename} of {len(sound)} bytes."
    return base64.b64decode(found[1]).decode("utf-8", "replace")


def measure_seconds(sound: bytes) -> float:
    """How long it is: exactly for WAV, else as long as an MP3 of that size."""
    try:
        with wave.open(io.BytesIO(sound)) as file:
            seconds: float = file.getnframes() / file.getframerate()
            return round(seconds, 2)
    except (wave.Error, EOFError, ZeroDivisionError):
        return round(len(sound) / len(_MP3_FRAME) * _MP3_SECONDS, 2)
