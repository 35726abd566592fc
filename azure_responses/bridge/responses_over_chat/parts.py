"""Content parts of the Responses API → those of chat completions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azure_responses.bridge.input_items import text_of
from azure_responses.bridge.unsupported import Unsupported, missing
from azure_responses.protocol.families import FamilyFacts

__all__ = ["PartWriter"]

_Part = Mapping[str, Any]
_DATA_URL = "Send the content as a data URL."
_ANY_URL = (
    "Send the image as a data URL or an https URL, or use a deployment that speaks Responses."
)


class PartWriter:
    """Writes the parts of one request.

    Args:
        facts: what the deployment's model accepts.
        unsupported: collects what is left out.
    """

    def __init__(self, facts: FamilyFacts, unsupported: Unsupported) -> None:
        self._facts = facts
        self._unsupported = unsupported

    def content(self, parts: Sequence[_Part], path: str) -> str | list[dict[str, Any]]:
        """The content of a message: text alone as a string, anything else as a list.

        Raises:
            ConfigurationError: a part that the deployment does not take.
        """
        if len(parts) == 1 and "prompt_cache_breakpoint" not in parts[0]:
            # Nearly every message is one text.
            text = text_of(parts[0])
            if text is not None:
                return text
        written = self.write(parts, path)
        if len(written) == 1 and written[0]["type"] == "text":
            return str(written[0]["text"])
        return written

    def write(self, parts: Iterable[_Part], path: str) -> list[dict[str, Any]]:
        """The parts, without those that are left out; raises as above."""
        written = (self._write(part, f"{path}[{index}]") for index, part in enumerate(parts))
        return [part for part in written if part is not None]

    def _write(self, part: _Part, path: str) -> dict[str, Any] | None:
        if part.get("prompt_cache_breakpoint") is not None:
            self._unsupported.warn(
                f"{path}.prompt_cache_breakpoint was left out. Chat completions has no place for "
                "it, and the cache works without it."
            )
        text = text_of(part)
        if text is not None:
            return {"type": "text", "text": text}
        kind = part.get("type")
        if kind == "input_image":
            return self._write_image(part, path)
        if kind == "input_file":
            return self._write_file(part, path)
        if kind == "input_audio" and self._facts.takes_audio:
            return {"type": "input_audio", "input_audio": part.get("input_audio")}
        if not isinstance(kind, str):
            raise missing(f"{path}.type")
        alternative = "Send its text, or use a deployment that takes such parts."
        self._unsupported.leave_out(path, f"The model takes no {kind!r}.", alternative)
        return None

    def _write_image(self, part: _Part, path: str) -> dict[str, Any] | None:
        url = part.get("image_url")
        if not isinstance(url, str) or not url:
            if not part.get("file_id"):
                raise missing(f"{path}.image_url")
            reason = "Chat completions takes no images by file id."
            self._unsupported.leave_out(f"{path}.file_id", reason, _ANY_URL)
            return None
        image = {"url": url}
        detail = part.get("detail")
        if detail == "original":
            detail = "high"
            self._unsupported.warn(f"{path}.detail was sent as 'high': 'original' is not offered.")
        if detail is not None:
            image["detail"] = detail
        return {"type": "image_url", "image_url": image}

    def _write_file(self, part: _Part, path: str) -> dict[str, Any] | None:
        if not self._facts.takes_files:
            self._unsupported.leave_out(
                path,
                "Chat completions on Azure takes no documents.",
                "Send the document's text, or use a deployment that speaks the Responses API.",
            )
            return None
        for name in ("file_id", "file_url"):
            if part.get(name):
                reason = "Chat completions takes files only by their content."
                self._unsupported.leave_out(f"{path}.{name}", reason, _DATA_URL)
                return None
        if not part.get("file_data"):
            raise missing(f"{path}.file_data")
        file = {name: part[name] for name in ("file_data", "filename") if part.get(name)}
        return {"type": "file", "file": file}
