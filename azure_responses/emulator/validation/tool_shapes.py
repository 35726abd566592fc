"""The tools a create call may declare, and `tool_choice`."""

from typing import Any

from azure_responses.emulator.service_errors import invalid_request
from azure_responses.emulator.validation.shapes import (
    FLAG,
    OBJECT,
    OBJECTS,
    TOOL_CHOICE_MODE,
    Choice,
    Either,
    Fields,
    Integer,
    Listing,
    Number,
    OpenFields,
    Shape,
    Tagged,
    Text,
)  # fmt: skip

__all__ = ["TOOL", "TOOL_CHOICE", "check_tool_choice"]


class _Name(Text):
    """A function's name: letters, digits, underscores and dashes, at most 128."""

    _ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")

    def __init__(self) -> None:
        super().__init__(longest=128, shortest=1)

    def _inspect(self, value: str, path: str) -> None:
        super()._inspect(value, path)
        if not set(value) <= self._ALLOWED:
            message = (
                f"Invalid '{path}': string does not match pattern. Expected a string that "
                "matches the pattern '^[a-zA-Z0-9_-]+$'."
            )
            raise invalid_request(message, path, "invalid_value")


_CALLERS = Listing(Choice("direct", "programmatic"))
_LOCATION = Fields(
    type=Choice("approximate"), city=Text(), country=Text(), region=Text(), timezone=Text()
)
_SIZES = Choice("low", "medium", "high")
_DOMAINS = Listing(Text(), longest=100)
# Functions and custom tools may be loaded late, be called by programs, and answer late.
_CALLED: dict[str, Shape] = {"defer_loading": FLAG, "allowed_callers": _CALLERS, "async": FLAG}
_FUNCTION = Fields(
    {"name": _Name()},
    strict=FLAG,
    parameters=OBJECT,
    description=Text(),
    output_schema=OBJECT,
    **_CALLED,
)
_CUSTOM = Fields(
    {"name": _Name()},
    description=Text(),
    format=Tagged(
        {
            "text": Fields(),
            "grammar": Fields({"syntax": Choice("lark", "regex"), "definition": Text()}),
        }
    ),
    **_CALLED,
)
_CONTAINER = Either(
    "a string or object",
    text=Text(begins="cntr"),
    record=Fields(
        {"type": Choice("auto")},
        file_ids=Listing(Text()),
        memory_limit=Choice("1g", "4g", "16g", "64g"),
        network_policy=OBJECT,
    ),
)
_WEB_SEARCH = Fields(
    external_web_access=FLAG,
    filters=Fields(allowed_domains=_DOMAINS, blocked_domains=_DOMAINS),
    user_location=_LOCATION,
    search_context_size=_SIZES,
    # Codex 0.171 sends it with models that read images.
    search_content_types=Listing(Choice("text", "image")),
)
_WEB_SEARCH_PREVIEW = Fields(
    user_location=_LOCATION,
    search_context_size=_SIZES,
    search_content_types=Listing(Choice("text", "image")),
)

TOOL = Tagged(
    {
        "function": _FUNCTION,
        "custom": _CUSTOM,
        "file_search": Fields(
            {"vector_store_ids": Listing(Text())},
            max_num_results=Integer(1, 50),
            ranking_options=Fields(
                ranker=Choice("auto", "default-2024-11-15", "none"),
                score_threshold=Number(0, 1),
                hybrid_search=OBJECT,
            ),
            filters=OBJECT,
        ),
        "web_search": _WEB_SEARCH,
        "web_search_2025_08_26": _WEB_SEARCH,
        "web_search_preview": _WEB_SEARCH_PREVIEW,
        "web_search_preview_2025_03_11": _WEB_SEARCH_PREVIEW,
        "code_interpreter": Fields(
            {
                "container": Either(
                    "a string or object", text=Text(begins="cntr"), record=_CONTAINER
                )
            },
            allowed_callers=_CALLERS,
        ),
        "image_generation": Fields(
            model=Text(),
            quality=Choice("low", "medium", "high", "xhigh", "max", "auto"),
            size=Text(),
            output_format=Choice("png", "webp", "jpeg", "gif", "svg"),
            output_compression=Integer(0, 100),
            moderation=Choice("auto", "low"),
            background=Choice("transparent", "opaque", "auto"),
            input_fidelity=Choice("high", "low"),
            input_image_mask=OBJECT,
            partial_images=Integer(0, 3),
            action=Choice("generate", "edit", "auto"),
            n=Integer(1, 10),
            complexity=Text(),
            frame_count=Integer(1),
            frame_duration_ms=Integer(1),
            svg=OBJECT,
        ),
        "mcp": Fields(
            {"server_label": Text()},
            server_url=Text(),
            connector_id=Text(),
            tunnel_id=Text(),
            authorization=Text(),
            server_description=Text(),
            headers=OBJECT,
            allowed_tools=Either("an array or object", listing=Listing(Text()), record=OBJECT),
            allowed_callers=_CALLERS,
            require_approval=Either(
                "a string or object", text=Choice("always", "never"), record=OBJECT
            ),
            defer_loading=FLAG,
        ),
        "computer": Fields(),
        "computer_use_preview": Fields(
            {
                "environment": Choice("windows", "mac", "linux", "ubuntu", "browser"),
                "display_width": Integer(1),
                "display_height": Integer(1),
            }
        ),
        "local_shell": Fields(),
        "shell": Fields(
            environment=OpenFields(
                {"type": Choice("container_auto", "container_reference", "local")},
                file_ids=Listing(Text()),
            ),
            allowed_callers=_CALLERS,
        ),
        "apply_patch": Fields(allowed_callers=_CALLERS),
        "namespace": Fields(
            {
                "name": Text(shortest=1),
                "description": Text(),
                "tools": Listing(Tagged({"function": _FUNCTION, "custom": _CUSTOM})),
            }
        ),
        "tool_search": Fields(
            execution=Choice("server", "client"), description=Text(), parameters=OBJECT
        ),
        "programmatic_tool_calling": Fields(),
    }
)

_HOSTED_CHOICES = (
    "apply_patch", "code_interpreter", "computer", "computer_use", "computer_use_preview",
    "file_search", "image_generation", "local_shell", "programmatic_tool_calling", "shell",
    "web_search", "web_search_preview", "web_search_preview_2025_03_11",
)  # fmt: skip
TOOL_CHOICE: Shape = Either(
    "one of 'none', 'auto', 'required', or an object",
    text=TOOL_CHOICE_MODE,
    record=Tagged(
        {
            "function": Fields({"name": Text()}),
            "custom": Fields({"name": Text()}),
            "mcp": Fields({"server_label": Text()}, name=Text()),
            "allowed_tools": Fields({"mode": Choice("auto", "required"), "tools": OBJECTS}),
            **{name: Fields() for name in _HOSTED_CHOICES},
        }
    ),
)


def check_tool_choice(choice: Any, tools: list[dict[str, Any]]) -> None:
    """Refuses a choice of what was not declared."""
    if choice in (None, "none", "auto"):
        return
    if choice == "required":
        if not tools:
            message = "Tool choice 'required' must be specified with 'tools' parameter."
            raise invalid_request(message, "tool_choice")
        return
    chosen = choice["tools"] if choice["type"] == "allowed_tools" else [choice]
    for one in chosen:
        if not any(_fits(one, tool) for tool in tools):
            named = one.get("name") or one.get("server_label") or one.get("type")
            message = f"Tool choice '{named}' not found in 'tools' parameter."
            raise invalid_request(message, "tool_choice")


def _fits(choice: dict[str, Any], tool: dict[str, Any]) -> bool:
    kind = str(choice.get("type"))
    if kind in ("function", "custom"):
        inner = tool["tools"] if tool["type"] == "namespace" else [tool]
        return any(one["type"] == kind and one["name"] == choice.get("name") for one in inner)
    if kind == "mcp" == tool["type"]:
        return bool(tool["server_label"] == choice.get("server_label"))
    # A choice may name another version of a tool than the one that is declared.
    families = ("web_search", "computer")
    family = next((name for name in families if kind.startswith(name)), kind)
    return bool(tool["type"].startswith(family))
