"""The HTTP libraries' exceptions → ours, saying who did not answer: the service or a proxy."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import walk_tb

import httpx

from azure_responses.errors import APIConnectionError, APITimeoutError, ConfigurationError

__all__ = ["async_mapped_errors", "mapped_errors", "mapped_socket_errors"]

_FindProxy = Callable[[], str | None]

_PROXY_HINT = (
    "Check the proxy in proxy=, HTTPS_PROXY or ALL_PROXY, or list the endpoint's host in NO_PROXY."
)
_SIGN_IN_HINT = "Put user and password into the proxy's URL: http://user:password@host:port."


# What can go wrong with a WebSocket comes from these packages.
_OF_SOCKETS = frozenset({"websockets", "trio", "python_socks"})
# RFC 6455 section 7.4.1: the message is too big.
_TOO_LARGE = 1009


def _no_proxy() -> str | None:
    return None


@contextmanager
def mapped_errors(find_proxy: _FindProxy = _no_proxy) -> Iterator[None]:
    """Turns httpx's exceptions into ours; none of theirs escapes.

    `find_proxy` gives the URL of the proxy in between, without user and password, or None.
    """
    try:
        yield
    except httpx.HTTPError as error:
        raise _translate(error, find_proxy()) from error
    except (httpx.InvalidURL, httpx.CookieConflict) as error:
        raise ConfigurationError(f"The request cannot be sent: {error}") from error
    except httpx.StreamError as error:
        raise APIConnectionError("The reply was closed before it was read.") from error


@contextmanager
def async_mapped_errors(find_proxy: _FindProxy = _no_proxy) -> Iterator[None]:
    """`mapped_errors` for the async shell, which also meets aiohttp's own exceptions."""
    try:
        with mapped_errors(find_proxy):
            yield
    except TimeoutError as error:
        # First, because aiohttp's timeouts are ClientErrors as well.
        raise _timeout(error, find_proxy(), "") from error
    except OSError as error:
        raise _broken(error, find_proxy()) from error
    except RuntimeError as error:
        # What aiohttp says of a reply whose session was closed before it was read.
        if str(error) != "Connection closed.":
            raise
        raise APIConnectionError("The reply was closed before it was read.") from error
    except Exception as error:
        # Known by their module, so that a program on trio need not import aiohttp.
        if type(error).__module__.partition(".")[0] != "aiohttp":
            raise
        raise _broken(error, find_proxy()) from error


@contextmanager
def mapped_socket_errors(find_proxy: _FindProxy = _no_proxy) -> Iterator[None]:
    """`mapped_errors` for WebSockets: of the package websockets, of sockets and of trio."""
    try:
        yield
    except TimeoutError as error:
        raise _timeout(error, find_proxy(), "") from error
    except OSError as error:
        raise _broken(error, find_proxy()) from error
    except ImportError as error:
        # The one package that websockets asks for on the way.
        raise ConfigurationError(
            "The proxy is a SOCKS proxy, which needs a package of its own.",
            hint="pip install python-socks, or give an http:// proxy.",
        ) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _OF_SOCKETS:
            raise
        raise _ended(error, find_proxy()) from error


def _ended(error: Exception, proxy: str | None) -> APIConnectionError | ConfigurationError:
    """What a WebSocket ended with; `sent` and `rcvd` are the goodbyes of websockets."""
    if type(error).__name__ in ("InvalidURI", "InvalidProxy"):
        return ConfigurationError(f"The WebSocket cannot be opened: {error}")
    if not hasattr(error, "rcvd"):
        # trio says only that something is broken; its cause says what.
        cause = error.__cause__
        return _broken(cause if isinstance(cause, OSError) else error, proxy)
    received = getattr(error, "rcvd", None)
    is_ours = not getattr(error, "rcvd_then_sent", True)
    code = getattr(received, "code", None)
    if code == _TOO_LARGE and not is_ours:
        return ConfigurationError(
            "The service takes no request of this size over a WebSocket.",
            hint="Upload files and pass their ids, or send the request over HTTP.",
        )
    if is_ours and getattr(getattr(error, "sent", None), "code", None) == _TOO_LARGE:
        return APIConnectionError("The service sent a frame that is too large; it was given up.")
    if code is None:
        cause = error.__cause__
        said = f": {_describe(cause)}" if isinstance(cause, Exception) and str(cause) else ""
        return APIConnectionError(f"The WebSocket broke off{said}.")
    reason = getattr(received, "reason", "")
    return APIConnectionError(
        f"The service closed the WebSocket with code {code}{f' ({reason})' if reason else ''}."
    )


def _translate(
    error: httpx.HTTPError, proxy: str | None
) -> APIConnectionError | ConfigurationError:
    if isinstance(error, httpx.RequestError):
        # The original stays reachable as __cause__; its request holds the credential header.
        error.request = httpx.Request("POST", "https://redacted.invalid")
    if isinstance(error, httpx.TimeoutException):
        return _timeout(error, proxy, f" ({type(error).__name__})")
    if isinstance(error, httpx.UnsupportedProtocol):
        return ConfigurationError(f"The request cannot be sent: {error}")
    return _broken(error, proxy)


def _timeout(error: Exception, proxy: str | None, detail: str) -> APITimeoutError:
    if proxy is None:
        return APITimeoutError(f"The service did not answer in time{detail}.")
    if _is_of_proxy(error, proxy):
        return APITimeoutError(
            f"The proxy {proxy} did not answer in time{detail}.", hint=_PROXY_HINT
        )
    return APITimeoutError(
        f"The service, asked through the proxy {proxy}, did not answer in time{detail}."
    )


def _broken(error: Exception, proxy: str | None) -> APIConnectionError:
    text = _describe(error)
    if proxy is None:
        return APIConnectionError(f"The connection failed: {text}", hint=_hint(text))
    if _is_of_proxy(error, proxy):
        hint = _SIGN_IN_HINT if "407" in text or "username/password" in text else _PROXY_HINT
        return APIConnectionError(f"The connection to the proxy {proxy} failed: {text}", hint=hint)
    return APIConnectionError(
        f"The connection through the proxy {proxy} failed: {text}", hint=_hint(text)
    )


def _describe(error: Exception) -> str:
    # aiohttp's refusal of a proxy; its text has the proxy's whole URL.
    status, message = getattr(error, "status", None), getattr(error, "message", None)
    if isinstance(status, int) and isinstance(message, str):
        return f"{status} {message}"
    text = str(error) or type(error).__name__
    # aiohttp's words end with the whole URL, in whose query a gateway's key may stand.
    if "write request body for" in text:
        return "it was closed while the request was sent"
    return text


def _is_of_proxy(error: Exception, proxy: str) -> bool:
    """True where the proxy itself failed; only it is connected to, the service lies behind it."""
    name = type(error).__name__
    if "certificate" in str(error).lower():
        # That of the service, unless the way to the proxy is encrypted as well.
        return proxy.startswith("https") and not _is_tunnelled(error)
    is_connecting = name.startswith(("Connect", "ClientConnector"))
    return is_connecting or "Proxy" in name or _is_asking_proxy(error)


def _is_tunnelled(error: Exception) -> bool:
    return any("connect_response" in frame.f_locals for frame, _ in walk_tb(error.__traceback__))


def _is_asking_proxy(error: BaseException) -> bool:
    """True while the proxy has not answered the request for a tunnel."""
    seen: BaseException | None = error
    while seen is not None:
        for frame, _ in walk_tb(seen.__traceback__):
            names = frame.f_locals
            # As httpcore names what it sends and gets, and aiohttp the function.
            if "connect_request" in names and "connect_response" not in names:
                return True
            if frame.f_code.co_name == "_create_proxy_connection":
                return True
        seen = seen.__cause__ or seen.__context__
    return False


def _hint(said: str) -> str | None:
    text = said.lower()
    if any(words in text for words in ("name or service", "nodename", "getaddrinfo", "resolve")):
        return "The host name does not exist: check the resource name in the endpoint."
    # As httpx, aiohttp and anyio say it.
    if any(words in text for words in ("refused", "connect call failed", "attempts to connect")):
        return (
            "Nothing listens at the endpoint's host and port. Behind a proxy set HTTPS_PROXY; an "
            "emulator is started by `azure-responses emulate`."
        )
    if "certificate" in text:
        return "Pass verify='<path of the CA file>' if a proxy re-signs the traffic."
    return None
