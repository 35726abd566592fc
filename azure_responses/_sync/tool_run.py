# Written by scripts/unasync: change the file of this name in ../_async instead.
"""Asks a model, calls the functions that it asks for, and so on until it has answered."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from azure_responses._sync.concurrency import (
    AWAITS,
    map_concurrently,
    resolve,
    run_in_thread,
)
from azure_responses.call_options import TOOL_RUN_OPTIONS
from azure_responses.errors import APIStatusError, ConfigurationError, MaxTurnsError
from azure_responses.protocol.callable_tool import CallableTool, describe_failure, write_output
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.protocol.tool_loop import ToolLoop
from azure_responses.types.response import ParsedResponse, Response
from azure_responses.types.tools.functions import FunctionCall
from azure_responses.types.tools.mcp import McpApprovalRequest

__all__ = ["ToolRun", "read_turn", "run_over"]

_ERRORS = ("output", "raise")


class ToolRun:
    """One run of a tool loop.

    Args:
        arguments: of `run_tools`.
        text_format: the type of the answer, if the caller wants one.
        is_connection: the other side knows the previous response although it is not stored.

    Raises:
        ConfigurationError: an option or a tool that is invalid.
    """

    def __init__(
        self, arguments: Mapping[str, Any], text_format: Any = None, *, is_connection: bool = False
    ) -> None:
        given = {name: arguments[name] for name in TOOL_RUN_OPTIONS if name in arguments}
        parameters = {
            name: value for name, value in arguments.items() if name not in TOOL_RUN_OPTIONS
        }
        self._max_turns: int = given.get("max_turns", 10)
        self._most: int = given.get("max_concurrency", 8)
        self._on_approval: Callable[[McpApprovalRequest], Any] | None = given.get("on_approval")
        self._on_checkpoint: Callable[[Any], Any] | None = given.get("on_checkpoint")
        self.on_event: Callable[[Any], Any] | None = given.get("on_event")
        self._on_error: str = given.get("on_function_error", "output")
        if self._max_turns < 1 or self._most < 1 or self._on_error not in _ERRORS:
            raise ConfigurationError(
                "max_turns and max_concurrency are numbers from 1, on_function_error is "
                "'output' or 'raise'."
            )
        self._loop = ToolLoop(
            parameters, given.get("resume"), approves=self._on_approval is not None
        )
        self._is_short = is_connection
        self._text_format = text_format
        _check_tools(self._loop.functions)

    @property
    def turns(self) -> int:
        """Responses that have arrived, those before a checkpoint included."""
        return self._loop.checkpoint.turns

    def run(self, take_turn: Callable[[dict[str, Any]], Response]) -> Response:
        """The last response.

        Args:
            take_turn: makes a response of its parameters.

        Raises:
            MaxTurnsError: the model would still call functions after `max_turns` responses.
            AzureResponsesError: as of any response.
        """
        loop, turns = self._loop, 0
        while True:
            if loop.checkpoint.is_answered:
                loop.receive(self._ask(take_turn))
                turns += 1
                self._note()
            waiting = loop.waiting()
            if not waiting:
                return self._finish()
            if turns >= self._max_turns:
                raise MaxTurnsError(
                    f"The model still calls functions after {turns} responses.",
                    response=loop.response,
                    checkpoint=loop.checkpoint,
                    hint="Give run_tools a larger max_turns, or resume=error.checkpoint.",
                )
            loop.answer(map_concurrently(self._answer, waiting, self._most))
            self._note()

    def _ask(self, take_turn: Callable[[dict[str, Any]], Response]) -> Response:
        is_short = self._is_short
        while True:
            try:
                return take_turn(self._loop.request(is_short=is_short))
            except APIStatusError as error:
                if not self._loop.can_resend(error):
                    raise
                is_short = is_short and error.code != "previous_response_not_found"

    def _note(self) -> None:
        if self._on_checkpoint is not None:
            resolve(self._on_checkpoint(self._loop.checkpoint))

    def _finish(self) -> Response:
        response = self._loop.response
        assert response is not None
        if self._text_format is None or isinstance(response, ParsedResponse):
            return response
        # Of a checkpoint, which has plain JSON.
        typed: ParsedResponse[Any] = ParsedResponse.model_validate(response.to_dict())
        typed.attach_parsed(StructuredOutput(self._text_format).read(typed))
        return typed

    def _answer(self, item: FunctionCall | McpApprovalRequest) -> dict[str, Any]:
        if isinstance(item, McpApprovalRequest):
            return self._approve(item)
        answer: dict[str, Any] = {
            "type": "function_call_output",
            "call_id": item.call_id,
            "output": self._call(item),
        }
        if item.caller is not None and item.caller.type != "direct":
            answer["caller"] = item.caller.to_dict()
        return answer

    def _approve(self, request: McpApprovalRequest) -> dict[str, Any]:
        assert self._on_approval is not None
        decision = resolve(self._on_approval(request))
        answer = {
            "type": "mcp_approval_response",
            "approval_request_id": request.id,
            "approve": decision is True,
        }
        return {**answer, "reason": decision} if isinstance(decision, str) else answer

    def _call(self, item: FunctionCall) -> str | list[dict[str, Any]]:
        tool = self._loop.functions.get(item.name)
        if tool is None:
            return json.dumps({"error": f"There is no function {item.name!r}."})
        try:
            call = tool.bind(item.arguments)
        except ValidationError as error:
            return describe_failure(error)
        try:
            return write_output(_perform(tool, call))
        except Exception as error:
            if self._on_error == "raise":
                raise
            return describe_failure(error)


def _perform(tool: CallableTool, call: Callable[[], Any]) -> Any:
    # A function that blocks has a thread of its own, so that the others go on.
    result = call() if tool.is_async else run_in_thread(call)
    return resolve(result)


def _check_tools(functions: Mapping[str, CallableTool]) -> None:
    for tool in functions.values():
        if tool.is_async and not AWAITS:
            raise ConfigurationError(
                f"The function {tool.name} is async, and this client does not await.",
                hint="Use AzureResponses, or give it a function that is not async.",
            )


def run_over(
    create: Callable[..., Any],
    arguments: Mapping[str, Any],
    text_format: type[Any] | None,
    lane: str | None,
) -> Response:
    """A tool loop whose turns are those of a connection: `create` begins one, in a lane.

    A turn sends the outputs of its functions alone. Where the connection does not know the response
    before, an unstored chain is sent in full.
    """
    run = ToolRun(arguments, text_format, is_connection=True)

    def take_turn(parameters: Any) -> Response:
        stream = create(lane=lane, text_format=text_format, **parameters)
        return read_turn(stream, run.on_event)

    return run.run(take_turn)


def read_turn(stream: Any, on_event: Callable[[Any], Any] | None) -> Response:
    """The response of a client's or a router's stream, whose events the function is called with."""
    with stream as opened:
        if on_event is not None:
            for event in opened:
                resolve(on_event(event))
        final: Response = opened.get_final_response()
        return final
