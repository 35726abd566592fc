"""The examples people start from: a proxy's config.yaml, the OpenAI SDK, and curl.

Names and parameters are those of LiteLLM's and Dheera AI's pages on the Azure Responses API; only
the hosts are the emulator's.
"""

import shutil
import subprocess
import warnings
from collections.abc import Iterator
from typing import Any

import openai
import pytest
import yaml
from openai import AsyncOpenAI, AzureOpenAI, OpenAI
from pydantic import BaseModel

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from azure_responses.gateway.config_file import load_config
from tests.gateway.gateways import KEY, Running, config_of, serve
from tests.openai_server.servers import make_emulator

STORY = "Tell me a three sentence bedtime story about a unicorn."

EXAMPLES = {
    "o1-pro": """
model_list:
  - model_name: o1-pro
    litellm_params:
      model: azure/o1-pro
      api_key: os.environ/AZURE_RESPONSES_OPENAI_API_KEY
      api_base: https://litellm8397336933.openai.azure.com/
      api_version: 2023-03-15-preview
""",
    "codex-mini": """
model_list:
  - model_name: codex-mini
    dheera_ai_params:
      model: azure/codex-mini
      api_key: os.environ/AZURE_RESPONSES_OPENAI_API_KEY
      api_base: https://litellm8397336933.openai.azure.com
      api_version: preview # 👈 key difference
""",
    "my-custom-o1-pro": """
model_list:
  - model_name: my-custom-o1-pro
    dheera_ai_params:
      model: azure/responses/my-custom-o1-pro
      api_key: os.environ/AZURE_API_KEY
      api_base: https://my-endpoint-sweden-berri992.openai.azure.com/
      api_version: 2023-03-15-preview
""",
}
AFFINITY = """
model_list:
  - model_name: azure-gpt4-turbo
    litellm_params:
      model: azure/gpt-4-turbo
      api_key: your-api-key-1
      api_version: 2024-06-01
      api_base: https://endpoint1.openai.azure.com
  - model_name: azure-gpt4-turbo
    litellm_params:
      model: azure/gpt-4-turbo
      api_key: your-api-key-2
      api_version: 2024-06-01
      api_base: https://endpoint2.openai.azure.com

router_settings:
  optional_pre_call_checks: ["responses_api_deployment_check"]
"""
HOSTS = {
    "https://litellm8397336933.openai.azure.com": "",
    "https://my-endpoint-sweden-berri992.openai.azure.com": "",
    "https://endpoint1.openai.azure.com": "/resources/endpoint1",
    "https://endpoint2.openai.azure.com": "/resources/endpoint2",
}


@pytest.fixture(autouse=True)
def _old_versions_are_warned_of() -> Iterator[None]:
    with warnings.catch_warnings():
        # The examples name versions from before the Responses API, which is told the operator.
        warnings.filterwarnings(
            "ignore", message=".*api_version.*|.*api-version.*|.*Responses API.*"
        )
        yield


def _at(url: str, text: str) -> dict[str, Any]:
    for host, path in HOSTS.items():
        text = text.replace(host, url + path)
    config: dict[str, Any] = yaml.load(text, yaml.BaseLoader)
    return config


@pytest.mark.parametrize("model", EXAMPLES)
def test_the_proxy_examples_run(model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    emulator = Emulator()
    for name in ("AZURE_RESPONSES_OPENAI_API_KEY", "AZURE_API_KEY"):
        monkeypatch.setenv(name, emulator.api_key)
    with emulator.serve() as server:
        path = tmp_path / "config.yaml"
        text = EXAMPLES[model]
        for host in HOSTS:
            text = text.replace(host, server.url)
        path.write_text(text, encoding="utf-8")
        settings, problems = load_config(
            path,
            {"AZURE_RESPONSES_OPENAI_API_KEY": "emulator-key", "AZURE_API_KEY": "emulator-key"},
        )
        assert not [problem for problem in problems if problem.severity == "error"]
        with (
            serve(settings) as gateway,  # type: ignore[arg-type]
            OpenAI(base_url=gateway.url, api_key="your-api-key") as client,
        ):
            response = client.responses.create(model=model, input=STORY)
            assert response.output_text
            events = list(client.responses.create(model=model, input=STORY, stream=True))
            assert events[-1].type == "response.completed"


def test_the_routing_affinity_example_runs() -> None:
    deployments = [EmulatedDeployment("gpt-4-turbo", model="gpt-4.1")]
    emulator = Emulator(
        [
            Resource("endpoint1", keys=["your-api-key-1"], deployments=deployments),
            Resource("endpoint2", keys=["your-api-key-2"], deployments=deployments),
        ]
    )
    with (
        emulator.serve() as server,
        serve(_at(server.url, AFFINITY)) as gateway,
        OpenAI(base_url=gateway.url, api_key="your-api-key", max_retries=0) as client,
    ):
        # So many that all of them on one resource would be no chance.
        for _ in range(20):
            response = client.responses.create(
                model="azure-gpt4-turbo", input="Hello, who are you?"
            )
            follow_up = client.responses.create(
                model="azure-gpt4-turbo",
                input="Tell me more about yourself",
                previous_response_id=response.id,
            )
            assert follow_up.previous_response_id == response.id
    assert {request.resource for request in emulator.requests} == {"endpoint1", "endpoint2"}


def test_the_curl_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    emulator = Emulator()
    monkeypatch.setenv("AZURE_API_KEY", emulator.api_key)
    monkeypatch.setenv("DHEERA_AI_API_KEY", "any")
    with (
        emulator.serve() as server,
        serve(_at(server.url, EXAMPLES["my-custom-o1-pro"])) as gateway,
    ):
        line = f"""curl {gateway.url}/v1/chat/completions \\
  -X POST \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $DHEERA_AI_API_KEY" \\
  -d '{{
    "model": "my-custom-o1-pro",
    "messages": [{{"role": "user", "content": "Hello world"}}]
  }}'
"""
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert '"object":"chat.completion"' in done.stdout
    assert '"model":"my-custom-o1-pro"' in done.stdout


@pytest.fixture
def gateway() -> Iterator[Running]:
    emulator = make_emulator()
    with emulator.serve() as server, serve(config_of(server.url, "east", "west")) as running:
        yield running


class Story(BaseModel):
    """What the model is to write."""

    title: str
    sentences: int


def test_the_openai_package_does_all_it_can(gateway: Running) -> None:
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as client:
        parsed = client.responses.parse(model="chat", input=STORY, text_format=Story)
        assert isinstance(parsed.output_parsed, Story)
        with client.responses.stream(model="chat", input=STORY) as stream:
            final = stream.get_final_response() if stream else None
        assert final is not None
        assert client.responses.retrieve(final.id).output_text == final.output_text
        items = client.responses.input_items.list(final.id)
        assert [item.type for item in items] == ["message"]
        made = client.responses.create(model="chat", input=STORY, background=True)
        assert client.responses.cancel(made.id).id == made.id
        streamed = list(
            client.responses.create(model="chat", input=STORY, background=True, stream=True)
        )
        response = streamed[0].response  # type: ignore[union-attr]
        again = list(client.responses.retrieve(response.id, stream=True, starting_after=2))
        assert [event.sequence_number for event in again] == [
            event.sequence_number for event in streamed[3:]
        ]
        client.responses.delete(final.id)
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(final.id)
        assert [model.id for model in client.models.list()] == ["chat"]
        assert client.models.retrieve("chat").id == "chat"
        raw = client.responses.with_raw_response.create(model="chat", input="hi")
        assert raw.headers["x-litellm-model-group"] == "chat"


def test_the_openai_package_chats(gateway: Running) -> None:
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as client:
        messages: Any = [{"role": "user", "content": "Say hello"}]
        assert client.chat.completions.create(model="chat", messages=messages).model == "chat"
        chunks = list(client.chat.completions.create(model="chat", messages=messages, stream=True))
        assert chunks[-1].choices[0].finish_reason == "stop"


def test_azures_own_client_may_point_here(gateway: Running) -> None:
    with AzureOpenAI(
        azure_endpoint=gateway.url, api_key=KEY, api_version="2025-04-01-preview", max_retries=0
    ) as client:
        assert client.responses.create(model="chat", input="hi").id.startswith("resp_azr1_")
        messages: Any = [{"role": "user", "content": "hi"}]
        assert client.chat.completions.create(model="chat", messages=messages).choices


def test_the_async_client_streams(gateway: Running) -> None:
    import asyncio

    async def run() -> list[str]:
        async with AsyncOpenAI(base_url=gateway.url, api_key=KEY, max_retries=0) as client:
            stream = await client.responses.create(model="chat", input=STORY, stream=True)
            return [event.type async for event in stream]

    assert asyncio.run(run())[-1] == "response.completed"


def test_errors_are_those_of_the_openai_package(gateway: Running) -> None:
    with (
        OpenAI(base_url=gateway.url, api_key="sk-wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.responses.create(model="chat", input="hi")
    with OpenAI(base_url=gateway.url, api_key=KEY, max_retries=0) as client:
        with pytest.raises(openai.NotFoundError) as missing:
            client.responses.create(model="nobody", input="hi")
        assert missing.value.code == "model_not_found"
        with pytest.raises(openai.BadRequestError) as blocked:
            client.responses.create(model="chat", input="[[azure:block-prompt]]")
        assert blocked.value.code == "content_filter"
