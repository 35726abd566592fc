"""What a diagnosis sends: DNS, TCP, proxy and TLS one after the other, then a call; each timed.

The network steps open a connection of their own, so that each can fail for itself: httpx reports
them all as one ConnectError.
"""

import base64
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from azure_responses._sync.credentials import Credentials
from azure_responses._sync.executor import Executor
from azure_responses._sync.resources import Models, Responses
from azure_responses.call_options import Configuration
from azure_responses.doctor.classify import ProbeResult
from azure_responses.doctor.findings import NETWORK_STEPS, Finding, skip
from azure_responses.errors import AzureResponsesError, ConfigurationError
from azure_responses.protocol.request_body import FEWEST_OUTPUT_TOKENS
from azure_responses.transport import NetworkOptions, SyncTransport, environment_proxy

__all__ = ["NetworkPath", "ServiceProbe", "find_network_path", "probe_network"]

# Of a proxy without a port; any other scheme is one of SOCKS.
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class NetworkPath:
    """How the traffic goes: straight to a host, or to a proxy that passes it on.

    Attributes:
        host, port, is_encrypted: the service, or the gateway before it.
        proxy: the parts of the proxy's URL, or None.
    """

    host: str
    port: int
    is_encrypted: bool
    proxy: SplitResult | None = None

    @property
    def first_hop(self) -> tuple[str, int]:
        """The host and port that this machine connects to."""
        if self.proxy is None:
            return self.host, self.port
        return self.proxy.hostname or "", self.proxy.port or _PORTS.get(self.proxy.scheme, 1080)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What a finding must not show of the proxy's URL: the password, as written and decoded."""
        password = self.proxy.password if self.proxy else None
        return (password, unquote(password)) if password else ()

    def describe_hop(self) -> str:
        """The first hop for people, without a password."""
        host, port = self.first_hop
        return f"{host}:{port}" if self.proxy is None else f"the proxy {host}:{port}"


def find_network_path(origin: str, connection: NetworkOptions) -> NetworkPath:
    """The path to an origin, by the rules that the transport follows."""
    parts = urlsplit(origin)
    port = parts.port or _PORTS[parts.scheme]
    proxy = _given_proxy(connection.proxy) or environment_proxy(origin)
    # The proxy of the argument goes before that of the environment, as in the client.
    split = urlsplit(proxy) if proxy else None
    return NetworkPath(parts.hostname or "", port, parts.scheme == "https", split)


def _given_proxy(proxy: str | httpx.Proxy | None) -> str | None:
    return str(proxy.url) if isinstance(proxy, httpx.Proxy) else proxy


def probe_network(
    path: NetworkPath, connection: NetworkOptions, timeout: float
) -> Iterator[Finding]:
    """The findings of `NETWORK_STEPS`; those after a failure are skipped."""
    with ExitStack() as opened:
        probe = _NetworkProbe(path, connection, timeout, opened)
        steps = (probe.resolve, probe.connect, probe.shake_hands)
        for number, (name, step) in enumerate(zip(NETWORK_STEPS, steps, strict=True)):
            finding = _timed(name, step)
            yield finding
            if finding.ok is False:
                for rest in NETWORK_STEPS[number + 1 :]:
                    yield skip(rest, f"{name} failed")
                return


class _Failure(Exception):
    """A step that failed: what was seen, and the fix."""

    def __init__(self, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix


def _timed(name: str, step: Callable[[], str | None]) -> Finding:
    started_at = time.monotonic()
    try:
        detail = step()
    except _Failure as failure:
        seconds = time.monotonic() - started_at
        return Finding(name, False, failure.detail, failure.fix, seconds)
    if detail is None:
        return skip(name, "plain http to this machine needs no TLS")
    return Finding(name, True, detail, seconds=time.monotonic() - started_at)


class _NetworkProbe:
    """One connection, step by step; what it opens is closed with `opened`."""

    def __init__(
        self, path: NetworkPath, connection: NetworkOptions, timeout: float, opened: ExitStack
    ) -> None:
        self._path = path
        self._connection = connection
        self._timeout = timeout
        self._opened = opened
        self._socket: socket.socket | None = None

    def resolve(self) -> str:
        host, port = self._path.first_hop
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # UnicodeError: an empty or too long label in the host name.
        except (OSError, UnicodeError) as error:
            raise _Failure(
                f"{host} does not resolve: {_say(error)}", _dns_fix(self._path)
            ) from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        kind = " (private: a private endpoint, or this machine)" if _are_private(addresses) else ""
        through = f"; the proxy resolves {self._path.host}" if self._path.proxy else ""
        return f"{host} is {', '.join(addresses)}{kind}{through}"

    def connect(self) -> str:
        try:
            self._socket = socket.create_connection(self._path.first_hop, self._timeout)
        except OSError as error:
            raise _Failure(
                f"no connection to {self._path.describe_hop()}: {_say(error)}",
                _TCP_PROXY_FIX if self._path.proxy else _TCP_FIX,
            ) from error
        self._opened.enter_context(self._socket)
        return f"connected to {self._path.describe_hop()}"

    def shake_hands(self) -> str | None:
        if not self._path.is_encrypted:
            return None
        scheme = self._path.proxy.scheme if self._path.proxy else "http"
        if scheme != "http":
            # A SOCKS or HTTPS proxy needs a handshake of its own, which httpx performs.
            return f"left to the call: {self._path.describe_hop()} is a {scheme} proxy"
        through = self._open_tunnel()
        try:
            context = self._connection.ssl_context()
            assert self._socket is not None
            encrypted = context.wrap_socket(self._socket, server_hostname=self._path.host)
        except ConfigurationError as error:
            raise _Failure(error.message, error.hint or _CA_FIX) from error
        except (OSError, ValueError) as error:
            raise _Failure(f"the TLS handshake failed: {_say(error)}", _tls_fix(error)) from error
        self._opened.enter_context(encrypted)
        return f"{encrypted.version()}{_issuer(encrypted.getpeercert())}{through}"

    def _open_tunnel(self) -> str:
        """Ask the proxy for a connection to the host; an empty text where there is no proxy."""
        proxy = self._path.proxy
        if proxy is None:
            return ""
        assert self._socket is not None
        try:
            self._socket.sendall(_connect_request(self._path, proxy))
            # The status line alone counts, and a proxy sends it in one piece.
            line = self._socket.recv(4096).partition(b"\r\n")[0].decode("latin-1")
        except OSError as error:
            raise _Failure(f"the proxy does not answer: {_say(error)}", _PROXY_FIX) from error
        status = line.split()[1:2]
        if status != ["200"]:
            fix = _PROXY_LOGIN_FIX if status == ["407"] else _PROXY_FIX
            raise _Failure(f"the proxy refuses {self._path.host}: {line or 'no reply'}", fix)
        return f", through {self._path.describe_hop()}"


_TCP_FIX = (
    "Check the port in the endpoint; where this network lets nothing out, set HTTPS_PROXY or have "
    "the host allowed."
)
_TCP_PROXY_FIX = "Check HTTPS_PROXY: nothing answers at that address."
_CA_FIX = (
    "Pass verify='<path of the CA file>' or set SSL_CERT_FILE to the certificates of the "
    "proxy that re-signs the traffic (usually the company's)."
)
_PROXY_FIX = "Have the host allowed on the proxy, or name it in NO_PROXY if it is reached directly."
_PROXY_LOGIN_FIX = "Put the login into HTTPS_PROXY: http://user:password@proxy:port."


def _connect_request(path: NetworkPath, proxy: SplitResult) -> bytes:
    target = f"{path.host}:{path.port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.username is not None:
        login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _say(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    # Without the number of the error, which the text of an OSError starts with.
    words = getattr(error, "strerror", None) or " ".join(map(str, error.args))
    return words or type(error).__name__


def _are_private(addresses: list[str]) -> bool:
    # The zone of a link-local address (`fe80::1%eth0`) is not part of it.
    return any(ipaddress.ip_address(address.partition("%")[0]).is_private for address in addresses)


def _dns_fix(path: NetworkPath) -> str:
    if path.proxy is not None:
        return "Check HTTPS_PROXY: the proxy's host name does not exist."
    name, _, zone = path.host.partition(".")
    return (
        f"Check the resource name {name!r} in the endpoint; a resource behind a private endpoint "
        f"resolves only in networks that know its private DNS zone ({zone or path.host})."
    )


def _tls_fix(error: Exception) -> str:
    text = _say(error).lower()
    if isinstance(error, ssl.SSLCertVerificationError):
        if "hostname" in text or "ip address" in text:
            return "The certificate is for another host: check the host name in the endpoint."
        if "expired" in text or "not yet valid" in text:
            return "Check this machine's clock; if it is right, the server's certificate is not."
        return _CA_FIX
    return "The port does not speak TLS as expected: check the endpoint's port, and any proxy."


def _issuer(certificate: Any) -> str:
    """The signer of the certificate; a company's own name shows that a proxy re-signs."""
    named = dict(part for entry in (certificate or {}).get("issuer", ()) for part in entry)
    name = named.get("organizationName") or named.get("commonName")
    return f", certificate by {name}" if name else ", certificate not verified"


# A reasoning model may spend all of so few tokens on thinking, which is an answer all the same.
_QUESTION: Mapping[str, Any] = {
    "input": "Reply with one word: ok",
    "max_output_tokens": FEWEST_OUTPUT_TOKENS,
    "store": False,
}


@dataclass(frozen=True)
class ServiceProbe:
    """The service as the configured client would call it, each call once.

    Attributes:
        configuration: of the client.
        credentials: the source of the credential header.
        http_client: the caller's, or None for a connection of our own.
    """

    configuration: Configuration
    credentials: Credentials
    http_client: httpx.Client | None

    def ask(self, parameters: Mapping[str, Any]) -> ProbeResult:
        """A streamed call for as few tokens as possible; `parameters` replace its own."""
        started_at = time.monotonic()
        first_token: float | None = None
        executor = self._open()
        try:
            responses = Responses(
                self.configuration.operations(), executor, self.configuration.timeout
            )
            with responses.stream(**{**_QUESTION, **parameters}) as stream:
                for event in stream:
                    # What comes before the first delta only says that the work has begun.
                    if first_token is None and str(event.type).endswith(".delta"):
                        first_token = time.monotonic() - started_at
                response = stream.get_final_response()
        except AzureResponsesError as error:
            return ProbeResult(error=error, seconds=time.monotonic() - started_at)
        finally:
            executor.close()
        return ProbeResult(response, None, first_token, time.monotonic() - started_at)

    def list_models(self) -> ProbeResult:
        """The list of models, which needs no deployment and costs nothing."""
        started_at = time.monotonic()
        executor = self._open()
        try:
            Models(self.configuration.operations(), executor, self.configuration.timeout).list()
        except AzureResponsesError as error:
            return ProbeResult(error=error, seconds=time.monotonic() - started_at)
        finally:
            executor.close()
        return ProbeResult(seconds=time.monotonic() - started_at)

    def _open(self) -> Executor:
        # It belongs to the caller, and closing the sender does not close it.
        if self.http_client is not None:
            return Executor(self.credentials, http_client=self.http_client)
        origin = self.configuration.settings.endpoint.origin
        transport = SyncTransport(self.configuration.connection, origin)
        return Executor(self.credentials, transport=transport)
