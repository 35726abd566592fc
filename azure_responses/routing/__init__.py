"""Which deployment next: decides, and is told the time, the chance and what came of it."""

__all__: list[str] = []
