"""The tools a create call may declare, and `tool_choice`."""

from typing import Any

from azure_responses.emulator.service_errors import invalid_request, invalid_type
from azure_responses.emulator.validation.shapes import (
    ANYTHING,
    FLAG,
    Choice,
    Either,
    Fields,
    Integer,
    Listing,
    Number,
    Shape,
    Tagged,
    Text,
    optional,
)

__all__ = ["TOOL", "TOOL_CHOICE", "check_tool_choice"]


class _Name:
    """A function's name: letters, digits, underscores and dashes, at most 64."""

    expected = "a string"
    _ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")

    def check(self, value: Any, path: str) -> None:
        Text(longest=128, shortest=1).check(value, path)
        if not set(value) <= self._ALLOWED:
            message = (
                f"Invalid '{path}': string does not match pattern. Expected a string that "
                "matches the pattern '^[a-zA-Z0-9_-]+$'."
            )
            raise invalid_request(message, path, "invalid_value")


_OBJECT = Fields(is_open=True)
_CALLERS = Listing(Choice("direct", "programmatic"))
_LOCATION = Fields(
    {"type": Choice("approximate")}
    | optional(city=Text(), country=Text(), region=Text(), timezone=Text())
)
_SIZES = Choice("low", "medium", "high")
_FILE_IDS = Listing(Text())

_FORMAT = Tagged(
    {
        "text": Fields({"type": ANYTHING}),
        "grammar": Fields(
            {"type": ANYTHING, "syntax": Choice("lark", "regex"), "definition": Text()},
            ("syntax", "definition"),
        ),
    }
)
_CONTAINER = Fields(
    {
        "type": Choice("auto"),
        **optional(
            file_ids=_FILE_IDS,
            memory_limit=Choice("1g", "4g", "16g", "64g"),
            network_policy=_OBJECT,
        ),
    },
    ("type",),
)
_SHELL_ENVIRONMENT = Fields(
    {"type": Choice("container_auto", "container_reference", "local")}, ("type",), is_open=True
)
_RANKING = Fields(
    optional(
        ranker=Choice("auto", "default-2024-11-15", "none"),
        score_threshold=Number(0, 1),
        hybrid_search=_OBJECT,
    )
)
_TYPE: dict[str, Shape] = {"type": ANYTHING}
_FUNCTION = Fields(
    _TYPE
    | {"name": _Name(), "strict": FLAG, "parameters": _OBJECT}
    | optional(
        description=Text(),
        output_schema=_OBJECT,
        defer_loading=FLAG,
        allowed_callers=_CALLERS,
        **{"async": FLAG},
    ),
    ("name",),
)
_CUSTOM = Fields(
    _TYPE
    | {"name": _Name()}
    | optional(
        description=Text(),
        format=_FORMAT,
        defer_loading=FLAG,
        allowed_callers=_CALLERS,
        **{"async": FLAG},
    ),
    ("name",),
)
_WEB_SEARCH = Fields(
    _TYPE
    | optional(
        external_web_access=FLAG,
        filters=Fields(
            optional(
                allowed_domains=Listing(Text(), longest=100),
                blocked_domains=Listing(Text(), longest=100),
            )
        ),
        user_location=_LOCATION,
        search_context_size=_SIZES,
    )
)
_WEB_SEARCH_PREVIEW = Fields(
    _TYPE
    | optional(
        user_location=_LOCATION,
        search_context_size=_SIZES,
        search_content_types=Listing(Choice("text", "image")),
    )
)
_IMAGE = Fields(
    _TYPE
    | optional(
        model=Text(),
        quality=Choice("low", "medium", "high", "xhigh", "max", "auto"),
        size=Text(),
        output_format=Choice("png", "webp", "jpeg", "gif", "svg"),
        output_compression=Integer(0, 100),
        moderation=Choice("auto", "low"),
        background=Choice("transparent", "opaque", "auto"),
        input_fidelity=Choice("high", "low"),
        input_image_mask=_OBJECT,
        partial_images=Integer(0, 3),
        action=Choice("generate", "edit", "auto"),
        n=Integer(1, 10),
        complexity=Text(),
        frame_count=Integer(1),
        frame_duration_ms=Integer(1),
        svg=_OBJECT,
    )
)
_MCP = Fields(
    _TYPE
    | {"server_label": Text()}
    | optional(
        server_url=Text(),
        connector_id=Text(),
        tunnel_id=Text(),
        authorization=Text(),
        server_description=Text(),
        headers=_OBJECT,
        allowed_tools=Either("an array or object", listing=Listing(Text()), record=_OBJECT),
        allowed_callers=_CALLERS,
        require_approval=Either(
            "a string or object", text=Choice("always", "never"), record=_OBJECT
        ),
        defer_loading=FLAG,
    ),
    ("server_label",),
)
_COMPUTER_PREVIEW = Fields(
    _TYPE
    | {
        "environment": Choice("windows", "mac", "linux", "ubuntu", "browser"),
        "display_width": Integer(1),
        "display_height": Integer(1),
    },
    ("environment", "display_width", "display_height"),
)

TOOL = Tagged(
    {
        "function": _FUNCTION,
        "custom": _CUSTOM,
        "file_search": Fields(
            _TYPE
            | {"vector_store_ids": Listing(Text())}
            | optional(max_num_results=Integer(1, 50), ranking_options=_RANKING, filters=_OBJECT),
            ("vector_store_ids",),
        ),
        "web_search": _WEB_SEARCH,
        "web_search_2025_08_26": _WEB_SEARCH,
        "web_search_preview": _WEB_SEARCH_PREVIEW,
        "web_search_preview_2025_03_11": _WEB_SEARCH_PREVIEW,
        "code_interpreter": Fields(
            _TYPE
            | {
                "container": Either(
                    "a string or object", text=Text(begins="cntr"), record=_CONTAINER
                )
            }
            | optional(allowed_callers=_CALLERS),
            ("container",),
        ),
        "image_generation": _IMAGE,
        "mcp": _MCP,
        "computer": Fields(_TYPE),
        "computer_use_preview": _COMPUTER_PREVIEW,
        "local_shell": Fields(_TYPE),
        "shell": Fields(_TYPE | optional(environment=_SHELL_ENVIRONMENT, allowed_callers=_CALLERS)),
        "apply_patch": Fields(_TYPE | optional(allowed_callers=_CALLERS)),
        "namespace": Fields(
            _TYPE
            | {
                "name": Text(shortest=1),
                "description": Text(),
                "tools": Listing(Tagged({"function": _FUNCTION, "custom": _CUSTOM})),
            },
            ("name", "description", "tools"),
        ),
        "tool_search": Fields(
            _TYPE
            | optional(execution=Choice("server", "client"), description=Text(), parameters=_OBJECT)
        ),
        "programmatic_tool_calling": Fields(_TYPE),
    }
)

_HOSTED_CHOICES = (
    "apply_patch",
    "code_interpreter",
    "computer",
    "computer_use",
    "computer_use_preview",
    "file_search",
    "image_generation",
    "local_shell",
    "programmatic_tool_calling",
    "shell",
    "web_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
)
_NAMED = Fields(_TYPE | {"name": Text()}, ("name",))
_CHOICE_RECORDS: dict[str, Shape] = {
    "function": _NAMED,
    "custom": _NAMED,
    "mcp": Fields(_TYPE | {"server_label": Text()} | optional(name=Text()), ("server_label",)),
    "allowed_tools": Fields(
        _TYPE | {"mode": Choice("auto", "required"), "tools": Listing(_OBJECT)},
        ("mode", "tools"),
    ),
    **{name: Fields(_TYPE) for name in _HOSTED_CHOICES},
}


class _ToolChoice:
    expected = "one of 'none', 'auto', 'required', or an object"

    def check(self, value: Any, path: str) -> None:
        if isinstance(value, str):
            Choice("none", "auto", "required").check(value, path)
        elif isinstance(value, dict):
            Tagged(_CHOICE_RECORDS).check(value, path)
        else:
            raise invalid_type(path, self.expected, value)


TOOL_CHOICE: Shape = _ToolChoice()


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
    families = ("web_search", "computer")
    family = next((name for name in families if kind.startswith(name)), kind)
    return bool(tool["type"].startswith(family))
