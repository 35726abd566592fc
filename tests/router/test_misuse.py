"""What a router makes of callers in a hurry and of callers with bad intentions."""

import math
from typing import Any

import httpx
import pytest

from azure_responses import (
    AzureResponsesError,
    BadRequestError,
    ConfigurationError,
    ResponseNotFoundError,
    Router,
)
from azure_responses.emulator import Emulator, Fault
from azure_responses.store.lua_scripts import Keys
from tests.router.both import emulate, rows_of, run


def _router(emulator: Emulator, rows: Any = None, **options: Any) -> Router:
    http_client = httpx.Client(transport=emulator.httpx_transport())
    return Router(rows_of(emulator) if rows is None else rows, http_client=http_client, **options)


@pytest.mark.parametrize("nonsense", [None, 5, "", b"resp_1", ["resp_1"]])
def test_what_is_no_id_is_refused_before_anything_is_sent(
    runner: str, emulator: Emulator, nonsense: Any
) -> None:
    async def scenario(router: Any) -> None:
        for name in ("retrieve", "cancel", "delete", "wait"):
            with pytest.raises(BadRequestError, match="string"):
                await getattr(router, name)(nonsense)
        with pytest.raises(BadRequestError, match="string"):
            router.import_id(nonsense, deployment="east")

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("owner", 5),
        ("timeout", math.nan),
        ("timeout", "5"),
        ("timeout", True),
        ("on_origin_down", "wait"),
        ("history", "what was said"),
        ("history", 42),
    ],
)
def test_an_option_that_means_nothing_is_refused_before_anything_is_sent(
    runner: str, emulator: Emulator, name: str, value: Any
) -> None:
    async def scenario(router: Any) -> None:
        with pytest.raises(ConfigurationError, match=name):
            await router.responses(model="gpt", input="hi", **{name: value})
        with pytest.raises(ConfigurationError, match=name):
            await router.retrieve(
                router.import_id("resp_0123456789", deployment="east"), **{name: value}
            )

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 0


def test_a_history_of_anything_but_items_is_refused_before_anything_is_sent(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(router: Any) -> None:
        for history in (["what was said"], [{"role": "user", "content": "hi"}, None]):
            with pytest.raises(ConfigurationError, match=r"history\[[01]\]"):
                await router.responses(model="gpt", input="hi", history=history)

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 0


@pytest.mark.parametrize("messages", [None, 5, "hi", {"role": "user"}])
def test_messages_that_are_none_are_refused_before_anything_is_sent(
    runner: str, emulator: Emulator, messages: Any
) -> None:
    async def scenario(router: Any) -> None:
        with pytest.raises(ConfigurationError, match="messages"):
            await router.completion(model="gpt", messages=messages)

    run(runner, emulator, scenario, reasoning_cache=True)
    assert len(emulator.requests) == 0


@pytest.mark.parametrize("end_user", [None, "", 5])
def test_a_purge_for_nobody_does_not_pass_for_a_complete_one(
    runner: str, emulator: Emulator, end_user: Any
) -> None:
    async def scenario(router: Any) -> None:
        with pytest.raises(ConfigurationError, match="end_user"):
            await router.purge(end_user=end_user)
        for nonsense in ({"owner": 5}, {"timeout": "long"}):
            with pytest.raises(ConfigurationError, match=next(iter(nonsense))):
                await router.purge(end_user="ann", **nonsense)

    run(runner, emulator, scenario)


@pytest.mark.parametrize("secret", ["", [], [""], 5, ["long enough to be one", 5]])
def test_a_secret_that_is_none_is_refused(emulator: Emulator, secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="secret"):
        _router(emulator, affinity_secret=secret)


def test_a_callback_that_cannot_be_called_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="on_retry"):
        _router(emulator, on_retry=5)


def test_ids_of_a_router_are_not_imported_again(emulator: Emulator) -> None:
    with _router(emulator) as router:
        made = router.responses(model="gpt", input="hi")
        for given in (made.id, " "):
            with pytest.raises(BadRequestError, match="service"):
                router.import_id(given, deployment="east")


def test_an_error_of_a_short_id_stays_readable() -> None:
    emulator = emulate(1)
    with (
        _router(emulator, rows_of(emulator, 1)) as router,
        pytest.raises(AzureResponsesError, match="cannot be part of a URL"),
    ):
        router.retrieve(router.import_id(".", deployment="east"))


def test_a_giant_id_does_not_fill_the_log(emulator: Emulator) -> None:
    with _router(emulator) as router:
        for giant in ("x" * 1_000_000, "resp_azr1_" + "A" * 1_000_000):
            with pytest.raises(AzureResponsesError) as caught:
                router.retrieve(giant)
            assert len(str(caught.value)) < 1000
            with pytest.raises(AzureResponsesError) as caught:
                router.responses(model="gpt", input="hi", previous_response_id=giant)
            assert len(str(caught.value)) < 1000
    assert len(emulator.requests) == 0


def test_mangled_ids_reach_nobody(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="hi")
        emulator.requests.clear()
        mangled = [
            made.id.replace("resp_", "msg_"),
            made.id.upper(),
            made.id.swapcase(),
            made.id + "\n",
            " " + made.id,
            made.id[:-1],
            made.id + "A",
            f"msg_{made.id}",
            "resp_azr1_",
            "\ud800",
            "resp_\ud800azr1_x",
            "../../files",
        ]
        for one in mangled:
            with pytest.raises((ResponseNotFoundError, BadRequestError)):
                await router.retrieve(one)
            with pytest.raises((ResponseNotFoundError, BadRequestError)):
                await router.responses(model="gpt", input="hi", previous_response_id=one)

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 0


def _place(told: Any) -> set[str]:
    return {one.filename for one in told}


def test_warnings_point_at_the_callers_line(emulator: Emulator) -> None:
    with pytest.warns(UserWarning, match="wieght") as told:
        _router(emulator, rows_of(emulator, 2, wieght=1))
    assert _place(told) == {__file__}
    with pytest.warns(UserWarning, match="set_verbose") as told:
        _router(emulator, set_verbose=True)
    assert _place(told) == {__file__}


def test_warnings_of_a_call_point_at_its_line(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        first = await router.responses(
            model="gpt",
            input="Think.",
            store=False,
            include=["reasoning.encrypted_content"],
            reasoning={"effort": "high"},
        )
        home = first.route.deployment
        emulator.faults.add(Fault("http-429", operation="create", resource=home, retry_after=500))
        asked = {"model": "gpt", "on_origin_down": "strip", "store": False, "timeout": 5}
        for stream in (False, True):
            with pytest.warns(UserWarning, match="reasoning") as told:
                await router.responses(input=first.output, stream=stream, **asked)
            assert all(name.endswith(("both.py", "test_misuse.py")) for name in _place(told))

    run(runner, emulator, scenario)


def test_an_end_user_of_broken_text_is_no_outage_of_the_shared_state() -> None:
    keys = Keys("prefix")
    assert keys.index("\ud800") != keys.index("\ud801")
