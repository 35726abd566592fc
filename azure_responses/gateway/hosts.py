"""Whether a browser sent a request for a page of another machine: a pure decision.

A gateway that asks for no key trusts every caller on the loopback, and a browser on this machine
calls it for any page. A page is held off by `Origin` where it sends one. It sends none with
GETs of its own origin, and by DNS rebinding a page's own host name leads here: what tells then
is `Host`, which still has that name. `Sec-Fetch-Site` tells of GETs by `<img>` or `<script>`.
"""

import re
from collections.abc import Iterable, Mapping

from azure_responses.gateway.error_response import ErrorResponse, error_response
from azure_responses.gateway.key_strength import is_loopback, is_of_this_machine

__all__ = ["Hosts", "read_host"]

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(:[0-9]{0,5})?", re.ASCII)
_LONGEST_SHOWN = 100
_HINT = "Set general_settings.master_key, or name the host in general_settings.allowed_hosts."


class Hosts:
    """The host names that requests may be for.

    Args:
        allowed: names besides those of the loopback; `*.name` are the names below one, `*` any.
        refuses_pages: refuse what a browser sent for another site, too.
    """

    def __init__(self, allowed: Iterable[str] = (), *, refuses_pages: bool = True) -> None:
        names = [name.strip().rstrip(".").lower() for name in allowed]
        self._allows_all = "*" in names
        self._names = frozenset(names)
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self._refuses_pages = refuses_pages

    def check(
        self, headers: Iterable[tuple[bytes, bytes]], http_version: str
    ) -> ErrorResponse | None:
        """The refusal of a request with these headers, or None.

        `X-Forwarded-Host` is not looked at: anybody can send it.
        """
        hosts: list[bytes] = []
        rest: dict[bytes, bytes] = {}
        for name, value in headers:
            if name == b"host":
                hosts.append(value)
            elif name in (b"origin", b"sec-fetch-site"):
                rest[name] = value
        if self._refuses_pages and _is_of_a_foreign_page(rest):
            return _refuse(
                "A page of another site may not call a gateway that asks for no key. "
                "Set general_settings.master_key.",
                "origin_not_allowed",
            )
        if not hosts and http_version == "1.0":
            # No browser is that old.
            return None
        if len(hosts) != 1:
            return error_response(400, "A request needs one Host header.", code="invalid_host")
        return self._check(hosts[0].decode("latin-1"))

    def _check(self, given: str) -> ErrorResponse | None:
        name = read_host(given)
        if name is not None and (self._allows_all or is_loopback(name) or self._is_named(name)):
            return None
        shown = given[:_LONGEST_SHOWN]
        return _refuse(
            f"The host {shown!r} is not one that this gateway answers for. {_HINT}",
            "host_not_allowed",
        )

    def _is_named(self, name: str) -> bool:
        return name in self._names or name.endswith(self._suffixes)


def read_host(header: str) -> str | None:
    """The name or address in a `Host` header, in lower case; None for one that cannot be read."""
    found = _HOST.fullmatch(header.strip().lower())
    return None if found is None else found[1].strip("[]").removesuffix(".")


def _is_of_a_foreign_page(headers: Mapping[bytes, bytes]) -> bool:
    origin = headers.get(b"origin")
    if origin is not None:
        return not is_of_this_machine(origin.decode("latin-1"))
    return headers.get(b"sec-fetch-site", b"").strip().lower() == b"cross-site"


def _refuse(message: str, code: str) -> ErrorResponse:
    return error_response(403, message, type="permission_denied", code=code)
