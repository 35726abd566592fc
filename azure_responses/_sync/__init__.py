"""The sync client and what it stands on."""
