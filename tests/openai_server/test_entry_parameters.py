"""Parameters that an entry sets, as the service gets them: by each API and from each caller."""

import warnings
from typing import Any

import httpx
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from azure_responses.router import Router
from tests.openai_server.servers import open_asker

CREATE, CHAT, MESSAGES = "/v1/responses", "/v1/chat/completions", "/v1/messages"
HELLO = {"model": "gpt-high", "input": "Say hello"}
CHATTED = {"model": "gpt-high", "messages": [{"role": "user", "content": "Say hello"}]}
MODELS = {
    "gpt": "gpt-5-mini",
    "kimi": "Kimi-K2.5",
    "claude": "claude-sonnet-4-5",
    "embed": "text-embedding-3-small",
}


def make() -> Emulator:
    deployments = [EmulatedDeployment(name, model=model) for name, model in MODELS.items()]
    return Emulator([Resource("east", keys=["key-of-east"], deployments=deployments)])


def entry(name: str = "gpt-high", model: str = "gpt", **params: Any) -> dict[str, Any]:
    place = {"api_base": "https://east.openai.azure.com", "api_key": "key-of-east"}
    return {
        "model_name": name,
        "litellm_params": {"model": f"azure/{model}", **place, **params},
        "model_info": {"base_model": MODELS[model]},
    }


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.mark.parametrize("stream", [False, True])
def test_two_efforts_and_a_tier_are_three_models(kind: str, stream: bool) -> None:
    emulator = make()
    entries = [
        entry("gpt-high", reasoning_effort="high"),
        entry("gpt-low", reasoning_effort={"effort": "low", "summary": "auto"}),
        entry("gpt-fast", service_tier="priority", max_tokens=100),
    ]
    with open_asker(kind, emulator, model_list=entries) as ask:
        for model in ("gpt-high", "gpt-low", "gpt-fast"):
            for path, body in ((CREATE, HELLO), (CHAT, CHATTED)):
                found = ask("POST", path, {**body, "model": model, "stream": stream})
                assert found.status == 200, found.content
    sent = [request.json() for request in emulator.requests]
    efforts = [body.get("reasoning", {}).get("effort") for body in sent]
    assert efforts == ["high", "high", "low", "low", None, None]
    assert sent[2]["reasoning"]["summary"] == sent[3]["reasoning"]["summary"] == "auto"
    assert [body.get("service_tier") for body in sent] == [None] * 4 + ["priority"] * 2
    assert [body.get("max_output_tokens") for body in sent[4:]] == [100, 100]


def test_the_caller_decides_and_extra_fields_go_along(kind: str) -> None:
    emulator = make()
    own = entry(reasoning_effort="high", extra_body={"metadata": {"team": "a"}}, temperature=1)
    with open_asker(kind, emulator, model_list=[own]) as ask:
        assert ask("POST", CREATE, {**HELLO, "reasoning": {"effort": "low"}}).status == 200
        assert ask("POST", CHAT, {**CHATTED, "reasoning_effort": "low"}).status == 200
        assert ask("POST", CREATE, HELLO).json["metadata"] == {"team": "a"}
    sent = [request.json() for request in emulator.requests]
    assert [body["reasoning"]["effort"] for body in sent] == ["low", "low", "high"]
    assert all(body["metadata"] == {"team": "a"} for body in sent)


def test_each_attempt_has_the_parameters_of_its_own_entry(kind: str) -> None:
    emulator = make()
    emulator.faults.add(Fault("http-500", nth=1))
    entries = [entry(reasoning_effort="high"), entry("backup", service_tier="priority")]
    options: Any = {"num_retries": 0, "fallbacks": [{"gpt-high": ["backup"]}]}
    with open_asker(kind, emulator, model_list=entries, **options) as ask:
        assert ask("POST", CREATE, HELLO).status == 200
    first, second = (request.json() for request in emulator.requests)
    assert (first["reasoning"], first.get("service_tier")) == ({"effort": "high"}, None)
    assert ("reasoning" in second, second["service_tier"]) == (False, "priority")


def test_a_fixed_parameter_is_refused_by_name_or_left_out(kind: str) -> None:
    emulator = make()
    own = entry(reasoning_effort="high", fixed_params=["reasoning_effort"])
    low = {**HELLO, "reasoning": {"effort": "low"}}
    with open_asker(kind, emulator, model_list=[own]) as ask:
        for path, body in (
            (CREATE, low),
            (CHAT, {**CHATTED, "reasoning_effort": "low"}),
        ):
            refused = ask("POST", path, body)
            assert refused.status == 400, refused.content
            assert refused.json["error"]["param"].startswith("reasoning")
        assert not emulator.requests
        found = ask("POST", CREATE, {**low, "drop_params": True})
        assert found.status == 200
        assert any("reasoning.effort" in warning for warning in found.summary.warnings)
    assert emulator.requests[-1].json()["reasoning"]["effort"] == "high"


def test_deployments_of_other_apis_get_their_own_terms(kind: str) -> None:
    emulator = make()
    entries = [
        entry("kimi", "kimi", reasoning={"effort": "high"}, max_output_tokens=50, temperature=0.5),
        entry("claude", "claude", max_tokens=60, stop="END"),
    ]
    with open_asker(kind, emulator, model_list=entries) as ask:
        for model in ("kimi", "claude"):
            assert ask("POST", CREATE, {**HELLO, "model": model}).status == 200
            assert ask("POST", CHAT, {**CHATTED, "model": model}).status == 200
            message = {**CHATTED, "model": model, "max_tokens": 20}
            assert ask("POST", MESSAGES, message).status == 200
    sent = [request.json() for request in emulator.requests]
    limits = [body.get("max_completion_tokens") or body.get("max_tokens") for body in sent]
    assert limits == [50, 50, 20, 60, 60, 20]
    assert [body.get("temperature") for body in sent[:3]] == [0.5] * 3
    assert sent[5]["stop_sequences"] == ["END"]


@pytest.mark.parametrize("path", [CREATE, CHAT])
def test_tools_that_the_deployment_refuses_are_not_sent(kind: str, path: str) -> None:
    emulator = make()
    function = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    tools = [{"type": "web_search"}, function]
    body = {**(HELLO if path == CREATE else CHATTED), "tools": tools}
    with open_asker(kind, emulator, model_list=[entry(drop_tools=["web_search"])]) as ask:
        found = ask("POST", path, body)
        assert found.status == 200, found.content
    assert any("web_search" in warning for warning in found.summary.warnings)
    (tool,) = emulator.requests[-1].json()["tools"]
    assert tool["name"] == "f"


def test_embeddings_have_the_dimensions_of_their_entry(kind: str) -> None:
    emulator = make()
    with open_asker(kind, emulator, model_list=[entry("e", "embed", dimensions=16)]) as ask:
        found = ask("POST", "/v1/embeddings", {"model": "e", "input": "a"})
        own = ask("POST", "/v1/embeddings", {"model": "e", "input": "a", "dimensions": 8})
    assert [len(one.json["data"][0]["embedding"]) for one in (found, own)] == [16, 8]


def test_an_entry_that_stores_nothing_gives_out_no_ids_to_continue(kind: str) -> None:
    emulator = make()
    with open_asker(kind, emulator, model_list=[entry(store=False)]) as ask:
        first = ask("POST", CREATE, HELLO).json
    assert first["store"] is False
    assert emulator.requests[-1].json()["store"] is False


def test_a_summary_comes_with_reasoning_where_the_settings_say_so(kind: str) -> None:
    emulator = make()
    with open_asker(
        kind, emulator, model_list=[entry(reasoning_effort="low")], reasoning_auto_summary=True
    ) as ask:
        assert ask("POST", CREATE, HELLO).status == 200
        chat = ask("POST", CHAT, CHATTED).json
    assert chat["choices"][0]["message"]["reasoning_content"]
    sent = [request.json()["reasoning"] for request in emulator.requests]
    assert sent == [{"effort": "low", "summary": "auto"}] * 2


def test_typed_calls_have_them_too() -> None:
    emulator = make()
    own = entry(reasoning_effort="low", extra_body={"metadata": {"team": "a"}})
    transport: Any = emulator.httpx_transport()
    with (
        warnings.catch_warnings(),
        httpx.Client(transport=transport) as client,
        Router([own, entry("kimi", "kimi", temperature=0.5)], http_client=client) as router,
    ):
        router.responses(model="gpt-high", input="hi")
        router.completion(model="gpt-high", messages=CHATTED["messages"])
        router.completion(model="kimi", messages=CHATTED["messages"])
        with router.stream(model="gpt-high", input="hi") as stream:
            stream.get_final_response()
    sent = [request.json() for request in emulator.requests]
    assert [body.get("metadata") for body in sent] == [{"team": "a"}] * 2 + [None, {"team": "a"}]
    assert sent[2]["temperature"] == 0.5
    assert all(sent[place]["reasoning"]["effort"] == "low" for place in (0, 1, 3))


def test_tags_of_a_call_choose_its_deployment(kind: str) -> None:
    emulator = make()
    entries = [entry(tags=["free"]), entry(tags=["paid"], reasoning_effort="high")]
    for place, one in enumerate(entries):
        one["model_info"]["id"] = f"id-{place}"
    with open_asker(kind, emulator, model_list=entries, enable_tag_filtering=True) as ask:
        for body in ({"tags": ["paid"]}, {"metadata": {"tags": ["paid"], "team": "a"}}):
            for path, hello in ((CREATE, HELLO), (CHAT, CHATTED)):
                found = ask("POST", path, {**hello, **body})
                assert found.status == 200, found.content
                assert found.headers["x-litellm-model-id"] == "id-1"
        ask.headers["x-litellm-tags"] = "free"
        assert ask("POST", CREATE, HELLO).headers["x-litellm-model-id"] == "id-0"
        ask.headers["x-litellm-tags"] = "other"
        refused = ask("POST", CREATE, HELLO)
        assert (refused.status, refused.json["error"]["code"]) == (400, "no_deployment_for_tags")
    sent = [request.json() for request in emulator.requests]
    assert not any("tags" in body for body in sent)
    assert [body.get("metadata") for body in sent] == [None, None] + [{"team": "a"}] * 2 + [None]
