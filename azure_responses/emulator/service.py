"""The emulator itself: from one request to the plan of one reply."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import httpx

from azure_responses.emulator.access import authorise
from azure_responses.emulator.accounts import (
    SERVERLESS,
    Account,
    find_account,
    is_azure_host,
)
from azure_responses.emulator.control import LoggedRequest, RequestLog, answer_control, is_control
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.faults import FORGETS, FaultScript, alter_reply, break_of
from azure_responses.emulator.http_messages import (
    Break,
    PlannedReply,
    ReceivedRequest,
    gateway_headers,
    json_reply,
    standard_headers,
)
from azure_responses.emulator.operations import find_route
from azure_responses.emulator.operations.batch_work import advance_batches
from azure_responses.emulator.resources import Assumptions, Resource
from azure_responses.emulator.service_errors import ServiceError, invalid_json, resource_not_found
from azure_responses.emulator.timing import BatchTiming, Clock, Latency, ReadLag
from azure_responses.emulator.token_issuer import (
    AsyncEmulatorCredential,
    EmulatorCredential,
    TokenIssuer,
)
from azure_responses.emulator.webhook_sender import WEBHOOK_RETRIES, WebhookSender
from azure_responses.emulator.websocket_mode import WebSocketMode

if TYPE_CHECKING:
    from azure_responses.emulator.asgi import AsgiApplication
    from azure_responses.emulator.httpx_transport import EmulatorTransport
    from azure_responses.emulator.running_server import RunningServer

__all__ = ["Emulator"]

# Other calls wait meanwhile, and this comes again at once.
_LOOK_SECONDS = 0.05


class Emulator:
    """An Azure OpenAI (Foundry) subscription that runs in this process.

    Without `resources` there is one, named `emulator`, with the key "emulator-key"; it answers on
    every Azure host and takes any deployment name as a model of that name.

    Args:
        resources: the resources to emulate; hosts of no resource then do not resolve.
        clock: the emulator's time; the machine's where None.
        seed: what ids, jitter and drawn faults are derived from.
        latency: how long answers take, where a deployment does not say; no time by default.
        read_lag: how long finished responses stay unreadable; not at all by default.
        strict_deployments: refuse unknown deployments of the default resource too.
        log_size: how many requests `requests` remembers.
        assumptions: what is assumed where the evidence about Azure is thin.
        batch_timing: how long batches take; no time by default.
        indexing_seconds: how long a file of a vector store is `in_progress`.
        webhook_retries: seconds before each further attempt to deliver a webhook.
        webhook_transport: carries webhooks in place of sockets, for tests without a server.
        allowed_hosts: names that a served emulator answers for on the loopback, besides those of
            the loopback, of Azure and of its resources.
        websocket: how its WebSockets behave; as on Azure where None.

    Attributes:
        clock, faults, issuer, requests, webhooks: see their classes; all may be used while it
            runs.
    """

    def __init__(
        self,
        resources: Sequence[Resource] | None = None,
        *,
        clock: Clock | None = None,
        seed: int = 0,
        latency: Latency | None = None,
        read_lag: ReadLag | None = None,
        strict_deployments: bool = False,
        log_size: int = 1000,
        assumptions: Assumptions | None = None,
        batch_timing: BatchTiming | None = None,
        indexing_seconds: float = 0.0,
        webhook_retries: Sequence[float] = WEBHOOK_RETRIES,
        webhook_transport: httpx.BaseTransport | None = None,
        allowed_hosts: Sequence[str] = (),
        websocket: WebSocketMode | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.faults = FaultScript(seed)
        self.requests = RequestLog(log_size)
        self.websocket = websocket or WebSocketMode()
        self._loopback: RunningServer | None = None
        self._loopback_lock = threading.Lock()
        self._answers_any_host = resources is None
        self._allowed_hosts = tuple(allowed_hosts)
        resources = _resources(resources, strict_deployments)
        self.issuer = TokenIssuer(self.clock, resources[0].tenant)
        self.webhooks = WebhookSender(
            self.clock, self._look_at_batches, webhook_transport, webhook_retries
        )
        shared = (
            self.clock,
            self.issuer,
            seed,
            latency or Latency(),
            read_lag or ReadLag(),
            assumptions or Assumptions(),
            batch_timing or BatchTiming(),
            indexing_seconds,
            self.webhooks,
            self.websocket,
        )
        self._accounts = {one.name: Account(one, *shared) for one in resources}
        # Reentrant, as the control API resets the emulator from inside a request.
        self._lock = threading.RLock()

    @property
    def resources(self) -> list[Resource]:
        """What is emulated, in the order given."""
        return [account.resource for account in self._accounts.values()]

    @property
    def endpoint(self) -> str:
        """Of the first resource, without a slash at the end."""
        return self.resources[0].endpoint

    @property
    def api_key(self) -> str:
        """The first key of the first resource."""
        return self.resources[0].keys[0]

    def token_credential(self, **options: Any) -> EmulatorCredential:
        """A synchronous `TokenCredential`; options are those of `TokenIssuer.mint`."""
        return EmulatorCredential(self.issuer, self.clock, **options)

    def async_token_credential(self, **options: Any) -> AsyncEmulatorCredential:
        """An asynchronous `AsyncTokenCredential`; options are those of `TokenIssuer.mint`."""
        return AsyncEmulatorCredential(self.issuer, self.clock, **options)

    def httpx_transport(self) -> "EmulatorTransport":
        """For `httpx.Client(transport=…)` and `httpx.AsyncClient(transport=…)` alike."""
        # Imported when asked for: each way in needs a library that the others do not.
        from azure_responses.emulator.httpx_transport import EmulatorTransport

        return EmulatorTransport(self)

    @property
    def asgi(self) -> "AsgiApplication":
        """The emulator as an ASGI application."""
        from azure_responses.emulator.asgi import AsgiApplication

        hosts = [host for resource in self.resources for host in resource.hosts]
        return AsgiApplication(self, (*self._allowed_hosts, *hosts))

    def serve(self, port: int = 0, host: str = "127.0.0.1") -> "RunningServer":
        """A context manager: the emulator on a loopback port, in a thread of its own."""
        from azure_responses.emulator.running_server import RunningServer

        return RunningServer(self, host, port)

    def reset(self) -> None:
        """Forget responses, files, limits, requests and faults; the clock stays."""
        with self._lock:
            for account in self._accounts.values():
                account.reset()
            self.requests.clear()
            self.faults.clear()
            self.webhooks.clear()

    def close(self) -> None:
        """Deliver no more webhooks, and serve no more WebSockets.

        Only an emulator with webhook endpoints, or one in process with WebSockets, needs it.
        """
        self.webhooks.stop()
        with self._loopback_lock:
            loopback, self._loopback = self._loopback, None
        if loopback is not None:
            loopback.stop()

    def websocket_server(self) -> "RunningServer":
        """The server that WebSockets of an emulator in process use; it is started on first use.

        `close` ends it. Needs the `cli` extra (uvicorn and websockets).
        """
        if find_spec("websockets") is None:
            raise ModuleNotFoundError(
                "WebSockets of the emulator need websockets: pip install 'azure-responses[cli]'",
                name="websockets",
            )
        with self._loopback_lock:
            if self._loopback is None:
                self._loopback = self.serve().start()
            return self._loopback

    def _look_at_batches(self) -> bool:
        """Bring batches up to date whose end an endpoint waits for; True while one is at work."""
        is_at_work = False
        with self._lock:
            for account in self._accounts.values():
                kinds = {kind for one in account.webhooks.values() for kind in one.event_types}
                if not any(kind.startswith("batch.") for kind in kinds):
                    continue
                for one in (account, *account.projects.values()):
                    advance_batches(one, self.faults, _LOOK_SECONDS)
                    is_at_work |= any(not batch.has_ended for batch in one.batches.values())
        return is_at_work

    def handle(self, received: ReceivedRequest) -> PlannedReply:
        """The plan of the reply; never raises for anything a caller can send."""
        # One request at a time: handlers only plan, and what takes time happens in the transports.
        with self._lock:
            if is_control(received):
                return answer_control(self, received)
            entry = self.requests.add(received)
            reply = self._answer(received, entry)
            entry.status = 0 if reply.broken else reply.status
            return reply

    def _answer(self, received: ReceivedRequest, entry: LoggedRequest) -> PlannedReply:
        accounts = list(self._accounts.values())
        account, path = find_account(accounts, received, self._answers_any_host)
        if account is None:
            # A served emulator cannot fail to resolve: the caller has reached it.
            if received.is_loopback:
                return self._error_reply(resource_not_found(), accounts[0])
            return PlannedReply(0, broken=Break("unresolved"))
        # A copy: a WebSocket's handshake is read again for each of its turns.
        received = replace(received, path=path)
        entry.resource = account.resource.name
        try:
            return self._route(received, account, entry)
        except ServiceError as error:
            return self._error_reply(error, account)
        except RecursionError:
            # Not too deep for the reader of JSON, but for what walks through the body.
            return self._error_reply(invalid_json(), account)

    def _route(
        self, received: ReceivedRequest, account: Account, entry: LoggedRequest
    ) -> PlannedReply:
        route = find_route(received.method, received.path, received.query)
        if route.project is not None:
            account = account.of_project(route.project)
        call = EmulatedCall(account, route, received, self.faults)
        name = call.deployment_name
        entry.operation = route.operation.name
        entry.deployment = name if isinstance(name, str) else None
        call.faults = call.match_faults(entry.deployment)
        entry.faults = [fault.kind for fault in call.faults]
        if call.received.turn is not None and FORGETS in entry.faults:
            call.received.turn.memory.clear()
        # A connection that breaks does so before anything is checked.
        for fault in call.faults:
            broken = break_of(fault)
            if broken is not None:
                return PlannedReply(0, broken=broken)
        try:
            reply = self._perform(call)
        except ServiceError as error:
            reply = self._error_reply(error, account)
        return alter_reply(reply, call.faults) if call.faults else reply

    def _perform(self, call: EmulatedCall) -> PlannedReply:
        account = call.account
        # In the order of the service: the key comes before errors of version, model or body.
        _check_project(call)
        # Who has a connection was let in by its handshake.
        if call.received.turn is None:
            authorise(call)
        if call.route.make_error is not None:
            raise call.route.make_error()
        # What a deployment serves meets its faults there, as they may cause a spillover.
        if call.route.operation.model_in is None:
            call.raise_fault()
        reply = call.route.operation.handle(call)
        reply.headers += standard_headers(account.mint, reply.region or account.region(), call.now)
        return reply

    def _error_reply(self, error: ServiceError, account: Account) -> PlannedReply:
        reply = json_reply(error.body, error.status)
        # A 404 comes from the gateway in front, which adds fewer headers than the service.
        make_headers = gateway_headers if error.status == 404 else standard_headers
        reply.headers += error.headers.items()
        reply.headers += make_headers(account.mint, account.region(), self.clock.now())
        return reply


def _check_project(call: EmulatedCall) -> None:
    projects = call.account.resource.projects
    project = call.route.project
    if project is not None and projects is not None and project not in projects:
        raise resource_not_found()
    # Only the hosts of serverless endpoints, and the loopback for tests, have that surface.
    host = call.received.host
    is_elsewhere = is_azure_host(host) and not host.endswith(SERVERLESS)
    if call.route.surface == "serverless" and is_elsewhere:
        raise resource_not_found()
    # A project has what its resource may lack.
    offered_if = call.route.operation.offered_if
    if offered_if and project is None and not getattr(call.account.assumptions, offered_if):
        raise resource_not_found()


def _resources(resources: Sequence[Resource] | None, is_strict: bool) -> Sequence[Resource]:
    if resources is None:
        # The default resource answers on every host, so that any endpoint can be tried.
        return [Resource("emulator", strict_deployments=is_strict or None)]
    if is_strict:
        raise ValueError(
            "strict_deployments is for the default resource; with resources of your own, say "
            "Resource(..., strict_deployments=True)"
        )
    names = [resource.name for resource in resources]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"resources need different names and at least one of them, got {names}")
    return resources
