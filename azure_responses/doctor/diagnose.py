"""Finds out what is wrong, step by step: which steps are taken, with what, and what they show."""

import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from inspect import signature
from typing import Any, Unpack
from urllib.parse import urlsplit

import httpx

from azure_responses._sync.credentials import Credentials
from azure_responses.call_options import ClientArguments, Configuration, make_converter
from azure_responses.doctor.classify import (
    ProbeContext,
    ProbeResult,
    classify,
    classify_without_deployment,
)
from azure_responses.doctor.findings import (
    NETWORK_STEPS,
    Diagnosis,
    Finding,
    arrange,
    redact_findings,
    skip,
)
from azure_responses.doctor.probes import ServiceProbe, find_network_path, probe_network
from azure_responses.doctor.token_claims import CredentialNotes, examine_key, examine_token
from azure_responses.errors import ConfigurationError
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.call import RecentResponses
from azure_responses.protocol.call_converter import CallConverter
from azure_responses.protocol.deployment_apis import describe_api
from azure_responses.protocol.endpoint import Endpoint, Surface
from azure_responses.protocol.environment import EVERY_VARIABLE
from azure_responses.protocol.http_message import CREDENTIAL_HEADERS
from azure_responses.protocol.settings import Settings, resolve_settings
from azure_responses.transport import NetworkOptions, patience_of, refuse_wrong_client
from azure_responses.version import __version__

__all__ = [
    "ConfigurationResult",
    "check_endpoint",
    "describe_version",
    "diagnose",
    "read_configuration",
    "sent_version",
]

_NETWORK = ("proxy", "verify", "cert", "limits")
_DEFAULTS = ("max_retries", "timeout", "default_headers", "default_query")
_OF_SETTINGS = frozenset(signature(resolve_settings).parameters)
_OF_CONVERSION = ("api", "facts", "base_model", "drop_params", "hosted_history", "sealing_secret")
# Seconds of a call where the caller sets no timeout: a diagnosis is watched by a person.
_TIMEOUT = 30.0
# Seconds of each network step, which takes milliseconds where it works.
_NETWORK_TIMEOUT = 10.0
# Seconds; a person may have to sign in, and a chain of credentials is tried one after the other.
_TOKEN_TIMEOUT = 120.0


@shows_parameters(ClientArguments)
def diagnose(
    endpoint: str | None = None,
    *,
    http_client: httpx.Client | None = None,
    parameters: Mapping[str, Any] | None = None,
    **arguments: Unpack[ClientArguments],
) -> Diagnosis:
    """Find out step by step what keeps calls from being answered.

    Nothing is retried and nothing is stored. Takes the arguments of the client, so a mistake in
    them shows here. Ends with one streamed call for 16 output tokens, which is billed. What is
    wrong is in the result, never an exception.

    Args:
        endpoint: the resource, in any form; from the environment where None.
        http_client: an httpx.Client to call with; DNS, TCP and TLS are then not examined.
        parameters: of a call that fails (`input`, `tools`, …); the others are the diagnosis' own.
        **arguments: see `ClientArguments`; `timeout` is 30 seconds where not given.

    Raises:
        TypeError: an argument that the client does not have, or a parameter that the API lacks.
        ConfigurationError: the `http_client` is not an httpx.Client.
    """
    unknown = [name for name in arguments if name not in ClientArguments.__annotations__]
    if unknown:
        raise TypeError(f"unexpected argument {unknown[0]!r}")
    if http_client is not None:
        refuse_wrong_client(http_client, httpx.Client)
    given: dict[str, Any] = {"timeout": _TIMEOUT, **arguments, "max_retries": 0}
    return _DiagnosticRun(endpoint, given, http_client, dict(parameters or {})).diagnose()


@dataclass(frozen=True)
class _Setup:
    """How the probing calls are made: where to, as whom, and with which defaults of the client."""

    settings: Settings
    credentials: Credentials
    notes: CredentialNotes
    defaults: Mapping[str, Any]
    converter: CallConverter

    def url(self) -> str:
        return self.settings.endpoint.url("responses", query=self.defaults.get("default_query"))

    def context(self, deployment: str | None) -> ProbeContext:
        """What was called; known after the call, which may learn more."""
        endpoint = self.settings.endpoint
        version = sent_version(endpoint, self.defaults.get("default_query"))
        speaks = "" if deployment is None else self._speaks(deployment)
        notes = self._notes_of_scope()
        return ProbeContext(describe_version(endpoint, version), deployment, notes, speaks)

    def _speaks(self, deployment: str) -> str:
        spoken = self.converter.apis.of(deployment)
        facts = self.converter.conversions.facts(deployment)
        return "" if spoken.name == "responses" else describe_api(spoken, facts)

    def _notes_of_scope(self) -> CredentialNotes:
        scope = self.credentials.scope
        if scope == self.settings.scope:
            return self.notes
        advice = (
            f"This resource refused a token for {self.settings.scope} and was then sent one for "
            f"{scope}: pass scope={scope!r}, which saves the first refusal."
        )
        return replace(self.notes, description=f"a token for {scope}", advice=advice)

    def on_plain_v1(self) -> "_Setup":
        """The same resource by the path that needs no version."""
        endpoint = self.settings.endpoint
        path = re.sub(r"/openai(/v1)?(/preview)?$", "", endpoint.path) + "/openai/v1"
        moved = replace(endpoint, path=path, query=_without_version(endpoint.query))
        if moved.surface != "project":
            moved = replace(moved, surface="v1")
        query = _without_version(self.defaults.get("default_query") or {})
        defaults = {**self.defaults, "default_query": query}
        settings = replace(self.settings, endpoint=moved)
        converter = replace(self.converter, endpoint=moved)
        return replace(self, settings=settings, defaults=defaults, converter=converter)


class _DiagnosticRun:
    def __init__(
        self,
        endpoint: str | None,
        arguments: dict[str, Any],
        http_client: httpx.Client | None,
        parameters: dict[str, Any],
    ) -> None:
        self._endpoint = endpoint
        self._http_client = http_client
        self._parameters = parameters
        self._network = NetworkOptions(**_pick(arguments, _NETWORK))
        self._defaults = _pick(arguments, _DEFAULTS)
        self._arguments = {n: v for n, v in arguments.items() if n in _OF_SETTINGS}
        self._conversion = {n: v for n, v in arguments.items() if n in _OF_CONVERSION}
        # Whatever the service or a proxy echoes of these is taken out of every finding.
        self._secrets: list[str] = []
        self._deployment: str | None = None
        self._request_id: str | None = None

    def diagnose(self) -> Diagnosis:
        findings = arrange(self._run())
        return Diagnosis(
            redact_findings(findings, self._secrets),
            self._deployment,
            self._request_id,
            datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"),
            {
                "azure-responses": __version__,
                "python": platform.python_version(),
                "httpx": httpx.__version__,
            },
        )

    def _run(self) -> Iterator[Finding]:
        read = read_configuration(os.environ, self._endpoint, self._arguments)
        if read.settings is not None:
            self._note(read.settings)
            yield check_endpoint(read.settings.endpoint, self._url(read.settings))
        if read.step is not None and read.error is not None:
            yield Finding(read.step, False, read.error.message, read.error.hint)
        if read.settings is None:
            return
        # The network is examined even where the credential or the version is invalid: a user
        # sees all that is wrong at once.
        network = list(self._examine_network(read.settings))
        yield from network
        if read.step is None:
            is_reachable = all(finding.ok is not False for finding in network)
            yield from self._examine_caller(read.settings, is_reachable)

    def _url(self, settings: Settings) -> str:
        """What the deployment is called by, as far as is known before the call."""
        deployment = self._parameters.get("model") or settings.deployment
        converter = make_converter(settings, self._conversion)
        return converter.url_of(deployment) if deployment else settings.endpoint.url("responses")

    def _note(self, settings: Settings) -> None:
        self._deployment = self._parameters.get("model") or settings.deployment
        self._secrets += _without_version(settings.endpoint.query).values()
        self._secrets += _given_credentials(self._defaults.get("default_headers"))

    def _examine_network(self, settings: Settings) -> Iterator[Finding]:
        if self._http_client is not None:
            for name in NETWORK_STEPS:
                yield skip(name, "the given http_client reaches the service in its own way")
            return
        path = find_network_path(settings.endpoint.origin, self._network)
        self._secrets += path.secrets
        timeout = min(_NETWORK_TIMEOUT, patience_of(self._defaults["timeout"]) or _NETWORK_TIMEOUT)
        yield from probe_network(path, self._network, timeout)

    def _examine_caller(self, settings: Settings, is_reachable: bool) -> Iterator[Finding]:
        try:
            setup = self._prepare(settings)
        except ConfigurationError as error:
            yield Finding("credential", False, error.message, error.hint)
            return
        notes = setup.notes
        if is_reachable:
            yield from self._examine_service(setup)
        elif notes.fault:
            detail = f"{notes.fault} [{notes.description}]"
            yield Finding("credential", False, detail, notes.fix)
        else:
            yield skip("credential", f"the service was not asked; {notes.description}")

    def _prepare(self, settings: Settings) -> _Setup:
        """How to call; may fetch a token. Raises ConfigurationError where there is none."""
        credentials = Credentials(settings)
        converter = make_converter(settings, self._conversion)
        if _given_credentials(self._defaults.get("default_headers")):
            notes = CredentialNotes("a header among default_headers")
            return _Setup(settings, credentials, notes, self._defaults, converter)
        _, value = credentials.header(_TOKEN_TIMEOUT)
        secret = value.removeprefix("Bearer ")
        self._secrets.append(secret)
        if settings.secret.kind == "api_key":
            is_project = settings.endpoint.surface == "project"
            notes = examine_key(secret, is_project=is_project)
        else:
            notes = examine_token(secret, settings.scope, time.time())
        return _Setup(settings, credentials, notes, self._defaults, converter)

    def _examine_service(self, setup: _Setup) -> Iterator[Finding]:
        if not self._deployment:
            listed = self._service(setup).list_models()
            yield from classify_without_deployment(listed, setup.context(None))
            return
        result = self._ask(setup)
        self._request_id = getattr(result.response or result.error, "request_id", None)
        findings = classify(result, setup.context(self._deployment))
        if any(finding.name == "api-version" and finding.ok is False for finding in findings):
            findings = self._try_v1(setup, findings)
        yield from findings

    def _try_v1(self, setup: _Setup, findings: list[Finding]) -> list[Finding]:
        """After a refused path or version: what the plain v1 path shows of everything else."""
        plain = setup.on_plain_v1()
        if plain.url() == setup.url():
            return findings
        result = self._ask(plain)
        retried = classify(result, plain.context(self._deployment))
        if not any(finding.name == "api-version" and finding.ok for finding in retried):
            return findings
        refused = next(finding for finding in findings if finding.name == "api-version")
        fix = f"{refused.fix or ''} The plain v1 path works here.".strip()
        rest = [finding for finding in retried if finding.name != "api-version"]
        return [replace(refused, fix=fix), *map(_asked_by_v1, rest)]

    def _ask(self, setup: _Setup) -> ProbeResult:
        return self._service(setup).ask({**self._parameters, "model": self._deployment})

    def _service(self, setup: _Setup) -> ServiceProbe:
        # No id is remembered: each probe stands alone.
        recent = RecentResponses()
        configuration = Configuration(
            setup.settings, self._network, recent, setup.defaults, converter=setup.converter
        )
        return ServiceProbe(configuration, setup.credentials, self._http_client)


def _pick(arguments: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: arguments[name] for name in names if name in arguments}


def _given_credentials(headers: Mapping[str, str | None] | None) -> list[str]:
    """The keys and tokens among headers."""
    return [
        value.rpartition(" ")[2]
        for name, value in (headers or {}).items()
        if value and name.lower() in CREDENTIAL_HEADERS
    ]


def _without_version(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if name.lower() != "api-version"}


def _asked_by_v1(finding: Finding) -> Finding:
    if finding.ok is None:
        return finding
    return replace(finding, detail=f"{finding.detail} (asked by the v1 path)")


# What a configuration error can be about, besides the endpoint.
_CREDENTIAL = ("api_key", "azure_ad_token", "azure_ad_token_provider", "credential")
_VERSION = ("api_version", "strict_api_version", "preview_path", "models_path")


@dataclass(frozen=True)
class ConfigurationResult:
    """Settings as far as they can be read.

    Attributes:
        settings: None where not even the endpoint is known; without the part that is at fault
            where another one is.
        step: the step that is at fault, or None.
        error: what is wrong with it, or None.
    """

    settings: Settings | None
    step: str | None = None
    error: ConfigurationError | None = None


def read_configuration(
    environ: Mapping[str, str], endpoint: str | None, arguments: Mapping[str, Any]
) -> ConfigurationResult:
    """Read the settings; where that fails, leave parts out to find the one at fault."""
    try:
        return ConfigurationResult(resolve_settings(environ, endpoint=endpoint, **arguments))
    except ConfigurationError as error:
        fault = error
    for step, names in (("credential", _CREDENTIAL), ("api-version", _VERSION)):
        settings = _resolve_without(names, environ, endpoint, arguments)
        if settings is not None:
            return ConfigurationResult(settings, step, fault)
    return ConfigurationResult(None, "endpoint", fault)


def _resolve_without(
    names: tuple[str, ...],
    environ: Mapping[str, str],
    endpoint: str | None,
    arguments: Mapping[str, Any],
) -> Settings | None:
    variables = {variable for name in names for variable in EVERY_VARIABLE.get(name, ())}
    kept = {name: value for name, value in environ.items() if name not in variables}
    given = {name: value for name, value in arguments.items() if name not in names}
    try:
        return resolve_settings(kept, endpoint=endpoint, **given)
    except ConfigurationError:
        return None


def check_endpoint(endpoint: Endpoint, url: str) -> Finding:
    """What the given URL becomes: the one that is called."""
    parts = urlsplit(url)
    hidden = [name for name in endpoint.query if name.lower() != "api-version"]
    version = f"?api-version={endpoint.api_version}" if "api-version=" in parts.query else ""
    extra = f" (and {', '.join(hidden)} in the query)" if hidden else ""
    shown = f"POST {parts.scheme}://{parts.netloc}{parts.path}{version}{extra}"
    return Finding("endpoint", True, shown, fix=" ".join(endpoint.warnings) or None)


def sent_version(endpoint: Endpoint, default_query: Mapping[str, Any] | None) -> str | None:
    """The `api-version` that calls carry, or None where they carry none."""
    given = (default_query or {}).get("api-version")
    return str(given) if given is not None else endpoint.api_version


def describe_version(endpoint: Endpoint, version: str | None) -> str:
    """What is sent on which surface, for people."""
    operation = "/chat/completions" if endpoint.api == "chat" else "/responses"
    path = f"{endpoint.path}{operation}"
    return f"{version or 'no api-version'} on {_SURFACES[endpoint.surface]} ({path})"


_SURFACES: Mapping[Surface, str] = {
    "v1": "the v1 path",
    "dated": "the dated path",
    "project": "a Foundry project",
    "models": "the older inference path",
    "serverless": "a serverless endpoint",
}
