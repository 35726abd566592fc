"""How a router got a call answered."""

from dataclasses import dataclass

__all__ = ["Route"]


@dataclass(frozen=True, slots=True)
class Route:
    """What a router did for one call.

    Attributes:
        deployment: the id of the deployment that answered.
        group: the model name whose deployments answered: the one asked for, or a fallback's.
        attempts: how many times a deployment was asked, the one that answered included.
        fallbacks: the groups the call was given to after the first, in order.
        waited: seconds spent waiting between attempts.
        strips_reasoning: encrypted reasoning was left out, because only a resource that could not
            serve is able to read it.
        replays: the conversation was sent anew, because the resource that stores it could not
            serve.
    """

    deployment: str
    group: str
    attempts: int = 1
    fallbacks: tuple[str, ...] = ()
    waited: float = 0.0
    strips_reasoning: bool = False
    replays: bool = False

    @property
    def retries(self) -> int:
        """Attempts after the first."""
        return self.attempts - 1
