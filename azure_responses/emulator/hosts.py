"""Requests that a browser sent for a page of another machine, which a served emulator refuses.

Its keys are no secrets, and its control paths take none. By DNS rebinding a page's own host name
leads to the loopback, and the page may then read what it gets; `Host` still has that name.
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from azure_responses.emulator.addressing import is_azure_host
from azure_responses.emulator.exchange import Reply, json_reply

__all__ = ["Hosts"]

_LONGEST_SHOWN = 100


class Hosts:
    """The hosts that connections over the loopback may name.

    Connections from elsewhere may name any host: who can reach a server on another
    address, as in a container, is decided there.

    Args:
        allowed: names besides those of the loopback and of Azure; `*` is any.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = {name.partition("/")[0].rstrip(".").lower() for name in allowed}

    def refuse(self, scope: Mapping[str, Any]) -> Reply | None:
        """The reply to a request that is not to be answered, or None."""
        server = scope.get("server")
        if "*" in self._allowed or not server or not _is_loopback(str(server[0])):
            return None
        headers = dict(scope["headers"])
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(given) > 1:
            return _say("A request needs one Host header.", 400)
        if given and not self._is_known(_name(given[0])):
            return _say(f"The emulator does not answer for the host {given[0][:_LONGEST_SHOWN]!r}.")
        site, origin = headers.get(b"sec-fetch-site", b""), headers.get(b"origin")
        is_of_a_page = site.strip().lower() == b"cross-site" if origin is None else True
        if is_of_a_page and not _is_of_this_machine(origin):
            return _say("A page of another site may not call the emulator.")
        return None

    def _is_known(self, name: str) -> bool:
        return _is_loopback(name) or is_azure_host(name) or name in self._allowed


def _name(header: str) -> str:
    name = header.strip().lower()
    if name.startswith("["):
        address, bracket, _ = name[1:].partition("]")
        return address if bracket else ""
    host, _, port = name.partition(":")
    return host.removesuffix(".") if not port or port.isdecimal() else ""


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_of_this_machine(origin: bytes | None) -> bool:
    try:
        return _is_loopback(urlsplit((origin or b"").decode("latin-1")).hostname or "")
    except ValueError:
        return False


def _say(message: str, status: int = 403) -> Reply:
    hint = "Say allowed_hosts in emulator.yaml, or Emulator(allowed_hosts=[…])."
    error = {"code": "host_not_allowed", "message": f"{message} {hint}"}
    return json_reply({"error": error}, status)
