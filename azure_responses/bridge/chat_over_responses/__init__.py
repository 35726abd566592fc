"""The chat completions API served by a Responses backend."""

__all__: list[str] = []
