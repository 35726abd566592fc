"""Webhooks that the gateway sends: their content, their URLs, and their retries.

A webhook goes to the URL of the key that made the response or batch, signed with that key's own
secret. Nothing here does I/O.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

__all__ = [
    "CLAIM",
    "Delivery",
    "check_url",
    "is_given_up",
    "is_public",
    "next_attempt",
    "relay_of",
    "object_ended",
]

CLAIM = 60.0
"""Seconds for which one process has a delivery to itself."""

_FIRST, _FACTOR, _LONGEST = 5.0, 3, 6 * 3600.0
_END = 72 * 3600.0
_LONGEST_URL = 1000
# Not private by its number, but it is what answers the virtual machines of Azure (WireServer, DNS).
_AZURE_PLATFORM = IPv4Address("168.63.129.16")
# Addresses of IPv4 as networks with IPv6 alone reach them (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A webhook that has not arrived yet.

    Attributes:
        id: the header `webhook-id`, the same at each attempt.
        key_id: of the key that it is for, whose URL and secret are looked up at each attempt.
        body: what is sent.
        created, due: unix seconds; of the event, and of the next attempt.
        attempts: made so far.
    """

    id: str
    key_id: str
    body: str
    created: float
    due: float
    attempts: int = 0

    @property
    def name(self) -> str:
        """The name of its record."""
        return f"{self.key_id}/{self.id}"

    def postponed(self, due: float) -> "Delivery":
        """The same, due at another time."""
        return replace(self, due=due)

    def failed(self, now: float) -> "Delivery":
        """The same after an attempt that failed."""
        later = replace(self, attempts=self.attempts + 1)
        return later.postponed(next_attempt(later, now))

    def to_json(self) -> str:
        """The record as text."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> "Delivery":
        """The record of a text; fields of a later version are left out."""
        values = json.loads(text)
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in values.items() if name in known})


def object_ended(key_id: str, name: str, label: str, kind: str, now: float) -> Delivery:
    """The webhook about the end of a response or batch, in the form of Azure's own.

    Its id follows from the object, so that replicas which see the same end make the same.

    Args:
        name: of the object, among all resources.
        label: its id as the owner of the key knows it.
        kind: the type of the event, such as "response.completed".
    """
    digest = sha256(f"{name} {kind}".encode()).hexdigest()[:32]
    event = {
        "id": f"evt_{digest}",
        "object": "event",
        "type": kind,
        "created_at": int(now),
        "data": {"id": label},
    }
    return Delivery(id=f"wh_{digest}", key_id=key_id, body=json.dumps(event), created=now, due=now)


def relay_of(
    key_id: str, webhook_id: str, event: Mapping[str, Any], label: str | None, now: float
) -> Delivery:
    """A webhook of the service, passed on to a key; `label` takes the place of the object's id."""
    told = dict(event)
    if label is not None:
        told["data"] = {**event["data"], "id": label}
    # Ids of different services may be the same: of two resources, or of a key and of them.
    digest = sha256(f"{webhook_id} {key_id}".encode("utf-8", "replace")).hexdigest()[:32]
    return Delivery(id=f"wh_{digest}", key_id=key_id, body=json.dumps(told), created=now, due=now)


def next_attempt(delivery: Delivery, now: float) -> float:
    """When to try again: after 5 s, 15 s, 45 s, … and at most six hours."""
    exponent = min(delivery.attempts - 1, 12)
    return now + min(_LONGEST, _FIRST * float(_FACTOR**exponent))


def is_given_up(delivery: Delivery, now: float) -> bool:
    """True after three days, as long as services that send webhooks usually try."""
    return now - delivery.created >= _END


def check_url(url: str) -> str:
    """The URL of a receiver; whether http is allowed is for the gateway that sends.

    Raises:
        ValueError: it is not a URL that a webhook can be sent to.
    """
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_port:
        raise ValueError("is not a URL that begins with https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a user name or password, which would be sent to the receiver's logs")
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"is not a URL of up to {_LONGEST_URL} ASCII characters")
    return url


def is_public(address: str) -> bool:
    """True for a public address; an address that embeds another one is judged by both."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(map(_is_public, _meant(found)))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and address != _AZURE_PLATFORM


def _meant(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address, or those that it stands for."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour is not None:
        return [address.sixtofour]
    # Teredo is not global by itself.
    return [address]
