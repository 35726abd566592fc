"""The addresses from which callers may call."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from azure_responses.gateway.asgi_reply import ErrorResponse, Scope, error_response

__all__ = ["check_address", "read_networks"]

Network = IPv4Network | IPv6Network


def read_networks(value: Any) -> tuple[Network, ...]:
    """A list of addresses and networks, such as `10.1.2.3` and `10.1.0.0/16`.

    Raises:
        ValueError: it is not one. An empty list is refused too, which lets no caller in.
    """
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed:
        raise ValueError("is not a list of addresses")
    try:
        return tuple(ip_network(str(each).strip(), strict=False) for each in listed)
    except ValueError as error:
        raise ValueError(f"has no address or network: {error}") from None


def check_address(
    allowed: tuple[Network, ...], scope: Scope, *, trusts_proxy: bool
) -> ErrorResponse | None:
    """The 403 of a caller at another address, else None; without networks all may call.

    Args:
        trusts_proxy: the proxy in front is trusted, and the last address of `X-Forwarded-For` is
            the one that it has written. What stands before it any caller can send.
    """
    if not allowed or _is_in(allowed, _address(scope, trusts_proxy=trusts_proxy)):
        return None
    return error_response(
        403,
        "This gateway does not take calls from your address.",
        type="permission_denied",
        code="address_not_allowed",
    )


def _address(scope: Scope, *, trusts_proxy: bool) -> str:
    peer = scope.get("client") or ("",)
    if not trusts_proxy:
        return str(peer[0])
    # A further header of the name goes on with the list of the one before it.
    written = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return written[-1].decode("latin-1").rpartition(",")[2].strip() if written else str(peer[0])


def _is_in(allowed: tuple[Network, ...], text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    # A socket of IPv6 shows a peer of IPv4 as a mapped address.
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in allowed)
