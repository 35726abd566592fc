"""What webhooks of keys say, to which URLs they go, and how often they are tried."""

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.gateway.webhook_event import (
    Delivery,
    check_url,
    is_given_up,
    is_public,
    next_attempt,
    object_ended,
    relay_of,
)

DELIVERY = Delivery(id="wh_1", key_id="alice", body="{}", created=1000.0, due=1000.0)
HOUR = 3600.0


def test_the_end_of_a_response_is_told_as_azure_tells_it() -> None:
    made = object_ended("alice", "0011/resp_1", "resp_azr1_x", "response.completed", 1000.5)
    event = json.loads(made.body)
    assert event == {
        "id": event["id"],
        "object": "event",
        "type": "response.completed",
        "created_at": 1000,
        "data": {"id": "resp_azr1_x"},
    }
    assert made.name == f"alice/{made.id}"


def test_replicas_give_the_webhook_of_one_end_the_same_id() -> None:
    first = object_ended("alice", "0011/resp_1", "resp_azr1_x", "response.completed", 1000.0)
    second = object_ended("alice", "0011/resp_1", "resp_azr1_x", "response.completed", 1001.0)
    other = object_ended("alice", "0022/resp_1", "resp_azr1_x", "response.completed", 1000.0)
    assert first.id == second.id != other.id


def test_a_webhook_of_the_service_is_passed_on_with_the_owners_id() -> None:
    event = {"id": "evt_1", "type": "batch.completed", "data": {"id": "batch_1", "more": 1}}
    made = relay_of("alice", "wh.1", event, "batch_azr1_x", 1000.0)
    assert json.loads(made.body) == {**event, "data": {"id": "batch_azr1_x", "more": 1}}
    assert "." not in made.id
    assert made.id == relay_of("alice", "wh.1", event, None, 1002.0).id
    assert made.id != relay_of("bob", "wh.1", event, None, 1000.0).id
    assert json.loads(relay_of("alice", "wh.1", event, None, 1000.0).body) == event


def test_attempts_become_rare_and_end_after_three_days() -> None:
    delivery, now, waits = DELIVERY, 1000.0, []
    while not is_given_up(delivery, now):
        delivery = delivery.failed(now)
        waits.append(delivery.due - now)
        now = delivery.due
    assert waits[:4] == [5.0, 15.0, 45.0, 135.0]
    assert max(waits) == 6 * HOUR
    assert 15 < len(waits) < 30
    assert now - 1000.0 >= 72 * HOUR


@given(st.integers(1, 10_000))
def test_no_attempt_is_more_than_six_hours_away(attempts: int) -> None:
    assert next_attempt(replace(DELIVERY, attempts=attempts), 0.0) <= 6 * HOUR


def test_a_delivery_of_a_later_version_can_be_read() -> None:
    assert Delivery.from_json(DELIVERY.to_json()) == DELIVERY
    assert Delivery.from_json(json.dumps({**asdict(DELIVERY), "colour": "blue"})) == DELIVERY


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/azure?token=1", "http://localhost:8080/", "https://[::1]/a"]
)
def test_a_url_of_a_receiver_is_taken(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "hooks.example.com",
        "ftp://example.com/",
        "https://",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://[::1/",
        "https://example.com/ä",
        "https://example.com/a b",
        "https://example.com/" + "a" * 1000,
        "file:///etc/passwd",
    ],
)
def test_what_no_webhook_can_be_sent_to_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not a URL|has a user name"):
        check_url(url)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822"])
def test_addresses_of_the_public_network(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "1.2.3.4.5",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:1::",
        "not an address",
    ],
)
def test_addresses_that_are_not_of_the_public_network(address: str) -> None:
    assert not is_public(address)
