"""The Responses API over deployments that speak Messages, as Claude's do."""

from azure_responses.bridge.responses_over_messages.conversion import ResponsesOverMessages

__all__ = ["ResponsesOverMessages"]
