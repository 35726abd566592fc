"""The sync side of the relay."""
