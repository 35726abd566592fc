"""The events that end a stream which was begun and cannot go on."""

from azure_responses.openai_server.chat_answers import chat_error
from azure_responses.openai_server.error_body import error_event
from azure_responses.openai_server.served_request import ServedRequest

__all__ = ["closing_events"]


def closing_events(call: ServedRequest, error: BaseException) -> bytes:
    """In the shape of the API that was called."""
    if call.operation == "chat":
        return chat_error(error) + b"data: [DONE]\n\n"
    last = call.summary.last_sequence_number
    return error_event(error, 0 if last is None else last + 1)
