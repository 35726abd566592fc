"""Items of earlier responses, sent again as they came."""

from collections.abc import Mapping
from typing import Any

from azure_responses.protocol.request_body import ITEMS_WITHOUT_STATUS

__all__ = ["drop_status"]


def drop_status(body: Mapping[str, Any]) -> bool:
    """Take the read-only `status` off messages and reasoning items, in place.

    The result says whether there was any.
    """
    items = body.get("input")
    if not isinstance(items, list):
        return False
    found = [item for item in items if _has_status(item)]
    for item in found:
        del item["status"]
    return bool(found)


def _has_status(item: Any) -> bool:
    if not isinstance(item, dict) or "status" not in item:
        return False
    # A message may leave its type out; what is no name at all is Azure's to refuse.
    kind = item.get("type", "message")
    return isinstance(kind, str) and kind in ITEMS_WITHOUT_STATUS
