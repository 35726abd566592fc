"""A top-level reply: a wire model that also knows the headers it came with."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from pydantic import PrivateAttr

from .model import Model
from .rate_limit import RateLimit
from .route import Route

__all__ = ["Pricer", "Result", "request_id_of"]

Pricer = Callable[[Any], Decimal | None]
"""Says what a result cost in US dollars, or None when it cannot tell."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """`apim-request-id`, which every recorded Azure reply has, else `x-request-id`."""
    return headers.get("apim-request-id") or headers.get("x-request-id")


class _Attachment:
    """Headers and pricer of one reply, read only when asked.

    Where a reply came from is not part of what it says, so any two attachments are equal.
    """

    __slots__ = ("cost", "headers", "is_lower_case", "is_priced", "pricer", "route")

    def __init__(self, headers: Mapping[str, str], pricer: Pricer | None) -> None:
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
    """A reply's body with what its headers say; equality and dumps look at the body alone."""

    _attachment: _Attachment | None = PrivateAttr(default=None)

    def attach(self, headers: Mapping[str, str], pricer: Pricer | None = None) -> None:
        """Remember the headers of the reply and who can price it; neither is used until asked."""
        self._attachment = _Attachment(headers, pricer)

    def attach_route(self, route: Route | None) -> None:
        """Remember how a router got the reply."""
        # Where pydantic keeps private attributes; asking for one by name takes far longer.
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
