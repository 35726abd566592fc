"""The section on pricing of a configuration file, as calls of a price book's methods."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azure_responses.errors import ConfigurationError

__all__ = ["read_configuration"]

_SECTIONS = ("prices", "deployments", "tools", "discounts")
_PRICE = ("model", "input", "output", "cached_input", "cache_write", "zone", "tier", "above")
_NEEDED = ("model", "input", "output")
_DEPLOYMENT = ("base_model", "zone", "region", "tier", "provisioned", "image_model")

Call = tuple[str, dict[str, Any]]


def read_configuration(settings: Mapping[str, Any]) -> Iterator[Call]:
    """The methods to call and their arguments, in order.

    Raises:
        ConfigurationError: a key or the shape of a value is not known.
    """
    _check(_mapping(settings, "pricing"), _SECTIONS, "pricing")
    for row in _list(settings.get("prices") or []):
        _check(row, (*_PRICE, "source"), "a price")
        missing = [name for name in _NEEDED if name not in row]
        if missing:
            raise ConfigurationError(f"A price lacks {', '.join(missing)}: {dict(row)}.")
        yield "register", dict(row)
    for name, said in _section(settings, "deployments").items():
        _check(_mapping(said, f"deployment {name}"), _DEPLOYMENT, f"deployment {name}")
        yield "register_deployment", {"name": name, **said}
    for tool, price in _section(settings, "tools").items():
        yield "register_tool", {"tool": tool, "price": price}
    for name, fraction in _section(settings, "discounts").items():
        # Models and tools share a name space: one fraction by name.
        subject = {} if name == "*" else {"model": name}
        yield "register_discount", {"fraction": fraction, **subject}


def _section(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _mapping(settings.get(name) or {}, name)


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{name} is {value!r}, not a mapping.")
    return value


def _list(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        raise ConfigurationError(f"prices is {value!r}, not a list.")
    return [_mapping(row, "a price") for row in value]


def _check(value: Mapping[str, Any], known: Sequence[str], name: str) -> None:
    unknown = [key for key in value if key not in known]
    if unknown:
        raise ConfigurationError(
            f"{name} has no setting {unknown[0]!r}.", hint=f"It has {', '.join(known)}."
        )
