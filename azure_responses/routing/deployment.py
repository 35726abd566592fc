"""A deployment, and the groups of deployments that serve one model name."""

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, islice
from math import log
from typing import TYPE_CHECKING, Any, Literal

from azure_responses.protocol.deployment_apis import APISetting
from azure_responses.protocol.dropped_parameters import DroppedParameters
from azure_responses.routing.request_parameters import EntryParameters

if TYPE_CHECKING:
    from azure_responses.pricing.custom_prices import CustomPrices

__all__ = ["ANY_MODEL", "Deployment", "Group", "IsFree", "Tier", "race", "random_numbers"]

ANY_MODEL = "*"
"""As a group: serves every model asked for. As a model: the name asked for is the deployment."""


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """What a call goes to: one entry of a model list.

    Attributes:
        id: unique in the router; from `model_info.id`, else made of the entry, so that every
            replica with the same entry has the same id.
        group: the name callers use (`model_name`).
        model: the deployment's name at Azure, or `ANY_MODEL`; of an agent `agents/NAME[:VERSION]`.
        is_batch: it takes batches and no single calls (Global or Data Zone Batch).
        executes: who executes the batches of its group: a batch deployment, or the gateway.
        agent: `NAME[:VERSION]` of a Foundry agent, which is called in the place of a model.
        api: what the entry says that the deployment speaks; "auto" leaves it to the client.
        is_websocket: turns of WebSocket connections go to it over a WebSocket.
        facts: what the entry says that the model accepts, over the table of families.
        tag, resource: short opaque hashes of the id and of the endpoint. A resource is what
            stores responses and encrypts reasoning: origin and path prefix of the endpoint.
        host: the endpoint's host, for logs and explanations.
        weight: share of the calls under "weighted"; 0 takes none unless a call is pinned to it.
        order: priority group; every deployment of a lower order is tried before a higher one.
        rpm, tpm: requests and tokens a minute that may be sent; None is no limit.
        max_input_tokens: the model's context window for input, where the entry states it.
        base_model: the model behind the name, for prices and for what the model accepts.
        prices: those that the entry sets, which hold for its calls before all others.
        timeout, cooldown_time, max_retries: its own, in seconds and attempts; None leaves them to
            the router.
        stream_timeout: its timeout for streams, where that differs.
        dropped_params: parameters that are left out of every call (`additional_drop_params`);
            None for none.
        parameters: of requests, that its entry sets; None for none.
        dropped_tools: types of tools that are left out of every call (`drop_tools`).
        merges_reasoning: answers to chats have their reasoning in their content.
        tags: of its entry; see `tag_routing`.
        access_groups: a key with the name of one of these may call its group.
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
    prices: "CustomPrices | None" = field(default=None, repr=False)
    timeout: float | None = None
    stream_timeout: float | None = None
    cooldown_time: float | None = None
    max_retries: int | None = None
    dropped_params: DroppedParameters | None = None
    agent: str | None = None
    api: APISetting = "auto"
    is_batch: bool = False
    executes: Literal["native", "gateway"] = "native"
    is_websocket: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    parameters: EntryParameters | None = None
    dropped_tools: frozenset[str] = frozenset()
    merges_reasoning: bool = False
    tags: tuple[str, ...] = ()
    access_groups: tuple[str, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict, repr=False)
    connection: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def timeout_of(self, is_stream: bool) -> float | None:
        """Seconds for one attempt, or None."""
        return self.timeout if not is_stream or self.stream_timeout is None else self.stream_timeout

    def name_for(self, requested: str) -> str:
        """The deployment to call at Azure when a caller asked for `requested`."""
        return requested if self.model == ANY_MODEL else self.model


IsFree = Callable[[Deployment], bool]
"""Whether a deployment may be called now."""

_SMALL_WEIGHT = 1e-9
_MASK = 2**64 - 1
_FACTOR = 6364136223846793005  # Knuth's MMIX generator.
_TERM = 1442695040888963407


def random_numbers(jitter: float, salt: int = 0) -> Iterator[float]:
    """Numbers in [0, 1) made of one of them, as good as independent of it and of other salts.

    Routing gets its one random number from its caller, so that it stays repeatable.
    """
    state = int(jitter * 2**53) * 2**11 ^ salt
    while True:
        state = (state * _FACTOR + _TERM) & _MASK
        yield (state >> 11) / 2**53


def race(
    deployments: Sequence[Deployment], rates: Iterable[float], luck: Iterator[float]
) -> list[Deployment]:
    """All of them in random order, those of higher rates the earlier.

    A race of exponential clocks: each comes first with the probability of its share of the rates.
    """
    clocks = [-log(1.0 - next(luck)) / (rate or _SMALL_WEIGHT) for rate in rates]
    return [deployments[place] for place in sorted(range(len(clocks)), key=clocks.__getitem__)]


class Tier:
    """The deployments of one `order` that take calls, with their weights added up."""

    __slots__ = ("_sums", "deployments", "order", "total")

    def __init__(self, order: int, deployments: Iterable[Deployment], *, is_pinned: bool) -> None:
        self.order = order
        self.deployments = tuple(d for d in deployments if is_pinned or d.weight > 0)
        # Where a call is pinned, a deployment of weight 0 serves like one of little weight.
        self._sums = tuple(accumulate(d.weight or _SMALL_WEIGHT for d in self.deployments))
        self.total = self._sums[-1] if self._sums else 0.0

    def at(self, chance: float) -> Deployment:
        """The deployment that a chance in [0, 1) falls on, by weight: O(log n)."""
        place = bisect(self._sums, chance * self.total)
        # Rounding may carry the product up to the total itself.
        return self.deployments[min(place, len(self.deployments) - 1)]

    def draw(self, count: int, jitter: float, is_free: IsFree | None) -> list[Deployment]:
        """Up to `count` free deployments, each next one drawn by weight from those left.

        O(log n) while most of the tier is free.
        """
        if count == 1 and is_free is None:
            return [self.at(jitter)]
        chosen: dict[str, Deployment] = {}
        luck = chain((jitter,), random_numbers(jitter))
        # Draw again where one was drawn already or is not free: a few more draws are cheaper than a
        # look at each deployment of a large group.
        if count < len(self.deployments):
            for chance in islice(luck, 2 * count + 2):
                deployment = self.at(chance)
                if deployment.id not in chosen and (is_free is None or is_free(deployment)):
                    chosen[deployment.id] = deployment
                    if len(chosen) == count:
                        return list(chosen.values())
        # Most of the tier is not free, or wanted: look at all of it.
        left = [d for d in self.deployments if d.id not in chosen and (not is_free or is_free(d))]
        return [*chosen.values(), *race(left, (d.weight for d in left), luck)][:count]


class Group:
    """Deployments that may serve one name, or as many of them as a pinned call may use.

    Attributes:
        name: what callers use.
        deployments: all of them, in the order of the list.
        tiers: by `order`, lowest first, without weights of 0 unless `is_pinned`.
        has_limits: some have an rpm or tpm.
        smallest_window, largest_window: of the context windows that entries state; the largest
            is None when one of them is not known, because then no input is too long.
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
        tiers = (Tier(order, some, is_pinned=is_pinned) for order, some in sorted(by_order.items()))
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
