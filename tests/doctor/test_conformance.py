"""Every refusal the service is known for, from the emulator, and the diagnosis it gets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from azure_responses import AzureResponses, AzureResponsesError
from azure_responses.doctor import diagnose
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from tests.doctor.examined import examine, failed_steps

_DATED = "https://emulator.openai.azure.com/openai/responses?api-version=2025-04-01-preview"
_PROJECT = "https://emulator.services.ai.azure.com/api/projects/p"


def _strict(**options: Any) -> Emulator:
    return Emulator([Resource("emulator", deployments=[EmulatedDeployment("gpt-4.1")], **options)])


def _faulty(kind: str, **options: Any) -> Callable[[], Emulator]:
    def make() -> Emulator:
        emulator = Emulator()
        emulator.faults.add(Fault(kind, **options))
        return emulator

    return make


def _exhausted(**options: Any) -> Callable[[], Emulator]:
    deployment = EmulatedDeployment("gpt-4.1", requests_per_minute=0, **options)
    return lambda: Emulator([Resource("emulator", deployments=[deployment])])


@dataclass(frozen=True)
class Row:
    """A refusal, and what the diagnosis says: the step, words of its detail, words of its fix."""

    what: str
    step: str
    detail: str
    fix: str
    make: Callable[[], Emulator] = Emulator
    endpoint: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] | None = None
    passed: tuple[str, ...] = ()
    is_hint: bool = True

    def given(self, emulator: Emulator) -> dict[str, Any]:
        """The arguments, with a token minted by the emulator where one is asked for."""
        if self.token is None:
            return dict(self.arguments)
        token = emulator.issuer.mint(**self.token)
        return {**self.arguments, "azure_ad_token": token}


def _query(version: str) -> dict[str, Any]:
    return {"default_query": {"api-version": version}}


_VERSIONS = [
    *(
        Row(f"dated path, {version}", "api-version", "enabled only", "Leave api_version out",
            endpoint=_DATED, arguments=_query(version), is_hint=False)
        for version in ("2023-03-15-preview", "2024-05-01-preview", "2024-12-01-preview")
    ),
    Row("dated path without a version", "api-version", "Resource not found", "path was not found",
        endpoint=_DATED, arguments=_query(""), is_hint=False),
    Row("dated path, a dated release", "api-version", "Resource not found", "path was not found",
        endpoint=_DATED, arguments=_query("2024-10-21"), is_hint=False),
    Row("dated path, preview", "api-version", "Resource not found", "path was not found",
        endpoint=_DATED, arguments=_query("preview"), is_hint=False),
    Row("v1 path, a dated version", "api-version", "API version not supported", "no dated version",
        arguments=_query("2025-01-01-preview"), is_hint=False),
    Row("the path /openai/v1/preview", "api-version", "Resource not found", "path was not found",
        arguments={"preview_path": True}, is_hint=False),
    Row("a project with a version", "api-version", "API version not supported", "no api-version",
        endpoint=_PROJECT, arguments=_query("preview"),
        token={"audience": "https://ai.azure.com"}, is_hint=False),
    Row("where Responses is not served", "region", "Invalid URL", "region",
        make=_faulty("responses-unavailable"), passed=("credential", "role", "deployment")),
]  # fmt: skip

_ACCESS = [
    Row("a wrong key", "credential", "invalid subscription key", "Keys and Endpoint",
        arguments={"api_key": "0123456789abcdef"}, passed=("firewall",)),
    Row("a key of OpenAI", "credential", "looks like one of OpenAI", "Azure portal",
        arguments={"api_key": "sk-0123456789"}, is_hint=False),
    Row("an expired token", "credential", "the token expired 10 minutes ago", "new token",
        token={"lifetime": -600}, is_hint=False),
    Row("a token that is not yet valid", "credential", "valid only in", "clock",
        token={"starts_in": 600}, is_hint=False),
    Row("a token for another audience", "credential", "the token is for https://vault.azure.net",
        "https://cognitiveservices.azure.com/.default",
        token={"audience": "https://vault.azure.net"}, is_hint=False),
    Row("on the dated path too", "credential", "audience is incorrect (https://cognitiveservices",
        "https://cognitiveservices.azure.com/.default", endpoint=_DATED,
        token={"audience": "https://vault.azure.net"}, is_hint=False),
    Row("a resource token for a project", "credential", "this endpoint takes https://ai.azure.com",
        "https://ai.azure.com/.default", endpoint=_PROJECT,
        token={"audience": "https://cognitiveservices.azure.com"}, is_hint=False),
    Row("a key for a project", "credential", "takes Entra ID tokens only", "sign in",
        endpoint=_PROJECT, is_hint=False),
    Row("a token that is none", "credential", "not a JWT", "three parts", endpoint=_DATED,
        arguments={"azure_ad_token": "not-a-token"}, is_hint=False),
    Row("a token that was revoked", "credential", "audience is incorrect", "must be for",
        make=_faulty("token-expired"), token={}),
    Row("a role without the action", "role", "lacks the required data action", "Assign the role",
        token={"roles": ["Reader"]}, passed=("firewall", "credential")),
    Row("no role at all", "role", "does not have access", "Assign the role",
        token={"roles": []}, passed=("firewall", "credential")),
    Row("keys switched off", "credential", "Key based authentication is disabled", "Entra ID",
        make=lambda: _strict(keys_enabled=False), passed=("firewall",)),
    Row("a firewall", "firewall", "Virtual Network/Firewall", "firewall",
        make=lambda: _strict(network="firewall")),
    Row("a private endpoint", "firewall", "Public access is disabled", "private endpoint",
        make=lambda: _strict(network="private")),
    Row("a blocked resource", "firewall", "temporarily blocked", "Azure support",
        make=lambda: _strict(network="blocked")),
    Row("a token on a regional host", "credential", "custom subdomain", "instead of the regional",
        endpoint="https://eastus2.api.cognitive.microsoft.com", token={}),
    Row("a token of another tenant", "credential", "Unable to get resource", "another tenant",
        token={"tenant": "00000000-0000-0000-0000-000000000000"}),
    Row("a resource that does not exist", "dns", "Name or service not known", "resource name",
        make=_strict, endpoint="https://mistyped.openai.azure.com"),
]  # fmt: skip

_NOT_FOUND = [
    *(
        Row(f"no deployment, {style}", "deployment", words, "'missing' is not one",
            make=lambda style=style: _strict(missing_deployment=style),  # type: ignore[misc]
            arguments={"deployment": "missing"}, passed=("api-version", "credential", "role"))
        for style, words in (
            ("DeploymentNotFound", "deployment for this resource does not exist"),
            ("model_not_found", "does not exist"),
            ("user_error", "existing deployment"),
        )
    ),
    Row("no deployment, told inside the stream", "deployment", "existing deployment", "is not one",
        make=_faulty("stream-no-deployment"), passed=("credential", "role")),
    Row("a route that does not exist", "api-version", "Resource not found", "check the endpoint",
        make=lambda: Emulator([Resource("emulator", hosts=["gw.example.com/team"])]),
        endpoint="https://gw.example.com/team/other"),
]  # fmt: skip


def _with(**parameters: Any) -> dict[str, Any]:
    return {"parameters": parameters}


_VALIDATION = [
    Row("a parameter the model does not take", "call", "'temperature'", "leave them out",
        arguments={"deployment": "o3", **_with(temperature=0.1)}, passed=("deployment", "model")),
    Row("a body of chat completions", "call", "'messages'", "Responses takes `input`",
        arguments=_with(extra_body={"messages": []}), passed=("deployment",)),
    Row("an input too long, by HTTP", "call", "exceed", "Shorten the input",
        arguments={"deployment": "gpt-5", **_with(input="word " * 300_000)}),
    Row("an input too long, in the stream", "call", "context window", "Shorten the input",
        make=_faulty("stream-context-length"), passed=("deployment",)),
    Row("a vague 400", "call", "issue with your request", "Azure support",
        make=_faulty("http-400"), is_hint=False),
    Row("a parent that is gone", "call", "not found", "send the conversation",
        arguments=_with(previous_response_id="resp_" + "0" * 48)),
    Row("image generation without its header", "call", "imagegen deployment",
        "image_deployment",
        arguments={
            "deployment": "gpt-5",
            **_with(tools=[{"type": "image_generation"}], input="Draw a cat."),
        }),
    Row("a prompt the filter stops", "call", "content management policy", "content_filters",
        arguments=_with(input="[[azure:block-prompt]]"), passed=("deployment", "model")),
    Row("an output the filter stops", "call", "content_filter", "category",
        arguments=_with(input="[[azure:block-output]]"), is_hint=False),
    Row("a failed response", "call", "", "",
        arguments=_with(input="[[azure:fail:server_error]]"), is_hint=False),
]  # fmt: skip

_CAPACITY = [
    Row("calls used up, v1", "rate-limit", "exceeded the call rate limit", "quota",
        make=_exhausted(), passed=("credential", "role", "deployment", "model")),
    Row("calls used up, dated", "rate-limit", "Responses_Create", "quota",
        make=_exhausted(), endpoint=_DATED),
    Row("tokens used up", "rate-limit", "exceeded the token rate limit", "quota",
        make=lambda: Emulator(
            [Resource("emulator",
                      deployments=[EmulatedDeployment("gpt-4.1", tokens_per_minute=1)])])),
    Row("a provisioned deployment that is full", "rate-limit", "exceeded the call", "quota",
        make=_exhausted(kind="provisioned")),
    *(
        Row(f"a 429 inside a 200 stream, order {order}", "rate-limit", "rate limit", "quota",
            make=_exhausted(limit_reply=f"stream-{order}"), passed=("deployment",))
        for order in "ABC"
    ),
    Row("too many requests", "rate-limit", "Too Many Requests", "quota", make=_faulty("http-429")),
    Row("peak load", "rate-limit", "high demand", "region is busy", make=_faulty("http-429-peak")),
    Row("the newer code in a stream", "rate-limit", "", "quota",
        make=_faulty("stream-too-many-requests")),
    Row("a stream that fails without a code", "call", "", "Azure support",
        make=_faulty("stream-uncoded"), is_hint=False, passed=("deployment",)),
    Row("a timeout of the service", "call", "408 Timeout", "Azure support",
        make=_faulty("http-408"), is_hint=False),
    Row("overload", "call", "overloaded", "Azure support",
        make=_faulty("http-500-overloaded"), is_hint=False),
    Row("overload inside a stream", "call", "overloaded", "Azure support",
        make=_faulty("stream-500"), is_hint=False, passed=("deployment", "model")),
    Row("a service that is down", "call", "503", "Azure support",
        make=_faulty("http-503"), is_hint=False),
]  # fmt: skip

_ELSEWHERE = [
    Row("a page of a proxy", "endpoint", "HTML page", "not answered by Azure",
        make=_faulty("html-502")),
    Row("a login page", "endpoint", "HTML page", "not answered by Azure", make=_faulty("html-200")),
    Row("a redirect", "endpoint", "307", "redirected", make=_faulty("redirect")),
    Row("a refused connection", "tcp", "refused", "HTTPS_PROXY",
        make=_faulty("connect-refused"), is_hint=False),
    Row("a silent service", "call", "did not answer in time", "Azure support",
        make=_faulty("stall-before-headers"), arguments={"timeout": 0.05}, is_hint=False),
    Row("a connection that breaks", "call", "broke off", "Azure support",
        make=_faulty("reset-mid-body", after_events=5), is_hint=False, passed=("deployment",)),
]  # fmt: skip

_ROWS = [*_VERSIONS, *_ACCESS, *_NOT_FOUND, *_VALIDATION, *_CAPACITY, *_ELSEWHERE]


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.what)
def test_a_refusal_is_put_down_to_its_step_with_its_fix(row: Row) -> None:
    emulator = row.make()
    diagnosis = examine(emulator, row.endpoint, **row.given(emulator))
    assert failed_steps(diagnosis) == [row.step]
    finding = diagnosis[row.step]
    assert row.detail in finding.detail
    assert row.fix in (finding.fix or "")
    for name in row.passed:
        assert diagnosis[name].ok is True, name


@pytest.mark.parametrize("row", [row for row in _ROWS if row.is_hint], ids=lambda row: row.what)
def test_the_fix_is_the_hint_of_the_error_the_client_raises(row: Row) -> None:
    emulator = row.make()
    given = row.given(emulator)
    parameters = given.pop("parameters", {"input": "hi"})
    given.setdefault("deployment", "gpt-4.1")
    if "azure_ad_token" not in given:
        given.setdefault("api_key", emulator.api_key)
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        AzureResponses(
            row.endpoint or emulator.endpoint, max_retries=0, http_client=http_client, **given
        ) as client,
        pytest.raises(AzureResponsesError) as caught,
    ):
        list(client.responses.create(stream=True, **{"input": "hi", **parameters}))
    emulator = row.make()
    finding = examine(emulator, row.endpoint, **row.given(emulator))[row.step]
    assert finding.fix == caught.value.hint


@pytest.mark.parametrize(
    "row", [row for row in _VERSIONS if row.step == "api-version"], ids=lambda row: row.what
)
def test_after_a_refused_path_the_plain_v1_path_is_tried_for_the_rest(row: Row) -> None:
    emulator = row.make()
    diagnosis = examine(emulator, row.endpoint, **row.given(emulator))
    assert "The plain v1 path works here." in (diagnosis["api-version"].fix or "")
    assert diagnosis["call"].ok is True
    assert "asked by the v1 path" in diagnosis["call"].detail


# Bodies the emulator does not send on Responses.
_BODIES = [
    (
        400,
        {"code": "OperationNotSupported", "message": "The responses operation does not work with"},
        "model",
        "does not serve the Responses API",
    ),
    (
        400,
        {
            "code": "BadRequest",
            "message": "Model o1 is enabled only for api versions 2024-12-01-preview and later",
        },
        "api-version",
        "Leave api_version out",
    ),
    (403, {"code": "Forbidden", "message": "No."}, "role", "Assign the role"),
    (403, {"code": "content_filter", "message": "No."}, "call", "content_filters"),
    (429, {"code": "429", "message": "The provisioned deployment is full."}, "rate-limit", "full"),
    (
        404,
        {"code": "unknown_url", "message": "Unknown request URL: POST /v1/responses."},
        "api-version",
        "does not offer this operation",
    ),
]


@pytest.mark.parametrize(("status", "error", "step", "fix"), _BODIES)
def test_a_body_reported_elsewhere_is_put_down_to_its_step(
    status: int, error: dict[str, Any], step: str, fix: str
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json={"error": error}))
    with httpx.Client(transport=transport) as http_client:
        diagnosis = diagnose(_DATED, api_key="0123456789", deployment="d", http_client=http_client)
    assert failed_steps(diagnosis) == [step]
    assert fix in (diagnosis[step].fix or "")
