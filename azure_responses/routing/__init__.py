"""Which deployment comes next: pure decisions; callers pass the time and random numbers."""

__all__: list[str] = []
