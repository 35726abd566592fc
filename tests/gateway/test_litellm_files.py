"""Files as LiteLLM's pages show them for Azure: they start, say what differs, and behave.

The comments of each file say what is expected: `calls` (models that answer), `embeds`, `falls back
to` (the group that answers), `lists` (the models listed), `sends` (fields of the request that
reaches Azure), `costs`, `requires`, `finds` and `refused` (paths of findings), `starts` (without a
call).
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from azure_responses.gateway.config_file import read_config
from azure_responses.gateway.schema import GatewaySettings
from tests.gateway.gateways import KEY, Running, serve

FILES = sorted((Path(__file__).parent / "litellm_files").glob("*.yaml"))
MODELS = {
    "gpt-5-mini": "gpt-5-mini",
    "gpt-4.1": "gpt-4.1",
    "my-own-name": "gpt-5-mini",
    "text-embedding-3-small": "text-embedding-3-small",
}
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*api_version.*:UserWarning"),
    pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES]),
]


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    deployments = [EmulatedDeployment(name, model=model) for name, model in MODELS.items()]
    return Emulator([Resource("east", keys=["azure-key"], deployments=deployments)])


@pytest.fixture(scope="module")
def url(emulator: Emulator) -> Iterator[str]:
    with emulator.serve() as server:
        yield server.resource_url("east")


@pytest.fixture
def variables(url: str, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    values = {
        "AZURE_API_BASE": url,
        "AZURE_API_KEY": "azure-key",
        "AZURE_CLIENT_SECRET": "secret",
        "LITELLM_MASTER_KEY": KEY,
    }
    for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


def expected(path: Path, word: str) -> list[str]:
    return re.findall(rf"^# {word}: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def names(path: Path, word: str) -> list[str]:
    return [name.strip() for line in expected(path, word) for name in line.split(",")]


def settings_of(path: Path, variables: Mapping[str, str]) -> GatewaySettings | None:
    return read_config(path.read_text(encoding="utf-8"), variables).settings


def test_every_finding_is_one_that_the_file_expects(
    path: Path, variables: Mapping[str, str]
) -> None:
    problems = read_config(path.read_text(encoding="utf-8"), variables).problems
    found = {
        severity: sorted(p.path for p in problems if p.severity == severity)
        for severity in ("warning", "error")
    }
    assert found["warning"] == sorted(expected(path, "finds"))
    assert found["error"] == sorted(expected(path, "refused"))
    assert all(problem.hint for problem in problems)


def test_the_gateway_behaves_as_the_file_says(
    path: Path, variables: Mapping[str, str], emulator: Emulator
) -> None:
    settings = settings_of(path, variables)
    if expected(path, "refused"):
        assert settings is None
        return
    assert settings is not None
    with serve(settings) as running:  # type: ignore[arg-type]
        for model in names(path, "calls"):
            check_calls(running, path, model, emulator)
        check_lists(running, path)
        if expected(path, "requires"):
            check_requires(running, emulator)


def check_calls(running: Running, path: Path, model: str, emulator: Emulator) -> None:
    """Both APIs answer, and what reaches Azure is what the file says."""
    with running.client() as client:
        chat = [{"role": "user", "content": "Say hello"}]
        for route, body in (
            ("/v1/responses", {"input": "Say hello"}),
            ("/v1/chat/completions", {"messages": chat}),
        ):
            reply = client.post(route, json={"model": model, **body})
            assert reply.status_code == 200, reply.text
            fallbacks = len(expected(path, "falls back to"))
            assert int(reply.headers["x-litellm-attempted-fallbacks"]) == fallbacks
            if expected(path, "costs"):
                usage = reply.json()["usage"]
                read = usage.get("input_tokens", usage.get("prompt_tokens"))
                written = usage.get("output_tokens", usage.get("completion_tokens"))
                cost = float(reply.headers["x-litellm-response-cost"])
                assert cost == pytest.approx(read * 0.000421 + written * 0.000520)
            sent = emulator.requests[-1].json()
            for fields in expected(path, "sends"):
                assert sent.items() >= json.loads(fields).items()


def check_requires(running: Running, emulator: Emulator) -> None:
    """A call that does not say for whom it is made is refused, however it could have said so."""
    body = {"model": "gpt", "input": "Say hello"}
    with running.client() as client:
        refused = client.post("/v1/responses", json=body)
        assert refused.status_code == 400
        assert refused.json()["error"]["param"] == "user"
        for more in ({"user": "u"}, {"safety_identifier": "u"}, {"metadata": {"user_id": "u"}}):
            assert client.post("/v1/responses", json={**body, **more}).status_code == 200
        named = {"x-openwebui-user-id": "u"}
        assert client.post("/v1/responses", json=body, headers=named).status_code == 200
    assert "user" not in emulator.requests[-1].json()


def check_lists(running: Running, path: Path) -> None:
    with running.client() as client:
        for model in names(path, "embeds"):
            reply = client.post("/v1/embeddings", json={"model": model, "input": "a"})
            assert reply.status_code == 200, reply.text
            assert len(reply.json()["data"][0]["embedding"]) == 16
        if listed := names(path, "lists"):
            found = [model["id"] for model in client.get("/v1/models").json()["data"]]
            assert sorted(found) == sorted(listed)
