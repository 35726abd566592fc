"""The secret that signs the ids a router gives out."""

import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from hmac import digest

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.settings import ENVIRONMENT
from azure_responses.protocol.warning import warn_caller
from azure_responses.routing.deployment import Deployment

__all__ = ["ENVIRONMENT_VARIABLE", "find_secrets"]

_LOG = logging.getLogger("azure_responses.router")

ENVIRONMENT_VARIABLE = "AZURE_RESPONSES_AFFINITY_SECRET"

_KEY = b"azure_responses affinity secret 1"


def find_secrets(
    given: str | bytes | Sequence[str | bytes] | None,
    environ: Mapping[str, str],
    deployments: Iterable[Deployment],
    *,
    is_shared: bool,
) -> list[bytes]:
    """The secrets of a router: the first signs, all verify.

    What was given, else the environment's, else one derived from the deployments' API keys, so
    that a restart and a replica with the same rows agree without being told, else a random one.

    `is_shared` says that there certainly are replicas; a secret nobody chose is then worth a
    warning, since their rows may come to differ.
    """
    explicit = (environ.get(ENVIRONMENT_VARIABLE) or None) if given is None else given
    if explicit is not None:
        return [_bytes(one) for one in _listed(explicit)]
    if is_shared:
        warn_caller(
            "The router shares its state but was given no affinity_secret: replicas whose rows or "
            f"keys differ do not know each other's ids. Pass affinity_secret=…, or set "
            f"{ENVIRONMENT_VARIABLE}."
        )
    found = [one.connection.get("api_key") for one in deployments]
    found += [environ.get(name) for name in ENVIRONMENT["api_key"]]
    keys = sorted({key for key in found if isinstance(key, str) and key})
    if keys:
        return [digest(_KEY, "\0".join(keys).encode(), "sha256")]
    _LOG.warning(
        "No affinity_secret was given and no API key to derive one from: the ids this router gives "
        "out are of no use to another process, nor after a restart."
    )
    return [secrets.token_bytes(32)]


def _listed(given: str | bytes | Sequence[str | bytes]) -> Sequence[str | bytes]:
    listed = [given] if isinstance(given, str | bytes) else given
    if isinstance(listed, list | tuple) and all(isinstance(one, str | bytes) for one in listed):
        return listed
    raise ConfigurationError(
        "affinity_secret is neither a string nor a list of them.",
        hint="Pass a string of 16 bytes or more; of several, the first signs and all verify.",
    )


def _bytes(secret: str | bytes) -> bytes:
    return secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
