"""An answer that says no: HTTP status, body and headers, raised by whatever part decides it."""

from typing import Any

__all__ = ["Refusal"]


class Refusal(Exception):
    """What the emulated service sends instead of doing what it was asked.

    `body` is sent as JSON exactly as given; `headers` are added to the usual reply headers.
    """

    def __init__(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}
