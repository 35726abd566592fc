"""Key or Entra ID: where the credential header of a request comes from.

A token is fetched once and shared, and so is the failure to fetch one: all callers that wait for a
fetch get its result (microsoft-authentication-library-for-dotnet#4196), or stop waiting when their
own time is over. Shortly before a token expires one caller fetches the next one while the others
use the old one; only when it has expired do all of them wait.

| Token | A caller | Fetch |
|---|---|---|
| fresh | uses it | none |
| stale, no fetch under way | waits `_AHEAD` seconds at most, then uses the old one | started |
| stale, fetch under way or failed within `_PAUSE` | uses it | not joined |
| expired or none | waits for its own time limit | joined, or started when stuck for `_STUCK` |

Microsoft's pages differ in the audience that a resource takes. Where the service refuses that of
the scope that was chosen by the host, the other one is tried once for each credential, and kept.
"""

import logging
import time
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from azure_responses._async.concurrency import (
    CancelScope,
    Event,
    running_loop,
    start_task,
    wait_for,
)
from azure_responses.errors import CredentialError, CredentialTimeoutError
from azure_responses.fork import in_forked_child, new_lock
from azure_responses.protocol.endpoint import PROJECT_SCOPE, PUBLIC_SCOPE
from azure_responses.protocol.settings import Settings
from azure_responses.protocol.tokens import Token, refuses_audience
from azure_responses.token_source import AsyncTokenSource

__all__ = ["AsyncCredentials"]

_LOG = logging.getLogger("azure_responses")

_Header = tuple[str, str]

# Seconds between two attempts to refresh a token that is still good.
_PAUSE = 30.0
# Seconds that a caller with a good token waits for the next one.
_AHEAD = 5.0
# Seconds after which a fetch that callers gave up no longer keeps another one from starting.
_STUCK = 60.0


class _Fetch:
    """One fetch under way, for which every caller waits that needs its token."""

    def __init__(self) -> None:
        self.done = Event()
        self.scope = CancelScope()
        self.outcome: Token | CredentialError | None = None
        self.waiting = 0
        # Kept, because asyncio holds tasks only weakly.
        self.task: object = None
        self._began = time.monotonic()
        self._is_given_up = False

    def token(self) -> Token:
        """The token; each caller gets an error of its own, because a traceback grows on it."""
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
            "timeout, or find out what the credential waits for.",
            waited=time.monotonic() - self._began,
        )

    def is_stuck(self) -> bool:
        """True when the next caller must not wait for it."""
        return self._is_given_up and time.monotonic() - self._began > _STUCK


class AsyncCredentials:
    """The credential header of one client's requests; every thread and event loop may ask.

    Attributes:
        fixed: the header where it never changes: of a key, or of a token given as text.
    """

    def __init__(self, settings: Settings) -> None:
        self.fixed = _fixed_header(settings)
        self._settings = settings
        self._of_sockets: AsyncCredentials | None = None
        self._source = AsyncTokenSource(settings.secret, settings.scope)
        self._other_scope = settings.other_scope if self._source.takes_scope else None
        # How often the scope may still change: to the other one, and back where both are refused.
        self._changes = 2
        self._token: Token | None = None
        self._lock = new_lock()
        self._pause = _Pause()
        # A fetch belongs to the event loop in which callers wait for it.
        self._fetches: WeakKeyDictionary[Any, _Fetch] = WeakKeyDictionary()
        in_forked_child(self, AsyncCredentials._leave_parent)

    async def header(self, seconds: float | None = None) -> _Header:
        """The header's name and value; may fetch a token, which may take seconds.

        Args:
            seconds: how long to wait for a token; None sets no limit.

        Raises:
            CredentialError: no token could be fetched, or none in that time.
        """
        if self.fixed is not None:
            return self.fixed
        token = await self._current(seconds)
        return ("authorization", f"Bearer {token.text}")

    @property
    def scope(self) -> str:
        """What tokens are for: the scope of the settings, or the other one that was tried."""
        return self._source.scope

    def of_sockets(self) -> "AsyncCredentials":
        """The credentials of WebSockets, whose tokens are for the scope of projects.

        Microsoft's page "WebSocket mode" (2026-07-24) names that scope for every resource. A scope
        that the caller gave, and that of another cloud, stays.
        """
        settings = self._settings
        is_chosen = settings.other_scope is None or settings.scope != PUBLIC_SCOPE
        if is_chosen or not self._source.takes_scope:
            return self
        if self._of_sockets is None:
            changed = replace(settings, scope=PROJECT_SCOPE, other_scope=PUBLIC_SCOPE)
            self._of_sockets = AsyncCredentials(changed)
        return self._of_sockets

    def refresh(self, refused: str | None = None, refusal: str = "") -> None:
        """Forget the token that the service refused, unless another caller replaced it already.

        Where the refusal is about its audience, the next token is for the other scope.

        Args:
            refused: the text of the token; None forgets any token.
            refusal: what the service said.
        """
        if refused is not None and self._other_scope is not None:
            with self._lock:
                self._change_scope(refused, refusal)
        token = self._token
        if refused is None or (token is not None and token.text == refused):
            self._token = None

    def _change_scope(self, refused: str, refusal: str) -> None:
        """Take the other scope, once; the first one again where both are refused."""
        token = self._token
        # Several callers may have sent one token, and an older one may still be under way.
        is_current = token is not None and token.text == refused
        if not (is_current and self._changes and refuses_audience(refusal, self.scope)):
            return
        self._changes -= 1
        assert self._other_scope is not None
        self._source.scope, self._other_scope = self._other_scope, self._source.scope
        # Fetches under way bring tokens for the scope before.
        self._token, self._fetches = None, WeakKeyDictionary()

    async def _current(self, seconds: float | None) -> Token:
        # Always a local: `refresh` of another thread may empty the attribute at any time.
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
        """The fetch under way, or a new one; an ended one where a token came meanwhile."""
        fetch = _Fetch()
        with self._lock:
            if kept := self._usable_token(unless):
                fetch.outcome = kept
                fetch.done.set()
                return fetch
            found = self._fetches.get(running_loop())
            if found is not None and not found.is_stuck():
                return found
            self._fetches[running_loop()] = fetch
        # Beside its callers: none waits longer than its time, or ends the wait of the others.
        fetch.task = start_task(partial(self._run, fetch))
        return fetch

    def _usable_token(self, unless: Token | None) -> Token | None:
        token = self._token
        if token is None or token is unless or token.state(time.time()) == "expired":
            return None
        return token

    async def _wait(self, fetch: _Fetch, seconds: float | None) -> bool:
        """True when the fetch has ended in time."""
        fetch.waiting += 1
        try:
            return await wait_for(fetch.done, seconds)
        except BaseException:
            # Cancelled. Without another caller the fetch need not go on, where it can be stopped;
            # a blocking credential cannot.
            if fetch.waiting == 1 and self._source.is_async:
                self._end(fetch)
                fetch.scope.cancel()
            raise
        finally:
            fetch.waiting -= 1

    async def _run(self, fetch: _Fetch) -> None:
        with fetch.scope:
            try:
                fetch.outcome = await self._source.ask()
            except CredentialError as error:
                fetch.outcome = error
        fetch.outcome = fetch.outcome or CredentialError("The fetch of the token was cancelled.")
        self._end(fetch)
        fetch.done.set()

    def _end(self, fetch: _Fetch) -> None:
        """Keep the result and let the next caller begin; nothing if another fetch replaced this."""
        with self._lock:
            if self._fetches.get(running_loop()) is fetch:
                del self._fetches[running_loop()]
                self._keep(fetch.outcome)

    def _keep(self, outcome: Token | CredentialError | None) -> None:
        token = self._token
        if isinstance(outcome, Token):
            self._token = outcome
        elif outcome and token is not None and token.state(time.time()) != "expired":
            self._pause.begin(token, outcome, time.time())

    def _leave_parent(self) -> None:
        self._source.renew()
        self._fetches = WeakKeyDictionary()


class _Pause:
    """Keeps calls from refreshing ahead of expiry again at once after a refresh failed."""

    def __init__(self) -> None:
        self._until = 0.0
        self._token: Token | None = None

    def holds(self, now: float) -> bool:
        return now < self._until

    def begin(self, token: Token, error: Exception, now: float) -> None:
        self._until = now + _PAUSE
        if self._token is not token:
            self._token = token
            _LOG.warning(
                "could not refresh the token ahead of its expiry, going on with the old one: %s",
                type(error.__cause__ or error).__name__,
            )


def _fixed_header(settings: Settings) -> _Header | None:
    secret = settings.secret
    if secret.kind == "api_key" and settings.endpoint.surface != "serverless":
        return ("api-key", secret.value)
    if secret.kind == "api_key":
        return ("authorization", f"Bearer {secret.value}")
    if secret.kind == "azure_ad_token":
        return ("authorization", f"Bearer {secret.value}")
    return None
