"""Whether keys are hard to guess, and whether it is safe to listen: pure decisions."""

import ipaddress
from urllib.parse import urlsplit

from azure_responses.errors import ConfigurationError
from azure_responses.gateway.schema import GatewaySettings

__all__ = ["check_exposure", "find_weakness", "is_loopback", "is_of_this_machine"]

# Characters; a random key of this length cannot be guessed over a network.
_SHORTEST = 16
# Keys from documentation and examples, which attackers try first.
_WELL_KNOWN = frozenset(
    [
        *("sk-1234", "sk-12345", "sk-123456", "sk-test", "sk-key", "sk-master-key", "sk-litellm"),
        *("your-api-key", "your_api_key", "your-key", "your-master-key", "api-key", "apikey"),
        *("changeme", "change-me", "changeit", "secret", "password", "anything", "none", "dummy"),
        *("master", "master-key", "master_key", "test", "test-key", "key", "fake", "admin"),
        *("default", "litellm"),
    ]
)
_PLACEHOLDERS = ("your-", "your_", "changeme", "change-me", "replace-me", "example", "placeholder")
_FEWEST_CHARACTERS = 6


def is_loopback(host: str) -> bool:
    """True for an address that only this machine reaches; "" listens everywhere."""
    name = host.strip().strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    # `::ffff:127.0.0.1` is the loopback address as a socket for both families shows it.
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_of_this_machine(origin: str) -> bool:
    """True for an `Origin` whose host only this machine reaches."""
    try:
        return is_loopback(urlsplit(origin).hostname or "none")
    except ValueError:
        return False


def find_weakness(key: str) -> str | None:
    """Why a key is easy to guess, without the key; None for one that is not."""
    text = key.strip().lower()
    if text in _WELL_KNOWN:
        return "is a well-known example"
    if len(text) < _SHORTEST:
        return f"is shorter than {_SHORTEST} characters"
    if any(word in text for word in _PLACEHOLDERS):
        return "is a placeholder"
    if len(set(text.removeprefix("sk-"))) < _FEWEST_CHARACTERS:
        return "repeats a few characters"
    return None


def check_exposure(settings: GatewaySettings, host: str, *, has_stored_keys: bool = False) -> None:
    """Refuse to listen where unknown clients could call at the operator's cost.

    Args:
        host: the address to listen on.
        has_stored_keys: a database holds keys.

    Raises:
        ConfigurationError: the address is not a loopback one, and no key, or a weak one, is set.
    """
    if is_loopback(host) or settings.allow_unauthenticated:
        return
    subject = f"Refusing to listen on {host or 'every address'}"
    if not settings.keys and not has_stored_keys:
        raise ConfigurationError(
            f"{subject}: no key is configured, so anyone could call.",
            hint="Set general_settings.master_key (such as os.environ/MASTER_KEY), or pass "
            "--host 127.0.0.1.",
        )
    if settings.weakest_key:
        raise ConfigurationError(
            f"{subject}: {settings.weakest_key}.",
            hint="Make one: python -c \"import secrets; print('sk-' + secrets.token_urlsafe(32))\"",
        )
