"""One Messages call over the Responses API."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure_responses.bridge.message_request import MessagesRequest, read_request
from azure_responses.bridge.message_tools import ToolNames
from azure_responses.bridge.messages_over_responses.reply import (
    ResponseToMessageReader,
    ResponseToMessageStream,
)
from azure_responses.bridge.messages_over_responses.request import write_body
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.conversion import APIName, ConversionContext
from azure_responses.protocol.error_body import failure_from_response
from azure_responses.protocol.known_errors import RequestContext

__all__ = ["MessagesOverResponses"]


class MessagesOverResponses:
    """The `Conversion` of a Messages caller over a Responses deployment.

    Args:
        parameters: the body of the caller's request.
        context: what is known beside it.
    """

    caller: APIName = "messages"
    upstream: APIName = "responses"

    def __init__(self, parameters: Mapping[str, Any], context: ConversionContext) -> None:
        self.warnings: tuple[str, ...] = ()
        self.input_items: list[dict[str, Any]] = []
        self._parameters = parameters
        self._context = context
        self._request = MessagesRequest()
        self._names = ToolNames()

    def write(self, history: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The body of `POST /responses`; see `Conversion.write`. Messages has no history."""
        unsupported = Unsupported(drops_params=self._context.drops_params)
        self._request = read_request(self._parameters, unsupported)
        body = write_body(self._request, self._context, self._names, unsupported)
        self.warnings = tuple(unsupported.warnings)
        return body

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The message that a whole response makes.

        Raises:
            ValueError: the body is not a response.
            AzureResponsesError: the response failed.
        """
        if not isinstance(body.get("output"), list):
            raise ValueError("The reply is not a response: it has no output.")
        if body.get("status") == "failed":
            context = RequestContext("create", deployment=self._context.deployment)
            raise failure_from_response(body, body.get("error"), {}, context, self._context.now)
        return self._reader().read(body)

    def shortened(self, message: str = "") -> dict[str, Any] | None:
        """None: callers of Messages cannot ask for a shorter conversation."""
        return None

    def stream(self) -> ResponseToMessageStream:
        """The state of the stream."""
        return ResponseToMessageStream(self._reader())

    def _reader(self) -> ResponseToMessageReader:
        return ResponseToMessageReader(self._request, self._names, self._context)
