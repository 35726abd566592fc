"""The calls an examination makes, and how they ended."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from azure_responses._sync.resources import Models, Responses
from azure_responses._sync.sender import Sender
from azure_responses.arguments import Configuration
from azure_responses.credentials import Credentials
from azure_responses.doctor.judgement import Answer
from azure_responses.errors import AzureResponsesError
from azure_responses.protocol.plans import Plans
from azure_responses.transport import SyncTransport

__all__ = ["Service"]

# The service refuses fewer output tokens than these; a reasoning model spends them on thinking.
_FEWEST_TOKENS = 16
_QUESTION: Mapping[str, Any] = {
    "input": "Reply with one word: ok",
    "max_output_tokens": _FEWEST_TOKENS,
    "store": False,
}


@dataclass(frozen=True)
class Service:
    """The service as the configured client would call it, each call once.

    Attributes:
        configuration: where and how.
        credentials: as whom.
        http_client: the caller's, or None for a connection of our own.
    """

    configuration: Configuration
    credentials: Credentials
    http_client: httpx.Client | None

    def ask(self, parameters: Mapping[str, Any]) -> Answer:
        """A streamed call for the fewest tokens there are; `parameters` are laid over it."""
        started_at = time.monotonic()
        first_token: float | None = None
        sender = self._open()
        try:
            responses = Responses(self._plans(), sender, self.configuration.timeout)
            with responses.stream(**{**_QUESTION, **parameters}) as stream:
                for event in stream:
                    if first_token is None and str(event.type).endswith(".delta"):
                        first_token = time.monotonic() - started_at
                response = stream.get_final_response()
        except AzureResponsesError as error:
            return Answer(error=error, seconds=time.monotonic() - started_at)
        finally:
            sender.close()
        return Answer(response, None, first_token, time.monotonic() - started_at)

    def list_models(self) -> Answer:
        """The models list, which needs no deployment and costs nothing."""
        started_at = time.monotonic()
        sender = self._open()
        try:
            Models(self._plans(), sender, self.configuration.timeout).list()
        except AzureResponsesError as error:
            return Answer(error=error, seconds=time.monotonic() - started_at)
        finally:
            sender.close()
        return Answer(seconds=time.monotonic() - started_at)

    def _plans(self) -> Plans:
        return Plans(self.configuration.operations())

    def _open(self) -> Sender:
        if self.http_client is not None:
            return Sender(self.credentials, http_client=self.http_client)
        origin = self.configuration.settings.endpoint.origin
        transport = SyncTransport(self.configuration.connection, origin)
        return Sender(self.credentials, transport=transport)
