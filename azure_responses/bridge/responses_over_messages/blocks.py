"""Content parts of the Responses API → content blocks of Messages."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from azure_responses.bridge.input_items import text_of
from azure_responses.bridge.unsupported import Unsupported, invalid, missing

__all__ = ["BlockWriter", "without_scope"]

_Part = Mapping[str, Any]
_Block = dict[str, Any]
_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF = "application/pdf"
# Types that are plain text under another name. Claude reads documents as PDF or as text only.
_TEXT_TYPES = re.compile(r"text/|application/(json|xml|yaml|x-yaml|javascript|x-ndjson|toml|sql)$")
_DATA_URL = re.compile(r"data:(?P<type>[^;,]*)(?P<rest>(?:;[^;,]*)*),", re.IGNORECASE)
# What the names of files say where only bare base64 is given, as some clients send it.
_SUFFIXES = {"pdf": _PDF, "png": "image/png", "gif": "image/gif", "webp": "image/webp"}
_SUFFIXES |= {"jpg": "image/jpeg", "jpeg": "image/jpeg"}
_SUFFIXES |= dict.fromkeys(("txt", "md", "csv", "json", "xml", "yaml", "html", "py"), "text/plain")
_SEND_DATA = (
    "Send the content itself as a data URL, give an https URL, or use a deployment that speaks "
    "Responses."
)


def without_scope(mark: Mapping[str, Any], path: str, unsupported: Unsupported) -> dict[str, Any]:
    """`cache_control` as Foundry takes it: it refuses the scope (BerriAI/litellm #22867)."""
    if "scope" in mark:
        unsupported.warn(f"{path}.scope was left out. Claude in Foundry refuses it.")
    return {name: value for name, value in mark.items() if name != "scope"}


class BlockWriter:
    """Writes the parts of one request.

    Args:
        unsupported: collects what is left out.
    """

    def __init__(self, unsupported: Unsupported) -> None:
        self._unsupported = unsupported

    def write(self, parts: Iterable[_Part], path: str) -> list[_Block]:
        """The blocks, without those of parts that are left out or are empty texts.

        Raises:
            ConfigurationError: Claude does not take a part.
            BadRequestError: a part is invalid by the rules of the Responses API.
        """
        blocks = []
        for index, part in enumerate(parts):
            block = self._write(part, f"{path}[{index}]")
            if block is not None:
                blocks.append({**block, **self.mark(part, f"{path}[{index}]")})
        return blocks

    def mark(self, given: _Part, path: str) -> _Block:
        """`cache_control` of a block: the prompt up to here is to be cached.

        Callers of the Responses API ask for that by `prompt_cache_breakpoint`, and those who know
        Claude by `cache_control` itself.
        """
        own = given.get("cache_control")
        if isinstance(own, Mapping):
            path = f"{path}.cache_control"
            return {"cache_control": without_scope(own, path, self._unsupported)}
        is_marked = bool(given.get("prompt_cache_breakpoint"))
        return {"cache_control": {"type": "ephemeral"}} if is_marked else {}

    def _write(self, part: _Part, path: str) -> _Block | None:
        text = text_of(part)
        if text is not None:
            # "text content blocks must contain non-whitespace text"
            return {"type": "text", "text": text} if text.strip() else None
        kind = part.get("type")
        if kind in ("input_image", "computer_screenshot"):
            return self._write_image(part, path)
        if kind == "input_file":
            return self._write_file(part, path)
        if not isinstance(kind, str):
            raise missing(f"{path}.type")
        self._unsupported.leave_out(
            path, f"Claude takes no {kind!r}.", "Send its text, or use another deployment."
        )
        return None

    def _write_image(self, part: _Part, path: str) -> _Block | None:
        url = part.get("image_url")
        if not isinstance(url, str) or not url:
            if not part.get("file_id"):
                raise missing(f"{path}.image_url")
            self._refuse_file_id(path)
            return None
        if url[:5].lower() != "data:":
            return {"type": "image", "source": {"type": "url", "url": url}}
        media_type, data = _read_data_url(url, f"{path}.image_url")
        return self._write_picture(media_type, data, f"{path}.image_url")

    def _write_picture(self, media_type: str, data: str, path: str) -> _Block | None:
        # `image/jpg` is not a registered type, but many programs write it. Claude takes
        # `image/jpeg`.
        media_type = "image/jpeg" if media_type == "image/jpg" else media_type
        if media_type in _IMAGES:
            source = {"type": "base64", "media_type": media_type, "data": data}
            return {"type": "image", "source": source}
        self._unsupported.leave_out(
            path,
            f"Claude takes no images of type {media_type!r}.",
            "Send a JPEG, PNG, GIF or WebP image.",
        )
        return None

    def _write_file(self, part: _Part, path: str) -> _Block | None:
        title = {"title": part["filename"]} if part.get("filename") else {}
        data, url = part.get("file_data"), part.get("file_url")
        if isinstance(data, str) and data:
            block = self._write_data(data, str(part.get("filename") or ""), f"{path}.file_data")
        elif isinstance(url, str) and url:
            block = {"type": "document", "source": {"type": "url", "url": url}}
        elif part.get("file_id"):
            self._refuse_file_id(path)
            return None
        else:
            raise missing(f"{path}.file_data")
        if block is not None and block["type"] == "document":
            # Claude cites only documents for which that was asked.
            asked = {"citations": part["citations"]} if part.get("citations") else {}
            return {**block, **title, **asked}
        return block

    def _write_data(self, data: str, filename: str, path: str) -> _Block | None:
        if data[:5].lower() == "data:":
            media_type, encoded = _read_data_url(data, path)
        else:
            media_type, encoded = _guess_type(data, filename), data
        if media_type == _PDF:
            source = {"type": "base64", "media_type": _PDF, "data": encoded}
            return {"type": "document", "source": source}
        if media_type.startswith("image/"):
            return self._write_picture(media_type, encoded, path)
        if _TEXT_TYPES.match(media_type):
            return self._write_text(encoded, path)
        self._unsupported.leave_out(
            path,
            f"Claude takes no documents of type {media_type!r}.",
            "Send a PDF, an image or the text of the document.",
        )
        return None

    def _write_text(self, encoded: str, path: str) -> _Block:
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            raise invalid(f"Invalid '{path}': it is not base64 of UTF-8 text.", path) from None
        source = {"type": "text", "media_type": "text/plain", "data": text}
        return {"type": "document", "source": source}

    def _refuse_file_id(self, path: str) -> None:
        self._unsupported.leave_out(
            f"{path}.file_id", "Claude cannot read the files of the resource.", _SEND_DATA
        )


def _read_data_url(url: str, path: str) -> tuple[str, str]:
    """The media type, and the data as base64."""
    match = _DATA_URL.match(url)
    if match is None:
        raise invalid(f"Invalid '{path}': expected a base64-encoded data URL.", path)
    data, media_type = url[match.end() :], match["type"].lower() or "text/plain"
    # A data URL may also hold escaped text (RFC 2397); a block takes base64 only.
    if "base64" not in match["rest"].lower().split(";"):
        data = base64.b64encode(unquote_to_bytes(data)).decode()
    return media_type, data


def _guess_type(data: str, filename: str) -> str:
    # "%PDF-" as base64: the beginning of every PDF, whatever the name of the file says.
    if data.startswith("JVBERi"):
        return _PDF
    suffix = filename.rpartition(".")[2].lower()
    return _SUFFIXES.get(suffix, "application/octet-stream")
