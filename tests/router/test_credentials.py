"""What a router does with a deployment whose credential gives no token."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from azure_responses import CredentialError, CredentialTimeoutError
from azure_responses.emulator import Emulator
from tests.router.both import rows_of, run


class _Provider:
    """Counts how often it is asked."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer
        self.count = 0

    def __call__(self) -> Any:
        self.count += 1
        return self.answer()


def _fail() -> str:
    raise OSError("the identity endpoint does not answer")


def _rows(emulator: Emulator, provider: Callable[[], Any], count: int = 2) -> list[dict[str, Any]]:
    """Rows of which the first, east, has a token provider."""
    rows = rows_of(emulator, count)
    del rows[0]["litellm_params"]["api_key"]
    rows[0]["litellm_params"]["azure_ad_token_provider"] = provider
    return rows


async def _ask(router: Any, kind: str) -> str:
    if kind == "chat":
        messages = [{"role": "user", "content": "Reply with: pong"}]
        return str((await router.completion(model="gpt", messages=messages)).route.deployment)
    answer = await router.responses(model="gpt", input="Reply with: pong", stream=kind == "stream")
    if kind == "stream":
        async for _ in answer:
            pass
    return str(answer.route.deployment)


@pytest.mark.parametrize("kind", ["whole", "stream", "chat"])
@pytest.mark.parametrize("answer", [_fail, lambda: 7], ids=["fails", "garbage"])
def test_a_credential_that_gives_no_token_is_told_loudly_and_its_row_cools_down(
    runner: str,
    emulator: Emulator,
    naps: list[float],
    caplog: pytest.LogCaptureFixture,
    answer: Callable[[], Any],
    kind: str,
) -> None:
    provider = _Provider(answer)

    async def scenario(router: Any) -> None:
        # So many that chance does not leave out the one that fails.
        assert {await _ask(router, kind) for _ in range(40)} == {"west"}

    with caplog.at_level(logging.ERROR, logger="azure_responses.router"):
        run(runner, emulator, scenario, _rows(emulator, provider))
    assert provider.count == 1
    assert naps == []
    assert caplog.text.count("Deployment east") == 1


def test_calls_at_once_wait_for_one_fetch_and_are_all_served(emulator: Emulator) -> None:
    def fail_slowly() -> str:
        time.sleep(0.1)
        return _fail()

    provider = _Provider(fail_slowly)

    async def scenario(router: Any) -> None:
        asked = [router.responses(model="gpt", input="Reply with: pong") for _ in range(20)]
        answers = await asyncio.gather(*asked)
        assert {answer.route.deployment for answer in answers} == {"west"}

    run("asyncio", emulator, scenario, _rows(emulator, provider))
    assert provider.count == 1


def test_without_another_deployment_the_error_names_the_one_whose_credential_failed(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(router: Any) -> None:
        with pytest.raises(CredentialError, match="'east': No token could be fetched") as caught:
            await router.responses(model="gpt", input="hi")
        assert caught.value.deployment == "east"

    run(runner, emulator, scenario, _rows(emulator, _fail, 1))
    assert naps == []
    assert len(emulator.requests) == 0


def test_a_call_ends_with_its_own_timeout_while_a_credential_hangs(
    runner: str, emulator: Emulator
) -> None:
    ends: list[float] = []

    def hang() -> str:
        while not ends:
            time.sleep(0.01)
        return "token"

    async def scenario(router: Any) -> None:
        began = time.monotonic()
        with pytest.raises(CredentialTimeoutError):
            await router.responses(model="gpt", input="hi", timeout=0.2)
        assert time.monotonic() - began < 5

    try:
        run(runner, emulator, scenario, _rows(emulator, hang, 1))
    finally:
        ends.append(0.0)


def test_a_service_principal_that_cannot_be_made_leaves_the_calls_to_the_others(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    rows = rows_of(emulator)
    del rows[0]["litellm_params"]["api_key"]
    principal = {"tenant_id": "no tenant!", "client_id": "c", "client_secret": "s"}
    rows[0]["litellm_params"].update(principal)

    async def scenario(router: Any) -> None:
        assert {await _ask(router, "whole") for _ in range(20)} == {"west"}

    run(runner, emulator, scenario, rows)
