"""What a router reads in a request: options, labels, and what a chat's client has dropped."""

import math
from typing import Any

import httpx
import pytest

from azure_responses import (
    APIConnectionError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    ResponseNotFoundError,
    Router,
)
from azure_responses.emulator import Emulator, Fault
from azure_responses.router.targets import make_async_credential, make_credential
from tests.router.both import emulate, rows_of, run

_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def _bare(message: Any) -> dict[str, Any]:
    """A message as a client keeps it that knows nothing but chat completions."""
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.function.name, "arguments": call.function.arguments},
        }
        for call in message.tool_calls
    ]
    return {"role": "assistant", "content": message.content, "tool_calls": calls}


@pytest.mark.parametrize("stream", [False, True])
def test_restored_reasoning_goes_back_to_the_resource_that_encrypted_it(
    runner: str, stream: bool
) -> None:
    emulator = emulate(3)

    async def scenario(router: Any) -> None:
        asked: dict[str, Any] = {
            "model": "gpt",
            "tools": [_TOOL],
            "reasoning_effort": "high",
        }
        for _ in range(20):
            messages: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
            answer = await router.completion(
                messages=messages, tool_choice="required", stream=stream, **asked
            )
            first = await answer.get_final_completion() if stream else answer
            bare = _bare(first.choices[0].message)
            messages.append(bare)
            messages += [
                {"role": "tool", "tool_call_id": call["id"], "content": "rain"}
                for call in bare["tool_calls"]
            ]
            second = await router.completion(messages=iter(messages), **asked)
            assert second.route.deployment == first.route.deployment
            assert b"encrypted_content" in emulator.requests[-1].body

    run(runner, emulator, scenario, rows_of(emulator, 3), reasoning_cache=True)


def test_reasoning_without_a_label_is_read_where_there_is_one_resource(runner: str) -> None:
    emulator = emulate(1)
    items: list[Any] = []
    asked: dict[str, Any] = {
        "model": "gpt",
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "high"},
    }

    async def first(router: Any) -> None:
        answer = await router.responses(input="My name is Ann.", **asked)
        sealed = [item.to_dict() for item in answer.output if item.type == "reasoning"]
        label = router.router.parts.reader.signer.read_ciphertext(sealed[0]["encrypted_content"])
        items.append({**sealed[0], "encrypted_content": label.inner})

    async def second(router: Any) -> None:
        given = [*items[-1:], {"role": "user", "content": "hi"}]
        answer = await router.responses(input=given, **asked)
        assert b"encrypted_content" in emulator.requests[-1].body
        assert answer.route.attempts == 1

    run(runner, emulator, first, rows_of(emulator, 1))
    run(runner, emulator, second, rows_of(emulator, 1))


def test_extra_body_headers_and_query_reach_the_service(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="My name is Ann.")
        again = await router.responses(
            model="gpt",
            input="What is my name?",
            extra_body={"previous_response_id": first.id, "max_output_tokens": 500},
            extra_headers={"x-team": "blue"},
            extra_query={"x": "1"},
        )
        assert "Ann" in again.output_text
        assert again.route.deployment == first.route.deployment
        sent = emulator.requests[-1]
        assert (sent.headers["x-team"], sent.query) == ("blue", "x=1")
        assert sent.json()["max_output_tokens"] == 500

    run(runner, emulator, scenario)


@pytest.mark.parametrize("timeout", [None, 7, httpx.Timeout(5.0, connect=1.0), math.inf])
def test_any_form_of_timeout_will_do(runner: str, emulator: Emulator, timeout: Any) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="hi", timeout=timeout)
        await router.retrieve(made.id, timeout=timeout)

    run(runner, emulator, scenario)


def test_a_rows_own_timeout_is_the_attempts(runner: str, emulator: Emulator) -> None:
    seen: list[Any] = []

    class Noting(httpx.BaseTransport, httpx.AsyncBaseTransport):
        inner: Any = emulator.httpx_transport()

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request.extensions["timeout"]["read"])
            response: httpx.Response = self.inner.handle_request(request)
            return response

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request.extensions["timeout"]["read"])
            response: httpx.Response = await self.inner.handle_async_request(request)
            return response

    async def scenario(router: Any) -> None:
        await router.responses(model="gpt", input="hi")
        await router.responses(model="gpt", input="hi", timeout=httpx.Timeout(60.0))

    run(runner, emulator, scenario, rows_of(emulator, timeout=9), transport=Noting())
    assert seen == pytest.approx([9, 9], abs=0.5)


def test_an_id_of_a_row_that_is_gone_is_served_by_its_resource_or_unknown(
    runner: str, emulator: Emulator
) -> None:
    made: list[Any] = []
    secret = "a secret of sixteen bytes or more"

    async def first(router: Any) -> None:
        made.append(await router.responses(model="gpt", input="hi"))

    async def second(router: Any) -> None:
        assert (await router.retrieve(made[-1].id)).id == made[-1].id

    async def third(router: Any) -> None:
        with pytest.raises(ResponseNotFoundError, match="gone"):
            await router.retrieve(made[-1].id)
        asked = {"model": "gpt", "input": "hi", "previous_response_id": made[-1].id}
        with pytest.raises(ResponseNotFoundError, match="not configured here any more"):
            await router.responses(**asked)
        with pytest.raises(InternalServerError, match="No entry of model_list"):
            await router.responses(on_origin_down="replay", **asked)
        told = router.explain(on_origin_down="replay", **asked)
        assert told.replays

    run(runner, emulator, first, affinity_secret=secret)
    rows = rows_of(emulator)
    home = made[-1].route.deployment
    renamed = [{**row, "model_info": {"id": f"new-{row['model_info']['id']}"}} for row in rows]
    run(runner, emulator, second, renamed, affinity_secret=secret)
    others = [row for row in rows if row["model_info"]["id"] != home]
    run(runner, emulator, third, others, affinity_secret=secret)


def test_what_cannot_be_sent_is_refused_and_blames_nobody(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        messages = [{"role": "user", "content": "hi"}]
        for stream in (False, True):
            with pytest.raises(ConfigurationError, match="logit_bias"):
                await router.completion(
                    model="gpt", messages=messages, logit_bias={"1": 2}, stream=stream
                )
            with pytest.raises(TypeError, match="tempratur"):
                await router.responses(model="gpt", input="hi", tempratur=1, stream=stream)
        with pytest.raises(ConfigurationError):
            await router.parse(model="gpt", input="hi", text_format=object)
        health = router.router._routing.health
        assert [health.statuses[name].in_flight for name in ("east", "west")] == [0, 0]

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 0


def test_a_bridge_that_may_drop_parameters_does(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        with pytest.warns(UserWarning, match="logit_bias"):
            await router.completion(
                model="gpt", messages=[{"role": "user", "content": "hi"}], logit_bias={"1": 2}
            )

    run(runner, emulator, scenario, drop_params=True)
    run(runner, emulator, scenario, rows_of(emulator, drop_params=True))


def test_a_broken_stored_stream_says_so(runner: str, emulator: Emulator, naps: list[float]) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="hi")
        emulator.faults.add(Fault("connect-refused", operation="retrieve"))
        with pytest.raises(APIConnectionError):
            await router.retrieve(made.id)
        with pytest.raises(ResponseNotFoundError):
            await router.retrieve(made.id + "x", stream=True)

    run(runner, emulator, scenario)


def test_a_service_principal_becomes_a_credential() -> None:
    principal = {"tenant_id": "t" * 8, "client_id": "c", "client_secret": "s"}
    assert type(make_credential(principal)).__name__ == "ClientSecretCredential"
    assert "aio" in type(make_async_credential(principal)).__module__
    row = {
        "model_name": "gpt",
        "params": {"model": "gpt-5", "api_base": "https://east.openai.azure.com", **principal},
    }
    with Router([row], affinity_secret="a secret of sixteen bytes or more") as router:
        (deployment,) = router.parts.calls.routing.deployments
        assert "credential" in repr(router.parts.calls.targets.of(deployment).client)


@pytest.mark.filterwarnings("ignore:.*was left out:UserWarning")
def test_an_entry_leaves_out_the_parameters_it_names(runner: str) -> None:
    emulator = emulate(1)
    table = rows_of(emulator, 1, additional_drop_params=["temperature", "user"])

    async def scenario(router: Any) -> None:
        given = {"temperature": 0.5, "user": "ann", "metadata": {"user": "ann"}}
        await router.responses(model="gpt", input="Hi", **given)
        await router.completion(model="gpt", messages=[{"role": "user", "content": "Hi"}], **given)
        for request in emulator.requests:
            assert request.json().keys().isdisjoint({"temperature", "user"})
            assert request.json()["metadata"] == {"user": "ann"}

    run(runner, emulator, scenario, table)


def test_a_program_learns_what_its_router_or_its_call_leaves_out(runner: str) -> None:
    emulator = emulate(1)

    async def scenario(router: Any) -> None:
        asked: dict[str, Any] = {"model": "gpt", "input": "Hi", "temperature": 0.5}
        with pytest.warns(UserWarning, match="temperature was dropped"):
            await router.responses(**asked, drop_params=True)
        with pytest.warns(UserWarning, match="metadata.a was left out"):
            await router.responses(
                model="gpt",
                input="Hi",
                metadata={"a": "1", "b": "2"},
                additional_drop_params=["metadata.a"],
            )
        sent = [request.json() for request in emulator.requests]
        assert "temperature" not in sent[0]
        assert sent[1]["metadata"] == {"b": "2"}
        with pytest.raises(BadRequestError):
            await router.responses(**asked, drop_params=False)
        with pytest.raises(ConfigurationError, match="drop_params is 'yes'"):
            await router.responses(**asked, drop_params="yes")

    run(runner, emulator, scenario, rows_of(emulator, 1))
