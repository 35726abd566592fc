"""Webhooks arrive at least once, signed by the key's secret, and nowhere they must not go."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from azure_responses.gateway.due_records import MemoryRecords
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.webhook_event import Delivery, object_ended
from azure_responses.gateway.webhook_relay import WebhookRelay
from azure_responses.protocol.webhook_signature import unwrap
from tests.gateway.webhook_sites import Site, site

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
EVENT = object_ended("alice", "0011/resp_1", "resp_azr1_x", "response.completed", 1_000_000.0)
OPEN = {"allows_http": True, "allows_private": True}


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def caller(url: str | None, **more: Any) -> Callable[[str], ApiCaller]:
    made = ApiCaller(key_id="alice", webhook_url=url, webhook_secret=SECRET, **more)
    return lambda key_id: made


async def send(
    relay: WebhookRelay, clock: Clock, times: int = 1, step: float = 20_000.0
) -> list[int]:
    """Add the event, and send what is due several times, long enough after one another."""
    await relay.add(EVENT)
    sent = []
    for _ in range(times):
        sent.append(await relay.send_due())
        clock.now += step
    return sent


def run(
    made: Site | None, find: Callable[[str], ApiCaller], times: int = 1, **options: Any
) -> list[int]:
    async def main() -> list[int]:
        clock = Clock()
        relay = WebhookRelay(find, clock=clock, **{**OPEN, **options})
        try:
            return await send(relay, clock, times)
        finally:
            await relay.aclose()

    return asyncio.run(main())


def test_a_webhook_arrives_signed_with_the_secret_of_the_key() -> None:
    with site() as made:
        assert run(made, caller(made.url + "/hooks?x=1"), 3) == [1, 0, 0]
        ((headers, body),) = made.received
        event = unwrap(body, headers, SECRET, 1_000_000.0)
        assert event.type == "response.completed"
        assert event.data.id == "resp_azr1_x"
        assert headers["host"] == made.url.removeprefix("http://")
        assert headers["content-type"] == "application/json"
        assert headers["webhook-id"] == EVENT.id


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
def test_an_answer_other_than_2xx_is_followed_by_further_attempts(status: int) -> None:
    with site() as made:
        made.statuses = [status, status]
        assert run(made, caller(made.url), 4) == [1, 1, 1, 0]
        assert {headers["webhook-id"] for headers, _ in made.received} == {EVENT.id}
        times = [headers["webhook-timestamp"] for headers, _ in made.received]
        assert times == ["1000000", "1020000", "1040000"]


def test_a_receiver_that_is_gone_gets_no_further_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with site() as made:
        made.statuses = [410]
        assert run(made, caller(made.url), 2) == [1, 0]
    assert "the receiver answered 410" in caplog.text


def test_attempts_end_after_three_days(caplog: pytest.LogCaptureFixture) -> None:
    with site() as made:
        made.statuses = [500] * 30
        sent = run(made, caller(made.url), 20)
        assert sum(sent) == len(made.received) == 12
        assert sent[-1] == 0
    assert "is dropped after 12 attempts: the receiver answered 500" in caplog.text
    assert "has not arrived, and is tried again" in caplog.text


@pytest.mark.parametrize("find", [caller(None), caller("http://127.0.0.1:9/", revoked=1.0)])
def test_a_key_without_a_url_or_revoked_gets_nothing(find: Callable[[str], ApiCaller]) -> None:
    assert run(None, find, 2) == [1, 0]


def test_a_receiver_that_cannot_be_reached_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert run(None, caller("http://127.0.0.1:9/"), 2) == [1, 1]
    assert "ConnectError" in caplog.text


def test_a_host_that_has_no_address_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return []

    assert run(None, caller("https://nowhere.example/"), 2, resolve=resolve) == [1, 1]
    assert "OSError" in caplog.text


def test_http_is_for_the_operator_to_allow(caplog: pytest.LogCaptureFixture) -> None:
    with site() as made:
        run(made, caller(made.url), allows_http=False)
        assert made.received == []
    assert "webhook_allow_http" in caplog.text


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:127.0.0.1"]]
)
def test_a_private_address_is_for_the_operator_to_allow(
    addresses: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return addresses

    with site() as made:
        find = caller(made.url.replace("127.0.0.1", "hooks.example.com"))
        run(made, find, allows_private=False, resolve=resolve)
        assert made.received == []
    assert "webhook_allow_private" in caplog.text


def test_the_address_that_was_looked_at_is_connected_to_under_the_name() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        assert host == "hooks.example.com"
        return ["127.0.0.1"]

    with site() as made:
        url = made.url.replace("127.0.0.1", "hooks.example.com")
        assert run(made, caller(url), resolve=resolve) == [1]
        assert made.received[0][0]["host"] == url.removeprefix("http://")


def test_a_receiver_that_does_not_answer_is_left_after_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("azure_responses.gateway.webhook_relay._TIMEOUT", 0.2)

    async def resolve(host: str, port: int) -> list[str]:
        await asyncio.sleep(30)
        return []

    assert run(None, caller("https://slow.example/"), 2, resolve=resolve) == [1, 1]
    assert "no answer within" in caplog.text


class Unwritable(MemoryRecords[Delivery]):
    def add(self, record: Delivery, *_counted: Any) -> bool:
        from azure_responses.gateway.outages import DatabaseError

        raise DatabaseError("It is away.")


def test_a_webhook_that_cannot_be_stored_is_sent_by_this_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        with site() as made:
            relay = WebhookRelay(caller(made.url), allows_http=True, allows_private=True)
            relay.start(Unwritable())
            await relay.add(EVENT)
            for _ in range(200):
                if made.received:
                    break
                await asyncio.sleep(0.05)
            assert made.events()[0]["type"] == "response.completed"
            await relay.aclose()

    asyncio.run(main())
    assert "is kept in this process only: It is away." in caplog.text


def test_what_another_process_has_not_sent_is_sent_when_its_claim_is_over() -> None:
    async def main() -> None:
        with site() as made:
            store: MemoryRecords[Delivery] = MemoryRecords()
            store.add(EVENT)
            assert store.claim(EVENT.due, EVENT.due + 60.0, 10)
            clock = Clock()
            relay = WebhookRelay(
                caller(made.url), allows_http=True, allows_private=True, clock=clock
            )
            relay.start(store)
            assert await relay.send_due() == 0
            clock.now += 60.0
            assert await relay.send_due() == 1
            assert len(made.received) == 1
            assert store.all() == []
            await relay.aclose()

    asyncio.run(main())


def test_names_of_urls_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "azure_responses")
    run(None, caller("http://127.0.0.1:9/?token=hidden"))
    assert "hidden" not in caplog.text
    assert "hidden" not in repr(replace(EVENT))
    assert SECRET not in repr(caller("https://a.example/")(""))
