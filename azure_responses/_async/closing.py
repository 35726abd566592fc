"""The openai package's name for closing; written by hand on both sides, where it differs."""

__all__ = ["AsyncClosing"]


class AsyncClosing:
    """What is closed with `aclose`, or with `close` in programs for the openai package."""

    async def aclose(self) -> None:
        """Release what is held."""
        raise NotImplementedError

    async def close(self) -> None:
        """`aclose`, under the name that it has in the openai package."""
        await self.aclose()
