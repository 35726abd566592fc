"""A top-level reply: a wire model that also knows its headers, its limits and its route."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import PrivateAttr

from .model import Model

__all__ = ["Pricer", "RateLimit", "Result", "Route", "request_id_of"]


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


_PREFIX = "x-ratelimit-"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Limits of a deployment as one reply reported them; None for what it did not report.

    Values are kept as sent: Azure sends -1 for limits that do not apply and negative remainders
    after an overdraft (openai/openai-dotnet issue 838), so ask `requests_known` and
    `tokens_known` before trusting a number. `reset_…` are seconds until the count starts anew:
    Azure sends bare numbers (recorded by traceloop/openllmetry), OpenAI durations like "6m0s".
    """

    limit_requests: float | None = None
    remaining_requests: float | None = None
    reset_requests: float | None = None
    limit_tokens: float | None = None
    remaining_tokens: float | None = None
    reset_tokens: float | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "RateLimit | None":
        """Read lower-case headers; None when they hold nothing about limits."""
        if not any(name.startswith(_PREFIX) for name in headers):
            return None
        return cls(
            **{
                f"{kind}_{unit}": _read(headers.get(f"{_PREFIX}{kind}-{unit}"))
                for kind in ("limit", "remaining", "reset")
                for unit in ("requests", "tokens")
            }
        )

    @property
    def requests_known(self) -> bool:
        """Whether `remaining_requests` says how many requests are left."""
        return _is_known(self.limit_requests, self.remaining_requests)

    @property
    def tokens_known(self) -> bool:
        """Whether `remaining_tokens` says how many tokens are left."""
        return _is_known(self.limit_tokens, self.remaining_tokens)


def _is_known(limit: float | None, remaining: float | None) -> bool:
    if remaining is None or remaining == -1 or limit == -1:
        return False
    # A lone 0 is what Azure sends beside an absent limit; it does not mean "exhausted".
    return limit is not None or remaining != 0


def _read(text: str | None) -> float | None:
    if text is None:
        return None
    text = text.strip().lower()
    try:
        number = float(text)
    except ValueError:
        return _duration(text)
    return _plain(number) if math.isfinite(number) else None


def _plain(number: float) -> float:
    return int(number) if number.is_integer() else number


def _duration(text: str) -> float | None:
    parts = _DURATION.findall(text)
    if not parts or "".join(amount + unit for amount, unit in parts) != text:
        return None
    return _plain(sum(float(amount) * _UNITS[unit] for amount, unit in parts))


Pricer = Callable[[Any], Decimal | None]
"""Says what a result cost in US dollars, or None when it cannot tell."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


# Gateways in front of Azure may leave the first out and set one of their own, the second.
def request_id_of(headers: Mapping[str, str]) -> str | None:
    """`apim-request-id`, which every recorded Azure reply has, else another; Claude's last."""
    names = ("apim-request-id", "x-request-id", "request-id")
    return next((headers[name] for name in names if headers.get(name)), None)


class _Attachment:
    """Headers and pricer of one reply, read only when asked.

    Where a reply came from is not part of what it says, so any two attachments are equal.
    """

    __slots__ = ("cost", "headers", "is_lower_case", "is_priced", "pricer", "route")

    def __init__(self, headers: Mapping[str, str], pricer: Pricer | None) -> None:
        # Nearly no caller asks for headers: they are made lower case on the first look.
        self.headers = headers
        self.is_lower_case = False
        self.pricer = pricer
        self.is_priced = pricer is None
        self.cost: Decimal | None = None
        self.route: Route | None = None

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> "_Attachment":
        copy = _Attachment(self.headers, self.pricer)
        copy.is_lower_case = self.is_lower_case
        copy.is_priced = self.is_priced
        copy.cost = self.cost
        copy.route = self.route
        return copy

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Attachment":
        # The pricer may hold a price table, a lock or a client: shared, never copied.
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (dict(self.headers), self.cost, self.route)

    def lower_headers(self) -> Mapping[str, str]:
        if not self.is_lower_case:
            lower = {name.lower(): value for name, value in self.headers.items()}
            self.headers = MappingProxyType(lower)
            self.is_lower_case = True
        return self.headers


def _restore(
    headers: dict[str, str], cost: Decimal | None, route: Route | None = None
) -> _Attachment:
    attachment = _Attachment(headers, None)
    attachment.cost = cost
    attachment.route = route
    return attachment


class Result(Model):
    """A reply's body with what its headers say; equality and dumps look at the body alone.

    Where `_is_sent_by_id` is true, an object in the body of a request stands for its id.
    """

    _is_sent_by_id: ClassVar[bool] = False
    _attachment: _Attachment | None = PrivateAttr(default=None)

    def attach(self, headers: Mapping[str, str], pricer: Pricer | None = None) -> None:
        """Remember the headers of the reply and who can price it; neither is used until asked."""
        # Where pydantic keeps private attributes; setting one by name takes far longer.
        private = self.__pydantic_private__
        assert private is not None
        private["_attachment"] = _Attachment(headers, pricer)

    def attach_route(self, route: Route | None) -> None:
        """Remember how a router got the reply."""
        private = self.__pydantic_private__
        attachment = private.get("_attachment") if private else None
        if attachment is None:
            attachment = self._attachment = _Attachment(_NOTHING, None)
        attachment.route = route

    @property
    def route(self) -> Route | None:
        """What a router did to get this reply; None where there was no router."""
        return self._attachment.route if self._attachment else None

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the reply, names in lower case; empty before `attach`."""
        return self._attachment.lower_headers() if self._attachment else _NOTHING

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`; quote it to Azure support."""
        return request_id_of(self.headers)

    @property
    def rate_limit(self) -> RateLimit | None:
        """What the reply said about limits, or None; Responses streams often say nothing."""
        return RateLimit.from_headers(self.headers)

    @property
    def region(self) -> str | None:
        """`x-ms-region`: where the request was served, a display name such as "East US 2"."""
        return self.headers.get("x-ms-region")

    @property
    def served_deployment(self) -> str | None:
        """`x-ms-deployment-name`: the deployment that answered."""
        return self.headers.get("x-ms-deployment-name")

    @property
    def spillover_from(self) -> str | None:
        """`x-ms-spillover-from-deployment`: the full deployment another stood in for, or None."""
        return self.headers.get("x-ms-spillover-from-deployment")

    @property
    def _request_id(self) -> str | None:
        """`request_id`, under the name that it has in the openai package."""
        return self.request_id

    @property
    def cost(self) -> Decimal | None:
        """What the reply cost in US dollars; None when that is not known."""
        attachment = self._attachment
        if attachment is None:
            return None
        if not attachment.is_priced:
            attachment.cost = attachment.pricer(self) if attachment.pricer else None
            attachment.is_priced = True
        return attachment.cost

    def __getstate__(self) -> dict[Any, Any]:
        # A pricer may not pickle, so the answer travels in its place.
        _ = self.cost
        return super().__getstate__()


_SHOWN = 80


def show_facts(facts: Iterable[tuple[str, Any]]) -> str:
    """Names and values as a call would have them."""
    return ", ".join(f"{name}={value!r}" for name, value in facts)


def show_text(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text[: _SHOWN * 4].split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def show_answer(text: str, *facts: str | None) -> str:
    """An answer as Markdown, and under it what is known of it."""
    line = " · ".join(fact for fact in facts if fact)
    return f"{text}\n\n---\n\n{line}" if text else line
