"""The deployments behind one name, in priority groups, made ready for drawing by weight."""

from bisect import bisect
from collections.abc import Iterable, Iterator
from itertools import accumulate

from azure_responses.routing.deployment import Deployment

__all__ = ["Group", "Tier", "chances", "other_chances"]

_MASK = 2**64 - 1
_FACTOR = 6364136223846793005  # Knuth's MMIX generator.
_TERM = 1442695040888963407


def chances(jitter: float) -> Iterator[float]:
    """`jitter`, then numbers in [0, 1) made of it, each as good as independent of the last."""
    yield jitter
    yield from other_chances(jitter, 0)


def other_chances(jitter: float, salt: int = 0x9E3779B97F4A7C15) -> Iterator[float]:
    """Numbers in [0, 1) made of `jitter`, as good as independent of `chances`."""
    state = int(jitter * 2**53) * 2**11 ^ salt
    while True:
        state = (state * _FACTOR + _TERM) & _MASK
        yield (state >> 11) / 2**53


class Tier:
    """The deployments of one `order` that take calls, with their weights added up."""

    __slots__ = ("_sums", "deployments", "order", "total")

    def __init__(self, order: int, deployments: Iterable[Deployment], *, is_pinned: bool) -> None:
        self.order = order
        self.deployments = tuple(d for d in deployments if is_pinned or d.weight > 0)
        # Where a call is pinned, a row without weight serves like one with little of it.
        self._sums = tuple(accumulate(d.weight or 1e-9 for d in self.deployments))
        self.total = self._sums[-1] if self._sums else 0.0

    def at(self, chance: float) -> Deployment:
        """The deployment that a chance in [0, 1) falls on, by weight: O(log n)."""
        place = bisect(self._sums, chance * self.total)
        # Rounding may carry the product up to the total itself.
        return self.deployments[min(place, len(self.deployments) - 1)]


class Group:
    """Deployments that may serve one name, or as many of them as a pinned call may use.

    Attributes:
        name: what callers use.
        deployments: all of them, in the order of the list.
        tiers: by `order`, lowest first, without rows of weight 0 unless `is_pinned`.
        has_limits: some have an rpm or tpm.
        smallest_window, largest_window: of the models' context windows as far as rows say;
            the largest is None when a row does not say, for then nothing is too long.
    """

    __slots__ = (
        "deployments",
        "has_limits",
        "largest_window",
        "name",
        "smallest_window",
        "tiers",
    )

    def __init__(
        self, name: str, deployments: Iterable[Deployment], *, is_pinned: bool = False
    ) -> None:
        self.name = name
        self.deployments = tuple(deployments)
        by_order: dict[int, list[Deployment]] = {}
        for deployment in self.deployments:
            by_order.setdefault(deployment.order, []).append(deployment)
        tiers = (Tier(order, rows, is_pinned=is_pinned) for order, rows in sorted(by_order.items()))
        self.tiers = tuple(tier for tier in tiers if tier.deployments)
        self.has_limits = any(d.rpm is not None or d.tpm is not None for d in self.deployments)
        windows = [d.max_input_tokens for d in self.deployments]
        known = [window for window in windows if window is not None]
        self.smallest_window = min(known, default=None)
        self.largest_window = max(known) if known and len(known) == len(windows) else None

    def is_too_small(self, tokens: int) -> bool:
        """True when no deployment's context window holds so many tokens."""
        return self.largest_window is not None and tokens > self.largest_window

    def is_uneven(self, tokens: int) -> bool:
        """True when some deployment's context window does not hold so many tokens."""
        return self.smallest_window is not None and tokens > self.smallest_window

    def holds(self, deployment: Deployment, tokens: int) -> bool:
        """False when its context window is too small for so many tokens and another's is not.

        The number is an estimate: where all are too small by it, none is ruled out.
        """
        window = deployment.max_input_tokens
        return window is None or tokens <= window or self.is_too_small(tokens)
