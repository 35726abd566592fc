# Written by scripts/unasync: change the file of this name in ../_async instead.
"""What the connections of clients and routers share: tool loops, and their end."""

from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, overload

from azure_responses._sync.tool_run import run_over
from azure_responses.call_options import ToolRunArguments
from azure_responses.parameter_help import shows_parameters
from azure_responses.types.response import ParsedResponse, Response

__all__ = ["TurnConnection"]

T = TypeVar("T")


class TurnConnection:
    """A conversation of turns; closed at the end of its `with` block."""

    # A method: a signature here would have to allow what either class takes.
    create: Any

    def close(self) -> None:
        """Close the connection."""
        raise NotImplementedError

    def _check_open(self) -> None:
        """Raise APIConnectionError once it is closed."""
        raise NotImplementedError

    @overload
    def run_tools(
        self,
        *,
        lane: str | None = None,
        text_format: None = None,
        **arguments: Unpack[ToolRunArguments],
    ) -> Response: ...
    @overload
    def run_tools(
        self,
        *,
        lane: str | None = None,
        text_format: type[T],
        **arguments: Unpack[ToolRunArguments],
    ) -> "ParsedResponse[T]": ...
    @shows_parameters(ToolRunArguments)
    def run_tools(
        self,
        *,
        lane: str | None = None,
        text_format: type[Any] | None = None,
        **arguments: Unpack[ToolRunArguments],
    ) -> Response:
        """`client.responses.run_tools` over this connection: each turn sends new items only.

        With `store=False` the loop keeps all items, and sends them where the connection does not
        know the response before.

        Args:
            lane: of the turns.
            text_format: the type of the answer, which is then in `output_parsed`.

        Raises:
            MaxTurnsError: the model would still call functions after `max_turns` responses.
            AzureResponsesError: as of a turn.
            Exception: a function's, with `on_function_error="raise"`.
        """
        return run_over(self.create, arguments, text_format, lane)

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
