"""Follow-ups find the resource that can serve them: the failures of other routers, one by one.

What fails elsewhere: follow-ups with default settings (T0), with the origin in its cooldown (T1b),
encrypted reasoning natively (T2a) and through the chat bridge (T2b), and hints in milliseconds
(T3).
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from azure_responses.emulator import Emulator, Fault
from tests.router.both import emulate, rows_of, run
from tests.router.conftest import OnlyMilliseconds

_CONVERSATIONS = 200
_FAULTS = (
    Fault("http-429", operation="create", probability=0.05, retry_after=0.3),
    Fault("http-500", operation="create", probability=0.03),
    Fault("reset-before-headers", operation="create", probability=0.03),
    Fault("reset-mid-body", operation="create", probability=0.02, after_events=0),
)
_NAME = "My name is Ann. Reply with exactly: noted"
_QUESTION = "What is my name?"

Turn = Callable[[Any, Any, bool], Awaitable[Any]]


async def _read(answer: Any, stream: bool) -> Any:
    """The whole response, streamed or not."""
    return await answer.get_final_response() if stream else answer


async def _native_stored(router: Any, before: Any, stream: bool) -> Any:
    continued = {"previous_response_id": before.id} if before else {}
    text = _QUESTION if before else _NAME
    return await _read(
        await router.responses(model="gpt", input=text, stream=stream, **continued), stream
    )


async def _native_stateless(router: Any, before: Any, stream: bool) -> Any:
    items: list[Any] = [{"role": "user", "content": _NAME}]
    if before:
        items += [*before.output, {"role": "user", "content": _QUESTION}]
    answer = await router.responses(
        model="gpt",
        input=items,
        store=False,
        include=["reasoning.encrypted_content"],
        reasoning={"effort": "high"},
        stream=stream,
    )
    return await _read(answer, stream)


async def _chat_stateless(router: Any, before: Any, stream: bool) -> Any:
    messages: list[Any] = [{"role": "user", "content": _NAME}]
    if before:
        messages += [before.choices[0].message, {"role": "user", "content": _QUESTION}]
    answer = await router.completion(
        model="gpt", messages=messages, reasoning_effort="high", stream=stream
    )
    return await answer.get_final_completion() if stream else answer


async def _chat_stored(router: Any, before: Any, stream: bool) -> Any:
    text = _QUESTION if before else _NAME
    answer = await router.completion(
        model="gpt",
        messages=[{"role": "user", "content": text}],
        store=True,
        previous_response_id=before.id if before else None,
        stream=stream,
    )
    return await answer.get_final_completion() if stream else answer


def _text_of(answer: Any) -> str:
    choices = getattr(answer, "choices", None)
    return str(choices[0].message.content if choices else answer.output_text)


_TURNS = {
    "native, stored": _native_stored,
    "native, stateless": _native_stateless,
    "chat, stored": _chat_stored,
    "chat, stateless": _chat_stateless,
}


def _origin(emulator: Emulator) -> str | None:
    """The resource that gave the last answer, which is what the log ends with."""
    return emulator.requests[len(emulator.requests) - 1].resource


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("kind", _TURNS)
@pytest.mark.parametrize(
    ("count", "runner"),
    [(2, "sync"), (2, "asyncio"), (2, "trio"), (3, "sync"), (10, "asyncio")],
)
def test_every_follow_up_goes_where_it_came_from_while_things_go_wrong(
    count: int, runner: str, kind: str, stream: bool, clock: Any, naps: list[float]
) -> None:
    emulator = emulate(count, clock=clock)
    for fault in _FAULTS:
        emulator.faults.add(fault)
    turn: Turn = _TURNS[kind]
    served = set()

    async def scenario(router: Any) -> None:
        for _ in range(_CONVERSATIONS):
            # Long enough in all for a deployment that failed first to come out of its cooldown.
            clock.advance(1)
            emulator.requests.clear()
            first = await turn(router, None, stream)
            origin = _origin(emulator)
            served.add(origin)
            emulator.requests.clear()
            second = await turn(router, first, stream)
            assert "Ann" in _text_of(second)
            assert {entry.resource for entry in emulator.requests} == {origin}
            sent = emulator.requests[0].body
            assert (b"previous_response_id" if "stored" in kind else b"encrypted_content") in sent
            assert second.route.deployment == origin
            assert not second.route.strips_reasoning

    run(
        runner,
        emulator,
        scenario,
        rows_of(emulator, count),
        transport=OnlyMilliseconds(emulator.httpx_transport()),
        num_retries=6,
        retry_floor=1000.0,
    )
    assert len(served) == count
