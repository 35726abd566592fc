"""The Messages API served by a deployment that speaks the Responses API.

Claude Code, and programs with the anthropic package, use GPT deployments this way.
"""

from azure_responses.bridge.messages_over_responses.conversion import MessagesOverResponses

__all__ = ["MessagesOverResponses"]
