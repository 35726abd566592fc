"""The openai package's name for closing; written by hand on both sides, where it differs."""

__all__ = ["Closing"]


class Closing:
    """What is closed with `close`; the async side has two names for it."""
