"""A response that nothing stores: a follow-up on it is refused at once, not after a wait."""

from typing import Any

import pytest

from azure_responses.emulator import Emulator
from azure_responses.errors import ResponseNotFoundError
from tests.clients import both
from tests.router import both as routers


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", ["gpt-5-mini", "kimi-k2.5"])
@pytest.mark.parametrize("runner", both.RUNNERS)
def test_a_follow_up_on_an_unstored_response_is_refused_at_once(
    runner: str, model: str, is_stream: bool
) -> None:
    emulator = Emulator()

    async def scenario(client: Any) -> None:
        arguments = {"model": model, "input": "Say hello", "store": False}
        if is_stream:
            async with client.responses.stream(**arguments) as stream:
                first = await stream.get_final_response()
        else:
            first = await client.responses.create(**arguments)
        with pytest.raises(ResponseNotFoundError):
            await client.responses.create(
                model=model, input="Go on", previous_response_id=first.id, timeout=60
            )

    both.run(runner, emulator, scenario)
    # One more at most: what is kept on our side is not asked of the service.
    assert len(emulator.requests) <= 2


@pytest.mark.parametrize("runner", routers.RUNNERS)
def test_a_router_refuses_it_at_once(runner: str) -> None:
    emulator = routers.emulate(1)

    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="Say hello", store=False)
        with pytest.raises(ResponseNotFoundError):
            await router.responses(model="gpt", input="Go on", previous_response_id=first.id)

    routers.run(runner, emulator, scenario, routers.rows_of(emulator, 1))
    assert [request.status for request in emulator.requests] == [200, 400]
