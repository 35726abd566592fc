"""One Messages call over chat completions."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure_responses.bridge.function_tools import FunctionTools, ToolSupport
from azure_responses.bridge.message_request import MessagesRequest, read_request
from azure_responses.bridge.messages_over_chat.messages import MessagesToChatWriter
from azure_responses.bridge.messages_over_chat.reply import MessageBuilder
from azure_responses.bridge.messages_over_chat.request import (
    describe_tools,
    own_stop_sequences,
    write_parameters,
)
from azure_responses.bridge.refused_parameters import drop_refused
from azure_responses.bridge.responses_over_chat.parameters import write_tools
from azure_responses.bridge.responses_over_chat.reply import ChatReplyReader, ReplyForm
from azure_responses.bridge.responses_over_chat.stream import ChatReplyStream
from azure_responses.bridge.sealed_reasoning import family_of
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.conversion import APIName, ConversionContext
from azure_responses.protocol.error_body import failure_from_response
from azure_responses.protocol.families import FamilyFacts
from azure_responses.protocol.known_errors import RequestContext

__all__ = ["MessagesOverChat"]


class MessagesOverChat:
    """The `Conversion` of a Messages caller over a chat deployment.

    Args:
        parameters: the body of the caller's request.
        context: what is known beside it.
    """

    caller: APIName = "messages"
    upstream: APIName = "chat"

    def __init__(self, parameters: Mapping[str, Any], context: ConversionContext) -> None:
        self.warnings: tuple[str, ...] = ()
        self.input_items: list[dict[str, Any]] = []
        self._parameters = parameters
        self._context = context
        self._facts: FamilyFacts = context.facts
        self._request = MessagesRequest()
        self._tools: FunctionTools | None = None

    def write(self, history: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The body of a chat completion; see `Conversion.write`. Messages has no history."""
        facts, context = self._facts, self._context
        unsupported = Unsupported(drops_params=context.drops_params)
        request = self._request = read_request(self._parameters, unsupported)
        support = ToolSupport(strict=facts.takes_strict, references=not facts.inlines_refs)
        described = describe_tools(request, unsupported)
        tools = self._tools = FunctionTools(described, (), support, unsupported)
        body = write_parameters(request, context, unsupported)
        body["messages"] = MessagesToChatWriter(context, tools, unsupported).write(request)
        # Newer GPT models refuse tools in chat completions while they reason, so whether tools may
        # be sent depends on the effort.
        effort = {"reasoning": {"effort": body.get("reasoning_effort")}}
        body |= write_tools({**described, **effort}, tools, facts, unsupported)
        drop_refused(body, "chat", facts, unsupported)
        self.warnings = tuple(unsupported.warnings)
        return body

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The message that a whole completion makes.

        Raises:
            ValueError: the body is not a chat completion.
            AzureResponsesError: it reports an error.
        """
        builder, reader = self._reader()
        try:
            reader.add_completion(body)
            reader.finish()
        except (TypeError, AttributeError, LookupError) as error:
            # The reader checks no types, which would cost time for each chunk: what is not a
            # completion fails at the first field that is missing or of another type.
            raise ValueError("the reply is not a chat completion") from error
        # Some deployments answer 200 with an error in the body.
        if builder.final is None:
            context = RequestContext("create", deployment=self._context.deployment)
            raise failure_from_response(None, builder.error, {}, context, self._context.now)
        return builder.final

    def shortened(self, message: str = "") -> dict[str, Any] | None:
        """None: callers of Messages cannot ask for a shorter conversation."""
        return None

    def stream(self) -> ChatReplyStream:
        """The state of the stream."""
        return ChatReplyStream(*self._reader())

    def _reader(self) -> tuple[MessageBuilder, ChatReplyReader]:
        assert self._tools is not None, "a reply is read after the request was written"
        request, context = self._request, self._context
        stops = own_stop_sequences(request, self._facts)
        builder = MessageBuilder(request, stops, context)
        has_tags = self._facts.has_think_tags
        form = ReplyForm(self._tools, self._seal, has_think_tags=has_tags)
        return builder, ChatReplyReader(builder, form, context.new_id)

    def _seal(self, text: str) -> str:
        return self._context.sealer.seal(family_of(self._context), {"text": text})
