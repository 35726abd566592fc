"""The async side of the relay."""
