"""The openai package's `responses.connect()` over a router in this process."""

from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.lib.responses_websocket import (
    AsyncResponsesWebSocketSession,
    ResponsesWebSocketLimits,
    ResponsesWebSocketSession,
)
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from azure_responses import AsyncAzureResponses, AzureResponses, ConfigurationError, Router
from azure_responses.emulator import Emulator, Fault
from azure_responses.openai_transport import websocket
from tests.openai_server.servers import make_emulator, rows

LIMITS = ResponsesWebSocketLimits(
    max_lanes=4,
    max_events_per_lane=500,
    max_events=2000,
    max_bytes_per_lane=2**22,
    max_bytes=2**24,
    max_response_bytes=None,
)
OPTIONS: Any = {"max_size": None}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def emulator() -> Emulator:
    return make_emulator()


@pytest.fixture
def router(emulator: Emulator) -> Iterator[Router]:
    http_client = httpx.AsyncClient(transport=emulator.httpx_transport())
    with Router(
        rows("east"), async_http_client=http_client, affinity_secret="s" * 32, num_retries=0
    ) as router:
        yield router


def client_of(endpoint: Any) -> openai.OpenAI:
    return openai.OpenAI(api_key="unused", websocket_base_url=endpoint.url)


def turn(connection: Any, **body: Any) -> Any:
    """The terminal event of a turn."""
    connection.response.create(**body)
    for event in connection:
        if event.type in ("response.completed", "response.failed", "error"):
            return event
    raise AssertionError("the connection ended")


def test_a_chain_that_is_not_stored_runs_over_one_connection(router: Router) -> None:
    with (
        websocket(router) as endpoint,
        client_of(endpoint) as client,
        client.responses.connect() as connection,
    ):
        first = turn(connection, model="chat", input="My name is Ada.", store=False)
        second = turn(
            connection,
            model="chat",
            input="What is my name?",
            store=False,
            previous_response_id=first.response.id,
        )
        assert "Ada" in second.response.output_text
        refused = turn(connection, model="chat", input="x", previous_response_id="resp_abc")
        assert refused.error.code == "previous_response_not_found"


def test_a_session_has_lanes(router: Router) -> None:
    with (
        websocket(router) as endpoint,
        client_of(endpoint) as client,
        client.responses.connect(websocket_connection_options=OPTIONS) as connection,
        ResponsesWebSocketSession(connection, limits=LIMITS) as session,
    ):
        lanes = [session.lane(name) for name in ("a", "b")]
        for lane in lanes:
            lane.send({"type": "response.create", "model": "chat", "input": "Say hello"})
        assert [lane.get_final_response().status for lane in lanes] == ["completed"] * 2


@pytest.mark.anyio
async def test_the_async_client_connects_too(router: Router) -> None:
    async with websocket(router) as endpoint:
        client = openai.AsyncOpenAI(api_key="unused", websocket_base_url=endpoint.url)
        async with (
            client,
            client.responses.connect(websocket_connection_options=OPTIONS) as connection,
            AsyncResponsesWebSocketSession(connection, limits=LIMITS) as session,
        ):
            lane = session.lane("a")
            await lane.send({"type": "response.create", "model": "chat", "input": "Say hello"})
            response = await lane.get_final_response()
            assert response.status == "completed"


def test_ids_are_of_use_to_their_owner_alone(router: Router) -> None:
    with websocket(router, owner="alice") as alice, websocket(router, owner="bob") as bob:
        with client_of(alice) as client, client.responses.connect() as connection:
            first = turn(connection, model="chat", input="My name is Ada.")
        with client_of(bob) as client, client.responses.connect() as connection:
            asked = {"model": "chat", "previous_response_id": first.response.id, "input": "x"}
            assert turn(connection, **asked).error.code == "previous_response_not_found"
        with client_of(alice) as client, client.responses.connect() as connection:
            second = turn(
                connection,
                model="chat",
                input="What is my name?",
                previous_response_id=first.response.id,
            )
            assert "Ada" in second.response.output_text


@pytest.mark.parametrize("path", ["/v1/responses", "/wrong/v1/responses", "/"])
def test_without_the_secret_of_its_url_it_is_not_found(router: Router, path: str) -> None:
    with websocket(router) as endpoint:
        origin = endpoint.url.rpartition(":")[0] + ":" + endpoint.url.split(":")[2].split("/")[0]
        with pytest.raises(InvalidStatus) as caught, connect(origin + path):
            pass
        assert caught.value.response.status_code == 404


def test_a_page_of_a_browser_does_not_get_in(router: Router) -> None:
    origin: Any = "https://example.com"
    with (
        websocket(router) as endpoint,
        pytest.raises(InvalidStatus) as caught,
        connect(f"{endpoint.url}/responses", origin=origin),
    ):
        pass
    assert caught.value.response.status_code == 403


def test_the_model_of_the_query_serves_turns_without_one(router: Router) -> None:
    with (
        websocket(router) as endpoint,
        client_of(endpoint) as client,
        client.responses.connect(extra_query={"model": "chat"}) as connection,
    ):
        assert turn(connection, input="Say hello").type == "response.completed"


def test_an_error_of_the_service_is_an_event(router: Router, emulator: Emulator) -> None:
    with (
        websocket(router) as endpoint,
        client_of(endpoint) as client,
        client.responses.connect() as connection,
    ):
        assert turn(connection, model="nothing", input="x").error.code == "model_not_found"
        assert turn(connection, model="chat", input="hi").type == "response.completed"
        emulator.faults.add(Fault("http-503"))
        assert turn(connection, model="chat", input="x").type == "error"


def test_a_client_serves_in_place_of_a_router(emulator: Emulator) -> None:
    with emulator.serve() as served:
        given: Any = {"endpoint": served.url, "api_key": "key-of-east", "allow_insecure": True}
        for azure in (AzureResponses(**given), AsyncAzureResponses(**given)):
            with (
                websocket(azure) as endpoint,
                client_of(endpoint) as client,
                client.responses.connect() as connection,
            ):
                ended = turn(connection, model="gpt", input="Say hello")
                assert ended.type == "response.completed"


def test_a_blocking_http_client_is_refused(emulator: Emulator) -> None:
    http_client = httpx.Client(transport=emulator.httpx_transport())
    with (
        http_client,
        AzureResponses(
            "https://east.openai.azure.com", api_key="key-of-east", http_client=http_client
        ) as azure,
        pytest.raises(ConfigurationError, match="http_client"),
    ):
        websocket(azure)


def test_leaving_ends_connections_that_are_open(router: Router) -> None:
    with websocket(router) as endpoint, connect(f"{endpoint.url}/responses") as connection:
        endpoint.__exit__(None, None, None)
        with pytest.raises(Exception, match="1001"):
            connection.recv(5)
        endpoint.__enter__()
