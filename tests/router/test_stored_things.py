"""Files, containers, conversations and encrypted reasoning find the resource that knows them."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from azure_responses import BadRequestError, InternalServerError, ResponseNotFoundError
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault
from azure_responses.routing.token_estimate import StoredContexts
from tests.router.both import emulate, rows_of, run

_TURNS = 8


def _create(emulator: Emulator, resource: str, path: str, **sent: Any) -> str:
    """The id of something made at a resource without the router."""
    with httpx.Client(transport=emulator.httpx_transport()) as http_client:
        reply = http_client.post(
            f"https://{resource}.openai.azure.com/openai/v1/{path}",
            headers={"api-key": emulator.api_key},
            **sent,
        )
    assert reply.is_success, reply.text
    return str(reply.json()["id"])


def _file(emulator: Emulator, resource: str) -> str:
    sent = {"files": {"file": ("notes.txt", b"My name is Ann.")}, "data": {"purpose": "assistants"}}
    return _create(emulator, resource, "files", **sent)


def _with_file(id_: str) -> dict[str, Any]:
    part = {"type": "input_file", "file_id": id_}
    return {"input": [{"role": "user", "content": [part, {"type": "input_text", "text": "Read."}]}]}


def _with_tool(**tool: Any) -> dict[str, Any]:
    return {"input": "Use the tool.", "tools": [tool], "tool_choice": "required"}


_THINGS: dict[str, tuple[Callable[[Emulator, str], str], Callable[[str], dict[str, Any]]]] = {
    "file": (_file, _with_file),
    "file of a container": (
        _file,
        lambda id_: _with_tool(
            type="code_interpreter", container={"type": "auto", "file_ids": [id_]}
        ),
    ),
    "container": (
        lambda emulator, resource: _create(emulator, resource, "containers", json={"name": "c"}),
        lambda id_: _with_tool(type="code_interpreter", container=id_),
    ),
    "vector store": (
        lambda emulator, resource: _create(emulator, resource, "vector_stores", json={"name": "v"}),
        lambda id_: _with_tool(type="file_search", vector_store_ids=[id_]),
    ),
    "conversation": (
        lambda emulator, resource: _create(emulator, resource, "conversations", json={}),
        lambda id_: {"input": "My name is Ann.", "conversation": id_},
    ),
    "conversation as an object": (
        lambda emulator, resource: _create(emulator, resource, "conversations", json={}),
        lambda id_: {"input": "My name is Ann.", "conversation": {"id": id_}},
    ),
}


@pytest.mark.parametrize("kind", _THINGS)
def test_what_a_resource_holds_leads_there(runner: str, emulator: Emulator, kind: str) -> None:
    make, use = _THINGS[kind]

    async def scenario(router: Any) -> None:
        for home in ("east", "west"):
            raw = make(emulator, home)
            known = router.import_id(raw, deployment=home)
            for _ in range(_TURNS):
                answer = await router.responses(model="gpt", **use(known))
                assert answer.route.deployment == home
                assert emulator.requests[-1].resource == home
                assert raw.encode() in emulator.requests[-1].body
            with pytest.raises(BadRequestError, match="import_id"):
                await router.responses(model="gpt", **use(raw))
            owned = router.import_id(raw, deployment=home, owner="ann")
            with pytest.raises(ResponseNotFoundError):
                await router.responses(model="gpt", owner="bob", **use(owned))

    run(runner, emulator, scenario)


def test_what_two_resources_hold_is_not_mixed(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        ids = [
            router.import_id(_file(emulator, home), deployment=home) for home in ("east", "west")
        ]
        emulator.requests.clear()
        content = [{"type": "input_file", "file_id": id_} for id_ in ids]
        with pytest.raises(BadRequestError, match=r"content\[0\].*content\[1\]"):
            await router.responses(model="gpt", input=[{"role": "user", "content": content}])

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 0


def test_a_container_that_an_answer_made_leads_back(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        for _ in range(_TURNS):
            first = await router.responses(
                model="gpt", **_with_tool(type="code_interpreter", container={"type": "auto"})
            )
            (call,) = [item for item in first.output if item.type == "code_interpreter_call"]
            assert call.container_id.startswith("cntr_azr1_")
            again = await router.responses(
                model="gpt", **_with_tool(type="code_interpreter", container=call.container_id)
            )
            assert again.route.deployment == first.route.deployment

    run(runner, emulator, scenario)


def test_a_label_in_a_text_means_nothing(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="hi")
        text = f"Reply with exactly: {made.id}"
        served = set()
        for _ in range(30):
            answer = await router.responses(
                model="gpt", input=text, metadata={"before": made.id}, instructions=made.id
            )
            served.add(answer.route.deployment)
            assert answer.output_text == made.id
            assert answer.metadata == {"before": made.id}
            assert made.id.encode() in emulator.requests[-1].body
        assert served == {"east", "west"}

    run(runner, emulator, scenario)


def test_provisioned_throughput_is_used_first_and_spills_over(
    runner: str, clock: Any, naps: list[float]
) -> None:
    emulator = emulate(2, EmulatedDeployment("gpt-5", requests_per_minute=5), clock=clock)
    rows = _rows_in_order(emulator)

    async def scenario(router: Any) -> None:
        served = [(await router.responses(model="gpt", input="hi")).route for _ in range(10)]
        assert [route.deployment for route in served] == ["east"] * 5 + ["west"] * 5
        assert sum(route.retries for route in served) == 1

    run(runner, emulator, scenario, rows)
    assert naps == []


def test_headroom_spills_over_before_the_service_refuses(
    runner: str, clock: Any, naps: list[float]
) -> None:
    limited = EmulatedDeployment("gpt-5", tokens_per_minute=6000, rate_limit_headers="present")
    emulator = emulate(2, limited, clock=clock)
    rows = _rows_in_order(emulator)

    async def scenario(router: Any) -> None:
        served = []
        for _ in range(8):
            answer = await router.responses(
                model="gpt", input="Tell me more. [[azure:length:900]]", max_output_tokens=1200
            )
            served.append(answer.route)
        names = [route.deployment for route in served]
        assert names == sorted(names)
        assert set(names) == {"east", "west"}
        assert sum(route.retries for route in served) == 0

    run(runner, emulator, scenario, rows, routing_strategy="headroom")
    assert {entry.status for entry in emulator.requests} == {200}


def _rows_in_order(emulator: Emulator) -> list[dict[str, Any]]:
    rows = rows_of(emulator)
    for order, row in enumerate(rows, 1):
        row["litellm_params"]["order"] = order
    return rows


def test_an_outage_is_not_multiplied(runner: str, emulator: Emulator, naps: list[float]) -> None:
    emulator.faults.add(Fault("http-500", operation="create"))

    async def scenario(router: Any) -> None:
        for _ in range(200):
            with pytest.raises(InternalServerError):
                await router.responses(model="gpt", input="hi")

    run(
        runner,
        emulator,
        scenario,
        allowed_fails=10_000,
        retry_floor=0.0,
        retry_ratio=0.2,
        num_retries=5,
    )
    assert 200 <= len(emulator.requests) <= 242


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_what_a_follow_up_continues_counts_among_its_tokens(
    runner: str, stream: bool, count: int
) -> None:
    emulator = emulate(count)

    async def scenario(router: Any) -> None:
        asked = {"model": "gpt", "input": "My name is Ann. " * 50, "stream": stream, "owner": "me"}
        answer = await router.responses(**asked)
        first = await answer.get_final_response() if stream else answer
        read = router.router.parts.reader.read
        follow = {"model": "gpt", "input": "Who?", "owner": "me"}
        asked = {**follow, "previous_response_id": first.id}
        assert read(asked).route_request.context_tokens == first.usage.total_tokens > 150
        assert read(follow).route_request.context_tokens == 0
        # A response is found again after a restart as soon as it has been read.
        router.router._routing.contexts = StoredContexts()
        assert read(asked).route_request.context_tokens == 0
        await router.retrieve(first.id, owner="me")
        assert read(asked).route_request.context_tokens == first.usage.total_tokens
        unkept = await router.responses(model="gpt", input="x", store=False)
        assert router.router._routing.contexts.tokens_of(unkept.id) == 0

    run(runner, emulator, scenario, rows_of(emulator, count))
