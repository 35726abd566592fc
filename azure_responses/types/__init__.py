"""What goes over the wire: requests, responses and stream events of the Responses API.

Names are imported on first use, so that importing this package does not import pydantic.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any
from warnings import warn

if TYPE_CHECKING:
    from .batches import *  # noqa: F403
    from .chat import *  # noqa: F403
    from .chat_chunk import *  # noqa: F403
    from .containers import *  # noqa: F403
    from .content import *  # noqa: F403
    from .conversations import *  # noqa: F403
    from .events import *  # noqa: F403
    from .files import *  # noqa: F403
    from .filters import *  # noqa: F403
    from .items import *  # noqa: F403
    from .model import *  # noqa: F403
    from .models import *  # noqa: F403
    from .page import *  # noqa: F403
    from .parameters import *  # noqa: F403
    from .parsed_chat import *  # noqa: F403
    from .response import *  # noqa: F403
    from .result import *  # noqa: F403
    from .skills import *  # noqa: F403
    from .steering import *  # noqa: F403
    from .tools import *  # noqa: F403
    from .tools.apply_patch import *  # noqa: F403
    from .tools.code_interpreter import *  # noqa: F403
    from .tools.computer import *  # noqa: F403
    from .tools.file_search import *  # noqa: F403
    from .tools.functions import *  # noqa: F403
    from .tools.image_generation import *  # noqa: F403
    from .tools.mcp import *  # noqa: F403
    from .tools.programs import *  # noqa: F403
    from .tools.shell import *  # noqa: F403
    from .tools.tool_search import *  # noqa: F403
    from .tools.web_search import *  # noqa: F403
    from .usage import *  # noqa: F403
    from .vector_stores import *  # noqa: F403
    from .webhooks import *  # noqa: F403

    __all__: list[str]

else:  # Any other name is an error to type checkers, which do not read this.

    def __getattr__(name: str) -> Any:
        if name == "__all__":
            return _all_names()
        if name in _RENAMED:
            new, reason = _RENAMED[name]
            warn(f"azure_responses.types.{name} is now {new}: {reason}.", DeprecationWarning, 2)
            return _find(new)
        value = globals()[name] = _find(name)
        return value


_CHAT = ("chat", "chat_chunk", "parsed_chat")
# In the order in which they import each other: the search for a name imports what the name needs
# and little else.
_MODULES = (
    "model",
    "content",
    "tools",
    "result",
    "page",
    "parameters",
    "items",
    "filters",
    "usage",
    "response",
    "steering",
    "events",
    "models",
    "containers",
    "conversations",
    "vector_stores",
    "batches",
    "files",
    "skills",
    "webhooks",
    *_CHAT,
)
# Old name → new name and why; one release long the old one warns.
_RENAMED = {
    "ContentFilterError": (
        "ContentFilterFailure",
        "the exception to catch is azure_responses.ContentFilterError",
    ),
}


def _find(name: str) -> Any:
    # No other model needs those of chat, so the names of chat are looked for there first.
    first = _CHAT if name.startswith(("Chat", "Completion")) else ()
    # A look-up of `__wrapped__` or the like must not import everything.
    for module in () if name.startswith("_") else map(_import, (*first, *_MODULES)):
        if name in module.__all__:
            return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _import(module: str) -> ModuleType:
    return import_module(f".{module}", __name__)


def _all_names() -> list[str]:
    return sorted(name for module in _MODULES for name in _import(module).__all__)


def __dir__() -> list[str]:
    return sorted({*globals(), *_all_names()})
