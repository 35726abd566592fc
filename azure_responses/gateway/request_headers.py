"""What the headers of a request say of the request itself: its id, and the trace it belongs to."""

import sys
from collections.abc import Mapping
from typing import Any

from azure_responses.gateway.asgi_reply import Scope

__all__ = ["call_id_in", "continued_trace", "read_headers"]

_LONGEST_ID = 128


def read_headers(scope: Scope) -> dict[str, str]:
    """The headers of a request, names in lower case; the first of each name counts."""
    # In reverse, so that the first is written last.
    pairs = reversed(scope["headers"])
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}


def call_id_in(headers: Mapping[str, str]) -> str | None:
    """The id that the caller has given the call; None without one that a log can show."""
    given = headers.get("x-litellm-call-id") or headers.get("x-request-id")
    if given and len(given) <= _LONGEST_ID and given.isascii() and given.isprintable():
        return given
    return None


class continued_trace:
    """Within it, spans belong to the trace that the caller's headers name."""

    __slots__ = ("_headers", "_token")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._token: Any = None

    def __enter__(self) -> None:
        # Imported only where the program uses it: otherwise no tracer is set up.
        if "traceparent" in self._headers and "opentelemetry" in sys.modules:
            from opentelemetry import context, propagate

            self._token = context.attach(propagate.extract(dict(self._headers)))

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            from opentelemetry import context

            context.detach(self._token)
