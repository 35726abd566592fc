"""The sync side of the router."""
