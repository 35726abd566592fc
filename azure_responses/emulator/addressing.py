"""Which resource a host name, a key or a path prefix means."""

from collections.abc import Sequence

from azure_responses.emulator.account import Account
from azure_responses.emulator.exchange import Received

__all__ = ["find_account", "is_azure_host"]

_SUFFIXES = (
    ".openai.azure.com",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
    ".openai.azure.us",
    ".cognitiveservices.azure.us",
    ".openai.azure.cn",
)
_REGIONAL = ".api.cognitive.microsoft.com"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]", "testserver"})
_PREFIX = "/resources/"


def find_account(
    accounts: Sequence[Account], received: Received, answers_any_host: bool
) -> tuple[Account | None, str]:
    """The account meant and the path that is left; None where the host does not resolve."""
    if received.path.startswith(_PREFIX):
        name, _, rest = received.path.removeprefix(_PREFIX).partition("/")
        return _named(accounts, name), "/" + rest
    gateway = _behind_gateway(accounts, received)
    if gateway is not None:
        return gateway
    return _by_host(accounts, received, answers_any_host), received.path


def is_azure_host(host: str) -> bool:
    """True for a name that only Azure gives out."""
    return host.endswith((*_SUFFIXES, _REGIONAL))


def _named(accounts: Sequence[Account], name: str) -> Account | None:
    return next((account for account in accounts if account.resource.name == name), None)


def _behind_gateway(accounts: Sequence[Account], received: Received) -> tuple[Account, str] | None:
    for account in accounts:
        for address in account.resource.hosts:
            host, slash, prefix = address.partition("/")
            if host == received.host and received.path.startswith(slash + prefix):
                return account, received.path.removeprefix(slash + prefix.rstrip("/"))
    return None


def _by_host(
    accounts: Sequence[Account], received: Received, answers_any_host: bool
) -> Account | None:
    host = received.host
    if host in _LOOPBACK:
        return accounts[0]
    if host.endswith(_REGIONAL):
        return accounts[0] if answers_any_host else _by_key(accounts, received)
    suffix = next((suffix for suffix in (*_SUFFIXES, ".localhost") if host.endswith(suffix)), None)
    if suffix is None:
        # Served on a loopback port under another name (a container, a proxy).
        return accounts[0] if received.is_loopback else None
    if answers_any_host:
        return accounts[0]
    return _named(accounts, host.removesuffix(suffix))


def _by_key(accounts: Sequence[Account], received: Received) -> Account | None:
    """A regional host serves every resource of the region; the key says which is meant."""
    region = received.host.removesuffix(_REGIONAL)
    near = [account for account in accounts if _slug(account.resource.region) == region]
    key = received.headers.get("api-key")
    holders = [account for account in near if key in account.resource.keys]
    return next(iter(holders or near), None)


def _slug(region: str) -> str:
    return region.lower().replace(" ", "")
