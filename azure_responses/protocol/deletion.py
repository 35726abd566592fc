"""A deletion, which may have been done although its answer was lost."""

import json
from typing import Any

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    AzureResponsesError,
    ResponseNotFoundError,
)
from azure_responses.protocol.call import Attempt, Call
from azure_responses.protocol.exchange import Reply
from azure_responses.protocol.recent import RecentResponses

__all__ = ["Deletion"]


class Deletion(Call):
    """The call that deletes a response.

    Args:
        recent: serves all the calls of a client, so that a router's next attempt knows of the one
            before.
        response_id: of the response.
        call: as of every call.
    """

    def __init__(self, recent: RecentResponses, response_id: str, *call: Any, **more: Any) -> None:
        super().__init__(*call, **more)
        self._recent = recent
        self._response_id = response_id

    def outcome(self, reply: Reply, now: float) -> Reply | APIStatusError:
        """As of every call; two more replies confirm a deletion.

        An empty one, which some gateways send, and a 404 after an attempt whose answer was lost.
        """
        outcome = super().outcome(reply, now)
        if isinstance(outcome, Reply):
            return outcome if outcome.body.strip() else self._confirmation(reply)
        is_gone = isinstance(outcome, ResponseNotFoundError)
        if is_gone and self._recent.is_doubtful(self._response_id):
            return self._confirmation(reply)
        return outcome

    def next_attempt(self, error: AzureResponsesError, now: float, jitter: float) -> Attempt:
        """As of every call; an error that says nothing of the deletion is noted."""
        if _may_be_done(error):
            self._recent.doubt(self._response_id)
        return super().next_attempt(error, now, jitter)

    def _confirmation(self, reply: Reply) -> Reply:
        body = {"id": self._response_id, "object": "response.deleted", "deleted": True}
        return Reply(200, reply.headers, json.dumps(body).encode())


def _may_be_done(error: AzureResponsesError) -> bool:
    if isinstance(error, APIStatusError):
        return error.status_code == 408 or error.status_code >= 500
    return isinstance(error, APIConnectionError)
