"""What an entry of a model list takes from elsewhere in its file: a named credential, defaults."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from azure_responses.errors import ConfigurationError

__all__ = [
    "CREDENTIAL_NAME",
    "DEFAULTS",
    "PARAMS_KEYS",
    "read_credentials",
    "read_defaults",
    "with_defaults",
]

CREDENTIAL_NAME = "litellm_credential_name"
DEFAULTS = "default_litellm_params"
PARAMS_KEYS = ("params", "litellm_params", "dheera_ai_params")
"""The names of an entry's parameters: ours, LiteLLM's, and that of the configuration files of
Dheera AI, a fork of LiteLLM, which also writes `dheera_ai_settings` for `litellm_settings`."""

_NONE: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
_SHAPE = "Write credential_list: [{credential_name: …, credential_values: {api_key: …}}]."


def read_credentials(value: Any) -> dict[str, Mapping[str, Any]]:
    """LiteLLM's `credential_list`: parameters of entries by the name of the credential.

    Raises:
        ConfigurationError: not a list of named values, or one name twice.
    """
    if not isinstance(value or [], list):
        raise ConfigurationError("credential_list is not a list.", hint=_SHAPE)
    found: dict[str, Mapping[str, Any]] = {}
    for place, one in enumerate(value or []):
        name = one.get("credential_name") if isinstance(one, Mapping) else None
        values = one.get("credential_values") if isinstance(one, Mapping) else None
        if not isinstance(name, str) or not isinstance(values, Mapping):
            raise ConfigurationError(f"credential_list[{place}] has no values.", hint=_SHAPE)
        if name in found:
            raise ConfigurationError(
                f"credential_list has {name!r} twice.", hint="Give each its own credential_name."
            )
        found[name] = values
    return found


def read_defaults(value: Any) -> Mapping[str, Any]:
    """LiteLLM's `default_litellm_params`: parameters that entries have unless they set them.

    Raises:
        ConfigurationError: not a mapping.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{DEFAULTS} is {value!r}.", hint=f"Write {DEFAULTS}: {{timeout: 60}}."
        )
    return value


def with_defaults(
    entry: Any,
    defaults: Mapping[str, Any],
    credentials: Mapping[str, Mapping[str, Any]] = _NONE,
) -> Any:
    """An entry with the parameters of the credential that it names, and then the defaults.

    What is no entry comes back as it is: `read_model_list` refuses it.

    Raises:
        ConfigurationError: the entry names a credential that does not exist.
    """
    is_entry = isinstance(entry, Mapping)
    name = next((key for key in PARAMS_KEYS if is_entry and entry.get(key)), None)
    if name is None or not isinstance(entry[name], Mapping):
        return entry
    own = {key: value for key, value in entry[name].items() if value is not None}
    values = _values_of(own.pop(CREDENTIAL_NAME, None), credentials)
    return {**entry, name: {**defaults, **values, **own}}


def _values_of(name: Any, credentials: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    if name is None:
        return {}
    if not isinstance(name, str) or name not in credentials:
        known = ", ".join(sorted(credentials)) or "none"
        raise ConfigurationError(
            f"{CREDENTIAL_NAME} is {name!r}, and credential_list has {known}.",
            hint="Add it to the credential_list of the gateway's file, or write its values here.",
        )
    return credentials[name]
