"""What an answer proves."""

from typing import Any

import pytest

from azure_responses.doctor.classify import (
    ProbeContext,
    ProbeResult,
    check_headroom,
    classify,
    classify_error,
    classify_without_deployment,
)
from azure_responses.doctor.findings import SERVICE_STEPS, Finding
from azure_responses.doctor.token_claims import CredentialNotes
from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AzureResponsesError,
    ConfigurationError,
    ResponseFailedError,
    StreamInterruptedError,
)
from azure_responses.types.response import Response
from azure_responses.types.result import RateLimit
from azure_responses.types.usage import Usage

_ASKED = ProbeContext("no api-version", "d", CredentialNotes("a key of 10 characters"))


def _status(status: int, message: str = "m", **fields: Any) -> APIStatusError:
    return APIStatusError(message, status_code=status, **fields)


def _find(findings: list[Finding], name: str) -> Finding:
    return next(finding for finding in findings if finding.name == name)


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (APIConnectionError("The connection failed: [Errno -2] Name or service not known"), "dns"),
        (APIConnectionError("The connection failed: nodename nor servname provided"), "dns"),
        (APIConnectionError("The connection failed: certificate verify failed"), "tls"),
        (APIConnectionError("The connection failed: 407 Proxy Authentication"), "tls"),
        (APIConnectionError("The connection failed: [Errno 111] Connection refused"), "tcp"),
        (APITimeoutError("The service did not answer in time (ConnectTimeout)."), "tcp"),
        (APITimeoutError("The service did not answer in time (ReadTimeout)."), "call"),
        (APIConnectionError("The connection failed: reset by peer"), "call"),
        (ConfigurationError("The request cannot be written as JSON"), "call"),
    ],
)
def test_what_never_arrived_proves_nothing(error: AzureResponsesError, step: str) -> None:
    verdict = classify_error(error)
    assert verdict.step == step
    assert verdict.proven == frozenset()


@pytest.mark.parametrize("error", [StreamInterruptedError("cut"), ResponseFailedError("failed")])
def test_a_stream_that_had_begun_proves_everything_before_it(error: AzureResponsesError) -> None:
    verdict = classify_error(error)
    assert verdict.step == "call"
    assert verdict.proven == set(SERVICE_STEPS) - {"call"}


def test_a_refused_version_proves_nothing_about_the_caller() -> None:
    assert classify_error(_status(400, "API version not supported")).proven == frozenset()


def test_a_refused_role_proves_the_credential() -> None:
    verdict = classify_error(_status(401, code="PermissionDenied"))
    assert (verdict.step, sorted(verdict.proven)) == ("role", ["credential", "firewall"])


def test_an_answer_passes_every_step() -> None:
    response = Response(
        id="r", status="completed", model="gpt-5", usage=Usage(input_tokens=3, output_tokens=4)
    )
    headers = {"x-ms-region": "East US 2", "x-ratelimit-remaining-tokens": "50",
               "x-ratelimit-limit-tokens": "100"}  # fmt: skip
    response.attach(headers)
    findings = classify(ProbeResult(response, None, 0.25, 0.5), _ASKED)
    assert [finding.name for finding in findings] == list(SERVICE_STEPS)
    assert all(finding.ok for finding in findings)
    assert _find(findings, "call").detail == (
        "first token after 0.25 s, done after 0.50 s; 3 input and 4 output tokens"
    )


def test_a_thrifty_answer_is_fine_too() -> None:
    response = Response(id="r")
    response.attach({"x-ms-spillover-from-deployment": "ptu", "x-ms-deployment-name": "paygo"})
    findings = classify(ProbeResult(response, seconds=0.5), _ASKED)
    assert [finding.name for finding in findings if finding.ok is None] == ["region", "rate-limit"]
    assert _find(findings, "call").detail == "done after 0.50 s"
    assert "'paygo' answered" in _find(findings, "deployment").detail


def test_an_expired_token_is_a_failure_wherever_the_call_stopped() -> None:
    notes = CredentialNotes("a token", fault="it expired", fix="fetch another")
    asked = ProbeContext("v", "d", notes)
    findings = classify(ProbeResult(error=_status(404, "Resource not found")), asked)
    assert _find(findings, "credential") == Finding(
        "credential", False, "it expired [sent: a token]", "fetch another"
    )


def test_the_region_is_told_even_by_a_refusal() -> None:
    findings = classify(ProbeResult(error=_status(401, region="Sweden Central")), _ASKED)
    assert _find(findings, "region").detail == "Sweden Central"


def test_without_a_deployment_the_models_list_proves_what_it_can() -> None:
    findings = classify_without_deployment(ProbeResult(), _ASKED)
    assert [(finding.name, finding.ok) for finding in findings] == [
        ("api-version", True),
        ("credential", True),
        ("firewall", True),
        ("deployment", False),
    ]


def test_without_a_deployment_a_refused_key_is_still_found() -> None:
    findings = classify_without_deployment(ProbeResult(error=_status(401, "Access denied")), _ASKED)
    assert {finding.name: finding.ok for finding in findings} == {
        "firewall": True,
        "credential": False,
        "deployment": False,
    }


def test_a_models_list_that_is_not_offered_proves_nothing() -> None:
    findings = classify_without_deployment(
        ProbeResult(error=_status(404, "Resource not found")), _ASKED
    )
    assert [finding.name for finding in findings] == ["deployment"]


@pytest.mark.parametrize(
    ("limit", "ok", "detail"),
    [
        (None, None, "as is usual"),
        (RateLimit(limit_tokens=-1, remaining_tokens=-1, reset_tokens=0), None, "no numbers"),
        (RateLimit(), None, "no numbers"),
        (RateLimit(limit_tokens=1000, remaining_tokens=900), True, "900 of 1,000 tokens left"),
        (RateLimit(remaining_requests=7), True, "7 requests left"),
        (RateLimit(limit_tokens=1000, remaining_tokens=-20), False, "-20 of 1,000 tokens"),
        (RateLimit(limit_requests=10, remaining_requests=0), False, "0 of 10 requests"),
        (
            RateLimit(
                limit_tokens=1000, remaining_tokens=50, limit_requests=10, remaining_requests=9
            ),
            True,
            "50 of 1,000 tokens and 9 of 10 requests left in this minute",
        ),
    ],
)
def test_headroom_is_judged_by_known_numbers_only(
    limit: RateLimit | None, ok: bool | None, detail: str
) -> None:
    finding = check_headroom(limit)
    assert finding.ok is ok
    assert detail in finding.detail
    is_low = ok is False or detail.startswith("50")
    assert (finding.fix is not None) is is_low


@pytest.mark.parametrize(
    "name",
    [
        "text-embedding-3-large",
        "my-embeddings",
        "whisper",
        "tts-hd",
        "gpt-4o-transcribe",
        "dall-e-3",
    ],
)
def test_a_model_of_another_api_is_not_at_fault(name: str) -> None:
    refused = _status(400, "The requested operation is unsupported.", code="OperationNotSupported")
    asked = ProbeContext("no api-version", name, CredentialNotes("a key of 10 characters"))
    findings = classify(ProbeResult(error=refused, seconds=0.1), asked)
    assert _find(findings, "model").ok
    assert "passes such calls on" in _find(findings, "model").detail
    assert "no response" in _find(findings, "call").detail
    assert not any(finding.ok is False for finding in findings)


@pytest.mark.parametrize("name", ["gpt-5", "d", "attspeech", None])
def test_any_other_model_that_answers_no_call_is(name: str | None) -> None:
    refused = _status(400, "The requested operation is unsupported.", code="OperationNotSupported")
    asked = ProbeContext("no api-version", name, CredentialNotes("a key of 10 characters"))
    assert _find(classify(ProbeResult(error=refused), asked), "model").ok is False
