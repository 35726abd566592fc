"""Asks a credential or a token provider for a token, and explains why there is none."""

import inspect
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure_responses.errors import ConfigurationError, CredentialError
from azure_responses.event_loop import run_in_thread
from azure_responses.protocol.settings import Secret
from azure_responses.protocol.tokens import Token, read_expiry

__all__ = ["AsyncTokenSource", "TokenSource", "is_async", "refuse_async"]


class _Source:
    """The credential or token provider of a client.

    Args:
        secret: what was configured; for the kind "none" a DefaultAzureCredential is made on first
            use.
        scope: what the token is for; may change.
    """

    def __init__(self, secret: Secret, scope: str) -> None:
        self._configured = self._secret = secret
        self.scope = scope

    @property
    def takes_scope(self) -> bool:
        """False of a provider, which knows by itself what its tokens are for."""
        return self._secret.kind in ("credential", "none")

    @property
    def is_async(self) -> bool:
        """True where it is known that the answer has to be awaited."""
        return self._secret.kind != "none" and is_async(self._secret)

    def renew(self) -> None:
        """Make the default credential again: a forked process has the parent's connections."""
        self._secret = self._configured

    def _call(self) -> Any:
        """What the provider or credential answers: a token, or an awaitable of one."""
        if self._secret.kind == "none":
            self._secret = Secret("credential", _default_credential())
        if self._secret.kind == "azure_ad_token_provider":
            return self._secret.value()
        return self._secret.value.get_token(self.scope)


class TokenSource(_Source):
    """What a sync client asks for tokens; raises ConfigurationError for an async secret."""

    def __init__(self, secret: Secret, scope: str) -> None:
        refuse_async(secret)
        super().__init__(secret, scope)

    def ask(self) -> Token:
        """A new token.

        Raises:
            CredentialError: there is none.
        """
        try:
            with _explained_failures():
                answer = self._call()
                if inspect.isawaitable(answer):
                    _refuse_awaitable(answer)
                return _read_token(answer)
        except CredentialError:
            raise
        except BaseException as error:
            # A SystemExit ends only the thread that asks, and other callers wait for its result.
            raise CredentialError(f"No token could be fetched: {type(error).__name__}") from error


class AsyncTokenSource(_Source):
    """What an async client asks for tokens; takes sync and async secrets."""

    async def ask(self) -> Token:
        """A new token; a blocking credential runs in a thread, so the event loop never waits.

        Raises:
            CredentialError: there is none.
        """
        with _explained_failures():
            answer = self._call() if self.is_async else await run_in_thread(self._call)
            if inspect.isawaitable(answer):
                # Also of a plain function that returns a coroutine, such as a lambda around one.
                answer = await answer
            return _read_token(answer)


def _read_token(answer: Any) -> Token:
    # A provider returns text, a credential an object that has it.
    held = answer if isinstance(answer, str) else getattr(answer, "token", None)
    text = held.strip() if isinstance(held, str) else ""
    # A header can hold nothing else, and a message of an error must not be sent as a token.
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise CredentialError(
            f"The credential answered with a {type(answer).__name__} that holds no usable token.",
            hint="A provider returns the token as text; a credential returns an AccessToken.",
        )
    claimed = getattr(answer, "expires_on", None)
    # A JSON Web Token says itself when it expires; of any other text that is not known.
    expiry = float(claimed) if isinstance(claimed, int | float) else read_expiry(text)
    return Token(text, expiry, fetched_at=time.time())


@contextmanager
def _explained_failures() -> Iterator[None]:
    try:
        yield
    except CredentialError:
        raise
    # A source that raises this error explains itself.
    except ConfigurationError as error:
        raise CredentialError(error.message, hint=error.hint) from (error.__cause__ or error)
    except Exception as error:
        # The errors of azure-identity have a page, which the first line sums up.
        summary = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise CredentialError(
            f"No token could be fetched: {summary}",
            hint="Run `az login`, configure the credential, or pass api_key (or set "
            "AZURE_OPENAI_API_KEY).",
        ) from error


def _refuse_awaitable(answer: Any) -> None:
    close = getattr(answer, "close", None)
    # A coroutine that is collected without having been awaited warns.
    if close is not None:
        close()
    raise CredentialError(
        "The token provider is async, and this is the sync client.",
        hint="Use AsyncAzureResponses, or a provider that returns the token itself.",
    )


def _default_credential() -> Any:
    # Imported only here: azure.identity alone takes longer to import than everything else.
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def is_async(secret: Secret) -> bool:
    """The secret is a provider or credential that has to be awaited."""
    source = secret.value
    if secret.kind == "credential":
        source = source.get_token
    return inspect.iscoroutinefunction(source) or inspect.iscoroutinefunction(
        getattr(source, "__call__", None)  # noqa: B004 - looking for `async def __call__`
    )


def refuse_async(secret: Secret) -> None:
    """Raise ConfigurationError for a secret that the sync client cannot use."""
    if secret.value is not None and secret.kind != "api_key" and is_async(secret):
        raise ConfigurationError(
            f"An async {secret.kind} was given to the sync client.",
            hint="Use AsyncAzureResponses, or the credential from azure.identity instead of "
            "azure.identity.aio.",
        )
