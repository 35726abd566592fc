"""The sync side of the OpenAI server."""
