"""Key or Entra ID: where the credential header of a request comes from, sync and async.

A token is fetched once and shared, and so is the failure to fetch one: all that wait for a fetch
learn what came of it (microsoft-authentication-library-for-dotnet#4196), or stop waiting when
their own time is over. Shortly before a token expires one caller fetches the next while the
others go on with the old one; only when it has expired do all of them wait.
"""

import logging
import threading
import time
from copy import copy
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import anyio

from azure_responses.errors import CredentialError, CredentialTimeoutError
from azure_responses.event_loop import running_loop, start_task, start_thread
from azure_responses.fork import in_forked_child, new_lock
from azure_responses.protocol.settings import Secret, Settings
from azure_responses.protocol.tokens import Token
from azure_responses.token_source import TokenSource, refuse_async

__all__ = ["AsyncCredentials", "Credentials"]

_logger = logging.getLogger("azure_responses")

_Header = tuple[str, str]

# Seconds between two attempts to refresh a token that is still good.
_PAUSE = 30.0
# Seconds that a caller with a good token waits for the next one.
_AHEAD = 5.0
# Seconds after which a fetch that callers gave up no longer stands in the way of another one.
_STUCK = 60.0


class _Fetch:
    """One fetch under way, for which every caller waits that needs its token."""

    def __init__(self, done: Any, scope: anyio.CancelScope | None = None) -> None:
        self.done = done
        self.outcome: Token | CredentialError | None = None
        self.waiting = 0
        self.task: object = None
        self.scope = scope
        self._began = time.monotonic()
        self._is_given_up = False

    def token(self) -> Token:
        """What came of it; each caller gets an error of its own."""
        if isinstance(self.outcome, Token):
            return self.outcome
        assert self.outcome is not None
        raise copy(self.outcome) from self.outcome.__cause__

    def give_up(self, seconds: float | None) -> CredentialTimeoutError:
        """What a caller raises whose time is over."""
        self._is_given_up = True
        return CredentialTimeoutError(
            f"No token came within {seconds:.3g} s; nothing was sent.",
            hint="The credential or token provider takes longer than the call's timeout: raise the "
            "timeout, or see what the credential waits for.",
            waited=time.monotonic() - self._began,
        )

    def is_stuck(self) -> bool:
        """True when the next caller shall not wait for it."""
        return self._is_given_up and time.monotonic() - self._began > _STUCK


class _Tokens:
    """The token that is kept, and what both twins decide about it."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.secret
        self._source = TokenSource(settings.secret, settings.scope)
        self._token: Token | None = None
        self._lock = new_lock()
        self._pause = _Pause()
        in_forked_child(self, _Tokens._leave_parent)

    def refresh(self, refused: str | None = None) -> None:
        """Forget the token that the service refused, unless another caller replaced it already.

        Without a token named, whatever is kept is forgotten.
        """
        token = self._token
        if refused is None or (token is not None and token.text == refused):
            self._token = None

    def _leave_parent(self) -> None:
        self._source.renew()
        self._forget_fetches()

    def _forget_fetches(self) -> None:
        raise NotImplementedError

    def _kept(self, unless: Token | None) -> Token | None:
        """A usable token that another caller has fetched meanwhile."""
        token = self._token
        if token is None or token is unless or token.state(time.time()) == "expired":
            return None
        return token

    def _keep(self, outcome: Token | CredentialError) -> None:
        token = self._token
        if isinstance(outcome, Token):
            self._token = outcome
        elif token is not None and token.state(time.time()) != "expired":
            self._pause.begin(token, outcome, time.time())


class Credentials(_Tokens):
    """The credential header for a sync client."""

    def __init__(self, settings: Settings) -> None:
        refuse_async(settings.secret)
        super().__init__(settings)
        self._fetch: _Fetch | None = None

    def header(self, seconds: float | None = None) -> _Header:
        """The header's name and value; may fetch a token, which may take seconds.

        Args:
            seconds: how long to wait for one; None is for ever.

        Raises:
            CredentialError: no token could be fetched, or none in that time.
        """
        fixed = _fixed_header(self._secret)
        return fixed or ("authorization", f"Bearer {self._current(seconds).text}")

    def _current(self, seconds: float | None) -> Token:
        # Always a local: `refresh` of another thread may empty the attribute at any time.
        token = self._token
        state = token.state(time.time()) if token else "expired"
        if token and state == "fresh":
            return token
        if token and state == "stale":
            return self._refresh_ahead(token, seconds)
        fetch = self._join()
        if not fetch.done.wait(seconds):
            raise fetch.give_up(seconds)
        return fetch.token()

    def _refresh_ahead(self, token: Token, seconds: float | None) -> Token:
        if self._pause.holds(time.time()) or self._fetch is not None:
            return token
        fetch = self._join(unless=token)
        fetch.done.wait(_AHEAD if seconds is None else min(seconds, _AHEAD))
        return fetch.outcome if isinstance(fetch.outcome, Token) else token

    def _join(self, unless: Token | None = None) -> _Fetch:
        """The fetch under way, or a new one."""
        with self._lock:
            fetch, kept = self._fetch, self._kept(unless)
            if kept is not None:
                fetch = _Fetch(threading.Event())
                fetch.outcome = kept
                fetch.done.set()
                return fetch
            if fetch is not None and not fetch.is_stuck():
                return fetch
            fetch = self._fetch = _Fetch(threading.Event())
        # In a thread of its own: no caller waits longer than it wants to, and none of them ends
        # the wait of the others.
        start_thread(partial(self._run, fetch))
        return fetch

    def _run(self, fetch: _Fetch) -> None:
        outcome: Token | CredentialError
        try:
            outcome = self._source.ask()
        except CredentialError as error:
            outcome = error
        except BaseException as error:
            outcome = _explain_end(error)
        fetch.outcome = outcome
        with self._lock:
            if self._fetch is fetch:
                self._fetch = None
                self._keep(outcome)
        fetch.done.set()

    def _forget_fetches(self) -> None:
        self._fetch = None


class AsyncCredentials(_Tokens):
    """The credential header for an async client; takes sync and async credentials.

    A sync credential runs in a thread, so that fetching never blocks the event loop.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        # A fetch belongs to the event loop it is waited for in.
        self._fetches: WeakKeyDictionary[Any, _Fetch] = WeakKeyDictionary()

    async def header(self, seconds: float | None = None) -> _Header:
        """`Credentials.header`, awaited."""
        fixed = _fixed_header(self._secret)
        return fixed or ("authorization", f"Bearer {(await self._current(seconds)).text}")

    async def _current(self, seconds: float | None) -> Token:
        token = self._token
        state = token.state(time.time()) if token else "expired"
        if token and state == "fresh":
            return token
        if token and state == "stale":
            return await self._refresh_ahead(token, seconds)
        fetch = self._join()
        if not await self._wait(fetch, seconds):
            raise fetch.give_up(seconds)
        return fetch.token()

    async def _refresh_ahead(self, token: Token, seconds: float | None) -> Token:
        if self._pause.holds(time.time()) or running_loop() in self._fetches:
            return token
        fetch = self._join(unless=token)
        await self._wait(fetch, _AHEAD if seconds is None else min(seconds, _AHEAD))
        return fetch.outcome if isinstance(fetch.outcome, Token) else token

    def _join(self, unless: Token | None = None) -> _Fetch:
        loop, kept = running_loop(), self._kept(unless)
        if kept is not None:
            fetch = _Fetch(anyio.Event())
            fetch.outcome = kept
            fetch.done.set()
            return fetch
        found = self._fetches.get(loop)
        if found is not None and not found.is_stuck():
            return found
        scope = anyio.CancelScope()
        fetch = self._fetches[loop] = _Fetch(anyio.Event(), scope)
        # A task of its own, so that the end of one caller is not the end of the others' fetch.
        fetch.task = start_task(partial(self._run, fetch, scope))
        return fetch

    async def _wait(self, fetch: _Fetch, seconds: float | None) -> bool:
        """True when the fetch has ended in time."""
        fetch.waiting += 1
        try:
            with anyio.move_on_after(seconds):
                await fetch.done.wait()
        except BaseException:
            # Cancelled: what no other caller waits for need not go on, where it can be stopped.
            if fetch.waiting == 1 and fetch.scope is not None and self._source.is_async:
                self._forget(fetch)
                fetch.scope.cancel()
            raise
        finally:
            fetch.waiting -= 1
        return fetch.outcome is not None

    async def _run(self, fetch: _Fetch, scope: anyio.CancelScope) -> None:
        with scope:
            fetch.outcome = await self._ask()
            if self._forget(fetch):
                self._keep(fetch.outcome)
        fetch.outcome = fetch.outcome or CredentialError("The fetch of the token was cancelled.")
        fetch.done.set()

    async def _ask(self) -> Token | CredentialError:
        try:
            return await self._source.ask_async()
        except CredentialError as error:
            return error

    def _forget(self, fetch: _Fetch) -> bool:
        """Let the next caller begin another one; False when another one is under way already."""
        loop = running_loop()
        if self._fetches.get(loop) is not fetch:
            return False
        del self._fetches[loop]
        return True

    def _forget_fetches(self) -> None:
        self._fetches = WeakKeyDictionary()


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


def _explain_end(error: BaseException) -> CredentialError:
    explained = CredentialError(f"No token could be fetched: {type(error).__name__}")
    explained.__cause__ = error
    return explained
