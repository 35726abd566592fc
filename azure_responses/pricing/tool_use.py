"""What hosted tools did in a response, counted as Azure bills it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_responses.types.model import Model

__all__ = ["ImageTokens", "ToolUse", "count_of", "count_tools", "field_of", "text_of"]


def field_of(value: Any, name: str) -> Any:
    """A field of a wire model or of the same thing as plain JSON; None where there is none."""
    # Asking first for what is usual: a look for an abstract Mapping takes ten times as long.
    if not isinstance(value, Model) and isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name, None)


def text_of(value: Any, name: str) -> str | None:
    """A field that holds text; None where it holds something else, or nothing."""
    text = field_of(value, name)
    return text if isinstance(text, str) and text else None


def count_of(value: Any, name: str) -> int:
    """A field that counts; 0 where it holds something else, or nothing."""
    count = field_of(value, name)
    return count if isinstance(count, int) and not isinstance(count, bool) else 0


@dataclass(frozen=True, slots=True)
class ImageTokens:
    """Tokens of the image generation tool."""

    text_input: int = 0
    image_input: int = 0
    cached_text_input: int = 0
    cached_image_input: int = 0
    text_output: int = 0
    image_output: int = 0


@dataclass(frozen=True, slots=True)
class ToolUse:
    """How often each hosted tool was used.

    `containers` are the ids of those that ran code, each once; `sessions` are those without id.
    """

    web_searches: int = 0
    file_searches: int = 0
    containers: frozenset[str] = field(default_factory=frozenset)
    sessions: int = 0
    images: int = 0
    image_tokens: ImageTokens | None = None
    image_model: str | None = None

    def counts(self) -> dict[str, int]:
        """Uses by tool, as a log record has them; tools that were not used are left out."""
        counts = {
            "web_search": self.web_searches,
            "file_search": self.file_searches,
            "code_interpreter": self.sessions + len(self.containers),
            "image_generation": self.images,
        }
        return {name: count for name, count in counts.items() if count}


def count_tools(items: Iterable[Any], tool_usage: Any, tools: Any) -> ToolUse:
    """Count the uses in output items.

    Args:
        items: output items, as models or JSON.
        tool_usage: the response's `tool_usage`; its count of searches wins over the items.
        tools: the response's `tools`, which name the image model.
    """
    items = [item for item in items if field_of(item, "type")]
    types = [field_of(item, "type") for item in items]
    reported = field_of(field_of(tool_usage, "web_search"), "num_requests")
    searches = [item for item in items if _is_search(item)]
    containers, sessions = _count_sessions(items)
    return ToolUse(
        web_searches=reported if isinstance(reported, int) else len(searches),
        file_searches=types.count("file_search_call"),
        containers=containers,
        sessions=sessions,
        images=types.count("image_generation_call"),
        image_tokens=_read_image_tokens(field_of(tool_usage, "image_gen")),
        image_model=_image_model(tools),
    )


def _is_search(item: Any) -> bool:
    """True for a search of the web; opening a page found, or looking through it, is none."""
    if field_of(item, "type") != "web_search_call":
        return False
    return field_of(field_of(item, "action"), "type") in (None, "search")


def _count_sessions(items: list[Any]) -> tuple[frozenset[str], int]:
    """The containers that code or shell commands ran in, and whether any ran in one unnamed."""
    containers: set[str] = set()
    is_unnamed = False
    for item in items:
        if field_of(item, "type") == "code_interpreter_call":
            container = text_of(item, "container_id")
            is_unnamed |= container is None
        elif field_of(item, "type") == "shell_call":
            # Commands run in a container of Azure's, or by the caller: those have no container.
            container = text_of(field_of(item, "environment"), "container_id")
        else:
            continue
        containers |= {container} if container else set()
    return frozenset(containers), int(is_unnamed and not containers)


def _read_image_tokens(usage: Any) -> ImageTokens | None:
    """The tokens of the image tool; None where the service counted none."""
    if not count_of(usage, "total_tokens"):
        return None
    given, made = field_of(usage, "input_tokens_details"), field_of(usage, "output_tokens_details")
    cached = field_of(usage, "cached_tokens_details")
    text_output = count_of(made, "text_tokens")
    return ImageTokens(
        text_input=count_of(usage, "input_tokens") - count_of(given, "image_tokens"),
        image_input=count_of(given, "image_tokens"),
        cached_text_input=count_of(cached, "cached_text_tokens"),
        cached_image_input=count_of(cached, "cached_image_tokens"),
        text_output=text_output,
        image_output=count_of(usage, "output_tokens") - text_output,
    )


def _image_model(tools: Any) -> str | None:
    offered = tools if isinstance(tools, list) else []
    names = [text_of(tool, "model") for tool in offered if text_of(tool, "type") == _IMAGE_TOOL]
    return names[0] if names else None


_IMAGE_TOOL = "image_generation"
