"""Finds out what is wrong, step by step: which steps are taken, with what, and what they show."""

import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Unpack
from urllib.parse import urlsplit

import httpx

from azure_responses._sync.credentials import Credentials
from azure_responses.call_options import ClientArguments, Configuration
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
from azure_responses.protocol.endpoint import Endpoint
from azure_responses.protocol.http_message import CREDENTIAL_HEADERS
from azure_responses.protocol.recent_responses import RecentResponses
from azure_responses.protocol.settings import ENVIRONMENT, Settings, resolve_settings
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
_TIMEOUT = 30.0
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
    """Examine the way to an answer step by step; nothing is retried and nothing is stored.

    Takes what the client takes, so what is wrong with a client's arguments shows here. Ends with
    one streamed call for 16 output tokens, which is billed. Never raises for what it finds.

    Args:
        endpoint: the resource, in any form; from the environment where None.
        http_client: an httpx.Client to call with; DNS, TCP and TLS are then its own matter.
        parameters: laid over those of the call, to examine one that fails: `input`, `tools`, ….
        **arguments: see `ClientArguments`; `timeout` is 30 seconds where not given.

    Raises:
        TypeError: an argument the client, or a parameter the API does not have.
        ConfigurationError: an `http_client` that is no httpx.Client.
    """
    unknown = [name for name in arguments if name not in ClientArguments.__annotations__]
    if unknown:
        raise TypeError(f"unexpected argument {unknown[0]!r}")
    if http_client is not None:
        refuse_wrong_client(http_client, httpx.Client)
    given: dict[str, Any] = {"timeout": _TIMEOUT, **arguments, "max_retries": 0}
    return _DiagnosticRun(endpoint, given, http_client, dict(parameters or {})).diagnose()


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
        self._connection = NetworkOptions(**_pick(arguments, _NETWORK))
        self._defaults = _pick(arguments, _DEFAULTS)
        self._arguments = {
            name: value for name, value in arguments.items() if name not in (*_NETWORK, *_DEFAULTS)
        }
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
        reading = read_configuration(os.environ, self._endpoint, self._arguments)
        if reading.settings is not None:
            self._note(reading.settings)
            yield check_endpoint(reading.settings.endpoint)
        if reading.step is not None and reading.error is not None:
            yield Finding(reading.step, False, reading.error.message, reading.error.hint)
        if reading.settings is None:
            return
        network = list(self._examine_network(reading.settings))
        yield from network
        is_reachable = all(finding.ok is not False for finding in network)
        if reading.step is None:
            yield from self._examine_caller(reading.settings, is_reachable)

    def _note(self, settings: Settings) -> None:
        self._deployment = self._parameters.get("model") or settings.deployment
        query = settings.endpoint.query
        self._secrets += [value for name, value in query.items() if name != "api-version"]
        self._secrets += _given_credentials(self._defaults.get("default_headers"))

    def _examine_network(self, settings: Settings) -> Iterator[Finding]:
        if self._http_client is not None:
            for name in NETWORK_STEPS:
                yield skip(name, "the given http_client reaches the service in its own way")
            return
        path = find_network_path(settings.endpoint.origin, self._connection)
        self._secrets += path.secrets
        patience = patience_of(self._defaults["timeout"])
        timeout = min(10.0, patience) if patience else 10.0
        yield from probe_network(path, self._connection, timeout)

    def _examine_caller(self, settings: Settings, is_reachable: bool) -> Iterator[Finding]:
        try:
            caller = self._identify(settings)
        except ConfigurationError as error:
            yield Finding("credential", False, error.message, error.hint)
            return
        if is_reachable:
            yield from self._examine_service(settings, caller)
        elif caller.notes.fault:
            yield _faulty(caller.notes)
        else:
            yield skip("credential", f"the service was not asked; {caller.notes.description}")

    def _identify(self, settings: Settings) -> "_Identity":
        """Who is calling; may fetch a token. Raises ConfigurationError where there is none."""
        credentials = Credentials(settings)
        given = _given_credentials(self._defaults.get("default_headers"))
        if given:
            return _Identity(credentials, CredentialNotes("a header among default_headers"))
        name, value = credentials.header(_TOKEN_TIMEOUT)
        secret = value.removeprefix("Bearer ")
        self._secrets.append(secret)
        if name == "api-key":
            return _Identity(credentials, examine_key(secret, settings.scope))
        return _Identity(credentials, examine_token(secret, settings.scope, time.time()))

    def _examine_service(self, settings: Settings, caller: "_Identity") -> Iterator[Finding]:
        service = self._open_service(settings, caller, self._defaults)
        asked = self._describe(settings, caller, self._defaults)
        if not self._deployment:
            yield from classify_without_deployment(service.list_models(), asked)
            return
        answer = service.ask({**self._parameters, "model": self._deployment})
        self._remember(answer)
        findings = classify(answer, asked)
        if any(finding.name == "api-version" and finding.ok is False for finding in findings):
            findings = self._try_v1(settings, caller, findings)
        yield from findings

    def _try_v1(
        self, settings: Settings, caller: "_Identity", findings: list[Finding]
    ) -> list[Finding]:
        """After a refused path or version: what the plain v1 path says of everything else."""
        query = {
            name: value
            for name, value in (self._defaults.get("default_query") or {}).items()
            if name.lower() != "api-version"
        }
        defaults = {**self._defaults, "default_query": query}
        plain = _on_plain_v1(settings)
        same = self._open_url(settings, self._defaults) == self._open_url(plain, defaults)
        if same:
            return findings
        answer = self._open_service(plain, caller, defaults).ask(
            {**self._parameters, "model": self._deployment}
        )
        retried = classify(answer, self._describe(plain, caller, defaults))
        refused = next(finding for finding in findings if finding.name == "api-version")
        if all(finding.name != "api-version" or finding.ok is not True for finding in retried):
            return findings
        fix = f"{refused.fix or ''} The plain v1 path works here.".strip()
        rest = [finding for finding in retried if finding.name != "api-version"]
        return [replace(refused, fix=fix), *(_asked_by_v1(finding) for finding in rest)]

    def _open_url(self, settings: Settings, defaults: Mapping[str, Any]) -> str:
        return settings.endpoint.url("responses", query=defaults.get("default_query"))

    def _open_service(
        self, settings: Settings, caller: "_Identity", defaults: Mapping[str, Any]
    ) -> ServiceProbe:
        configuration = Configuration(settings, self._connection, RecentResponses(), defaults)
        return ServiceProbe(configuration, caller.credentials, self._http_client)

    def _describe(
        self, settings: Settings, caller: "_Identity", defaults: Mapping[str, Any]
    ) -> ProbeContext:
        version = sent_version(settings.endpoint, defaults.get("default_query"))
        return ProbeContext(
            describe_version(settings.endpoint, version), self._deployment, caller.notes
        )

    def _remember(self, answer: ProbeResult) -> None:
        source = answer.response or answer.error
        self._request_id = getattr(source, "request_id", None)


@dataclass(frozen=True)
class _Identity:
    credentials: Credentials
    notes: CredentialNotes


def _pick(arguments: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: arguments[name] for name in names if name in arguments}


def _given_credentials(headers: Mapping[str, str | None] | None) -> list[str]:
    """The keys and tokens among headers."""
    return [
        value.rpartition(" ")[2]
        for name, value in (headers or {}).items()
        if value and name.lower() in CREDENTIAL_HEADERS
    ]


def _faulty(notes: CredentialNotes) -> Finding:
    return Finding("credential", False, f"{notes.fault} [{notes.description}]", notes.fix)


def _on_plain_v1(settings: Settings) -> Settings:
    """The same resource by the path that needs no version."""
    endpoint = settings.endpoint
    path = re.sub(r"/openai(/v1)?(/preview)?$", "", endpoint.path) + "/openai/v1"
    query = {name: value for name, value in endpoint.query.items() if name != "api-version"}
    moved = replace(endpoint, path=path, query=query)
    return replace(
        settings, endpoint=moved if moved.surface == "project" else replace(moved, surface="v1")
    )


def _asked_by_v1(finding: Finding) -> Finding:
    if finding.ok is None:
        return finding
    return replace(finding, detail=f"{finding.detail} (asked by the v1 path)")


_CREDENTIAL = ("api_key", "azure_ad_token", "azure_ad_token_provider", "credential")
_VERSION = ("api_version", "strict_api_version", "preview_path")


@dataclass(frozen=True)
class ConfigurationResult:
    """Settings as far as they can be decided.

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
    """Decide the settings; where that fails, leave parts out to learn which one is at fault."""
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
    variables = {variable for name in names for variable in ENVIRONMENT.get(name, ())}
    kept = {name: value for name, value in environ.items() if name not in variables}
    given = {name: value for name, value in arguments.items() if name not in names}
    try:
        return resolve_settings(kept, endpoint=endpoint, **given)
    except ConfigurationError:
        return None


def check_endpoint(endpoint: Endpoint) -> Finding:
    """What the given URL becomes."""
    parts = urlsplit(endpoint.url("responses"))
    hidden = [name for name in endpoint.query if name.lower() != "api-version"]
    version = f"?api-version={endpoint.api_version}" if endpoint.api_version else ""
    extra = f" (and {', '.join(hidden)} in the query)" if hidden else ""
    shown = f"POST {parts.scheme}://{parts.netloc}{parts.path}{version}{extra}"
    return Finding("endpoint", True, shown, fix=" ".join(endpoint.warnings) or None)


def sent_version(endpoint: Endpoint, default_query: Mapping[str, Any] | None) -> str | None:
    """The `api-version` that calls carry, or None where they carry none."""
    given = (default_query or {}).get("api-version")
    return str(given) if given is not None else endpoint.api_version


def describe_version(endpoint: Endpoint, version: str | None) -> str:
    """What is sent on which surface, for people."""
    names = {"v1": "the v1 path", "dated": "the dated path", "project": "a Foundry project"}
    return f"{version or 'no api-version'} on {names[endpoint.surface]} ({endpoint.path}/responses)"
