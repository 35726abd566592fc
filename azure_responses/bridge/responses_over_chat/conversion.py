"""One call of the Responses API over a deployment that speaks chat completions."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from azure_responses.bridge.function_tools import FunctionTools, ToolSupport
from azure_responses.bridge.input_items import open_compactions, read_input
from azure_responses.bridge.refused_parameters import drop_refused
from azure_responses.bridge.response_events import ResponseEventBuilder
from azure_responses.bridge.response_object import begin_response
from azure_responses.bridge.responses_over_chat.messages import ItemsToChatWriter
from azure_responses.bridge.responses_over_chat.parameters import (
    write_parameters,
    write_tools,
)
from azure_responses.bridge.responses_over_chat.plain_reply import end_plain, find_plain
from azure_responses.bridge.responses_over_chat.reply import ChatReplyReader, ReplyForm
from azure_responses.bridge.responses_over_chat.stream import ChatReplyStream
from azure_responses.bridge.sealed_reasoning import family_of
from azure_responses.bridge.truncation import without_oldest_turns
from azure_responses.bridge.unsupported import Unsupported, invalid
from azure_responses.protocol.conversion import APIName, ConversionContext
from azure_responses.protocol.families import FamilyFacts
from azure_responses.protocol.reasoning_filter import ENCRYPTED_REASONING

__all__ = ["ResponsesOverChat"]


class ResponsesOverChat:
    """Carries one call.

    Args:
        parameters: of the response, as JSON.
        context: what is known of the deployment.

    Attributes:
        warnings: what was left out, one sentence each; complete after `write`.
        input_items: what the caller sent, as stored items with ids; complete after `write`.
    """

    caller: APIName = "responses"
    upstream: APIName = "chat"

    def __init__(self, parameters: Mapping[str, Any], context: ConversionContext) -> None:
        self.warnings: tuple[str, ...] = ()
        self.input_items: list[dict[str, Any]] = []
        self._parameters = parameters
        self._context = context
        self._unsupported = Unsupported(drops_params=context.drops_params)
        self._body: dict[str, Any] = {}
        self._tools: FunctionTools | None = None

    def write(self, history: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The body of the chat completion.

        Args:
            history: the items of the responses that are continued, the oldest first.

        Raises:
            ConfigurationError: the request holds what the deployment cannot do.
            BadRequestError: the request is invalid by the rules of the Responses API.
        """
        context, parameters, facts = self._context, self._parameters, self._facts
        self.input_items = read_input(parameters, context.new_id)
        earlier = open_compactions(history, context.sealer)
        items = [*earlier, *open_compactions(self.input_items, context.sealer)]
        support = _support(facts.takes_strict, facts.inlines_refs, facts.takes_custom_tools)
        tools = self._tools = FunctionTools(parameters, items, support, self._unsupported)
        body = write_parameters(parameters, context, self._unsupported)
        writer = ItemsToChatWriter(context, tools, self._unsupported)
        body["messages"] = writer.write(items, self._instructions(), len(earlier))
        body |= write_tools(parameters, tools, facts, self._unsupported)
        drop_refused(body, "chat", facts, self._unsupported)
        self.warnings = tuple(self._unsupported.warnings)
        self._body = body
        return body

    def shortened(self, message: str = "") -> dict[str, Any] | None:
        """The body without its oldest turns, to be sent once more.

        None where the caller did not ask for `truncation: "auto"`, or only one turn is left.
        """
        if self._parameters.get("truncation") != "auto":
            return None
        messages = without_oldest_turns(self._body["messages"], message)
        if messages is None:
            return None
        self._body = {**self._body, "messages": messages}
        return self._body

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The response that a whole reply makes.

        Raises:
            ValueError: the body is not a chat completion.
        """
        plain = None if self._facts.has_think_tags else find_plain(body)
        if plain is not None:
            return end_plain(self._begin(), body, plain, self._context.new_id)
        builder, reader = self._reader(streams=False)
        try:
            reader.add_completion(body)
            reader.finish()
        except (TypeError, AttributeError, LookupError) as error:
            # The reader checks no types, which would cost time for each chunk: what is not a
            # completion fails at the first field that is missing or of another type.
            raise ValueError("the reply is not a chat completion") from error
        assert builder.final is not None
        return builder.final

    def stream(self) -> ChatReplyStream:
        """Converts the chunks of a reply that is a stream."""
        return ChatReplyStream(*self._reader(streams=True))

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

    def _begin(self) -> dict[str, Any]:
        context = self._context
        return begin_response(
            self._parameters,
            response_id=context.new_id("resp_"),
            model=context.deployment,
            created_at=context.now,
        )

    def _reader(self, *, streams: bool) -> tuple[ResponseEventBuilder, ChatReplyReader]:
        context = self._context
        builder = ResponseEventBuilder(self._begin(), context.new_id, streams=streams)
        return builder, ChatReplyReader(builder, self._form(), context.new_id)

    def _form(self) -> ReplyForm:
        parameters, facts = self._parameters, self._facts
        assert self._tools is not None, "a reply is read after the request was written"
        reasoning = parameters.get("reasoning") or {}
        form = (parameters.get("text") or {}).get("format") or {}
        # Azure gives encrypted content only to callers who include it.
        seals = ENCRYPTED_REASONING in (parameters.get("include") or ())
        return ReplyForm(
            self._tools,
            partial(_seal, self._context) if seals else None,
            has_summary=bool(reasoning.get("summary") or reasoning.get("generate_summary")),
            has_think_tags=facts.has_think_tags,
            # DeepSeek, asked for a JSON object while it thinks, writes it into the reasoning and
            # leaves the text empty.
            json_in_reasoning=facts.json_in_reasoning and form.get("type") == "json_object",
        )


@cache
def _support(strict: bool, inlines: bool, custom: bool) -> ToolSupport:
    return ToolSupport(strict=strict, references=not inlines, custom=custom)


def _seal(context: ConversionContext, text: str) -> str:
    return context.sealer.seal(family_of(context), {"text": text})
