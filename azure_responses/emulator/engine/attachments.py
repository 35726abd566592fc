"""The parts of a message that are not text: images, files and audio, checked and described.

No model looks at them. An answer names what an emulator can read from the bytes (type, size,
pixels), which proves that the attachment arrived whole.
"""

import base64
import binascii
import struct
from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.emulator.service_errors import ServiceError, invalid_request

__all__ = ["check_attachments", "describe_attachments"]

_Part = Mapping[str, Any]
_FindFile = Callable[[str], dict[str, Any] | None]
# Those that the service lists when it refuses another one.
_IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")


def describe_attachments(parts: list[_Part], find_file: _FindFile) -> str:
    """A sentence per attachment: its type, size and detail."""
    return " ".join(_describe(part, find_file) for part in parts)


def _describe(part: _Part, find_file: _FindFile) -> str:
    kind = part["type"]
    if kind == "input_audio":
        size = len(_decode(str(part["input_audio"]["data"])) or b"")
        return f"The audio is {part['input_audio']['format']} of {size} bytes."
    if part.get("file_id"):
        file = find_file(part["file_id"]) or {}
        noun = "image" if kind == "input_image" else "file"
        name = file.get("filename", part["file_id"])
        return f"The {noun} {name} has {file.get('bytes', 0)} bytes."
    if kind == "input_image":
        return _describe_image(str(part.get("image_url") or ""), str(part.get("detail") or "auto"))
    if part.get("file_url"):
        return f"The file is at {part['file_url']}."
    data = _decode(str(part.get("file_data") or "")) or b""
    return f"The file {part.get('filename', 'without a name')} has {len(data)} bytes."


def _describe_image(url: str, detail: str) -> str:
    if not url.startswith("data:"):
        return f"The image is at {url}, seen at {detail} detail."
    media, data = url[5:].split(";")[0], _decode(url) or b""
    size = _measure(data)
    shape = f" of {size[0]} by {size[1]} pixels" if size else ""
    return f"The image is {media}{shape}, {len(data)} bytes, seen at {detail} detail."


def _measure(data: bytes) -> tuple[int, int] | None:
    """Width and height; None for formats that keep them further back than the header."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    if data.startswith(b"GIF8") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return int(width), int(height)
    return None


def _decode(text: str) -> bytes | None:
    # `file_data` is a data URL in the documentation; bare base64 is taken as well.
    encoded = text.rpartition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def check_attachments(parts: list[_Part], find_file: _FindFile) -> None:
    """Refuses what the service cannot read.

    Raises:
        ServiceError: an image is not base64, of an unknown type or empty; file data is not
            base64; or there is no file of the id.
    """
    for part in parts:
        identifier = part.get("file_id")
        if identifier and find_file(identifier) is None:
            raise _refuse(f"No such File object: {identifier}", None)
        url = str(part.get("image_url") or "")
        if part["type"] == "input_image" and url:
            _check_image(url)
        elif part.get("file_data") and _decode(str(part["file_data"])) is None:
            raise _refuse("The file data is not valid base64.", "invalid_value")


def _check_image(url: str) -> None:
    if url.startswith(("http://", "https://")):
        # Nothing is fetched: the emulator needs no network.
        return
    if not url.startswith("data:"):
        message = (
            "Invalid 'input': expected a valid URL or a base64-encoded data URL with an image "
            "MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value "
            "without one."
        )
        raise _refuse(message, "invalid_image_url")
    media = url[5:].split(";")[0]
    if media not in _IMAGE_TYPES:
        message = (
            f"You uploaded an unsupported image of type '{media}'. Please make sure your image has "
            "one of the following formats: ['png', 'jpeg', 'gif', 'webp']."
        )
        raise _refuse(message, "unsupported_image_media_type")
    data = _decode(url)
    if data is None:
        raise _refuse("Invalid base64 image_url.", "invalid_base64_image")
    if not data:
        raise _refuse("The image file is empty.", "empty_image_file")


def _refuse(message: str, code: str | None) -> ServiceError:
    return invalid_request(message, "input", code)
