"""Chat completions served by a deployment that speaks Messages: Claude."""

from azure_responses.bridge.chat_over_messages.conversion import ChatOverMessages

__all__ = ["ChatOverMessages"]
