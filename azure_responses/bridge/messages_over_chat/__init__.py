"""The Messages API served by a deployment that speaks chat completions."""

from azure_responses.bridge.messages_over_chat.conversion import MessagesOverChat

__all__ = ["MessagesOverChat"]
