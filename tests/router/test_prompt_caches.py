"""Conversations over two resources: what the emulator's prompt caches say of where turns went."""

from typing import Any

import httpx
import pytest

from azure_responses import Router
from azure_responses.emulator import Emulator, Fault
from tests.router.both import rows_of, run

_TURNS = 20
_POLICY = "You answer for the office in two sentences. " * 120


def _question(turn: int) -> dict[str, Any]:
    return {"role": "user", "content": f"Question {turn}: " + f"what about item {turn}? " * 60}


async def _respond(router: Any, messages: list[Any], **options: Any) -> tuple[Any, Any, int, int]:
    answer = await router.responses(
        model="gpt", instructions=_POLICY, input=messages, store=False, **options
    )
    usage = answer.usage
    said = {"role": "assistant", "content": answer.output_text}
    return answer.route.deployment, said, usage.cached_tokens, usage.input_tokens


async def _chat(router: Any, messages: list[Any], **options: Any) -> tuple[Any, Any, int, int]:
    system = {"role": "system", "content": _POLICY}
    answer = await router.completion(model="gpt", messages=[system, *messages], **options)
    said = {"role": "assistant", "content": answer.choices[0].message.content}
    usage = answer.usage
    return (
        answer.route.deployment,
        said,
        usage.prompt_tokens_details.cached_tokens,
        usage.prompt_tokens,
    )


async def _streamed(router: Any, messages: list[Any], **options: Any) -> tuple[Any, Any, int, int]:
    stream = await router.responses(
        model="gpt", instructions=_POLICY, input=messages, store=False, stream=True, **options
    )
    answer = await stream.get_final_response()
    said = {"role": "assistant", "content": answer.output_text}
    return stream.route.deployment, said, answer.usage.cached_tokens, answer.usage.input_tokens


async def converse(router: Any, ask: Any, **options: Any) -> tuple[list[str], float]:
    """A conversation of twenty turns; where each went, and the share of tokens from the cache."""
    messages: list[Any] = []
    places, cached, read = [], 0, 0
    for turn in range(_TURNS):
        messages.append(_question(turn))
        place, said, hit, tokens = await ask(router, messages, **options)
        messages.append(said)
        places.append(place)
        cached, read = cached + hit, read + tokens
    return places, cached / read


@pytest.mark.parametrize("ask", [_respond, _chat, _streamed])
def test_a_conversation_of_twenty_turns_stays_with_its_cache(
    runner: str, emulator: Emulator, ask: Any
) -> None:
    found: list[tuple[list[str], float]] = []

    async def scenario(router: Any) -> None:
        found.append(await converse(router, ask))

    run(runner, emulator, scenario)
    emulator.reset()
    run(runner, emulator, scenario, prompt_cache_affinity=False)
    (with_places, with_share), (without_places, without_share) = found
    assert len(set(with_places)) == 1
    assert len(set(without_places)) == 2
    assert with_share > 0.85
    assert without_share < with_share - 0.05


def test_a_client_with_a_new_session_for_each_call_keeps_its_cache(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(router: Any) -> None:
        items: list[Any] = [_question(0)]
        places = set()
        for turn in range(12):
            headers = {"x-litellm-trace-id": f"call-{turn}"}
            place, said, _, _ = await _respond(router, items, extra_headers=headers)
            items += [said, _question(turn)]
            places.add(place)
        assert len(places) == 1

    run(runner, emulator, scenario)


_NAMES: list[dict[str, Any]] = [
    {"prompt_cache_key": "conversation-1"},
    {"metadata": {"session_id": "conversation-1"}},
    {"extra_headers": {"X-LiteLLM-Session-Id": "conversation-1"}},
    {"extra_body": {"prompt_cache_key": "conversation-1"}},
]


@pytest.mark.parametrize("named", _NAMES)
def test_calls_of_one_name_go_to_one_deployment_however_short(
    runner: str, emulator: Emulator, named: dict[str, Any]
) -> None:
    async def scenario(router: Any) -> None:
        places = set()
        for number in range(12):
            answer = await router.responses(model="gpt", input=f"Hello {number}", **named)
            places.add(answer.route.deployment)
        assert len(places) == 1

    run(runner, emulator, scenario)


def test_many_conversations_use_both_resources(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        places = []
        for number in range(60):
            answer = await router.responses(
                model="gpt", input="Hello", prompt_cache_key=f"conversation-{number}"
            )
            places.append(answer.route.deployment)
        assert 15 <= places.count("east") <= 45

    run(runner, emulator, scenario)


def test_a_refused_turn_goes_on_elsewhere_and_stays_there(emulator: Emulator) -> None:
    with Router(rows_of(emulator), http_client=_client(emulator)) as router:
        asked: dict[str, Any] = {"model": "gpt", "input": "Hello", "prompt_cache_key": "k"}
        first = router.responses(**asked)
        assert first.route is not None
        origin = first.route.deployment
        emulator.faults.add(Fault("http-429", resource=origin, retry_after=60.0))
        moved = [router.responses(**asked) for _ in range(3)]
        places = {answer.route.deployment for answer in moved if answer.route}
        assert len(places) == 1
        assert places != {origin}


def test_routers_of_one_secret_agree_without_a_shared_state(emulator: Emulator) -> None:
    with (
        Router(rows_of(emulator), http_client=_client(emulator)) as one,
        Router(rows_of(emulator), http_client=_client(emulator)) as other,
    ):
        for number in range(10):
            asked: dict[str, Any] = {
                "model": "gpt",
                "input": "Hello",
                "prompt_cache_key": f"k{number}",
            }
            places = [router.responses(**asked).route for router in (one, other)]
            assert places[0] is not None
            assert places[1] is not None
            assert places[0].deployment == places[1].deployment


def test_an_explanation_names_the_cache(emulator: Emulator) -> None:
    with Router(rows_of(emulator), http_client=_client(emulator)) as router:
        asked: dict[str, Any] = {"model": "gpt", "input": "Hello", "prompt_cache_key": "k"}
        served = router.responses(**asked).route
        explanation = router.explain(**asked)
        assert served is not None
        assert explanation.deployment == served.deployment
        assert "has the prompt cache of this prompt_cache_key" in str(explanation)


def test_a_session_goes_on_where_its_stored_turns_were(emulator: Emulator) -> None:
    with Router(rows_of(emulator), http_client=_client(emulator)) as router:
        for number in range(8):
            stored = router.responses(model="gpt", input="Hello")
            named: dict[str, Any] = {"model": "gpt", "prompt_cache_key": f"k{number}"}
            continued = router.responses(input="More", previous_response_id=stored.id, **named)
            fresh = router.responses(input="Anew", **named)
            assert stored.route is not None
            assert continued.route is not None
            assert fresh.route is not None
            places = {each.deployment for each in (stored.route, continued.route, fresh.route)}
            assert len(places) == 1


def test_the_affinity_ends_with_the_cache(emulator: Emulator) -> None:
    with Router(
        rows_of(emulator), http_client=_client(emulator), deployment_affinity_ttl_seconds=0
    ) as router:
        asked: dict[str, Any] = {"model": "gpt", "input": "Hello", "prompt_cache_key": "k"}
        router.responses(**asked)
        assert "prompt cache" not in str(router.explain(**asked))


def test_the_calls_of_one_owner_stay_together_where_that_is_asked_for(emulator: Emulator) -> None:
    checks = ["deployment_affinity"]
    with Router(
        rows_of(emulator), http_client=_client(emulator), optional_pre_call_checks=checks
    ) as router:
        for owner in ("ann", "ben"):
            answers = [router.responses(model="gpt", input="Hello", owner=owner) for _ in range(9)]
            assert len({answer.route.deployment for answer in answers if answer.route}) == 1


def _client(emulator: Emulator) -> httpx.Client:
    return httpx.Client(transport=emulator.httpx_transport())
