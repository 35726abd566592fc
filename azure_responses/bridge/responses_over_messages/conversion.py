"""One call of the Responses API over a deployment that speaks Messages."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.input_items import open_compactions, read_input
from azure_responses.bridge.refused_parameters import drop_refused
from azure_responses.bridge.response_events import ResponseEventBuilder
from azure_responses.bridge.response_object import begin_response
from azure_responses.bridge.responses_over_messages.messages import ItemsToMessagesWriter
from azure_responses.bridge.responses_over_messages.parameters import (
    tool_support,
    write_parameters,
    write_tools,
)
from azure_responses.bridge.responses_over_messages.reply import MessageToResponseReader
from azure_responses.bridge.responses_over_messages.stream import MessageToResponseStream
from azure_responses.bridge.responses_over_messages.thinking import check_thinking, thinks
from azure_responses.bridge.truncation import without_oldest_turns
from azure_responses.bridge.unsupported import Unsupported, invalid
from azure_responses.errors import ConfigurationError
from azure_responses.protocol.conversion import APIName, ConversionContext
from azure_responses.protocol.families import FamilyFacts

__all__ = ["ResponsesOverMessages"]

# Each pause is a call that is billed. A turn that goes on after so many is more likely a loop.
_MOST_PAUSES = 10


class ResponsesOverMessages:
    """Carries one call.

    Reasoning items always have `encrypted_content`, also where the caller did not ask for it:
    without the signature in it the next turn would lose Claude's thinking.

    Args:
        parameters: of the response, as JSON.
        context: what is known of the deployment.

    Attributes:
        warnings: what was left out, one sentence each; complete after `write`.
        input_items: what the caller sent, as stored items with ids; complete after `write`.
        continued: the body to send next, where Claude paused in the middle of its turn; None
            elsewhere. Its reply is given to `read` again, or to the same stream.
    """

    caller: APIName = "responses"
    upstream: APIName = "messages"

    def __init__(self, parameters: Mapping[str, Any], context: ConversionContext) -> None:
        self.warnings: tuple[str, ...] = ()
        self.input_items: list[dict[str, Any]] = []
        self.continued: dict[str, Any] | None = None
        self._parameters = parameters
        self._context = context
        self._unsupported = Unsupported(drops_params=context.drops_params)
        self._body: dict[str, Any] = {}
        self._tools: FunctionTools | None = None
        self._pauses = 0
        self._reading: tuple[ResponseEventBuilder, MessageToResponseReader] | None = None

    def write(self, history: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The body of the message.

        Args:
            history: the items of the responses that are continued, the oldest first.

        Raises:
            ConfigurationError: the request holds what Claude cannot do.
            BadRequestError: the request is invalid by the rules of the Responses API.
        """
        context, parameters = self._context, self._parameters
        self.input_items = read_input(parameters, context.new_id)
        # A compaction holds, sealed, the conversation that it stands for; Claude cannot read it.
        earlier = open_compactions(history, context.sealer)
        items = [*earlier, *open_compactions(self.input_items, context.sealer)]
        support = tool_support(self._facts)
        tools = self._tools = FunctionTools(parameters, items, support, self._unsupported)
        body, asked = write_parameters(parameters, context, self._unsupported)
        writer = ItemsToMessagesWriter(context, tools, self._unsupported)
        body["messages"] = writer.write(items, self._instructions(), len(earlier))
        system = [*writer.system, *({"type": "text", "text": text} for text in asked)]
        if system:
            body["system"] = system
        body |= write_tools(parameters, tools)
        # Only now, when tools and messages are known: both may forbid thinking.
        check_thinking(body, self._facts, self._unsupported)
        drop_refused(body, "messages", self._facts, self._unsupported)
        self._check_prefill(body)
        self.warnings = tuple(self._unsupported.warnings)
        self._body = body
        return body

    def shortened(self, message: str = "") -> dict[str, Any] | None:
        """The body without its oldest turns, to be sent once more.

        None where the caller did not ask for `truncation: "auto"`, or only one turn is left.
        """
        # By default a conversation that is too long is an error, as at the service.
        if self._parameters.get("truncation") != "auto":
            return None
        messages = without_oldest_turns(self._body["messages"], message)
        if messages is None:
            return None
        self._body = {**self._body, "messages": messages}
        return self._body

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The response that a whole reply makes; the beginning of one where Claude paused.

        Raises:
            ValueError: the body is not a message.
        """
        if self._reading is None:
            self._reading = self._reader(streams=False)
        builder, reader = self._reading
        self.continued = None
        reader.add_message(body)
        if reader.stop_reason == "pause_turn" and self._pause():
            return self._response()
        reader.finish()
        assert builder.final is not None
        return builder.final

    def stream(self) -> MessageToResponseStream:
        """Converts the events of a reply that is a stream."""
        self._reading = self._reader(streams=True)
        return MessageToResponseStream(*self._reading, self._pause)

    @property
    def _facts(self) -> FamilyFacts:
        facts: FamilyFacts = self._context.facts
        return facts

    def _instructions(self) -> str | None:
        given = self._parameters.get("instructions")
        if given is not None and not isinstance(given, str):
            raise invalid(
                "Invalid type for 'instructions': expected a string.",
                "instructions",
                "invalid_type",
            )
        return given

    def _check_prefill(self, body: dict[str, Any]) -> None:
        """The end of the input may be the beginning of the answer, where the model takes that."""
        last = body["messages"][-1]
        if last["role"] != "assistant":
            return
        if thinks(body) or not self._facts.takes_prefill:
            error = ConfigurationError(
                "input ends with a message of the assistant. Claude would have to go on with it, "
                "and does not do so while it thinks, nor do its newer models.",
                hint="End the input with a message of the user.",
            )
            error.param = "input"
            raise error
        block = last["content"][-1]
        if block["type"] == "text":
            # "final assistant content cannot end with trailing whitespace"
            last["content"][-1] = {**block, "text": block["text"].rstrip()}

    def _response(self) -> dict[str, Any]:
        context = self._context
        return begin_response(
            self._parameters,
            response_id=context.new_id("resp_"),
            model=context.deployment,
            created_at=context.now,
        )

    def _reader(self, *, streams: bool) -> tuple[ResponseEventBuilder, MessageToResponseReader]:
        assert self._tools is not None, "a reply is read after the request was written"
        reasoning = self._parameters.get("reasoning") or {}
        has_summary = bool(reasoning.get("summary") or reasoning.get("generate_summary"))
        response = self._response()
        builder = ResponseEventBuilder(response, self._context.new_id, streams=streams)
        reader = MessageToResponseReader(
            builder, self._tools, self._context, has_summary=has_summary
        )
        return builder, reader

    def _pause(self) -> bool:
        """Prepare the body that continues a turn; False once that was done often enough."""
        assert self._reading is not None
        if self._pauses >= _MOST_PAUSES:
            return False
        self._pauses += 1
        # A paused turn is sent back unchanged, and Claude goes on with it.
        turn = {"role": "assistant", "content": self._reading[1].blocks}
        self.continued = {**self._body, "messages": [*self._body["messages"], turn]}
        self._body = self.continued
        return True
