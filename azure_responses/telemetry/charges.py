"""Which calls show first what a response costs, so that sums over calls count each response once.

The call that makes a background response is answered before its tokens are known. A later call,
which retrieves or cancels it or reads its stream on, shows them; and so may any number of others.
"""

from collections import OrderedDict
from typing import Any

from azure_responses.fork import new_lock
from azure_responses.protocol.object_table import EVERY_OPERATION

__all__ = ["ChargedResponses", "charged_responses"]

_UNFINISHED = frozenset({"queued", "in_progress"})
_SHOWING = frozenset({"retrieve", "cancel"})
_MOST_KNOWN = 10_000


class ChargedResponses:
    """Remembers the background responses whose end was seen; any thread may call."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._lock = new_lock()

    def charges(self, operation: str, response: Any) -> bool:
        """True for a call that spent what its response says, or is the first to show that.

        Args:
            operation: the name of the call's row.
            response: its typed result, or None.
        """
        row = EVERY_OPERATION.get(operation)
        status = getattr(response, "status", None)
        if response is None or row is None or status in _UNFINISHED:
            return False
        is_background = getattr(response, "background", None) is True
        if row.is_billed:
            if is_background:
                self._is_new(response)
            return True
        return operation in _SHOWING and is_background and self._is_new(response)

    def _is_new(self, response: Any) -> bool:
        name = str(getattr(response, "id", None))
        with self._lock:
            is_new = name not in self._known
            self._known[name] = None
            # The oldest go: a response is retrieved soon after its end, or rarely.
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
            return is_new


charged_responses = ChargedResponses()
"""Those of this process, whichever clients made the calls."""
