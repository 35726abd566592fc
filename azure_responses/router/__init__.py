"""Several deployments, regions and resources behind one name."""

from azure_responses.router.router import AsyncRouter, Router

__all__ = ["AsyncRouter", "Router"]
