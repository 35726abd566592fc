"""One exchange with Azure, without performing it: what to send, and what the reply means."""

__all__: list[str] = []
