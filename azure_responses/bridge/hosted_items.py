"""Items of tools that the service ran, told to a model that knows no such tools."""

import json
from collections.abc import Mapping
from typing import Any

from azure_responses.bridge.function_calls import is_services
from azure_responses.types.tools import HOSTED_ITEMS

__all__ = ["HostedItems", "tell_hosted"]

_TECHNICAL = frozenset({"id", "type", "status", "call_id", "container_id", "server_label"})


class HostedItems:
    """Knows the items of one conversation that the service made, in their order."""

    def __init__(self) -> None:
        self._shells: set[str] = set()

    def has(self, item: Mapping[str, Any]) -> bool:
        """True for a call that the service carried out, or its output."""
        kind = item["type"]
        if kind == "shell_call" and is_services(item):
            self._shells.add(str(item.get("call_id")))
            return True
        # Of its output only the call says where the commands ran.
        return kind in HOSTED_ITEMS or (
            kind == "shell_call_output" and str(item.get("call_id")) in self._shells
        )


def tell_hosted(item: Mapping[str, Any]) -> str:
    """An item as a remark of the assistant."""
    told = {name: value for name, value in item.items() if _tells(name, value)}
    return f"[{item['type']}: {json.dumps(told, ensure_ascii=False)}]"


def _tells(name: str, value: Any) -> bool:
    """True for a field that says something to a model."""
    # An image is base64 of any length.
    is_binary = name == "result" and isinstance(value, str)
    return bool(value) and name not in _TECHNICAL and not is_binary
