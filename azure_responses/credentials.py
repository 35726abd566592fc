"""Key or Entra ID: where the credential header of a request comes from, sync and async.

A token is fetched once and shared. Shortly before it expires one caller fetches the next while
the others go on with the old one; only when it has expired does everybody wait.
"""

import inspect
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import anyio
import anyio.to_thread

from azure_responses.errors import ConfigurationError
from azure_responses.event_loop import running_loop
from azure_responses.protocol.settings import Secret, Settings
from azure_responses.protocol.tokens import Token, read_expiry

__all__ = ["AsyncCredentials", "Credentials"]

_logger = logging.getLogger("azure_responses")

_Header = tuple[str, str]

# Seconds between two attempts to refresh a token that is still good.
_PAUSE = 30.0


class Credentials:
    """The credential header for a sync client."""

    def __init__(self, settings: Settings) -> None:
        _refuse_async(settings.secret)
        self._secret = settings.secret
        self._scope = settings.scope
        self._token: Token | None = None
        self._lock = threading.Lock()
        self._pause = _Pause()

    def header(self) -> _Header:
        """The header's name and value; may fetch a token, which may take seconds."""
        fixed = _fixed_header(self._secret)
        return fixed or ("authorization", f"Bearer {self._current().text}")

    def refresh(self, refused: str | None = None) -> None:
        """Forget the token that the service refused, unless another caller replaced it already.

        Without a token named, whatever is kept is forgotten.
        """
        token = self._token
        if refused is None or (token is not None and token.text == refused):
            self._token = None

    def _current(self) -> Token:
        # Always a local: `refresh` of another thread may empty the attribute at any time.
        token = self._token
        state = token.state(time.time()) if token else "expired"
        if token and state == "fresh":
            return token
        if token and state == "stale":
            return self._refresh_ahead(token)
        with self._lock:
            # Another caller may have fetched it while this one waited for the lock.
            token = self._token
            if token and token.state(time.time()) != "expired":
                return token
            self._token = token = self._fetch()
            return token

    def _refresh_ahead(self, token: Token) -> Token:
        if self._pause.holds(time.time()) or not self._lock.acquire(blocking=False):
            return token
        try:
            current = self._token
            if current is not None and current is not token:
                # Another caller finished its refresh between our look and our lock.
                return current
            self._token = current = self._fetch()
            return current
        except Exception as error:
            self._pause.begin(token, error, time.time())
            return token
        finally:
            self._lock.release()

    def _fetch(self) -> Token:
        with _explaining_failure():
            if self._secret.kind == "none":
                self._secret = Secret("credential", _default_credential())
            answer = _call_source(self._secret, self._scope)
        if inspect.isawaitable(answer):
            _refuse_awaitable(answer)
        return _read_token(answer)


class AsyncCredentials:
    """The credential header for an async client; takes sync and async credentials.

    A sync credential runs in a worker thread, so that fetching never blocks the event loop.
    """

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.secret
        self._scope = settings.scope
        self._token: Token | None = None
        self._fetching: WeakKeyDictionary[Any, anyio.Lock] = WeakKeyDictionary()
        self._pause = _Pause()

    async def header(self) -> _Header:
        """The header's name and value; may fetch a token, which may take seconds."""
        fixed = _fixed_header(self._secret)
        return fixed or ("authorization", f"Bearer {(await self._current()).text}")

    def refresh(self, refused: str | None = None) -> None:
        """Forget the token that the service refused, unless another caller replaced it already.

        Without a token named, whatever is kept is forgotten.
        """
        token = self._token
        if refused is None or (token is not None and token.text == refused):
            self._token = None

    async def _current(self) -> Token:
        token = self._token
        state = token.state(time.time()) if token else "expired"
        if token and state == "fresh":
            return token
        if token and state == "stale":
            return await self._refresh_ahead(token)
        async with self._lock():
            token = self._token
            if token and token.state(time.time()) != "expired":
                return token
            self._token = token = await self._fetch()
            return token

    def _lock(self) -> anyio.Lock:
        # A lock belongs to the event loop it is waited for in.
        return self._fetching.setdefault(running_loop(), anyio.Lock())

    async def _refresh_ahead(self, token: Token) -> Token:
        lock = self._lock()
        if self._pause.holds(time.time()) or lock.locked():
            return token
        async with lock:
            try:
                self._token = token = await self._fetch()
            except Exception as error:
                self._pause.begin(token, error, time.time())
            return token

    async def _fetch(self) -> Token:
        with _explaining_failure():
            if self._secret.kind == "none":
                self._secret = Secret("credential", await _in_thread(_default_credential))
            if _is_async(self._secret):
                answer = await _call_source(self._secret, self._scope)
            else:
                answer = await _in_thread(lambda: _call_source(self._secret, self._scope))
                if inspect.isawaitable(answer):
                    # A plain function that returns a coroutine, such as a lambda around one.
                    answer = await answer
        return _read_token(answer)


class _Pause:
    """Keeps a refresh ahead of expiry that failed from being tried again by every next call."""

    def __init__(self) -> None:
        self._until = 0.0
        self._token: Token | None = None

    def holds(self, now: float) -> bool:
        return now < self._until

    def begin(self, token: Token, error: Exception, now: float) -> None:
        self._until = now + _PAUSE
        if self._token is not token:
            self._token = token
            _logger.warning(
                "could not refresh the token ahead of its expiry, going on with the old one: %s",
                type(error.__cause__ or error).__name__,
            )


def _fixed_header(secret: Secret) -> _Header | None:
    if secret.kind == "api_key":
        return ("api-key", secret.value)
    if secret.kind == "azure_ad_token":
        return ("authorization", f"Bearer {secret.value}")
    return None


def _call_source(secret: Secret, scope: str) -> Any:
    """What the provider or credential answers: a token, or an awaitable of one."""
    if secret.kind == "azure_ad_token_provider":
        return secret.value()
    return secret.value.get_token(scope)


def _read_token(answer: Any) -> Token:
    held = answer if isinstance(answer, str) else getattr(answer, "token", None)
    text = held.strip() if isinstance(held, str) else ""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigurationError(
            f"The credential answered with a {type(answer).__name__} that holds no usable token.",
            hint="A provider returns the token as text; a credential returns an AccessToken.",
        )
    claimed = getattr(answer, "expires_on", None)
    expiry = float(claimed) if isinstance(claimed, int | float) else read_expiry(text)
    return Token(text, expiry, fetched_at=time.time())


@contextmanager
def _explaining_failure() -> Iterator[None]:
    try:
        yield
    except ConfigurationError:
        raise
    except Exception as error:
        summary = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise ConfigurationError(
            f"No token could be fetched: {summary}",
            hint="Run `az login`, configure the credential, or pass api_key (or set "
            "AZURE_OPENAI_API_KEY).",
        ) from error


def _refuse_awaitable(answer: Any) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        close()
    raise ConfigurationError(
        "The token provider is async, and this is the sync client.",
        hint="Use AsyncAzureResponses, or a provider that returns the token itself.",
    )


def _default_credential() -> Any:
    # Imported only here: azure.identity alone takes longer to import than everything else.
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _is_async(secret: Secret) -> bool:
    source = secret.value
    if secret.kind == "credential":
        source = source.get_token
    return inspect.iscoroutinefunction(source) or inspect.iscoroutinefunction(
        getattr(source, "__call__", None)  # noqa: B004 - looking for `async def __call__`
    )


def _refuse_async(secret: Secret) -> None:
    if secret.value is not None and secret.kind != "api_key" and _is_async(secret):
        raise ConfigurationError(
            f"An async {secret.kind} was given to the sync client.",
            hint="Use AsyncAzureResponses, or the credential from azure.identity instead of "
            "azure.identity.aio.",
        )


async def _in_thread(function: Callable[[], Any]) -> Any:
    # In a tuple, because trio refuses a thread's answer that is a coroutine.
    return (await anyio.to_thread.run_sync(lambda: (function(),)))[0]
