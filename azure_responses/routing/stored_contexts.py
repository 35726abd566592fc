"""How many tokens a call takes up again when it continues something stored."""

from azure_responses.fork import new_lock

__all__ = ["StoredContexts"]


class StoredContexts:
    """The tokens of stored responses and conversations, of as many as fit; any thread may ask.

    Azure counts the whole conversation as input again when a response is continued
    (learn.microsoft.com, "Azure OpenAI Responses API": all previous input tokens are billed), which
    the body of such a call does not show.

    Args:
        capacity: ids remembered; those noted longest ago go.
    """

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._tokens: dict[str, int] = {}
        self._lock = new_lock()

    def note(self, ids: tuple[str, ...], tokens: int) -> None:
        """What these ids stand for has so many tokens, input and output."""
        with self._lock:
            for each in ids:
                self._tokens.pop(each, None)
                self._tokens[each] = tokens
            while len(self._tokens) > self._capacity:
                del self._tokens[next(iter(self._tokens))]

    def tokens_of(self, stored_id: str) -> int:
        """How many tokens an id stands for; 0 where that is not known."""
        return self._tokens.get(stored_id, 0)
