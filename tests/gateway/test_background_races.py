"""Replicas that all see the end of a response charge it once, also when one of them is killed."""

import asyncio
import json
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Fault, Latency
from azure_responses.gateway.app import create_app
from azure_responses.gateway.database import open_database
from azure_responses.gateway.open_response import OpenResponse
from azure_responses.gateway.spend import Spent
from azure_responses.protocol.webhook_signature import sign
from tests.gateway.gateways import Running, run_process, serve
from tests.gateway.test_background_prices import (
    ALICE,
    CREATE,
    HELLO,
    NEVER,
    configured,
    log_lines,
    make_emulator,
    open_names,
    totals,
    until,
)
from tests.store.conftest import redis_server
from tests.store.redis_server import RedisServer

__all__ = ["redis_server"]

SECRET = "whsec_" + "QUFB" * 11
ROUNDS = 50
HOUR = 3600.0


def total_of(url: str) -> tuple[Spent, int]:
    """The sums of a database, and what counts against budgets."""
    database = open_database(url)
    total = Spent()
    for spent in database.totals().values():
        total.add(spent)
    costs = sum(cost for _, _, cost in database.daily_costs())
    database.close()
    return total, costs


@contextmanager
def replicas(tmp_path: Path, server_url: str, **general: Any) -> Iterator[list[Running]]:
    """Two gateways, each with a spend log of its own."""
    with ExitStack() as stack:
        running = []
        for name in ("a", "b"):
            folder = tmp_path / name
            folder.mkdir()
            config = configured(server_url, folder, webhook_secrets=[SECRET], **general)
            running.append(stack.enter_context(serve(config)))
        yield running


def inner_id(running: Running, label: str) -> str:
    found = running.app.gateway.router.parts.reader.affinity.read_id(label, "alice")
    assert found is not None
    return found.inner


def tell(running: Running, response_id: str, webhook_id: str) -> None:
    event = {"type": "response.completed", "data": {"id": response_id}}
    body = json.dumps(event).encode()
    headers = sign(body, webhook_id, int(time.time()), SECRET)
    reply = httpx.post(f"{running.url}/webhooks/azure", content=body, headers=headers, timeout=20)
    assert reply.status_code == 200


def poll(running: Running, response_id: str) -> None:
    prices = running.app.gateway.background_prices
    assert prices._poller is not None
    loop = prices._poller.get_loop()
    asyncio.run_coroutine_threadsafe(prices.look_at(response_id), loop).result(30)


def race(*witnesses: Callable[[], object]) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(len(witnesses))

    def run(witness: Callable[[], object]) -> None:
        start.wait()
        try:
            witness()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in witnesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def see_the_end(
    running: list[Running], clients: list[httpx.Client], number: int, *, is_stream: bool
) -> None:
    """Make a response, and let a stream, retrieves, webhooks and polls see its end at once."""
    asked = {**HELLO, "input": f"Number {number}", "stream": is_stream}
    with clients[0].stream("POST", CREATE, json=asked) as reply:
        if is_stream:
            first = b""
            pieces = reply.iter_bytes()
            while b'"id":"resp_' not in first:
                first += next(pieces)
            label = first.split(b'"id":"')[1].split(b'"')[0].decode()
        else:
            label, pieces = json.loads(reply.read())["id"], iter(())
        inner = inner_id(running[0], label)
        a, b = running
        race(
            lambda: list(pieces),
            lambda: clients[0].get(f"{CREATE}/{label}"),
            lambda: clients[1].get(f"{CREATE}/{label}"),
            lambda: tell(a, inner, f"wh_{number}"),
            lambda: tell(b, inner, f"wh_{number}"),
            lambda: poll(a, inner),
            lambda: poll(b, inner),
        )


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_replicas_with_one_database_charge_each_response_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, redis_server: RedisServer
) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("empty_postgresql")
    general = {"database_url": url, "redis_url": redis_server.url}
    with make_emulator(Latency()).serve() as server:
        with replicas(tmp_path, server.url, **general) as running, ExitStack() as stack:
            clients = [stack.enter_context(each.client(ALICE)) for each in running]
            for number in range(ROUNDS):
                see_the_end(running, clients, number, is_stream=number % 3 == 0)
            until(lambda: total_of(url)[0].unpriced == 0, "a response has no price")
            for each in running:
                until(lambda gateway=each.app.gateway: not gateway.background_prices._tasks)
            total, charged = total_of(url)
            assert (total.calls, total.unpriced, total.failed) == (ROUNDS, 0, 0)
            assert charged == total.cost
            spent = {each.app.gateway._totals.spent("alice") for each in running}
            until(lambda: {e.app.gateway._totals.spent("alice") for e in running} == {total.cost})
            assert spent
        lines = [*log_lines(tmp_path / "a"), *log_lines(tmp_path / "b")]
        priced = [line for line in lines if line["operation"] == "create"]
        assert len(priced) == len({line["id"] for line in priced}) == ROUNDS
        assert sum(line["usage"]["output_tokens"] for line in priced) == total.output_tokens


def test_two_replicas_with_only_a_redis_charge_each_response_once(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    general = {"database_url": None, "redis_url": redis_server.url}
    with make_emulator(Latency()).serve() as server:
        with replicas(tmp_path, server.url, **general) as running, ExitStack() as stack:
            clients = [stack.enter_context(each.client(ALICE)) for each in running]
            for number in range(10):
                see_the_end(running, clients, number, is_stream=number % 3 == 0)
            for each in running:
                until(lambda gateway=each.app.gateway: not gateway.background_prices._tasks)
            # Each holds its own money until it hears that another has closed the record.
            for each in running:
                records = each.app.gateway.background_prices._records
                until(lambda records=records: not records._mine or records.release_closed())
            spent = sum(each.app.gateway._totals.spent("alice") for each in running)
        lines = [*log_lines(tmp_path / "a"), *log_lines(tmp_path / "b")]
        costs = [line["cost"] for line in lines if line["operation"] == "create"]
        assert len(costs) == 10
        assert spent == round(sum(float(cost) for cost in costs) * 10**12)


def test_a_killed_process_leaves_each_response_charged_once_or_open(tmp_path: Path) -> None:
    chance = random.Random(7)
    with make_emulator(Latency()).serve() as server:
        config = configured(server.url, tmp_path)
        for _ in range(3):
            with run_process(config, tmp_path) as (url, process):
                headers = {"authorization": f"Bearer {ALICE}"}
                with httpx.Client(base_url=url, headers=headers, timeout=20) as client:
                    labels = [client.post(CREATE, json=HELLO).json()["id"] for _ in range(6)]
                    threads = [
                        threading.Thread(target=read_quietly, args=(client, label))
                        for label in labels
                    ]
                    for thread in threads:
                        thread.start()
                    time.sleep(chance.uniform(0.0, 0.08))
                    process.send_signal(signal.SIGKILL)
                    for thread in threads:
                        thread.join(20)
        total = totals(tmp_path)
        assert total.calls == 18
        assert total.unpriced == len(open_names(tmp_path))
        with serve(config) as running, running.client(ALICE) as client:
            for label in open_names(tmp_path):
                client.get(f"{CREATE}/{label}")
            until(lambda: not open_names(tmp_path))
        total = totals(tmp_path)
        assert (total.calls, total.unpriced) == (18, 0)
        assert total_of(f"sqlite:///{tmp_path / 'gateway.db'}")[1] == total.cost


def read_quietly(client: httpx.Client, label: str) -> None:
    with suppress(httpx.HTTPError):
        client.get(f"{CREATE}/{label}")


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def run_with_clock(config: dict[str, Any], main: Any) -> None:
    """Run a gateway in this event loop, by a clock that the test moves."""

    async def run() -> None:
        app, clock = create_app(config), Clock()
        app.gateway.background_prices._clock = clock
        await app.gateway.start()
        transport = httpx.ASGITransport(app=app)
        headers = {"authorization": f"Bearer {ALICE}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=headers, timeout=60
        ) as client:
            await main(app.gateway.background_prices, client, clock)
        await app.gateway.close()

    asyncio.run(run())


def the_open_one(prices: Any) -> OpenResponse:
    (opened,) = prices._records._shared.all()
    assert isinstance(opened, OpenResponse)
    return opened


def test_polls_end_after_a_day_and_what_was_held_counts_as_spent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    emulator = make_emulator(NEVER)

    async def main(prices: Any, client: httpx.AsyncClient, clock: Clock) -> None:
        await client.post(CREATE, json=HELLO)
        began, polls = clock.now, 0
        assert await prices.poll_due() == 0
        clock.now += 29
        assert await prices.poll_due() == 0
        emulator.clock.freeze()
        while prices._records._shared.all():
            clock.now = the_open_one(prices).due
            assert await prices.poll_due() == 1
            polls += 1
        assert clock.now - began == pytest.approx(24 * HOUR)
        assert 150 < polls < 170
        assert await prices.poll_due() == 0

    with emulator.serve() as server:
        run_with_clock(configured(server.url, tmp_path), main)
    total = totals(tmp_path)
    assert (total.calls, total.unpriced, total.cost) == (1, 1, 0)
    assert total_of(f"sqlite:///{tmp_path / 'gateway.db'}")[1] > 0
    assert "stays unknown" in caplog.text


def test_the_poll_that_finds_the_end_settles_the_price(tmp_path: Path) -> None:
    async def main(prices: Any, client: httpx.AsyncClient, clock: Clock) -> None:
        await client.post(CREATE, json=HELLO)
        await asyncio.sleep(0.5)
        clock.now += 30
        assert await prices.poll_due() == 1
        assert prices._records._shared.all() == []

    with make_emulator(Latency(first_token=0.1)).serve() as server:
        run_with_clock(configured(server.url, tmp_path), main)
    assert (totals(tmp_path).calls, totals(tmp_path).unpriced) == (1, 0)
    assert totals(tmp_path).cost > 0


def test_a_response_that_azure_does_not_know_any_more_is_given_up(tmp_path: Path) -> None:
    began = time.time()

    async def make(prices: Any, client: httpx.AsyncClient, clock: Clock) -> None:
        await client.post(CREATE, json=HELLO)
        opened = the_open_one(prices)
        async with httpx.AsyncClient(headers={"api-key": "key-of-east"}) as azure:
            url = f"{server.url}/resources/east/openai/v1/responses/{opened.id}"
            assert (await azure.delete(url)).status_code == 200

    # In another process: the one that made a response waits for a while until it can be read.
    async def look(prices: Any, client: httpx.AsyncClient, clock: Clock) -> None:
        clock.now = began + 35
        assert await prices.poll_due() == 1
        assert the_open_one(prices).due > clock.now
        clock.now = began + 160
        assert await prices.poll_due() == 1
        assert prices._records._shared.all() == []

    with make_emulator(NEVER).serve() as server:
        run_with_clock(configured(server.url, tmp_path), make)
        run_with_clock(configured(server.url, tmp_path), look)
    assert (totals(tmp_path).calls, totals(tmp_path).unpriced) == (1, 1)


def test_a_poll_that_azure_refuses_is_made_again_later(tmp_path: Path) -> None:
    emulator = make_emulator(NEVER)

    async def main(prices: Any, client: httpx.AsyncClient, clock: Clock) -> None:
        await client.post(CREATE, json=HELLO)
        before = the_open_one(prices)
        emulator.faults.add(Fault("token-expired"))
        clock.now += 31
        assert await prices.poll_due() == 1
        assert the_open_one(prices).due > before.due

    with emulator.serve() as server:
        run_with_clock(configured(server.url, tmp_path), main)
