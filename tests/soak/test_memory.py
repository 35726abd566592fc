"""What a call has ended with is let go."""

import gc
import weakref

import httpx
import pytest

from azure_responses import Router
from azure_responses.emulator import Emulator, Fault
from azure_responses.errors import AzureResponsesError


@pytest.fixture
def router() -> Router:
    """A router whose every stream breaks off in its middle."""
    emulator = Emulator()
    emulator.faults.add(Fault("reset-mid-body", streamed=True, after_events=8))
    row = {"model": "azure/gpt-5-mini", "api_base": emulator.endpoint, "api_key": emulator.api_key}
    client = httpx.Client(transport=emulator.httpx_transport())
    return Router([{"model_name": "chat", "litellm_params": row}], http_client=client)


def _break_off(router: Router) -> "weakref.ref[object]":
    stream = router.responses(model="chat", input="Count to 50", stream=True)
    found: weakref.ref[object] = weakref.ref(stream)
    with pytest.raises(AzureResponsesError), stream:
        for _ in stream:
            pass
    return found


def test_a_stream_that_broke_off_is_not_kept(router: Router) -> None:
    found = [_break_off(router) for _ in range(3)]
    gc.collect()
    assert [ref() for ref in found] == [None, None, None]
    router.close()
