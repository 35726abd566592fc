"""What a call leaves behind, however it ends."""

import gc
import time
from collections.abc import Iterator

import httpx
import pytest

from azure_responses.emulator import Emulator, Fault, Latency
from azure_responses.gateway.error_tracebacks import clear_tracebacks
from azure_responses.gateway.spend import to_dollars
from azure_responses.openai_server import ApiRequest
from tests.gateway.gateways import Running, config_of, serve
from tests.openai_server.servers import make_emulator

CREATE = "/v1/responses"
ENDLESS = {"model": "chat", "input": "[[azure:length:2000]]", "max_output_tokens": 4000}
_BUDGETED = "sk-budgeted-0123456789"


@pytest.fixture
def emulator() -> Emulator:
    return make_emulator(latency=Latency(first_token=0.05, tokens_per_second=20))


@pytest.fixture
def gateway(emulator: Emulator) -> Iterator[Running]:
    with emulator.serve() as server:
        config = config_of(server.url, "east")
        config["virtual_keys"] = [{"name": "ann", "key": _BUDGETED, "budget": 0.02}]
        config["router_settings"] = {"num_retries": 1, "cooldown_time": 0}
        with serve(config) as running:
            yield running


def _leave_early(client: httpx.Client, *, is_stream: bool) -> None:
    if is_stream:
        with client.stream("POST", CREATE, json={**ENDLESS, "stream": True}) as reply:
            reply.raise_for_status()
            next(reply.iter_bytes())
    else:
        try:
            client.post(CREATE, json=ENDLESS, timeout=0.5).raise_for_status()
        except httpx.ReadTimeout:
            client.close()


def _await_calls(gateway: Running, count: int) -> None:
    deadline = time.monotonic() + 20
    while gateway.app.gateway.concurrency.in_progress > 0 or _calls(gateway) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _calls(gateway: Running) -> float:
    text = httpx.get(f"{gateway.url}/metrics").text
    lines = [line for line in text.splitlines() if line.startswith("azure_responses_calls_total")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def _spent(gateway: Running, calls: int) -> float:
    _await_calls(gateway, calls)
    return float(to_dollars(gateway.app.gateway._totals.spent("ann")))


@pytest.mark.parametrize("is_stream", [True, False])
def test_who_leaves_early_has_spent_what_was_put_aside(gateway: Running, is_stream: bool) -> None:
    for number in range(3):
        with gateway.client(_BUDGETED) as client:
            _leave_early(client, is_stream=is_stream)
        _await_calls(gateway, number + 1)
    # 4,000 tokens at 2 dollars a million, and a few of input.
    assert _spent(gateway, 3) == pytest.approx(3 * 0.008, rel=0.02)
    with gateway.client(_BUDGETED) as client:
        refused = client.post(CREATE, json=ENDLESS)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "budget_exceeded"


def test_a_call_that_goes_on_in_the_background_has_too(gateway: Running) -> None:
    with gateway.client(_BUDGETED) as client:
        found = client.post(CREATE, json={**ENDLESS, "background": True})
    assert found.json()["status"] in ("queued", "in_progress")
    assert _spent(gateway, 1) == pytest.approx(0.008, rel=0.02)


def test_a_call_that_azure_failed_has_spent_nothing(gateway: Running, emulator: Emulator) -> None:
    emulator.faults.add(Fault("http-500"))
    with gateway.client(_BUDGETED) as client:
        assert client.post(CREATE, json=ENDLESS).status_code >= 500
    assert _spent(gateway, 1) == 0


def test_a_call_whose_usage_is_known_has_spent_its_cost(gateway: Running) -> None:
    with gateway.client(_BUDGETED) as client:
        found = client.post(CREATE, json={**ENDLESS, "input": "Say hello"})
    assert _spent(gateway, 1) == float(found.headers["x-litellm-response-cost"])


def test_errors_in_a_circle_are_let_go_of_once() -> None:
    first, second = ValueError(), KeyError()
    try:
        try:
            raise first from first
        except ValueError:
            raise second from first
    except KeyError:
        first.__context__ = second
    clear_tracebacks([None, second])
    assert (first.__traceback__, second.__traceback__) == (None, None)


def test_a_response_that_azure_no_longer_has_is_a_404(gateway: Running) -> None:
    with gateway.client() as client:
        created = client.post(CREATE, json={**ENDLESS, "input": "Say hello"})
        for method in ("DELETE", "DELETE", "GET"):
            found = client.request(method, f"{CREATE}/{created.json()['id']}")
    assert found.status_code == 404


@pytest.mark.parametrize("model", ["chat", "no-such-model"])
@pytest.mark.parametrize("is_stream", [True, False])
@pytest.mark.parametrize("path", [CREATE, "/v1/chat/completions"])
def test_a_call_that_failed_leaves_nothing_for_the_garbage_collector(
    gateway: Running, emulator: Emulator, path: str, is_stream: bool, model: str
) -> None:
    """Its body may be tens of megabytes, and few objects make no collection come."""
    emulator.faults.add(Fault("http-500"))
    messages = [{"role": "user", "content": "hello"}]
    body = {"model": model, "stream": is_stream}
    body |= {"input": "hello"} if path == CREATE else {"messages": messages}
    gc.collect()
    gc.disable()
    try:
        with gateway.client() as client:
            for _ in range(3):
                assert client.post(path, json=body).status_code >= 400
            _await_calls(gateway, 3)
            assert not [one for one in gc.get_objects() if isinstance(one, ApiRequest)]
    finally:
        gc.enable()
