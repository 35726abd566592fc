"""The in-process transport: incremental, cancellable, the same for both clients."""

import anyio
import httpx
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Latency, Resource
from tests.emulator.callers import V1, open_client

BODY = {"model": "gpt-4.1", "input": "Say hello", "stream": True}
BACKENDS = ["asyncio", "trio"]


def test_a_stream_arrives_event_by_event(emulator: Emulator, client: httpx.Client) -> None:
    emulator.faults.add(Fault("slow-body", seconds=1.0))
    begin = emulator.clock.now()
    with client.stream("POST", V1, json=BODY) as reply:
        times = [emulator.clock.now() - begin for _ in reply.iter_raw()]
    assert times == [float(number + 1) for number in range(len(times))]
    assert len(times) > 5


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_asynchronous_client_sees_the_same_bytes(backend: str) -> None:
    async def run(stream: bool) -> bytes:
        emulator = Emulator(seed=5)
        emulator.clock.freeze(1_790_000_000.0)
        async with httpx.AsyncClient(
            transport=emulator.httpx_transport(),
            base_url=emulator.endpoint,
            headers={"api-key": emulator.api_key},
        ) as client:
            reply = await client.post(V1, json={**BODY, "stream": stream})
            return reply.content

    for stream in (True, False):
        emulator = Emulator(seed=5)
        emulator.clock.freeze(1_790_000_000.0)
        with open_client(emulator) as client:
            expected = client.post(V1, json={**BODY, "stream": stream}).content
        assert anyio.run(run, stream, backend=backend) == expected


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("connect-refused", httpx.ConnectError),
        ("stall-before-headers", httpx.ReadTimeout),
        ("reset-mid-body", httpx.ReadError),
        ("stall", httpx.ReadTimeout),
        ("slow-body", httpx.ReadTimeout),
    ],
)
def test_the_asynchronous_client_sees_the_same_failures(
    emulator: Emulator, backend: str, kind: str, error: type[Exception]
) -> None:
    emulator.faults.add(Fault(kind, seconds=60.0 if kind == "slow-body" else None))

    async def run() -> None:
        async with httpx.AsyncClient(
            transport=emulator.httpx_transport(),
            base_url=emulator.endpoint,
            headers={"api-key": emulator.api_key},
        ) as client:
            with pytest.raises(error):
                await client.post(V1, json=BODY)

    anyio.run(run, backend=backend)


def test_real_waits_are_really_slept() -> None:
    emulator = Emulator(latency=Latency(first_token=0.05))
    begin = emulator.clock.now()
    with open_client(emulator) as client:
        client.post(V1, json=BODY)
        client.post(V1, json={**BODY, "stream": False})
    assert emulator.clock.now() - begin >= 0.1


def test_asynchronous_waits_let_others_run() -> None:
    emulator = Emulator(latency=Latency(first_token=0.2))

    async def post(client: httpx.AsyncClient, stream: bool) -> None:
        reply = await client.post(V1, json={**BODY, "stream": stream})
        assert reply.status_code == 200

    async def run() -> None:
        client = httpx.AsyncClient(
            transport=emulator.httpx_transport(),
            base_url=emulator.endpoint,
            headers={"api-key": emulator.api_key},
        )
        async with client, anyio.create_task_group() as group:
            for stream in (True, False) * 5:
                group.start_soon(post, client, stream)

    begin = emulator.clock.now()
    anyio.run(run)
    assert emulator.clock.now() - begin < 1.5


def test_a_wait_longer_than_the_read_timeout_is_a_timeout(emulator: Emulator) -> None:
    slow = Emulator(clock=emulator.clock, latency=Latency(first_token=10))
    begin = emulator.clock.now()
    with open_client(slow) as client:
        for stream in (True, False):
            with pytest.raises(httpx.ReadTimeout) as caught:
                client.post(V1, json={**BODY, "stream": stream}, timeout=2.0)
            assert caught.value.request.url.path == V1
    assert emulator.clock.now() - begin == pytest.approx(4.0)


def test_long_waits_in_slices_still_run_into_the_read_timeout(emulator: Emulator) -> None:
    slow = Emulator(clock=emulator.clock, latency=Latency(running=100))
    begin = emulator.clock.now()
    with open_client(slow) as client, pytest.raises(httpx.ReadTimeout):
        client.post(V1, json={**BODY, "background": True}, timeout=5.0)
    assert emulator.clock.now() - begin == pytest.approx(5.0)


def test_without_a_timeout_a_stall_ends_after_its_own_seconds(emulator: Emulator) -> None:
    emulator.faults.add(Fault("stall-before-headers", seconds=30))
    begin = emulator.clock.now()
    with open_client(emulator) as client, pytest.raises(httpx.ReadTimeout):
        client.post(V1, json=BODY, timeout=None)
    assert emulator.clock.now() - begin == 30


def test_a_host_that_is_no_resource_does_not_resolve() -> None:
    emulator = Emulator([Resource("mine", deployments=[EmulatedDeployment("gpt-4.1")])])
    with open_client(emulator) as client:
        assert client.post(V1, json=BODY).status_code == 200
        for host in ("https://other.openai.azure.com", "https://example.com"):
            with pytest.raises(httpx.ConnectError, match="Name or service not known"):
                client.post(host + V1, json=BODY)
