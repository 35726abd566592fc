"""Callers of every API name their session in headers or bodies, and stay at one deployment."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.openai_server.connections import open_caller
from tests.openai_server.servers import Asker, make_emulator, open_asker, rows

_HELLO: dict[str, dict[str, Any]] = {
    "/v1/responses": {"model": "chat", "input": "Hello"},
    "/v1/chat/completions": {"model": "chat", "messages": [{"role": "user", "content": "Hello"}]},
    "/v1/messages": {
        "model": "chat",
        "max_tokens": 200,
        "messages": [{"role": "user", "content": "Hello"}],
    },
}
_CALLS = 12


@pytest.fixture(params=["sync", "async"])
def asker(request: pytest.FixtureRequest) -> Iterator[Asker]:
    with open_asker(request.param, make_emulator(), "east", "west") as opened:
        yield opened


def _places(asker: Asker, path: str, **fields: Any) -> set[str | None]:
    answers = [asker("POST", path, {**_HELLO[path], **fields}) for _ in range(_CALLS)]
    assert {answer.status for answer in answers} == {200}
    return {answer.summary.deployment_id for answer in answers}


@pytest.mark.parametrize("path", _HELLO)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "header", ["x-litellm-session-id", "session_id", "session-id", "x-claude-code-session-id"]
)
def test_a_session_in_a_header_stays_at_one_deployment(
    asker: Asker, path: str, stream: bool, header: str
) -> None:
    asker.headers = {header: "0195f0c2"}
    assert len(_places(asker, path, stream=stream)) == 1


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions"])
@pytest.mark.parametrize(
    "named", [{"prompt_cache_key": "0195f0c2"}, {"metadata": {"session_id": "0195f0c2"}}]
)
def test_a_session_in_the_body_stays_at_one_deployment(
    asker: Asker, path: str, named: dict[str, Any]
) -> None:
    assert len(_places(asker, path, **named)) == 1


def test_claude_codes_session_stays_at_one_deployment(asker: Asker) -> None:
    metadata = {"user_id": "user_0a_account__session_0195f0c2"}
    assert len(_places(asker, "/v1/messages", metadata=metadata)) == 1


@pytest.mark.parametrize("path", _HELLO)
@pytest.mark.parametrize("name", ["litellm_session_id", "litellm_trace_id"])
def test_a_session_of_litellms_clients_is_not_sent_on(asker: Asker, path: str, name: str) -> None:
    assert len(_places(asker, path, **{name: "0195f0c2"})) == 1
    assert asker("POST", path, {**_HELLO[path], name: None}).status == 200
    asker.headers = {"x-litellm-session-id": "0195f0c2"}
    assert len(_places(asker, path, **{name: "another"})) == 1


@pytest.mark.parametrize("path", _HELLO)
def test_a_long_beginning_stays_at_one_deployment(asker: Asker, path: str) -> None:
    name = "input" if path == "/v1/responses" else "messages"
    policy = "Answer for the office in two sentences. " * 120
    messages = [{"role": "user", "content": policy}]
    assert len(_places(asker, path, **{name: messages})) == 1


@pytest.mark.parametrize("path", _HELLO)
def test_sessions_of_owners_have_nothing_in_common(asker: Asker, path: str) -> None:
    asker.headers = {"session_id": "the-same"}
    found = set()
    for number in range(12):
        answer = asker("POST", path, _HELLO[path], owner=f"owner-{number}")
        found.add(answer.summary.deployment_id)
    assert found == {"east", "west"}


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_new_turns_of_websockets_go_where_their_session_was() -> None:
    emulator, named = make_emulator(), {"prompt_cache_key": "0195f0c2"}
    model_list = rows("east", "west")
    for entry in model_list:
        entry["litellm_params"]["api_version"] = "v1"
    for _ in range(6):
        async with open_caller(emulator, model_list) as caller:
            for _ in range(2):
                frames = await caller.turn(model="chat", input="Hello", store=False, **named)
                assert frames[-1]["type"] == "response.completed"
    assert len({each.resource for each in emulator.requests}) == 1
