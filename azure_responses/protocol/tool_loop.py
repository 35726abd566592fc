"""What a tool loop sends next, and where it stands; its functions are called elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic_core import from_json, to_json

from azure_responses.errors import APIStatusError, ConfigurationError
from azure_responses.protocol.callable_tool import CallableTool
from azure_responses.protocol.reasoning_filter import ENCRYPTED_REASONING, is_lost
from azure_responses.types.items import is_callers
from azure_responses.types.model import Model
from azure_responses.types.response import Response
from azure_responses.types.tools.functions import FunctionCall
from azure_responses.types.tools.mcp import McpApprovalRequest

__all__ = ["ToolCheckpoint", "ToolLoop", "read_tools"]

_CONTINUES = "previous_response_id"
_FREE_CHOICES = (None, "auto", "none")


@dataclass(frozen=True)
class ToolCheckpoint:
    """Where a tool loop stands, as plain JSON values: to be kept and gone on from.

    It holds the conversation as far as it has to be sent again, and outputs of functions.

    Attributes:
        turns: responses that have arrived.
        response: the latest of them; None before the first.
        is_answered: its calls have been carried out; `unsent` has their outputs.
        previous_response_id: what the next request continues.
        unsent: the input of the next request; text only before the first.
        items: with `store=False`, everything said so far, which goes with each request.
    """

    turns: int = 0
    response: Mapping[str, Any] | None = None
    is_answered: bool = True
    previous_response_id: str | None = None
    unsent: Any = None
    items: tuple[Any, ...] = ()

    def to_json(self) -> str:
        """All of it as JSON text."""
        return to_json(asdict(self)).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "ToolCheckpoint":
        """What `to_json` wrote.

        Raises:
            ConfigurationError: the text is not that of a checkpoint.
        """
        try:
            read = from_json(text)
            return cls(**{**read, "items": tuple(read.get("items", ()))})
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"This is not the JSON of a checkpoint: {error}") from error


def read_tools(tools: Iterable[Any] | None) -> tuple[list[Any], dict[str, CallableTool]]:
    """The tools of a request, and those of them that are functions here, by name.

    Raises:
        ConfigurationError: two functions of one name, or one that cannot be a tool.
    """
    written: list[Any] = []
    functions: dict[str, CallableTool] = {}
    for tool in tools or ():
        if callable(tool):
            tool = CallableTool(tool)
        if not isinstance(tool, CallableTool):
            written.append(tool)
            continue
        if tool.name in functions:
            raise ConfigurationError(
                f"Two tools are called {tool.name!r}.", hint="Pass CallableTool(function, name=…)."
            )
        functions[tool.name] = tool
        written.append(tool.to_dict())
    return written, functions


class ToolLoop:
    """The requests of a tool loop, one after the other.

    Args:
        parameters: of every response; `input` is that of the first.
        checkpoint: where to go on; None begins.
        approves: requests for the approval of MCP calls can be answered.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        checkpoint: ToolCheckpoint | None = None,
        *,
        approves: bool = False,
    ) -> None:
        tools, self.functions = read_tools(parameters.get("tools"))
        self._parameters = {**parameters, "tools": tools}
        self._others = {_name_of(tool) for tool in tools} - self.functions.keys()
        self._approves = approves
        self._is_kept = parameters.get("store") is False and not parameters.get("conversation")
        self._takes_encryption = True
        self.response: Response | None = None
        self.checkpoint = self._begin() if checkpoint is None else checkpoint
        if checkpoint is not None and checkpoint.response is not None:
            self.response = Response.model_validate(checkpoint.response)

    def _begin(self) -> ToolCheckpoint:
        given = self._parameters.get("input")
        unsent = given if given is None or isinstance(given, str) else _as_json(given)
        return ToolCheckpoint(
            previous_response_id=self._parameters.get(_CONTINUES),
            unsent=unsent,
            items=tuple(_as_items(unsent)) if self._is_kept else (),
        )

    def request(self, *, is_short: bool = False) -> dict[str, Any]:
        """The parameters of the next response.

        Args:
            is_short: the other side knows the previous response although it is not stored.
        """
        state = self.checkpoint
        request: dict[str, Any] = {**self._parameters, "input": state.unsent}
        if self._is_kept and self._takes_encryption:
            include = list(request.get("include") or ())
            request["include"] = [*include, *({ENCRYPTED_REASONING} - {*include})]
        if state.turns:
            request["tool_choice"] = _without_force(request.get("tool_choice"))
        if self._is_kept and not is_short:
            request["input"] = list(state.items)
        elif not request.get("conversation"):
            request[_CONTINUES] = state.previous_response_id
        return {name: value for name, value in request.items() if value is not None}

    def can_resend(self, error: APIStatusError) -> bool:
        """True where a refused request succeeds if it is written again, in full."""
        if error.code == "previous_response_not_found":
            return self._is_kept and self.checkpoint.turns > 0
        if error.status_code == 400 and self._takes_encryption and self._is_kept:
            # Only the refusal tells: the names of deployments do not say whether a model reasons.
            self._takes_encryption = "encrypted" not in error.message.lower()
            return not self._takes_encryption
        return False

    def receive(self, response: Response) -> None:
        """A response has arrived."""
        state, self.response = self.checkpoint, response
        output = [item.to_dict() for item in response.output] if self._is_kept else []
        self.checkpoint = replace(
            state,
            turns=state.turns + 1,
            response=response.to_dict(),
            is_answered=False,
            previous_response_id=response.id or None,
            unsent=None,
            items=(*state.items, *(item for item in output if not is_lost(item))),
        )

    def waiting(self) -> list[FunctionCall | McpApprovalRequest]:
        """What the latest response waits for; nothing where the loop has come to its end.

        It ends as well with a response that was cut short or that waits for something only the
        caller can do: the service refuses a turn that leaves a call open.
        """
        response = self.response
        if response is None or response.status not in (None, "completed"):
            return []
        found: list[Any] = [item for item in response.output if is_callers(item)]
        return found if all(map(self._is_ours, found)) else []

    def _is_ours(self, item: Any) -> bool:
        if isinstance(item, McpApprovalRequest):
            return self._approves
        # The model may name a function that does not exist: it gets an error as the result.
        is_own = isinstance(item, FunctionCall) and item.namespace is None
        return is_own and item.name not in self._others

    def answer(self, outputs: list[dict[str, Any]]) -> None:
        """What the latest response waited for has been done."""
        state = self.checkpoint
        items = (*state.items, *outputs) if self._is_kept else ()
        self.checkpoint = replace(state, is_answered=True, unsent=outputs, items=items)


def _name_of(tool: Any) -> Any:
    return tool.get("name") if isinstance(tool, Mapping) else getattr(tool, "name", None)


def _as_json(items: Iterable[Any]) -> list[Any]:
    return [item.to_dict() if isinstance(item, Model) else item for item in items]


def _as_items(given: Any) -> list[Any]:
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given or ())


def _without_force(choice: Any) -> Any:
    """A choice of tools for the turns after the first: forced for ever, the loop has no end."""
    if choice in _FREE_CHOICES:
        return choice
    given = choice.to_dict() if isinstance(choice, Model) else choice
    if isinstance(given, Mapping) and given.get("type") == "allowed_tools":
        return {**given, "mode": "auto"}
    return "auto"
