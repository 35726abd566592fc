"""All that this process knows of one deployment."""

from azure_responses.routing.cooldown import Cooldown, CooldownRules
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.headroom import Headroom
from azure_responses.routing.settings import RouterSettings
from azure_responses.routing.token_estimate import UsualTokens

__all__ = ["Status"]

# A latency older than this says nothing any more; the deployment is due for another look.
_LATENCY_LIFE = 60.0
_NEWEST_SHARE = 0.3


class Status:
    """One deployment's cooldown, load, latency and headroom; the health holds the lock."""

    __slots__ = ("_latency", "cooldown", "deployment", "headroom", "in_flight", "output")

    def __init__(self, deployment: Deployment, settings: RouterSettings) -> None:
        usual = deployment.cooldown_time
        self.deployment = deployment
        self.cooldown = Cooldown(
            CooldownRules(
                allowed_fails=settings.allowed_fails,
                seconds=settings.cooldown_time if usual is None else usual,
                longest=settings.longest_cooldown,
                probe_lease=settings.timeout or 600.0,
            )
        )
        self.headroom = Headroom()
        self.output = UsualTokens()
        self.in_flight = 0
        # By whether it streams: seconds, and when they were seen.
        self._latency: dict[bool, tuple[float, float]] = {}

    def latency(self, now: float, *, is_stream: bool) -> float | None:
        """Seconds it lately took to the first output of a stream, or to a whole answer."""
        seconds, at = self._latency.get(is_stream, (None, 0.0))
        return seconds if now < at + _LATENCY_LIFE else None

    def time_latency(self, seconds: float, now: float, *, is_stream: bool) -> None:
        """An answer took so long: an exponentially weighted moving average."""
        before = self.latency(now, is_stream=is_stream)
        mean = seconds if before is None else before + _NEWEST_SHARE * (seconds - before)
        self._latency[is_stream] = (mean, now)
