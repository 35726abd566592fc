"""The async side of the OpenAI server."""
