"""How the emulator's WebSockets behave, where Azure's and OpenAI's descriptions differ."""

from dataclasses import dataclass

__all__ = ["WebSocketMode"]


@dataclass(frozen=True)
class WebSocketMode:
    """Settings of WebSocket mode.

    Attributes:
        lanes: turns may name lanes by `stream_id` and run side by side, as OpenAI's guide has it.
            Azure's page has one response at a time.
        api_key_header: the handshake takes a key in `api-key`, too; Azure's page names
            `Authorization` alone.
        on_projects: project paths have WebSockets, which no page says.
        seconds: how long a connection lasts by the emulator's clock.
        most_steers: how much input may wait for the end of one response; Azure's number is not
            published.
    """

    lanes: bool = False
    api_key_header: bool = False
    on_projects: bool = False
    seconds: float = 3600.0
    most_steers: int = 16

    def __post_init__(self) -> None:
        if not self.seconds > 0 or self.most_steers < 1:
            raise ValueError("seconds is more than 0, and most_steers is 1 or more")
