"""Whole examinations: arguments, order, credentials, and what must not be shown."""

import json
import os
from typing import Any

import httpx
import pytest

from azure_responses.doctor import Diagnosis, diagnose
from azure_responses.doctor.findings import STEPS
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from azure_responses.errors import ConfigurationError
from tests.doctor.examined import examine, failed_steps
from tests.doctor.sockets import closed_port


def _verdicts(diagnosis: Diagnosis) -> dict[str, bool | None]:
    return {finding.name: finding.ok for finding in diagnosis.findings}


def test_a_served_resource_passes_every_step() -> None:
    emulator = Emulator()
    with emulator.serve() as server:
        diagnosis = diagnose(server.url, api_key=emulator.api_key, deployment="gpt-4.1")
    assert diagnosis.ok
    assert _verdicts(diagnosis) == {**dict.fromkeys(STEPS, True), "tls": None, "rate-limit": None}
    assert diagnosis.request_id
    assert diagnosis.deployment == "gpt-4.1"
    assert set(diagnosis.versions) == {"azure-responses", "python", "httpx"}


def test_the_environment_is_used_as_the_client_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator()
    with emulator.serve() as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", emulator.api_key)
        monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "gpt-4.1")
        assert diagnose().ok


def test_without_an_endpoint_everything_else_is_skipped() -> None:
    diagnosis = diagnose(api_key="0123456789")
    assert _verdicts(diagnosis) == {**dict.fromkeys(STEPS), "endpoint": False}
    assert "AZURE_OPENAI_ENDPOINT" in (diagnosis["endpoint"].fix or "")
    assert diagnosis["call"].detail == "skipped: not reached, because endpoint failed"


def test_with_a_wrong_key_argument_the_network_is_examined_all_the_same() -> None:
    with Emulator().serve() as server:
        diagnosis = diagnose(server.url, api_key="", deployment="gpt-4.1")
    assert failed_steps(diagnosis) == ["credential"]
    assert diagnosis["tcp"].ok is True
    assert diagnosis["call"].ok is None


def test_a_token_is_described_and_never_shown() -> None:
    emulator = Emulator()
    token = emulator.issuer.mint()
    diagnosis = examine(emulator, azure_ad_token=token)
    described = diagnosis["credential"].detail
    assert "https://cognitiveservices.azure.com" in described
    assert "tenant 11111111-2222-3333-4444-555555555555" in described
    assert "principal 99999999" in described
    written = json.dumps(diagnosis.to_dict())
    assert token not in written
    assert token.split(".")[2] not in written


def test_a_credential_is_asked_for_its_token_once() -> None:
    emulator = Emulator()
    credential = emulator.token_credential()
    assert examine(emulator, credential=credential).ok
    assert credential.calls == [("https://cognitiveservices.azure.com/.default",)]


def test_a_credential_that_gives_no_token_is_the_failure() -> None:
    class Broken:
        def get_token(self, *_: str) -> Any:
            raise RuntimeError("AADSTS700016: no such application")

    diagnosis = examine(Emulator(), credential=Broken())
    assert failed_steps(diagnosis) == ["credential"]
    assert "AADSTS700016" in diagnosis["credential"].detail
    assert "az login" in (diagnosis["credential"].fix or "")


def test_an_async_credential_is_explained() -> None:
    emulator = Emulator()
    diagnosis = examine(emulator, credential=emulator.async_token_credential())
    assert "AsyncAzureResponses" in (diagnosis["credential"].fix or "")


def test_a_key_the_service_echoes_is_blacked_out() -> None:
    key = "0123456789abcdef0123456789abcdef"
    echo = httpx.MockTransport(
        lambda request: httpx.Response(
            418, json={"error": {"code": "teapot", "message": f"no {request.headers['api-key']}"}}
        )
    )
    with httpx.Client(transport=echo) as http_client:
        diagnosis = diagnose(
            "https://r.openai.azure.com", api_key=key, deployment="d", http_client=http_client
        )
    assert key not in json.dumps(diagnosis.to_dict())
    assert "[redacted]" in diagnosis["call"].detail


def test_a_gateways_key_in_the_url_and_headers_is_not_shown() -> None:
    emulator = Emulator([Resource("emulator", hosts=["gw.example.com/a"])])
    diagnosis = examine(
        emulator,
        "https://gw.example.com/a?subscription-key=gateway-secret",
        default_headers={"api-key": emulator.api_key},
        api_key="0123456789",
    )
    assert diagnosis.ok
    assert diagnosis["credential"].detail == "accepted: a header among default_headers"
    written = json.dumps(diagnosis.to_dict())
    assert "gateway-secret" not in written
    assert emulator.api_key not in written


@pytest.mark.parametrize("lifetime", [-600.0, 3600.0])
def test_a_token_is_judged_even_where_nothing_is_reached(lifetime: float) -> None:
    token = Emulator().issuer.mint(lifetime=lifetime)
    diagnosis = diagnose(f"https://127.0.0.1:{closed_port()}", azure_ad_token=token, deployment="d")
    assert diagnosis["tcp"].ok is False
    assert diagnosis["credential"].ok is (False if lifetime < 0 else None)
    assert diagnosis["role"].ok is None


def test_without_a_deployment_the_rest_is_examined_and_the_name_asked_for() -> None:
    diagnosis = examine(Emulator(), deployment=None)
    assert failed_steps(diagnosis) == ["deployment"]
    assert diagnosis["credential"].ok is True
    assert "AZURE_OPENAI_DEPLOYMENT" in (diagnosis["deployment"].fix or "")


def test_a_deployment_may_be_named_by_the_parameters() -> None:
    diagnosis = examine(Emulator(), deployment=None, parameters={"model": "gpt-4o"})
    assert diagnosis.ok
    assert diagnosis.deployment == "gpt-4o"


def test_a_version_that_is_corrected_is_advice_and_no_warning() -> None:
    diagnosis = examine(Emulator(), api_version="2024-05-01-preview")
    assert diagnosis.ok
    assert "older than the Responses API" in (diagnosis["endpoint"].fix or "")


def test_where_no_path_works_the_first_refusal_stands() -> None:
    emulator = Emulator([Resource("emulator", hosts=["gw.example.com/openai/v1"])])
    diagnosis = examine(emulator, "https://gw.example.com/other", api_version="preview")
    assert not diagnosis.ok
    assert "plain v1 path works" not in json.dumps(diagnosis.to_dict())


def test_a_refused_version_is_still_told_when_the_v1_path_shows_another_fault() -> None:
    emulator = Emulator([Resource("emulator", deployments=[EmulatedDeployment("other")])])
    diagnosis = examine(emulator, default_query={"api-version": "2024-10-21"})
    assert failed_steps(diagnosis) == ["api-version", "deployment"]


def test_limits_are_told_where_the_reply_names_them() -> None:
    deployment = EmulatedDeployment("gpt-4.1", tokens_per_minute=1000, rate_limit_headers="present")
    diagnosis = examine(Emulator([Resource("emulator", deployments=[deployment])]))
    assert diagnosis["rate-limit"].ok is True
    assert "of 1,000 tokens" in diagnosis["rate-limit"].detail


def test_limits_of_minus_one_are_no_limits() -> None:
    deployment = EmulatedDeployment("gpt-4.1", rate_limit_headers="minus-one")
    diagnosis = examine(Emulator([Resource("emulator", deployments=[deployment])]))
    assert diagnosis["rate-limit"].ok is None


def test_a_network_that_fails_stops_the_service_steps() -> None:
    diagnosis = diagnose(
        f"https://127.0.0.1:{closed_port()}", api_key="0123456789", deployment="d", timeout=None
    )
    assert failed_steps(diagnosis) == ["tcp"]
    assert "0123456789" not in str(diagnosis)


def test_nothing_is_retried() -> None:
    emulator = Emulator()
    emulator.faults.add(Fault("http-503"))
    examine(emulator, max_retries=5)
    assert len(list(emulator.requests)) == 1


def test_an_unknown_argument_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unexpected argument 'endpoints'"):
        diagnose(endpoints="x")  # type: ignore[call-arg]


def test_a_wrong_http_client_is_explained() -> None:
    with pytest.raises(ConfigurationError, match=r"expected an httpx\.Client"):
        diagnose(
            "https://r.openai.azure.com",
            api_key="k",
            deployment="d",
            http_client=httpx.AsyncClient(),  # type: ignore[arg-type]
        )


def test_the_environment_is_left_alone() -> None:
    before = dict(os.environ)
    examine(Emulator())
    assert dict(os.environ) == before


def test_a_deployment_that_speaks_chat_is_called_over_chat_and_that_is_told() -> None:
    emulator = Emulator([Resource("emulator", deployments=[EmulatedDeployment("Kimi-K2.5")])])
    diagnosis = examine(emulator, deployment="Kimi-K2.5")
    assert failed_steps(diagnosis) == []
    assert "/openai/v1/chat/completions" in diagnosis["endpoint"].detail
    assert "chat completions (as kimi does: anomalyco/opencode" in diagnosis["model"].detail
    assert {request.path for request in emulator.requests} == {"/openai/v1/chat/completions"}


def test_what_a_refusal_teaches_is_told() -> None:
    prod = EmulatedDeployment("prod", model="Kimi-K2.5")
    diagnosis = examine(Emulator([Resource("emulator", deployments=[prod])]), deployment="prod")
    assert failed_steps(diagnosis) == []
    assert "chat completions (as a refusal has shown)" in diagnosis["model"].detail


def test_the_audience_that_worked_is_told() -> None:
    emulator = Emulator([Resource("emulator", audiences=["https://ai.azure.com"])])
    diagnosis = examine(emulator, credential=emulator.token_credential())
    assert failed_steps(diagnosis) == []
    credential = diagnosis["credential"]
    assert "a token for https://ai.azure.com/.default" in credential.detail
    assert "scope='https://ai.azure.com/.default'" in (credential.fix or "")
