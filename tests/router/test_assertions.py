"""Tokens of other issuers, exchanged at Entra ID: `azure_ad_token: oidc/…`."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from azure_responses import AzureResponses, Router
from azure_responses.errors import ConfigurationError, CredentialError
from azure_responses.router import assertions
from azure_responses.router.assertions import make_assertion
from azure_responses.router.targets import make_async_credential, make_credential


def entry(**params: Any) -> dict[str, Any]:
    place = {"model": "azure/gpt", "api_base": "https://r.openai.azure.com"}
    return {"model_name": "gpt", "litellm_params": {**place, **params}}


def connection(**params: Any) -> Any:
    with Router([entry(tenant_id="t", client_id="c", **params)]) as router:
        return router.parts.reader.routing.deployments[0].connection


@pytest.fixture(autouse=True)
def _no_principal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)


def test_a_source_of_tokens_is_never_sent_as_a_token() -> None:
    found = connection(azure_ad_token="oidc/env/TOKEN")
    assert "azure_ad_token" not in found
    principal = {"tenant_id": "t", "client_id": "c", "assertion": "oidc/env/TOKEN"}
    assert found["service_principal"] == principal
    assert type(make_credential(principal)).__name__ == "ClientAssertionCredential"
    assert type(make_async_credential(principal)).__module__.startswith("azure.identity.aio")
    with pytest.raises(ConfigurationError, match="source of tokens"):
        AzureResponses("https://r.openai.azure.com", azure_ad_token="oidc/env/TOKEN")


def test_a_key_comes_first_as_in_litellm() -> None:
    found = connection(azure_ad_token="oidc/env/TOKEN", api_key="k")
    assert "service_principal" not in found
    assert found["api_key"] == "k"


def test_tenant_and_client_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="no tenant_id"):
        Router([entry(azure_ad_token="oidc/env/TOKEN")])
    monkeypatch.setenv("AZURE_TENANT_ID", "t")
    with pytest.raises(ConfigurationError, match="no client_id"):
        Router([entry(azure_ad_token="oidc/env/TOKEN")])
    monkeypatch.setenv("AZURE_CLIENT_ID", "c")
    Router([entry(azure_ad_token="oidc/env/TOKEN")]).close()


@pytest.mark.parametrize("source", ["oidc/", "oidc/vault/x", "oidc/env", "oidc/file/"])
def test_an_unknown_source_is_refused(source: str) -> None:
    with pytest.raises(ConfigurationError, match="no source"):
        Router([entry(tenant_id="t", client_id="c", azure_ad_token=source)])


def test_tokens_come_from_where_the_source_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.write_text("first\n")
    monkeypatch.setenv("TOKEN", "of-env")
    monkeypatch.setenv("TOKEN_PATH", str(path))
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(path))
    monkeypatch.setenv("CIRCLE_OIDC_TOKEN", "one")
    monkeypatch.setenv("CIRCLE_OIDC_TOKEN_V2", "two")
    assert make_assertion("oidc/env/TOKEN")() == "of-env"
    assert make_assertion("oidc/circleci/")() == "one"
    assert make_assertion("oidc/circleci_v2/")() == "two"
    of_file = [make_assertion(f"oidc/{rest}") for rest in (f"file/{path}", "env_path/TOKEN_PATH")]
    of_file.append(make_assertion("oidc/azure/"))
    assert [read() for read in of_file] == ["first"] * 3
    path.write_text("second")
    assert [read() for read in of_file] == ["second"] * 3


def test_what_gives_no_token_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_TOKEN", raising=False)
    with pytest.raises(CredentialError, match="NO_TOKEN"):
        make_assertion("oidc/env/NO_TOKEN")()
    with pytest.raises(CredentialError, match="gives no token"):
        make_assertion(f"oidc/file/{tmp_path}/nothing")()
    monkeypatch.setenv("EMPTY", " ")
    with pytest.raises(CredentialError, match="empty token"):
        make_assertion("oidc/env/EMPTY")()


@pytest.fixture
def issuer() -> Iterator[HTTPServer]:
    """Answers with what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = f"{self.path} {self.headers.get('authorization')}"
            body = told if self.path.startswith("/identity") else '{"value": "' + told + '"}'
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def test_github_and_google_are_asked_over_http(
    issuer: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{issuer.server_port}"
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{url}/github?run=1")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t")
    monkeypatch.setattr(assertions, "_GOOGLE", url)
    assert make_assertion("oidc/github/a")() == "/github?run=1&audience=a Bearer t"
    assert make_assertion("oidc/google/a")() == "/identity?audience=a None"
    assert "AzureADTokenExchange" in make_assertion("oidc/google/")()
