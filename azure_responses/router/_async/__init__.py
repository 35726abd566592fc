"""The async side of the router."""
