"""An OpenAI-compatible server in front of Azure: its configuration, access, budgets and routes."""

__all__: list[str] = []
