"""Who may call, and which model."""

import re
from collections.abc import Iterable, Mapping
from hmac import compare_digest

from azure_responses.gateway.asgi_reply import ErrorResponse, error_response
from azure_responses.gateway.key_strength import is_loopback, is_of_this_machine
from azure_responses.gateway.key_table import ANYONE, ApiCaller, KeyTable

__all__ = ["Access", "HostRules", "read_host", "read_key"]

_BEARER = "bearer "
_LONGEST = 4096
# The headers that only this gateway reads come first: a proxy in front of it may need
# Authorization for itself.
_HEADERS = ("x-litellm-api-key", "api-key", "x-api-key", "authorization")


def read_key(headers: Mapping[str, str]) -> str | None:
    """The key a request carries, or None.

    `x-litellm-api-key` counts before `api-key`, `x-api-key` (Anthropic's) and `Authorization:
    Bearer`.

    Args:
        headers: of the request; names in lower case, or a mapping that ignores case.
    """
    for name in _HEADERS:
        value = headers.get(name)
        if value:
            return _strip_scheme(value, is_required=name == "authorization")
    return None


def _strip_scheme(value: str, *, is_required: bool) -> str | None:
    text = value.strip()
    if text[: len(_BEARER)].lower() == _BEARER:
        text = text[len(_BEARER) :].strip()
    elif is_required:
        return None
    return text if 0 < len(text) <= _LONGEST else None


class Access:
    """Tells callers by their keys.

    Args:
        table: the keys.
        allow_unauthenticated: a request without a key, or with an unknown one, counts as `ANYONE`.
            A key that was revoked or has expired is refused all the same.
        allow_pages: cross-origin requests, which a browser sends for a page of another site (CSRF),
            count as `ANYONE` too.
        metrics_key: opens the metrics, as the master key then does.
        metrics_need_key: any key opens them. Without either of the two they are open to all.
    """

    def __init__(
        self,
        table: KeyTable,
        *,
        allow_unauthenticated: bool = False,
        allow_pages: bool = False,
        metrics_key: str | None = None,
        metrics_need_key: bool = False,
    ) -> None:
        self._table = table
        self._metrics_key = metrics_key
        self._metrics_need_key = metrics_need_key
        self._is_open = allow_unauthenticated
        self._allows_pages = allow_pages

    def authenticate(self, headers: Mapping[str, str], now: float) -> ApiCaller | ErrorResponse:
        """The caller who sent these headers at `now` (unix seconds), or a 401 or 403."""
        key = read_key(headers)
        if key is None:
            return self._admit_anyone(headers) if self._is_open else _missing()
        caller = self._table.find(key)
        if caller is None:
            if self._is_open:
                # SDKs insist on a key, so they send some key to a gateway that needs none.
                return self._admit_anyone(headers)
            return _refuse("Incorrect API key provided.")
        if caller.revoked is not None:
            return _refuse("This API key has been revoked.")
        if caller.expires is not None and caller.is_expired(now):
            return _refuse("This API key has expired.")
        return caller

    def is_unknown(self, headers: Mapping[str, str]) -> bool:
        """True for a key that does not exist, as far as this process knows."""
        key = read_key(headers)
        return key is not None and self._table.find(key) is None

    def refuse_metrics(self, headers: Mapping[str, str], now: float) -> ErrorResponse | None:
        """The 401 for a caller who may not read the metrics at `now` (unix seconds), else None."""
        if self._metrics_key is None and not self._metrics_need_key:
            return None
        key = read_key(headers)
        if key is None:
            return _missing()
        if self._metrics_key is not None and compare_digest(
            key.encode("utf-8", "replace"), self._metrics_key.encode()
        ):
            return None
        caller = self._table.find(key)
        if caller is None or caller.revoked is not None or caller.is_expired(now):
            return _refuse("Incorrect API key provided.")
        if caller.is_master or self._metrics_need_key:
            return None
        return _refuse("This API key does not open the metrics.")

    def _admit_anyone(self, headers: Mapping[str, str]) -> ApiCaller | ErrorResponse:
        origin = headers.get("origin")
        if origin is None or self._allows_pages or is_of_this_machine(origin):
            return ANYONE
        return error_response(
            403,
            "A page of another machine may not call a gateway that asks for no key. "
            "Set general_settings.master_key.",
            type="permission_denied",
            code="origin_not_allowed",
        )


def _missing() -> ErrorResponse:
    return _refuse(
        "No API key provided. Send it as `Authorization: Bearer KEY`, `api-key`, `x-api-key` or "
        "`x-litellm-api-key`."
    )


def _refuse(message: str) -> ErrorResponse:
    return error_response(
        401, message, code="invalid_api_key", headers={"www-authenticate": "Bearer"}
    )


_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(:[0-9]{0,5})?", re.ASCII)
_LONGEST_SHOWN = 100
_HINT = "Set general_settings.master_key, or name the host in general_settings.allowed_hosts."


class HostRules:
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

        `X-Forwarded-Host` is not read, since any client can send it.
        """
        hosts: list[bytes] = []
        rest: dict[bytes, bytes] = {}
        for name, value in headers:
            if name == b"host":
                hosts.append(value)
            elif name in (b"origin", b"sec-fetch-site"):
                rest[name] = value
        if self._refuses_pages and _is_of_a_foreign_page(rest):
            return _forbid(
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
        return _forbid(
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


def _forbid(message: str, code: str) -> ErrorResponse:
    return error_response(403, message, type="permission_denied", code=code)
