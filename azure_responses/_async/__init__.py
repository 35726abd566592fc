"""The async client and what it stands on."""
