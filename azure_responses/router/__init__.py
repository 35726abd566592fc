"""Several deployments, regions and resources behind one name."""

from azure_responses.router.router import Router

__all__ = ["Router"]
