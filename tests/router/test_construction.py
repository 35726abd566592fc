"""What a router is made of, and what it refuses to be made of."""

import asyncio
import contextlib
import logging
import os
import pickle
import threading
import warnings
from typing import Any

import httpx
import pytest

import azure_responses
from azure_responses import (
    AsyncAzureResponses,
    AzureResponses,
    ConfigurationError,
    ResponseNotFoundError,
    Router,
)
from azure_responses.emulator import Emulator
from azure_responses.router.parts import ENVIRONMENT_VARIABLE
from tests.router.both import emulate, rows_of


def _answering(emulator: Emulator, **options: Any) -> Router:
    http_client = httpx.Client(transport=emulator.httpx_transport())
    return Router(rows_of(emulator), http_client=http_client, **options)


def test_the_seeds_example_runs_unchanged_but_for_the_packages_name() -> None:
    from azure_responses.emulator import EmulatedDeployment, Resource

    emulator = Emulator(
        [
            Resource(
                name, keys=[key], deployments=[EmulatedDeployment("gpt-4-turbo", model="gpt-4.1")]
            )
            for name, key in (("endpoint1", "your-api-key-1"), ("endpoint2", "your-api-key-2"))
        ]
    )

    async def example() -> tuple[Any, Any]:
        router = azure_responses.Router(
            model_list=[
                {
                    "model_name": "azure-gpt4-turbo",
                    "litellm_params": {
                        "model": "azure/gpt-4-turbo",
                        "api_key": "your-api-key-1",
                        "api_version": "2024-06-01",
                        "api_base": "https://endpoint1.openai.azure.com",
                    },
                },
                {
                    "model_name": "azure-gpt4-turbo",
                    "litellm_params": {
                        "model": "azure/gpt-4-turbo",
                        "api_key": "your-api-key-2",
                        "api_version": "2024-06-01",
                        "api_base": "https://endpoint2.openai.azure.com",
                    },
                },
            ],
            optional_pre_call_checks=["responses_api_deployment_check"],
            **network,
        )
        response = await router.aresponses(
            model="azure-gpt4-turbo",
            input="Hello, who are you?",
            truncation="auto",
        )
        response_id = response.id
        follow_up = await router.aresponses(
            model="azure-gpt4-turbo",
            input="Tell me more about yourself",
            truncation="auto",
            previous_response_id=response_id,
        )
        return response, follow_up

    network: Any = {"async_http_client": httpx.AsyncClient(transport=emulator.httpx_transport())}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        first, second = asyncio.run(example())
    assert second.previous_response_id == first.id
    assert second.route.deployment == first.route.deployment
    assert all("2024-06-01" in str(one.message) for one in told)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("routing_stratgy", "routing_strategy"),
        ("affinity_secrets", "affinity_secret"),
        ("num_retry", "num_retries"),
        ("api_key", "entries"),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_name(name: str, suggestion: str) -> None:
    rows = rows_of(Emulator())
    with pytest.raises(ConfigurationError, match=name) as caught:
        Router(rows, **{name: "x"})  # type: ignore[arg-type]
    assert suggestion in str(caught.value)


@pytest.mark.parametrize("name", ["accept_litellm_ids", "drop_params", "reasoning_cache"])
def test_a_word_does_not_switch_anything_on(emulator: Emulator, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is 'no'") as caught:
        Router(rows_of(emulator), **{name: "no"})  # type: ignore[arg-type]
    assert "True" in str(caught.value.hint)


def test_a_router_of_any_model_wants_to_be_told_which(emulator: Emulator) -> None:
    row = {**rows_of(emulator, 1)[0], "model_name": "*"}
    with Router([row]) as router, pytest.raises(ConfigurationError, match="No model") as caught:
        router.responses(input="hi")
    assert caught.value.hint == "Pass model=…, one of your deployments."


def test_rows_that_cannot_be_used_are_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="model_list"):
        Router("gpt")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="entry 1"):
        Router([{"model_name": "gpt", "client": object()}])


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"api_key": ""}, "api_key is empty"),
        ({"api_key": 5}, "api_key is a int"),
        ({"azure_ad_token": "token"}, "Both api_key and azure_ad_token"),
        ({"api_version": "newest"}, "'newest' is not an Azure API version"),
        ({"api_base": "http://gateway.example.com"}, "plain http"),
    ],
)
def test_a_row_of_which_no_client_can_be_made_is_refused_at_once(
    emulator: Emulator, params: dict[str, Any], problem: str
) -> None:
    # Not in the one call in ten that this row would have got.
    good, bad = rows_of(emulator)
    bad["litellm_params"].update(params)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        Router([good, bad])
    assert "model_list entry 2 ('gpt')" in str(caught.value)
    assert caught.value.hint


def test_options_for_all_rows_count_when_rows_are_checked(emulator: Emulator) -> None:
    rows = rows_of(emulator, 1, api_base="http://gateway.example.com")
    Router(rows, allow_insecure=True).close()


def test_a_model_that_nobody_serves_is_refused(emulator: Emulator) -> None:
    with _answering(emulator) as router:
        with pytest.raises(azure_responses.AzureResponsesError, match="gpt-x"):
            router.responses(model="gpt-x", input="hi")
        assert router.responses(input="hi").route is not None
        with pytest.raises(ConfigurationError, match="int"):
            router.responses(model=5, input="hi")  # type: ignore[call-overload]
        with pytest.raises(ConfigurationError, match="No model was given") as caught:
            router.responses(model="", input="hi")
        assert "gpt" in str(caught.value.hint)
    assert len(emulator.requests) == 1


def test_the_environment_names_the_secret(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _answering(emulator) as router:
        before = router.responses(model="gpt", input="hi").id
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "a secret of the environment's own")
    with _answering(emulator) as router, pytest.raises(ResponseNotFoundError):
        router.retrieve(before)


def test_a_secret_too_short_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="16 bytes"):
        _answering(emulator, affinity_secret="short")


def test_a_secret_nobody_can_derive_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    row = {
        "model_name": "gpt",
        "params": {
            "model": "gpt-5",
            "api_base": "https://east.openai.azure.com",
            "azure_ad_token": "token",
        },
    }
    with caplog.at_level(logging.WARNING, logger="azure_responses.router"):
        Router([row]).close()
    assert "affinity_secret" in caplog.text


def test_a_shared_state_without_a_secret_is_warned_of() -> None:
    pytest.importorskip("redis")
    rows = rows_of(Emulator())
    with pytest.warns(UserWarning, match="affinity_secret"):
        Router(rows, state="redis://127.0.0.1:1/0").close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Router(rows, state="redis://127.0.0.1:1/0", affinity_secret="0123456789abcdef").close()


def test_rows_bring_clients_along(emulator: Emulator) -> None:
    transport = emulator.httpx_transport()
    with (
        httpx.Client(transport=transport) as http_client,
        AzureResponses(
            "https://east.openai.azure.com", api_key=emulator.api_key, http_client=http_client
        ) as client,
    ):
        row = {
            "model_name": "gpt",
            "client": client,
            "params": {"model": "azure/gpt-5"},
            "model_info": {"id": "mine"},
        }
        with Router([row]) as router:
            answer = router.responses(model="gpt", input="Reply with: pong")
            assert answer.route == azure_responses.Route("mine", "gpt")

            async def ask() -> None:
                await router.aresponses(model="gpt", input="hi")

            with pytest.raises(ConfigurationError, match="async_client"):
                asyncio.run(ask())
        # The client is the caller's: it is open still.
        assert client.responses.create(model="gpt-5", input="hi").id


def test_an_async_client_makes_a_router_too(emulator: Emulator) -> None:
    async def ask() -> None:
        transport = emulator.httpx_transport()
        async with (
            httpx.AsyncClient(transport=transport) as http_client,
            AsyncAzureResponses(
                "https://east.openai.azure.com", api_key=emulator.api_key, http_client=http_client
            ) as client,
            Router.of(client) as router,
        ):
            made = await router.aresponses(model="gpt-5", input="My name is Ann.")
            again = await router.aresponses(
                model="gpt-5", input="What is my name?", previous_response_id=made.id
            )
            assert "Ann" in again.output_text

    asyncio.run(ask())


def test_deployments_of_one_endpoint_and_key_share_a_client(emulator: Emulator) -> None:
    rows = [*rows_of(emulator, 1, model="azure/gpt-5"), *rows_of(emulator, 1, model="azure/other")]
    for number, row in enumerate(rows):
        row["model_info"] = {"id": f"row{number}"}
    with _answering(emulator) as router, Router(rows) as shared:
        targets = shared.parts.calls.targets
        first, second = (targets.of(one) for one in shared.parts.calls.routing.deployments)
        assert first.client is second.client
        east, west = (
            router.parts.calls.targets.of(d) for d in router.parts.calls.routing.deployments
        )
        assert east.client is not west.client


def test_a_router_serves_several_threads_and_event_loops(emulator: Emulator) -> None:
    with emulator.serve() as server:
        rows = [
            {
                "model_name": "gpt",
                "params": {
                    "model": "azure/gpt-5",
                    "api_key": emulator.api_key,
                    "api_base": server.resource_url(name),
                },
            }
            for name in ("east", "west")
        ]
        failures: list[BaseException] = []
        with Router(rows) as router:

            async def converse() -> None:
                first = await router.aresponses(model="gpt", input="My name is Ann.")
                second = await router.aresponses(
                    model="gpt", input="What is my name?", previous_response_id=first.id
                )
                assert "Ann" in second.output_text

            async def work() -> None:
                await asyncio.gather(*(converse() for _ in range(5)))

            def in_a_loop() -> None:
                try:
                    asyncio.run(work())
                    first = router.responses(model="gpt", input="hi")
                    router.responses(model="gpt", input="hi", previous_response_id=first.id)
                except BaseException as error:
                    failures.append(error)

            threads = [threading.Thread(target=in_a_loop) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert failures == []


def test_a_router_shows_no_secret_and_does_not_pickle(emulator: Emulator) -> None:
    with _answering(emulator, affinity_secret="a very secret secret") as router:
        assert "secret" not in repr(router)
        assert emulator.api_key not in repr(router)
        assert router.groups == ("gpt",)
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(router)


def test_redis_may_be_named_as_litellms_router_names_it() -> None:
    rows = rows_of(Emulator())
    with pytest.warns(UserWarning, match="affinity_secret"):
        Router(rows, redis_host="127.0.0.1", redis_port=1, redis_db=2).close()


def test_an_owner_belongs_to_calls_and_not_to_the_router() -> None:
    options: dict[str, Any] = {"owner": "team"}
    with pytest.raises(ConfigurationError, match="owner"):
        Router(rows_of(Emulator()), **options)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_shares_no_connection_with_its_parent() -> None:
    emulator = emulate(1)
    with emulator.serve() as server:
        params = {
            "model": "azure/gpt-5",
            "api_key": emulator.api_key,
            "api_base": server.resource_url("east"),
        }
        with Router([{"model_name": "gpt", "params": params}]) as router:

            def answers(word: str) -> bool:
                asked = [f"Reply with exactly: {word}{number}" for number in range(20)]
                told = [router.responses(model="gpt", input=text) for text in asked]
                return [each.output_text for each in told] == [
                    f"{word}{number}" for number in range(20)
                ]

            async def awaited() -> str:
                answer = await router.aresponses(model="gpt", input="Reply with exactly: pong")
                return answer.output_text

            assert answers("before")
            router.parts.calls.routing.health._lock.acquire()
            with warnings.catch_warnings():
                # The emulator serves from a thread, which newer versions warn of when forking.
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if child == 0:  # pragma: no cover  (another process)
                is_fine = False
                with contextlib.suppress(BaseException):
                    is_fine = answers("child") and asyncio.run(awaited()) == "pong"
                os._exit(0 if is_fine else 1)
            router.parts.calls.routing.health._lock.release()
            assert answers("parent")
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 0


def test_options_that_a_rows_own_client_does_not_heed_are_told_of(emulator: Emulator) -> None:
    seen: list[Any] = []
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        AzureResponses(
            "https://east.openai.azure.com", api_key=emulator.api_key, http_client=http_client
        ) as client,
    ):
        with pytest.warns(UserWarning, match="on_response") as told:
            Router.of(client, on_response=seen.append).close()
        assert told[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Router.of(client, num_retries=1, timeout=5, on_retry=seen.append).close()
