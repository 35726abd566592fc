"""Where the credential header comes from, with a clock that stands still."""

import asyncio
import base64
import functools
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import anyio
import anyio.to_thread
import pytest

from azure_responses._async.credentials import AsyncCredentials
from azure_responses._sync.credentials import Credentials
from azure_responses.errors import (
    ConfigurationError,
    CredentialError,
    CredentialTimeoutError,
)
from azure_responses.protocol.settings import Settings, resolve_settings

_BACKENDS = ["asyncio", "trio"]


class _Clock:
    """`time.time`, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


class _AccessToken(NamedTuple):
    token: str
    expires_on: float


class _Credential:
    """Numbers its tokens, each good for an hour."""

    def __init__(self, clock: _Clock) -> None:
        self.clock = clock
        self.scopes: list[tuple[str, ...]] = []
        self.failure: Exception | None = None
        self.gate: threading.Event | None = None

    @property
    def count(self) -> int:
        return len(self.scopes)

    def get_token(self, *scopes: str) -> _AccessToken:
        self.scopes.append(scopes)
        number = self.count
        if self.gate is not None:
            assert self.gate.wait(5)
        if self.failure is not None:
            raise self.failure
        return _AccessToken(f"token-{number}", self.clock.now + 3600)


class _AsyncCredential:
    """The same, asynchronous."""

    def __init__(self, clock: _Clock) -> None:
        self.twin = _Credential(clock)
        self.gate: anyio.Event | None = None

    async def get_token(self, *scopes: str) -> _AccessToken:
        if self.gate is not None:
            self.twin.scopes.append(scopes)
            await self.gate.wait()
            self.twin.scopes.pop()
        return self.twin.get_token(*scopes)


def _settings(**arguments: Any) -> Settings:
    return resolve_settings({}, **{"endpoint": "https://r.openai.azure.com", **arguments})


def _ask(**arguments: Any) -> str:
    """One header of a fresh sync source."""
    name, value = Credentials(_settings(**arguments)).header()
    return f"{name}: {value}"


def _ask_async(**arguments: Any) -> str:
    async def ask() -> str:
        name, value = await AsyncCredentials(_settings(**arguments)).header()
        return f"{name}: {value}"

    return anyio.run(ask)


_BOTH = pytest.mark.parametrize("ask", [_ask, _ask_async])
_Ask = Callable[..., str]


@_BOTH
def test_a_key_goes_into_its_own_header(ask: _Ask) -> None:
    assert ask(api_key="k") == "api-key: k"


@_BOTH
def test_a_token_is_a_bearer(ask: _Ask) -> None:
    assert ask(azure_ad_token="t") == "authorization: Bearer t"


@_BOTH
def test_a_provider_and_a_credential_give_tokens(ask: _Ask, clock: _Clock) -> None:
    credential = _Credential(clock)
    assert ask(azure_ad_token_provider=lambda: " t\n") == "authorization: Bearer t"
    assert ask(credential=credential) == "authorization: Bearer token-1"
    assert credential.scopes == [("https://cognitiveservices.azure.com/.default",)]
    ask(credential=credential, scope="api://mine/.default")
    assert credential.scopes[-1] == ("api://mine/.default",)


@pytest.mark.parametrize("backend", _BACKENDS)
def test_the_async_client_takes_async_sources_of_every_make(backend: str, clock: _Clock) -> None:
    async def provide(text: str = "t") -> str:
        return text

    class Provider:
        async def __call__(self) -> str:
            return "t"

    def returns_a_coroutine() -> Awaitable[str]:
        return provide()

    sources: list[dict[str, Any]] = [
        {"azure_ad_token_provider": provide},
        {"azure_ad_token_provider": functools.partial(provide, "t")},
        {"azure_ad_token_provider": Provider()},
        {"azure_ad_token_provider": returns_a_coroutine},
        {"azure_ad_token_provider": lambda: provide()},
    ]

    async def ask(arguments: dict[str, Any]) -> tuple[str, str]:
        return await AsyncCredentials(_settings(**arguments)).header()

    for source in sources:
        assert anyio.run(ask, source, backend=backend) == ("authorization", "Bearer t")
    assert anyio.run(ask, {"credential": _AsyncCredential(clock)}, backend=backend) == (
        "authorization",
        "Bearer token-1",
    )


def test_the_sync_client_refuses_async_sources_when_it_is_made(clock: _Clock) -> None:
    async def provide() -> str:
        raise AssertionError

    class Provider:
        async def __call__(self) -> str:
            raise AssertionError

    for arguments in (
        {"credential": _AsyncCredential(clock)},
        {"azure_ad_token_provider": provide},
        {"azure_ad_token_provider": Provider()},
    ):
        with pytest.raises(ConfigurationError, match="async") as caught:
            Credentials(_settings(**arguments))
        assert "AsyncAzureResponses" in (caught.value.hint or "")


def test_the_sync_client_refuses_what_turns_out_to_be_async() -> None:
    async def provide() -> str:
        raise AssertionError

    loop = asyncio.new_event_loop()
    future = loop.create_future()
    loop.close()
    for source in (lambda: provide(), lambda: future):
        with pytest.raises(ConfigurationError, match="provider is async"):
            _ask(azure_ad_token_provider=source)


@_BOTH
@pytest.mark.parametrize(
    "answer", [None, "", "  ", 7, b"t", "two words", "t\r\nx: y", "tökén", {"token": "t"}]
)
def test_an_answer_that_holds_no_token_is_refused(ask: _Ask, answer: Any) -> None:
    with pytest.raises(ConfigurationError, match="no usable token") as caught:
        ask(azure_ad_token_provider=lambda: answer)
    assert "two words" not in str(caught.value)


@_BOTH
@pytest.mark.parametrize(
    ("failure", "summary"),
    [
        (ValueError("first line\nsecond line"), "first line"),
        (ValueError(), "ValueError"),
        (OSError("no route"), "no route"),
    ],
)
def test_a_source_that_fails_is_explained(ask: _Ask, failure: Exception, summary: str) -> None:
    def provide() -> str:
        raise failure

    with pytest.raises(ConfigurationError, match=summary) as caught:
        ask(azure_ad_token_provider=provide)
    assert caught.value.__cause__ is failure
    assert "second line" not in str(caught.value)
    assert "az login" in (caught.value.hint or "")


@_BOTH
def test_a_source_that_explains_itself_is_left_to_it(ask: _Ask) -> None:
    def provide() -> str:
        raise ConfigurationError("mine")

    with pytest.raises(ConfigurationError, match=r"^mine$"):
        ask(azure_ad_token_provider=provide)


# Keeping, refreshing, forgetting: the sync client.


def test_a_fresh_token_is_kept_a_stale_one_refreshed_an_expired_one_fetched(clock: _Clock) -> None:
    credential = _Credential(clock)
    credentials = Credentials(_settings(credential=credential))
    for moved, expected in ((0, 1), (3299, 1), (1, 2), (3299, 2), (3601, 3)):
        clock.now += moved
        assert credentials.header()[1] == f"Bearer token-{expected}"
        assert credential.count == expected


def _jwt(expiry: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expiry}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


def test_a_providers_token_is_kept_as_long_as_it_says_itself(clock: _Clock) -> None:
    calls: list[float] = []

    def provide() -> str:
        calls.append(clock.now)
        return _jwt(clock.now + 3600)

    credentials = Credentials(_settings(azure_ad_token_provider=provide))
    for _ in range(3):
        credentials.header()
    assert len(calls) == 1
    clock.now += 4000
    credentials.header()
    assert len(calls) == 2


def test_an_opaque_token_is_asked_for_every_time(clock: _Clock) -> None:
    calls: list[int] = []

    def provide() -> str:
        calls.append(1)
        return "opaque"

    credentials = Credentials(_settings(azure_ad_token_provider=provide))
    credentials.header()
    credentials.header()
    assert len(calls) == 2


def test_a_refused_token_is_forgotten(clock: _Clock) -> None:
    credential = _Credential(clock)
    credentials = Credentials(_settings(credential=credential))
    credentials.header()
    credentials.refresh()
    assert credentials.header()[1] == "Bearer token-2"


def _in_threads(count: int, work: Callable[[], Any]) -> tuple[list[threading.Thread], list[Any]]:
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, results


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_threads_that_all_need_a_token_fetch_one(clock: _Clock) -> None:
    credential = _Credential(clock)
    credential.gate = threading.Event()
    credentials = Credentials(_settings(credential=credential))
    threads, results = _in_threads(8, credentials.header)
    _wait_until(lambda: credential.count == 1)
    credential.gate.set()
    for thread in threads:
        thread.join(5)
    assert results == [("authorization", "Bearer token-1")] * 8
    assert credential.count == 1


def test_one_thread_refreshes_ahead_while_the_others_use_the_old_token(clock: _Clock) -> None:
    credential = _Credential(clock)
    credentials = Credentials(_settings(credential=credential))
    credentials.header()
    clock.now += 3400
    credential.gate = threading.Event()
    (refresher,), refreshed = _in_threads(1, credentials.header)
    _wait_until(lambda: credential.count == 2)
    # None of these waits: the gate is still shut.
    assert [credentials.header()[1] for _ in range(5)] == ["Bearer token-1"] * 5
    credential.gate.set()
    refresher.join(5)
    assert refreshed == [("authorization", "Bearer token-2")]
    assert credentials.header()[1] == "Bearer token-2"
    assert credential.count == 2


def test_a_thread_that_comes_late_to_a_refresh_takes_its_result(clock: _Clock) -> None:
    credential = _Credential(clock)
    credentials = Credentials(_settings(credential=credential))
    credentials.header()
    old = credentials._token
    assert old is not None
    clock.now += 3400
    credentials.header()
    assert credential.count == 2
    # What a thread does that looked before the refresh and locks after it.
    assert credentials._refresh_ahead(old, None).text == "token-2"
    assert credential.count == 2


def test_a_failed_refresh_keeps_the_old_token_pauses_and_warns_once(
    clock: _Clock, caplog: pytest.LogCaptureFixture
) -> None:
    credential = _Credential(clock)
    credentials = Credentials(_settings(credential=credential))
    credentials.header()
    clock.now += 3400
    credential.failure = OSError("secret detail")
    with caplog.at_level(logging.WARNING, "azure_responses"):
        for _ in range(5):
            assert credentials.header()[1] == "Bearer token-1"
        assert credential.count == 2
        clock.now += 31
        credentials.header()
        assert credential.count == 3
    (record,) = caplog.records
    assert "OSError" in record.getMessage()
    assert "secret detail" not in record.getMessage()
    credential.failure = None
    clock.now += 31
    assert credentials.header()[1] == "Bearer token-4"


def test_an_expired_token_is_fetched_even_during_a_pause(clock: _Clock) -> None:
    credential = _Credential(clock)
    credentials = Credentials(_settings(credential=credential))
    credentials.header()
    clock.now += 3580
    credential.failure = OSError()
    credentials.header()
    credential.failure = None
    clock.now += 15
    assert credentials.header()[1] == "Bearer token-3"


def test_a_source_that_fails_leaves_the_next_caller_free_to_try(clock: _Clock) -> None:
    credential = _Credential(clock)
    credential.failure = OSError("down")
    credentials = Credentials(_settings(credential=credential))
    with pytest.raises(ConfigurationError):
        credentials.header()
    credential.failure = None
    assert credentials.header()[1] == "Bearer token-2"


def test_refreshing_from_other_threads_never_breaks_a_reader(clock: _Clock) -> None:
    credentials = Credentials(_settings(credential=_Credential(clock)))
    is_over = threading.Event()

    def forget() -> None:
        while not is_over.is_set():
            credentials.refresh()

    (forgetter,), _ = _in_threads(1, forget)
    try:
        for _ in range(2000):
            assert credentials.header()[1].startswith("Bearer token-")
    finally:
        is_over.set()
        forgetter.join(5)


# The async client.


def _run(backend: str, work: Callable[[], Awaitable[None]]) -> None:
    anyio.run(work, backend=backend)


@pytest.mark.parametrize("backend", _BACKENDS)
@pytest.mark.parametrize("kind", [_Credential, _AsyncCredential])
def test_async_keeping_refreshing_and_forgetting(backend: str, kind: Any, clock: _Clock) -> None:
    async def work() -> None:
        source = kind(clock)
        twin = getattr(source, "twin", source)
        credentials = AsyncCredentials(_settings(credential=source))
        for moved, expected in ((0, 1), (3299, 1), (1, 2), (3299, 2), (3601, 3)):
            clock.now += moved
            assert (await credentials.header())[1] == f"Bearer token-{expected}"
            assert twin.count == expected
        credentials.refresh()
        assert (await credentials.header())[1] == "Bearer token-4"

    _run(backend, work)


@pytest.mark.parametrize("backend", _BACKENDS)
def test_tasks_that_all_need_a_token_fetch_one(backend: str, clock: _Clock) -> None:
    async def work() -> None:
        source = _AsyncCredential(clock)
        source.gate = anyio.Event()
        credentials = AsyncCredentials(_settings(credential=source))
        results: list[str] = []

        async def ask() -> None:
            results.append((await credentials.header())[1])

        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            assert source.twin.count == 1
            source.gate.set()
        assert results == ["Bearer token-1"] * 8
        assert source.twin.count == 1

    _run(backend, work)


def test_a_loop_never_waits_for_the_fetch_of_another_loop() -> None:
    together = threading.Barrier(2)

    def fetch() -> str:
        together.wait(10)
        return "token"

    credentials = AsyncCredentials(_settings(azure_ad_token_provider=fetch))
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(asyncio.run, credentials.header()) for _ in range(2)]
        headers = [each.result(30) for each in asked]
    assert headers == [("authorization", "Bearer token")] * 2


@pytest.mark.parametrize("backend", _BACKENDS)
def test_one_task_refreshes_ahead_while_the_others_use_the_old_token(
    backend: str, clock: _Clock
) -> None:
    async def work() -> None:
        source = _AsyncCredential(clock)
        credentials = AsyncCredentials(_settings(credential=source))
        await credentials.header()
        clock.now += 3400
        source.gate = anyio.Event()
        results: list[str] = []

        async def ask() -> None:
            results.append((await credentials.header())[1])

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            assert results == ["Bearer token-1"] * 4
            source.gate.set()
        assert results == ["Bearer token-1"] * 4 + ["Bearer token-2"]
        assert source.twin.count == 2

    _run(backend, work)


@pytest.mark.parametrize("backend", _BACKENDS)
def test_an_async_refresh_that_fails_keeps_the_old_token_pauses_and_warns_once(
    backend: str, clock: _Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        source = _AsyncCredential(clock)
        credentials = AsyncCredentials(_settings(credential=source))
        await credentials.header()
        clock.now += 3400
        source.twin.failure = OSError("detail")
        for _ in range(5):
            assert (await credentials.header())[1] == "Bearer token-1"
        assert source.twin.count == 2
        clock.now += 31
        await credentials.header()
        assert source.twin.count == 3

    with caplog.at_level(logging.WARNING, "azure_responses"):
        _run(backend, work)
    assert len([record for record in caplog.records if record.name == "azure_responses"]) == 1


@pytest.mark.parametrize("backend", _BACKENDS)
def test_a_cancelled_fetch_leaves_the_next_task_free_to_try(backend: str, clock: _Clock) -> None:
    async def work() -> None:
        source = _AsyncCredential(clock)
        source.gate = anyio.Event()
        credentials = AsyncCredentials(_settings(credential=source))
        with anyio.move_on_after(0.01):
            await credentials.header()
        source.gate = None
        source.twin.scopes.clear()
        assert (await credentials.header())[1] == "Bearer token-1"

    _run(backend, work)


@pytest.mark.parametrize("backend", _BACKENDS)
@pytest.mark.parametrize("state", ["expired", "stale"])
def test_a_blocking_credential_never_blocks_the_event_loop(
    backend: str, state: str, clock: _Clock
) -> None:
    async def work() -> None:
        source = _Credential(clock)
        credentials = AsyncCredentials(_settings(credential=source))
        if state == "stale":
            await credentials.header()
            clock.now += 3400
        source.gate = threading.Event()
        count = source.count
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(credentials.header)
            while source.count == count:
                await anyio.sleep(0.001)
            # The credential is waiting for its gate, and the loop goes round all the same.
            for _ in range(20):
                await anyio.sleep(0)
            source.gate.set()
        assert source.count == count + 1

    _run(backend, work)


def test_credentials_serve_one_event_loop_after_another(clock: _Clock) -> None:
    credentials = AsyncCredentials(_settings(credential=_AsyncCredential(clock)))
    for number in (1, 2, 3):
        credentials.refresh()
        backend = _BACKENDS[number % 2]
        assert anyio.run(credentials.header, backend=backend)[1] == f"Bearer token-{number}"


# DefaultAzureCredential.


class _Default:
    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    def get_token(self, *scopes: str) -> _AccessToken:
        return _AccessToken("default", time.time() + 3600)


@_BOTH
def test_with_nothing_given_the_default_credential_signs_in(
    ask: _Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure.identity.DefaultAzureCredential", _Default)
    assert ask() == "authorization: Bearer default"


def test_the_default_credential_is_made_once(
    clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure.identity.DefaultAzureCredential", _Default)
    monkeypatch.setattr(_Default, "made", 0)
    credentials = Credentials(_settings())
    credentials.header()
    clock.now += 4000
    credentials.header()
    assert _Default.made == 1


def _modules_after(arguments: str, call: str) -> set[str]:
    program = f"""
import sys
from azure_responses._sync.credentials import Credentials
from azure_responses.protocol.settings import resolve_settings
class Stub:
    def get_token(self, *scopes): raise ValueError("stub")
settings = resolve_settings({{}}, endpoint="https://r.openai.azure.com", {arguments})
credentials = Credentials(settings)
try:
    {call}
except Exception:
    pass
print("azure.identity" in sys.modules)
"""
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    return {"azure.identity"} if output.strip() == "True" else set()


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ("", "pass"),
        ("api_key='k'", "credentials.header()"),
        ("azure_ad_token='t'", "credentials.header()"),
        ("credential=Stub()", "credentials.header()"),
    ],
)
def test_azure_identity_is_not_loaded_before_it_is_needed(arguments: str, call: str) -> None:
    assert _modules_after(arguments, call) == set()


def test_nothing_of_a_secret_stands_in_a_repr(clock: _Clock) -> None:
    for credentials in (
        Credentials(_settings(api_key="hush")),
        AsyncCredentials(_settings(azure_ad_token="hush")),
    ):
        assert "hush" not in repr(credentials)


def test_a_token_refused_late_does_not_forget_its_successor(clock: _Clock) -> None:
    source = _Credential(clock)
    credentials = Credentials(_settings(credential=source))
    first = credentials.header()[1].removeprefix("Bearer ")
    credentials.refresh(first)
    second = credentials.header()[1]
    # Another call that was refused with the first token comes back only now.
    credentials.refresh(first)
    assert credentials.header()[1] == second
    assert source.count == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_token_refused_late_does_not_forget_its_successor(
    backend: str, clock: _Clock
) -> None:
    source = _Credential(clock)

    async def work() -> None:
        credentials = AsyncCredentials(_settings(credential=source))
        first = (await credentials.header())[1].removeprefix("Bearer ")
        credentials.refresh(first)
        second = (await credentials.header())[1]
        credentials.refresh(first)
        assert (await credentials.header())[1] == second

    _run(backend, work)
    assert source.count == 2


# Failing, slow and hanging credentials, with callers that wait together.


class _Failing:
    """Fails after a moment, and counts how often it was asked."""

    def __init__(self, answer: Any = None, seconds: float = 0.2) -> None:
        self.answer = answer
        self.seconds = seconds
        self.count = 0

    def __call__(self) -> Any:
        self.count += 1
        time.sleep(self.seconds)
        if self.answer is None:
            raise OSError("no route")
        return self.answer


class _AsyncFailing(_Failing):
    """The same, asynchronous."""

    async def __call__(self) -> Any:
        self.count += 1
        await anyio.sleep(self.seconds)
        if self.answer is None:
            raise OSError("no route")
        return self.answer


def _failure(work: Callable[[], Any]) -> BaseException | None:
    try:
        work()
    except CredentialError as error:
        return error
    return None


def _ask_together(provider: Any, count: int, *seconds: float | None) -> list[BaseException | None]:
    credentials = Credentials(_settings(azure_ad_token_provider=provider))
    with ThreadPoolExecutor(count) as pool:
        waits = [seconds[number % len(seconds)] for number in range(count)]
        asked = [
            pool.submit(_failure, functools.partial(credentials.header, wait)) for wait in waits
        ]
        return [each.result(20) for each in asked]


def _ask_together_async(
    backend: str, provider: Any, count: int, *seconds: float | None
) -> list[BaseException | None]:
    failures: list[BaseException | None] = [None] * count

    async def work() -> None:
        credentials = AsyncCredentials(_settings(azure_ad_token_provider=provider))

        async def ask(number: int) -> None:
            try:
                await credentials.header(seconds[number % len(seconds)])
            except CredentialError as error:
                failures[number] = error

        async with anyio.create_task_group() as tasks:
            for number in range(count):
                tasks.start_soon(ask, number)

    _run(backend, work)
    return failures


def _one_after_another(provider: Any, *seconds: float) -> list[str]:
    credentials = Credentials(_settings(azure_ad_token_provider=provider))
    seen = []
    for wait in seconds:
        try:
            seen.append(credentials.header(wait)[1])
        except CredentialError as error:
            seen.append(type(error).__name__)
    return seen


def _one_after_another_async(provider: Any, *seconds: float) -> list[str]:
    async def work() -> list[str]:
        credentials = AsyncCredentials(_settings(azure_ad_token_provider=provider))
        seen = []
        for wait in seconds:
            try:
                seen.append((await credentials.header(wait))[1])
            except CredentialError as error:
                seen.append(type(error).__name__)
        return seen

    return anyio.run(work)


_BOTH_KINDS = pytest.mark.parametrize("header", [_one_after_another, _one_after_another_async])

_TOGETHER = [
    pytest.param(_ask_together, _Failing, id="threads"),
    *(
        pytest.param(
            functools.partial(_ask_together_async, backend), kind, id=f"{backend}-{kind.__name__}"
        )
        for backend in _BACKENDS
        for kind in (_Failing, _AsyncFailing)
    ),
]


@pytest.mark.parametrize(("ask_together", "kind"), _TOGETHER)
@pytest.mark.parametrize("answer", [None, "two words", 7], ids=["fails", "garbage", "number"])
def test_callers_that_wait_together_share_one_failure(
    ask_together: Any, kind: type[_Failing], answer: Any
) -> None:
    provider = kind(answer)
    began = time.monotonic()
    failures = ask_together(provider, 20, None)
    assert provider.count == 1
    assert time.monotonic() - began < 20 * provider.seconds
    assert {type(failure) for failure in failures} == {CredentialError}
    # Each is raised on its own, with a traceback of its own.
    assert len({id(failure) for failure in failures}) == 20


@pytest.mark.parametrize(("ask_together", "kind"), _TOGETHER)
def test_a_caller_waits_as_long_as_it_wants_and_the_fetch_goes_on_for_the_others(
    ask_together: Any, kind: type[_Failing]
) -> None:
    provider = kind("token", seconds=0.6)
    failures = ask_together(provider, 10, 0.05, None)
    assert provider.count == 1
    assert [type(failure) for failure in failures] == [CredentialTimeoutError, type(None)] * 5
    assert "within 0.05 s" in str(failures[0])


@_BOTH_KINDS
def test_a_fetch_that_callers_gave_up_is_left_behind_after_a_while(
    header: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for side in ("_async", "_sync"):
        monkeypatch.setattr(f"azure_responses.{side}.credentials._STUCK", 0.0)
    release = threading.Event()
    waits = iter([10.0, 0.0])

    def provide() -> str:
        release.wait(next(waits))
        return "token"

    try:
        assert header(provide, 0.05, 5.0) == ["CredentialTimeoutError", "Bearer token"]
    finally:
        release.set()


def test_a_refresh_that_hangs_keeps_no_caller_that_has_a_good_token(
    clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_responses._sync.credentials._AHEAD", 0.05)
    source = _Credential(clock)
    credentials = Credentials(_settings(credential=source))
    credentials.header()
    clock.now += 3400
    source.gate = threading.Event()
    assert [credentials.header()[1] for _ in range(3)] == ["Bearer token-1"] * 3
    assert source.count == 2
    source.gate.set()
    _wait_until(lambda: credentials.header()[1] == "Bearer token-2")
    assert source.count == 2


_HANGING = """
import sys, time
from azure_responses import AsyncAzureResponses, AzureResponses, CredentialTimeoutError
import anyio

def hang():
    time.sleep(600)

arguments = {"endpoint": "https://r.openai.azure.com", "azure_ad_token_provider": hang}
call = {"model": "m", "input": "x", "timeout": 0.2, "stream": STREAM}

async def ask():
    async with AsyncAzureResponses(**arguments) as client:
        answer = await client.responses.create(**call)
        await anext(answer)

def ask_sync():
    with AzureResponses(**arguments) as client:
        next(client.responses.create(**call))

began = time.monotonic()
try:
    anyio.run(ask, backend=BACKEND) if BACKEND else ask_sync()
except CredentialTimeoutError:
    print(time.monotonic() - began < 5)
"""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("backend", [None, *_BACKENDS])
def test_a_hanging_credential_keeps_neither_a_call_nor_the_end_of_the_program(
    backend: str | None, stream: bool
) -> None:
    program = _HANGING.replace("BACKEND", repr(backend)).replace("STREAM", repr(stream))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


_COGNITIVE = "https://cognitiveservices.azure.com/.default"
_PROJECTS = "https://ai.azure.com/.default"
_WRONG = (
    "Unauthorized. Access token is missing, invalid, audience is incorrect ({}), or have expired."
)


def _refuse(credentials: Credentials, refusal: str) -> None:
    """What happens after the service has refused the token of a call."""
    _, value = credentials.header()
    credentials.refresh(value.removeprefix("Bearer "), refusal)


def test_a_refused_audience_is_exchanged_once_and_remembered(clock: _Clock) -> None:
    credential = _Credential(clock)
    credentials = Credentials(_settings(credential=credential))
    _refuse(credentials, _WRONG.format("https://ai.azure.com"))
    credentials.header()
    assert credential.scopes == [(_COGNITIVE,), (_PROJECTS,)]
    assert credentials.scope == _PROJECTS
    # What is said of an expired token names the audience that the token has.
    _refuse(credentials, _WRONG.format("https://ai.azure.com"))
    credentials.header()
    assert credential.scopes[-1] == (_PROJECTS,)


def test_where_both_audiences_are_refused_the_first_one_stays(clock: _Clock) -> None:
    credential = _Credential(clock)
    credentials = Credentials(_settings(credential=credential))
    for _ in range(4):
        _refuse(credentials, "The audience is invalid.")
    credentials.header()
    asked = [scope for (scope,) in credential.scopes]
    assert asked == [_COGNITIVE, _PROJECTS, _COGNITIVE, _COGNITIVE, _COGNITIVE]


def test_several_callers_with_one_refused_token_change_the_scope_once(clock: _Clock) -> None:
    credentials = Credentials(_settings(credential=_Credential(clock)))
    _, value = credentials.header()
    for _ in range(3):
        credentials.refresh(value.removeprefix("Bearer "), "The audience is invalid.")
    assert credentials.scope == _PROJECTS
    credentials.header()
    credentials.refresh(value.removeprefix("Bearer "), "The audience is invalid.")
    assert credentials.scope == _PROJECTS


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({}, _WRONG.format("https://cognitiveservices.azure.com")),
        ({}, _WRONG.format("https://cognitiveservices.azure.com/ or https://ai.azure.com/")),
        ({}, "The token has expired."),
        ({"scope": "api://mine/.default"}, _WRONG.format("https://ai.azure.com")),
        ({"endpoint": "https://r.openai.azure.us"}, _WRONG.format("https://ai.azure.com")),
    ],
)
def test_a_scope_that_is_right_or_was_given_stays(
    arguments: dict[str, Any], refusal: str, clock: _Clock
) -> None:
    credential = _Credential(clock)
    credentials = Credentials(_settings(credential=credential, **arguments))
    before = credentials.scope
    _refuse(credentials, refusal)
    credentials.header()
    assert credential.scopes == [(before,), (before,)]


def test_a_provider_of_tokens_has_no_other_scope(clock: _Clock) -> None:
    credentials = Credentials(_settings(azure_ad_token_provider=lambda: "t"))
    _refuse(credentials, "The audience is invalid.")
    assert credentials.scope == _COGNITIVE


@_BOTH
def test_a_key_of_a_serverless_endpoint_is_a_bearer(ask: _Ask) -> None:
    endpoint = "https://kimi.eastus2.models.ai.azure.com"
    assert ask(endpoint=endpoint, api_key="k") == "authorization: Bearer k"
