"""The limits, cooldowns and stored responses of routers: in this process, or in Redis."""

__all__: list[str] = []
