"""Where a shared state is, as LiteLLM's settings say it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

__all__ = ["REDIS_KEYS", "redis_address"]

REDIS_KEYS = frozenset({"redis_url", "redis_host", "redis_port", "redis_password", "redis_db"})


def redis_address(settings: Mapping[str, Any]) -> str | None:
    """`redis_url`, or one made of host, port, password and database; None where neither is."""
    if settings.get("redis_url"):
        return str(settings["redis_url"])
    if not settings.get("redis_host"):
        return None
    password, database = settings.get("redis_password"), settings.get("redis_db")
    who = f":{quote(str(password), safe='')}@" if password else ""
    path = "" if database is None else f"/{database}"
    return f"redis://{who}{settings['redis_host']}:{settings.get('redis_port') or 6379}{path}"
