"""One chat completion over the Messages API."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure_responses.bridge.chat_over_messages.completion import CompletionForm, CompletionWriter
from azure_responses.bridge.chat_over_messages.messages import ChatToMessagesWriter
from azure_responses.bridge.chat_over_messages.parameters import (
    ChatUnsupported,
    describe_tools,
    mark_tools,
    write_parameters,
)
from azure_responses.bridge.chat_over_messages.reply import (
    MessageToCompletionReader,
    MessageToCompletionStream,
)
from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.refused_parameters import drop_refused
from azure_responses.bridge.responses_over_messages.parameters import (
    tool_support,
    write_tools,
)
from azure_responses.bridge.responses_over_messages.thinking import check_thinking, thinks
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.conversion import APIName, ConversionContext
from azure_responses.protocol.families import FamilyFacts

__all__ = ["ChatOverMessages"]


class ChatOverMessages:
    """The `Conversion` of a chat caller over a Messages deployment.

    Args:
        parameters: the body of the caller's request.
        context: what is known beside it.
    """

    caller: APIName = "chat"
    upstream: APIName = "messages"

    def __init__(self, parameters: Mapping[str, Any], context: ConversionContext) -> None:
        self.warnings: tuple[str, ...] = ()
        self.input_items: list[dict[str, Any]] = []
        self._parameters = parameters
        self._context = context
        self._facts: FamilyFacts = context.facts
        self._tools: FunctionTools | None = None

    def write(self, history: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The body of a message; see `Conversion.write`. Chat completions have no history."""
        context, parameters = self._context, self._parameters
        unsupported = ChatUnsupported(drops_params=context.drops_params)
        described = describe_tools(parameters)
        tools = self._tools = FunctionTools(described, (), tool_support(self._facts), unsupported)
        body, asked = write_parameters(parameters, context, unsupported)
        writer = ChatToMessagesWriter(context, tools, unsupported)
        body["messages"] = writer.write(parameters.get("messages"))
        # What the format asks for stands after the caller's own text: the beginning that the caller
        # marked for the prompt cache stays the same.
        system = [*writer.system, *({"type": "text", "text": text} for text in asked)]
        if system:
            body["system"] = system
        body |= write_tools(described, tools)
        mark_tools(body.get("tools", []), tools, parameters, unsupported)
        check_thinking(body, self._facts, unsupported)
        drop_refused(body, "messages", self._facts, unsupported)
        self._check_prefill(body, unsupported)
        self.warnings = tuple(unsupported.warnings)
        return body

    def _check_prefill(self, body: dict[str, Any], unsupported: Unsupported) -> None:
        """The last message may be the beginning of the answer, where the model takes that."""
        last = body["messages"][-1]
        if last["role"] != "assistant":
            return
        if thinks(body) or not self._facts.takes_prefill:
            unsupported.leave_out(
                "messages",
                "They end with a message of the assistant. Claude would have to go on with it, and "
                "does not do so while it thinks, nor do its newer models.",
                "End with a message of the user.",
            )
            del body["messages"][-1]
            return
        block = last["content"][-1]
        if block["type"] == "text":
            # "final assistant content cannot end with trailing whitespace"
            last["content"][-1] = {**block, "text": block["text"].rstrip()}

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The completion that a whole message makes.

        Raises:
            ValueError: the body is not a message.
        """
        writer = self._writer()
        MessageToCompletionReader(writer).add_message(body)
        assert writer.final is not None
        return writer.final

    def shortened(self, message: str = "") -> dict[str, Any] | None:
        """None: callers of chat completions cannot ask for a shorter conversation."""
        return None

    def stream(self) -> MessageToCompletionStream:
        """The state of the stream."""
        return MessageToCompletionStream(self._writer())

    def _writer(self) -> CompletionWriter:
        assert self._tools is not None, "a reply is read after the request was written"
        options = self._parameters.get("stream_options")
        form = CompletionForm(
            created=int(self._context.now),
            model=self._context.deployment,
            tools=self._tools,
            has_usage=isinstance(options, Mapping) and bool(options.get("include_usage")),
            has_functions=bool(self._parameters.get("functions")),
        )
        return CompletionWriter(form, self._context.new_id)
