"""A continuation that is refused for a while: the service forgets what it continues.

The next attempt has all items, where the connection keeps them; else the error says what is lost.
"""

from typing import Any

import pytest

from azure_responses import (
    InternalServerError,
    RateLimitError,
    ResponseNotFoundError,
)
from tests.clients.both import run_served
from tests.router.turn_upstream import TurnUpstream

_SETTINGS: Any = {"api_key": "key", "deployment": "gpt-5-mini"}
_REASONS = {429: "rate_limit_exceeded", 500: "server_error", 503: "server_is_overloaded"}


def _refusal(status: int) -> dict[str, Any]:
    error = {"code": _REASONS[status], "message": "Not now.", "type": "error"}
    return {"status": status, "error": error, "headers": {"retry-after": "0.01"}}


@pytest.mark.parametrize("status", _REASONS)
def test_with_replay_the_next_attempt_has_all_items(runner: str, status: int) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.connect(replay=True) as connection:
            first = await connection.create(input="hi", store=False).get_final_response()
            upstream.faults.append(_refusal(status))
            second = await connection.create(
                input="on", store=False, previous_response_id=first.id
            ).get_final_response()
            await connection.create(
                input="more", store=False, previous_response_id=second.id
            ).get_final_response()

    with TurnUpstream() as upstream:
        run_served(runner, upstream.url, scenario, **_SETTINGS)
        _, refused, again, more = upstream.requests
    assert refused.body["input"] == "on"
    assert again.kinds == ["message", "message", "message"]
    assert "previous_response_id" not in again.body
    # The socket has made it, so that new items are enough.
    assert more.body["input"] == "more"


@pytest.mark.parametrize("status", _REASONS)
def test_without_replay_the_error_says_what_is_lost(runner: str, status: int) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            first = await connection.create(input="hi", store=False).get_final_response()
            upstream.faults.append(_refusal(status))
            with pytest.raises(ResponseNotFoundError, match=r"connect\(replay=True\)") as caught:
                await connection.create(
                    input="on", store=False, previous_response_id=first.id
                ).get_final_response()
            cause = caught.value.__cause__
            assert isinstance(cause, RateLimitError if status == 429 else InternalServerError)
            assert (await connection.create(input="anew").get_final_response()).output_text

    with TurnUpstream() as upstream:
        run_served(runner, upstream.url, scenario, **_SETTINGS)
        assert [one.body["input"] for one in upstream.requests] == ["hi", "on", "on", "anew"]


@pytest.mark.parametrize("status", _REASONS)
def test_a_stored_response_is_continued_by_its_id_again(runner: str, status: int) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            first = await connection.create(input="hi").get_final_response()
            upstream.faults.append(_refusal(status))
            second = await connection.create(
                input="on", previous_response_id=first.id
            ).get_final_response()
            assert second.previous_response_id == first.id

    with TurnUpstream() as upstream:
        run_served(runner, upstream.url, scenario, **_SETTINGS)
        assert [one.body["input"] for one in upstream.requests] == ["hi", "on", "on"]
