"""Webhooks that are delivered: when, signed how, how often, and what ends them."""

import gc
import json
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from azure_responses.emulator import BatchTiming, Clock, Emulator, Latency, Resource
from azure_responses.emulator.webhook_sender import WEBHOOK_RETRIES, sign
from tests.emulator.callers import BEGIN, create, open_client
from tests.emulator.operations.test_batches import line, submit

ENDPOINTS = "/openai/v1/dashboard/webhook_endpoints"
RESPONSES = ["response.completed", "response.failed", "response.cancelled", "response.incomplete"]
BATCHES = ["batch.completed", "batch.failed", "batch.cancelled", "batch.expired"]
URL = "https://receiver.example.com/hook"


class Receiver(httpx.BaseTransport):
    """Takes deliveries in process; `answers` are the statuses of the first ones."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        status = self.answers.pop(0) if self.answers else 200
        if status == 0:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(status)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


def make_emulator(receiver: httpx.BaseTransport, **options: Any) -> Emulator:
    options = {"clock": Clock(BEGIN), **options}
    return Emulator(webhook_transport=receiver, **options)


def register(client: httpx.Client, types: list[str], url: str = URL) -> dict[str, Any]:
    body = {"name": "mine", "url": url, "event_types": types}
    reply = client.post(ENDPOINTS, json=body)
    assert reply.status_code == 200, reply.text
    endpoint: dict[str, Any] = reply.json()
    return endpoint


def start(client: httpx.Client, **fields: Any) -> str:
    reply = create(client, background=True, **fields)
    assert reply.status_code == 200, reply.text
    response_id: str = reply.json()["id"]
    return response_id


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 5 seconds"
        time.sleep(0.005)


def test_a_background_response_is_announced_when_it_has_ended() -> None:
    receiver = Receiver()
    emulator = make_emulator(receiver, latency=Latency(queued=10, running=20))
    with open_client(emulator) as client:
        secret = register(client, RESPONSES)["signing_secret"]
        response_id = start(client)
        emulator.clock.advance(29)
        assert emulator.webhooks.wait()
        assert receiver.requests == []
        emulator.clock.advance(1)
        assert emulator.webhooks.wait()
    (event,) = receiver.events
    assert (event["object"], event["type"]) == ("event", "response.completed")
    assert (event["data"], event["created_at"]) == ({"id": response_id}, BEGIN + 30)
    (request,) = receiver.requests
    timestamp = int(request.headers["webhook-timestamp"])
    assert abs(timestamp - time.time()) < 10
    signature = sign(secret, request.headers["webhook-id"], timestamp, request.content)
    assert request.headers["webhook-signature"] == signature
    (shown,) = open_client(emulator).get("/_emulator/deliveries").json()["deliveries"]
    assert (shown["state"], shown["statuses"], shown["url"]) == ("delivered", [200], URL)
    assert secret not in str(shown)


def test_the_openai_package_accepts_what_is_delivered() -> None:
    openai = pytest.importorskip("openai")
    receiver = Receiver()
    emulator = make_emulator(receiver)
    with open_client(emulator) as client:
        secret = register(client, RESPONSES)["signing_secret"]
        response_id = start(client)
        assert emulator.webhooks.wait()
    (request,) = receiver.requests
    with openai.OpenAI(api_key="x", webhook_secret=secret) as receiving:
        event = receiving.webhooks.unwrap(request.content, request.headers)
        assert (event.type, event.data.id) == ("response.completed", response_id)
        forged = dict(request.headers) | {"webhook-id": "wh_0"}
        with pytest.raises(openai.InvalidWebhookSignatureError):
            receiving.webhooks.unwrap(request.content, forged)


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("[[azure:fail:server_error]]", "response.failed"),
        ("[[azure:incomplete]]", "response.incomplete"),
    ],
)
def test_the_type_of_the_event_is_how_the_response_ended(prompt: str, kind: str) -> None:
    receiver = Receiver()
    emulator = make_emulator(receiver)
    with open_client(emulator) as client:
        register(client, RESPONSES)
        start(client, input=prompt)
        assert emulator.webhooks.wait()
    assert [event["type"] for event in receiver.events] == [kind]


def test_a_cancelled_response_is_announced_once() -> None:
    receiver = Receiver()
    emulator = make_emulator(receiver, latency=Latency(running=20))
    with open_client(emulator) as client:
        register(client, RESPONSES)
        response_id = start(client)
        for _ in range(2):
            client.post(f"/openai/v1/responses/{response_id}/cancel")
        emulator.clock.advance(30)
        assert emulator.webhooks.wait()
    assert [event["type"] for event in receiver.events] == ["response.cancelled"]


def test_only_what_an_endpoint_asked_for_is_sent_and_only_of_background_responses() -> None:
    receiver = Receiver()
    emulator = make_emulator(receiver)
    with open_client(emulator) as client:
        register(client, ["response.failed"])
        first = register(client, ["response.completed"], URL + "/1")
        second = register(client, ["response.completed"], URL + "/2")
        create(client)
        start(client)
        assert emulator.webhooks.wait()
    assert {str(request.url) for request in receiver.requests} == {first["url"], second["url"]}
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 2


def test_a_batch_is_announced_without_another_look_at_it() -> None:
    receiver = Receiver()
    emulator = make_emulator(receiver, batch_timing=BatchTiming(validating=60))
    with open_client(emulator) as client:
        register(client, BATCHES)
        good, bad = submit(client, [line()]), submit(client, b"{")
        emulator.clock.advance(60)
        assert emulator.webhooks.wait()
        wait_for(lambda: len(receiver.requests) == 2)
    found = {(event["type"], event["data"]["id"]) for event in receiver.events}
    assert found == {("batch.completed", good), ("batch.failed", bad)}


def test_a_failed_delivery_is_repeated_with_growing_waits_under_the_same_id() -> None:
    receiver = Receiver(500, 0, 302)
    emulator = make_emulator(receiver)
    with open_client(emulator) as client:
        register(client, RESPONSES)
        start(client)
        for count, seconds in enumerate(WEBHOOK_RETRIES[:3], 1):
            assert emulator.webhooks.wait()
            assert len(receiver.requests) == count
            emulator.clock.advance(seconds - 1)
            assert emulator.webhooks.wait()
            assert len(receiver.requests) == count
            emulator.clock.advance(1)
        assert emulator.webhooks.wait()
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    (delivery,) = emulator.webhooks.deliveries
    assert (delivery.statuses, delivery.state) == ([500, 0, 302, 200], "delivered")


def test_after_the_last_attempt_a_delivery_has_failed() -> None:
    receiver = Receiver(*[503] * 9)
    emulator = make_emulator(receiver, webhook_retries=(1, 1))
    with open_client(emulator) as client:
        register(client, RESPONSES)
        start(client)
        for _ in range(4):
            assert emulator.webhooks.wait()
            emulator.clock.advance(1)
    assert len(receiver.requests) == 3
    assert emulator.webhooks.deliveries[0].state == "failed"


def test_a_deleted_endpoint_gets_nothing_more() -> None:
    receiver = Receiver()
    emulator = make_emulator(receiver, latency=Latency(running=20))
    with open_client(emulator) as client:
        endpoint = register(client, RESPONSES)
        start(client)
        assert client.delete(f"{ENDPOINTS}/{endpoint['id']}").json()["deleted"] is True
        emulator.clock.advance(20)
        assert emulator.webhooks.wait()
    assert receiver.requests == []
    assert emulator.webhooks.deliveries[0].state == "dropped"


def test_the_secret_is_shown_once() -> None:
    with open_client(make_emulator(Receiver())) as client:
        endpoint = register(client, RESPONSES)
        assert endpoint["object"] == "webhook.endpoint"
        secret = endpoint.pop("signing_secret")
        assert secret.startswith("whsec_")
        assert client.get(f"{ENDPOINTS}/{endpoint['id']}").json() == endpoint
        assert client.get(ENDPOINTS).json()["data"] == [endpoint]
        changed = {"name": "other", "url": URL + "/new", "event_types": BATCHES}
        shown = client.post(f"{ENDPOINTS}/{endpoint['id']}", json=changed).json()
        assert shown == {**endpoint, **changed}
        for path in (f"{ENDPOINTS}/we_0", ENDPOINTS + "s"):
            assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"name": None}, "name"),
        ({"url": "ftp://x"}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"url": "http://[::1"}, "url"),
        ({"event_types": []}, "event_types"),
        ({"event_types": ["response.created"]}, "event_types[0]"),
        ({"event_types": "response.completed"}, "event_types"),
    ],
)
def test_an_invalid_endpoint_is_refused(fields: dict[str, Any], param: str) -> None:
    body = {"name": "mine", "url": URL, "event_types": RESPONSES}
    with open_client(make_emulator(Receiver())) as client:
        reply = client.post(ENDPOINTS, json={**body, **fields})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


def test_an_event_stays_within_its_resource() -> None:
    receiver = Receiver()
    emulator = Emulator([Resource("a"), Resource("b")], webhook_transport=receiver)
    with open_client(emulator) as client:
        register(client, RESPONSES)
        body = {"model": "gpt-4.1", "input": "hi", "background": True}
        client.post("https://b.openai.azure.com/openai/v1/responses", json=body)
        assert emulator.webhooks.wait()
    assert receiver.requests == []


def test_a_reset_forgets_what_was_not_delivered() -> None:
    receiver = Receiver()
    emulator = make_emulator(receiver, latency=Latency(running=20))
    with open_client(emulator) as client:
        register(client, RESPONSES)
        start(client)
        emulator.reset()
        emulator.clock.advance(20)
        assert emulator.webhooks.wait()
        assert client.get("/_emulator/deliveries").json() == {"deliveries": []}
    assert receiver.requests == []


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "azure-emulator-webhooks"]


@pytest.fixture
def no_threads() -> None:
    """Threads of earlier tests end with their emulators, which is soon but not at once."""
    gc.collect()
    wait_for(lambda: not threads())


@pytest.mark.usefixtures("no_threads")
def test_the_thread_ends_when_nothing_is_under_way_and_with_the_emulator() -> None:
    receiver = Receiver()
    emulator = make_emulator(receiver, latency=Latency(running=20))
    with open_client(emulator) as client:
        register(client, RESPONSES)
        start(client)
        assert len(threads()) == 1
        emulator.clock.advance(20)
        wait_for(lambda: not threads())
        start(client)
        emulator.close()
        assert threads() == []
        # It goes on where it stopped.
        emulator.clock.advance(20)
        start(client)
        assert emulator.webhooks.wait()
        assert len(receiver.requests) == 2
    gone = weakref.ref(emulator)
    del emulator, client
    gc.collect()
    assert gone() is None
    wait_for(lambda: not threads())


@contextmanager
def serve(delay: float = 0.0) -> Iterator[tuple[str, list[bytes]]]:
    """A receiver on a loopback port, and the bodies that it gets."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            time.sleep(delay)
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.usefixtures("no_threads")
def test_a_served_emulator_delivers_over_a_socket() -> None:
    emulator = Emulator()
    with serve() as (url, bodies), emulator.serve() as server:
        with httpx.Client(
            base_url=server.url, headers={"api-key": emulator.api_key}, trust_env=False
        ) as client:
            register(client, RESPONSES, url)
            response_id = start(client)
            wait_for(lambda: len(bodies) == 1)
        assert json.loads(bodies[0])["data"]["id"] == response_id
    assert threads() == []


@pytest.mark.usefixtures("no_threads")
def test_a_slow_receiver_does_not_keep_the_emulator_from_ending() -> None:
    emulator = Emulator()
    with serve(delay=3) as (url, _):
        begin = time.monotonic()
        with open_client(emulator) as client:
            register(client, RESPONSES, url)
            start(client)
            wait_for(lambda: bool(threads()))
            # Other calls are answered meanwhile.
            assert create(client).status_code == 200
        emulator.close()
        assert time.monotonic() - begin < 2.5
    wait_for(lambda: not threads())
