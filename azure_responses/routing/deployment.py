"""A deployment, and the groups of deployments that serve one model name."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

__all__ = [
    "ANY_MODEL",
    "Deployment",
    "Group",
    "Tier",
    "chances",
    "other_chances",
]

ANY_MODEL = "*"
"""As a group: serves every model asked for. As a model: the name asked for is the deployment."""


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """One row of a model list.

    Attributes:
        id: unique in the router; from `model_info.id`, else made of the row, so that every
            replica with the same row has the same id.
        group: the name callers use (`model_name`).
        model: the deployment's name at Azure, or `ANY_MODEL`.
        tag, resource: short opaque hashes of the id and of the endpoint. A resource is what
            stores responses and encrypts reasoning: origin and path prefix of the endpoint.
        host: the endpoint's host, for logs and explanations.
        weight: share of the calls under "weighted"; 0 takes none unless a call is pinned to it.
        order: priority group; every deployment of a lower order is tried before a higher one.
        rpm, tpm: requests and tokens a minute that may be sent; None is no limit of ours.
        max_input_tokens: the model's context window for input, where the row says so.
        base_model: the model behind the name, for prices.
        timeout, cooldown_time, max_retries: the row's own, in seconds and attempts; None leaves
            them to the router.
        dropped_params: parameters that are left out of every call (`additional_drop_params`).
        connection: arguments of the client; may hold secrets.
    """

    id: str
    group: str
    model: str
    tag: str
    resource: str
    host: str = ""
    weight: float = 1.0
    order: int = 1
    rpm: int | None = None
    tpm: int | None = None
    max_input_tokens: int | None = None
    base_model: str | None = None
    timeout: float | None = None
    cooldown_time: float | None = None
    max_retries: int | None = None
    dropped_params: frozenset[str] = frozenset()
    info: Mapping[str, Any] = field(default_factory=dict, repr=False)
    connection: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def name_for(self, requested: str) -> str:
        """The deployment to call at Azure when a caller asked for `requested`."""
        return requested if self.model == ANY_MODEL else self.model


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
