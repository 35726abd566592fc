"""A model list, as LiteLLM's users write it, → deployments."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.dropped_parameters import (
    DROP_PARAMETERS,
    DroppedParameters,
    read_dropped,
)
from azure_responses.protocol.environment import Provider, choose
from azure_responses.protocol.families import facts_of
from azure_responses.protocol.image_deployment import read_image_deployment
from azure_responses.protocol.model_name import read_model_name
from azure_responses.protocol.pasted_url import PastedURL, read_pasted_url
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.entry_access import ACCESS_KEYS, read_access_groups, read_tags
from azure_responses.routing.entry_defaults import CREDENTIAL_NAME, PARAMS_KEYS
from azure_responses.routing.entry_model import (
    CHAT_API,
    DROP_TOOLS,
    MERGING,
    Entry,
    read_api,
    read_batch,
    read_dropped_tools,
    read_executes,
    read_facts,
    read_merging,
    read_model,
    read_websocket,
)
from azure_responses.routing.entry_parameters import PARAMETER_KEYS, read_parameters
from azure_responses.routing.entry_prices import PRICE_KEYS, is_price_key, read_prices
from azure_responses.routing.litellm_keys import keys_with, look_at, suggest

__all__ = [
    "PARAMS_READ",
    "read_model_list",
    "resource_tag",
    "tag_of",
    "with_endpoint",
]

_FROM_ENVIRONMENT = "os.environ/"
_OIDC = "oidc/"
_PRINCIPAL = ("tenant_id", "client_id", "client_secret")

# Names in an entry → arguments of the client.
_CONNECTION = {
    "allow_insecure": "allow_insecure",
    "api_key": "api_key",
    "api_version": "api_version",
    "azure_ad_token": "azure_ad_token",
    "azure_ad_token_provider": "azure_ad_token_provider",
    "azure_scope": "scope",
    "credential": "credential",
    "default_headers": "default_headers",
    "default_query": "default_query",
    "drop_params": "drop_params",
    "extra_headers": "default_headers",
    "extra_query": "default_query",
    "image_deployment": "image_deployment",
    "limits": "limits",
    "models_path": "models_path",
    "preview_path": "preview_path",
    "proxy": "proxy",
    "scope": "scope",
    "strict_api_version": "strict_api_version",
    "verify": "verify",
}
_ENDPOINTS = ("api_base", "endpoint", "azure_endpoint", "base_url")
_NUMBERS = ("weight", "timeout", "stream_timeout", "cooldown_time")
_WHOLE = ("order", "rpm", "tpm", "max_retries", "max_input_tokens")
_RETRIES = "num_retries"
PARAMS_READ = {
    "model",
    "api",
    "base_model",
    "batch",
    "custom_llm_provider",
    "execute",
    "sku",
    "facts",
    "websocket",
    DROP_TOOLS,
    MERGING,
    *PARAMETER_KEYS,
    *PRICE_KEYS,
    *_CONNECTION,
    *_ENDPOINTS,
    *_NUMBERS,
    *_WHOLE,
    *_PRINCIPAL,
    _RETRIES,
    CHAT_API,
    CREDENTIAL_NAME,
    DROP_PARAMETERS,
    *ACCESS_KEYS,
}
"""The keys of an entry's parameters that have an effect."""
_ENTRY_KEYS = frozenset({"model_name", "model_info", *PARAMS_KEYS})
# What model_info supplies where the params do not state it.
_INFORMED = ("base_model", "max_input_tokens", "rpm", "tpm")

_Warn = Callable[[str], None]


def read_model_list(
    entries: Iterable[Mapping[str, Any]],
    environ: Mapping[str, str],
    warn: _Warn | None = None,
) -> tuple[Deployment, ...]:
    """Read the entries; `warn` gets one sentence for each key that has no effect.

    `connection` of each deployment holds arguments of AzureResponses under their own names
    (`endpoint`, `api_key`, `api_version`, `azure_ad_token`, `default_headers`, …). A service
    principal stands there as `service_principal={"tenant_id", "client_id", "client_secret"}`,
    for the shell to make a credential of.

    An entry without `model_info.id` gets an id made of its name, model and resource: the same on
    every replica, free of secrets, and kept when its weight or limits change. Where no entry of a
    group has a weight and all have an rpm (or all a tpm), that is their weight, as in LiteLLM.

    Raises:
        ConfigurationError: an entry that cannot be used; the message names its place.
    """
    repeats: Counter[str] = Counter()
    deployments: list[Deployment] = []
    unweighted: set[str] = set()
    for number, given in enumerate(_entries(entries), 1):
        entry = _read_entry(given, number, environ, warn or _ignore)
        prices = read_prices(entry, warn or _ignore)
        deployments.append(replace(_deployment(entry, environ, repeats), prices=prices))
        if entry.params.get("weight") is None:
            unweighted.add(deployments[-1].id)
    _refuse_repeated_ids(deployments)
    return tuple(_weighed_by_limits(deployments, unweighted))


def resource_tag(endpoint: str) -> str:
    """The tag of the resource behind any form of its endpoint (8 hexadecimal digits).

    v1, dated and pasted URLs of one resource have the same tag.

    Raises:
        ConfigurationError: not a usable URL.
    """
    return tag_of(_root(read_pasted_url(endpoint)))


def tag_of(text: str) -> str:
    """A short opaque hash: 8 hexadecimal digits."""
    return sha256(text.encode()).hexdigest()[:8]


def _ignore(_: str) -> None:
    """For callers that want no warnings."""


def _root(url: PastedURL) -> str:
    default_port = ":443" if url.origin.startswith("https:") else ":80"
    return url.origin.removesuffix(default_port) + url.prefix


def _entries(entries: Any) -> list[Mapping[str, Any]]:
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        raise ConfigurationError("model_list is not a list of mappings.", hint=_SHAPE)
    listed = list(entries)
    if not listed:
        raise ConfigurationError("model_list is empty.", hint=_SHAPE)
    return listed


_SHAPE = (
    "Write model_list=[{'model_name': 'gpt', 'params': {'model': 'azure/my-deployment', "
    "'api_base': …, 'api_key': …}}]."
)


def _read_entry(entry: Any, number: int, environ: Mapping[str, str], warn: _Warn) -> Entry:
    place = f"model_list entry {number}"
    if not isinstance(entry, Mapping):
        raise ConfigurationError(f"{place} is not a mapping.", hint=_SHAPE)
    name = entry.get("model_name")
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"{place} has no model_name.", hint=_SHAPE)
    place = f"{place} ({name!r})"
    given = [key for key in PARAMS_KEYS if entry.get(key) is not None]
    if len(given) != 1 or not isinstance(entry[given[0]], Mapping):
        raise ConfigurationError(f"{place} needs one mapping of params.", hint=_SHAPE)
    params = _with_environment(entry[given[0]], environ, place)
    info = entry.get("model_info") or {}
    if not isinstance(info, Mapping):
        raise ConfigurationError(f"{place}: model_info is not a mapping.", hint=_SHAPE)
    _look_at_keys(entry, place, params, info, warn)
    return Entry(place, name, params, _with_environment(info, environ, place))


def _look_at_keys(
    entry: Mapping[str, Any],
    place: str,
    params: Mapping[str, Any],
    info: Mapping[str, Any],
    warn: _Warn,
) -> None:
    """Say what has no effect; refuse what cannot be ignored."""
    for key in sorted(entry.keys() - _ENTRY_KEYS, key=str):
        if key in PARAMS_READ:
            warn(f"{place}: {key!r} has no effect beside the params. Move it into them.")
        else:
            _say_of("model_list", key, entry[key], place, warn)
    unread = (key for key in params.keys() - PARAMS_READ if not is_price_key(key))
    for key in sorted(unread, key=str):
        _say_of("litellm_params", key, params[key], place, warn)
    # Any further key of model_info is a note of its author.
    for key in sorted(keys_with("model_info", "no counterpart", "refused") & info.keys()):
        _say_of("model_info", key, info[key], f"{place}, model_info", warn)


def _say_of(section: str, key: Any, value: Any, place: str, warn: _Warn) -> None:
    finding = look_at(section, key, value)
    if finding is None:
        near = suggest(
            "litellm_params" if section == "model_list" else section, key, also=PARAMS_READ
        )
        suggestion = f" Did you mean {near!r}?" if near else ""
        warn(f"{place}: {key!r} is not known here and has no effect.{suggestion}")
    elif finding.is_error:
        raise ConfigurationError(
            f"{place}: {key!r} is refused, since it cannot be ignored.", hint=finding.hint
        )
    else:
        warn(f"{place}: {key!r} has no effect here. {finding.hint}")


def _with_environment(values: Any, environ: Mapping[str, str], place: str) -> Any:
    """The same, with every "os.environ/NAME" replaced."""
    if isinstance(values, Mapping):
        return {key: _with_environment(item, environ, place) for key, item in values.items()}
    if not isinstance(values, str) or not values.startswith(_FROM_ENVIRONMENT):
        return values
    variable = values.removeprefix(_FROM_ENVIRONMENT)
    # An empty variable counts as unset: an empty key would be refused with each call.
    if not environ.get(variable):
        raise ConfigurationError(
            f"{place} takes a value from the environment variable {variable}, which is not set.",
            hint=f"Set {variable}, or write the value itself.",
        )
    return environ[variable]


def _deployment(entry: Entry, environ: Mapping[str, str], repeats: Counter[str]) -> Deployment:
    named = read_model(entry)
    provider = named.provider or "azure"
    argument, endpoint = _read_endpoint(entry, environ, provider)
    url = read_pasted_url(endpoint)
    own_id = entry.info.get("id")
    model = named.deployment
    identity = _default_id(entry, model, _root(url), repeats) if own_id is None else str(own_id)
    figures = _figures(entry)
    facts = read_facts(entry, named, figures["base_model"])
    api = read_api(entry, named, facts_of(figures["base_model"], model, overrides=facts), url)
    is_batch = read_batch(entry)
    if is_batch:
        # It would refuse each single call.
        figures["weight"] = 0.0
    return Deployment(
        id=identity,
        group=entry.name,
        model=model,
        agent=named.agent,
        api=api,
        is_websocket=read_websocket(entry, api),
        is_batch=is_batch,
        executes=read_executes(entry),
        facts=facts,
        tag=tag_of(identity),
        resource=tag_of(_root(url)),
        host=url.host,
        info=entry.info,
        dropped_params=_dropped(entry),
        access_groups=read_access_groups(entry),
        tags=read_tags(entry),
        parameters=read_parameters(entry),
        dropped_tools=read_dropped_tools(entry),
        merges_reasoning=read_merging(entry),
        connection={
            argument: endpoint,
            **({} if provider == "azure" else {"provider": provider}),
            **_connection(entry),
        },
        **figures,
    )


def with_endpoint(
    entry: Any, environ: Mapping[str, str], own: Mapping[str, str] | None = None
) -> Any:
    """An entry that names no endpoint with that of the environment, where there is one.

    `own` are variables that the process does not have, such as those that a file sets: where they
    hold the key of an entry without a credential, it gets the key.
    """
    name = next((key for key in PARAMS_KEYS if isinstance(entry, Mapping) and entry.get(key)), None)
    params = None if name is None else entry[name]
    if not isinstance(params, Mapping):
        return entry
    try:
        provider = read_model_name(str(params.get("model"))).provider or "azure"
    except ConfigurationError:
        # `read_model_list` refuses it, with its place.
        return entry
    added: dict[str, str | None] = {}
    if not any(params.get(key) for key in _ENDPOINTS):
        added["api_base"] = choose("endpoint", environ, provider).value
    if own and not any(params.get(key) for key in _CREDENTIALS):
        added["api_key"] = choose("api_key", own, provider).value
    found = {key: value for key, value in added.items() if value is not None}
    return {**entry, name: {**params, **found}} if found else entry


_CREDENTIALS = ("api_key", "azure_ad_token", "azure_ad_token_provider", "credential", *_PRINCIPAL)


def _default_id(entry: Entry, model: str, root: str, repeats: Counter[str]) -> str:
    # Equal entries are allowed, as in LiteLLM; their place among their equals tells them apart.
    identity = json.dumps([entry.name, model, root])
    repeats[identity] += 1
    return sha256(f"{identity}{repeats[identity]}".encode()).hexdigest()[:16]


def _read_endpoint(entry: Entry, environ: Mapping[str, str], provider: Provider) -> tuple[str, str]:
    """The argument of the client that takes the endpoint, and the endpoint."""
    given = [(key, entry.params[key]) for key in _ENDPOINTS if entry.params.get(key)]
    if not given and (found := choose("endpoint", environ, provider).value):
        given = [("", found)]
    if not given:
        entry.refuse(
            "no api_base, and the environment names no endpoint.",
            "Write api_base: https://my-resource.openai.azure.com.",
        )
    key, endpoint = given[0]
    try:
        read_pasted_url(str(endpoint))
    except ConfigurationError as error:
        entry.refuse(error.message, error.hint or "Correct api_base.")
    # A base_url is used to the letter where an endpoint is completed.
    return ("base_url" if key == "base_url" else "endpoint"), str(endpoint)


def _connection(entry: Entry) -> dict[str, Any]:
    connection = {
        argument: entry.params[key]
        for key, argument in _CONNECTION.items()
        if entry.params.get(key) is not None
    }
    if "api_version" in connection:
        # YAML takes 2024-10-21 for a date.
        connection["api_version"] = str(connection["api_version"])
    try:
        read_image_deployment(connection.get("image_deployment"))
    except ConfigurationError as error:
        entry.refuse(error.message, error.hint or "Correct image_deployment.")
    for argument in ("default_headers", "default_query"):
        if not isinstance(connection.get(argument, {}), Mapping):
            entry.refuse(f"{argument} is not a mapping.", f"Write {argument}: {{name: value}}.")
    principal = _principal(entry, connection.pop("azure_ad_token", None), connection)
    return connection if principal is None else {**connection, "service_principal": principal}


def _principal(entry: Entry, token: Any, connection: dict[str, Any]) -> dict[str, Any] | None:
    """The service principal of an entry, of which the shell makes a credential."""
    given = {key: entry.params[key] for key in _PRINCIPAL if entry.params.get(key)}
    if str(token).startswith(_OIDC):
        # It names where a token comes from that Entra ID takes, and is no token (litellm#41251).
        given.pop("client_secret", None)
        return None if "api_key" in connection else {**given, "assertion": token}
    if token is not None:
        connection["azure_ad_token"] = token
    if not given:
        return None
    # LiteLLM uses a service principal only where there is no key, and so do we.
    if len(given) < len(_PRINCIPAL):
        missing = ", ".join(key for key in _PRINCIPAL if key not in given)
        entry.refuse(f"a service principal without {missing}.", f"Add {missing}.")
    return None if {"api_key", "azure_ad_token"} & connection.keys() else given


def _dropped(entry: Entry) -> DroppedParameters | None:
    try:
        return read_dropped(entry.params.get(DROP_PARAMETERS))
    except ConfigurationError as error:
        entry.refuse(error.message, error.hint or "")


def _figures(entry: Entry) -> dict[str, Any]:
    known = {key: entry.info.get(key) for key in _INFORMED}
    known.update({key: value for key, value in entry.params.items() if value is not None})
    # LiteLLM's other name of it.
    known.setdefault("max_retries", known.get(_RETRIES))
    figures = {
        key: _number(entry, key, known[key]) for key in _NUMBERS if known.get(key) is not None
    }
    for key in _WHOLE:
        if known.get(key) is not None:
            number = _number(entry, key, known[key])
            if not number.is_integer():
                entry.refuse(f"{key} is {known[key]!r}.", "Write a whole number.")
            figures[key] = int(number)
    for key in ("rpm", "tpm", "timeout", "stream_timeout"):
        if figures.get(key) == 0:
            entry.refuse(f"{key} is 0.", "Leave it out for no limit; weight: 0 takes no calls.")
    base_model = known.get("base_model")
    return {**figures, "base_model": None if base_model is None else str(base_model)}


def _number(entry: Entry, key: str, value: Any) -> float:
    try:
        # To Python True is 1, and "8" from an environment variable is text.
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        entry.refuse(f"{key} is {value!r}.", "Write a number from 0.")
    return number


def _refuse_repeated_ids(deployments: Iterable[Deployment]) -> None:
    counts = Counter(deployment.id for deployment in deployments)
    for identity, count in counts.items():
        if count > 1:
            raise ConfigurationError(
                f"{count} entries of model_list have the id {identity!r}.",
                hint="Give each entry its own model_info.id, or none.",
            )


def _weighed_by_limits(
    deployments: Iterable[Deployment], unweighted: set[str]
) -> Iterable[Deployment]:
    groups: dict[str, list[Deployment]] = {}
    for deployment in deployments:
        groups.setdefault(deployment.group, []).append(deployment)
    weights = {name: _limit_weights(members, unweighted) for name, members in groups.items()}
    return (replace(d, weight=weights[d.group].get(d.id, d.weight)) for d in deployments)


def _limit_weights(members: list[Deployment], unweighted: set[str]) -> dict[str, float]:
    members = [member for member in members if not member.is_batch]
    if not all(member.id in unweighted for member in members):
        return {}
    for key in ("rpm", "tpm"):
        limits = {member.id: getattr(member, key) for member in members}
        if None not in limits.values():
            return {identity: float(limit) for identity, limit in limits.items()}
    return {}
