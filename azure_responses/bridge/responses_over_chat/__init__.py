"""Responses over a deployment that speaks chat completions."""

from azure_responses.bridge.responses_over_chat.conversion import ResponsesOverChat

__all__ = ["ResponsesOverChat"]
