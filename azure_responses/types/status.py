"""Where a response, or one of its items, stands."""

from typing import Annotated, Literal

from .tolerance import OPEN

__all__ = ["IncompleteReason", "ItemStatus", "ResponseStatus"]

ResponseStatus = Annotated[
    Literal["completed", "failed", "in_progress", "cancelled", "queued", "incomplete"] | str, OPEN
]

IncompleteReason = Annotated[
    Literal["max_output_tokens", "max_messages", "content_filter", "steered"] | str, OPEN
]

# Azure leaves hosted calls at "searching" or "generating" in completed responses (recorded by
# vercel/ai), so these say what was last reported, not what is still going on.
ItemStatus = Annotated[
    Literal[
        "in_progress",
        "completed",
        "incomplete",
        "failed",
        "searching",
        "generating",
        "interpreting",
        "calling",
    ]
    | str,
    OPEN,
]
