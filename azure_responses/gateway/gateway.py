"""Everything that one process of the gateway holds, and how it starts and closes."""

import asyncio
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from azure_responses.batches.batch import BatchRecord
from azure_responses.errors import ConfigurationError
from azure_responses.gateway.admission import Admission, AdmissionQueue, Admitted
from azure_responses.gateway.allowed_addresses import check_address
from azure_responses.gateway.asgi_reply import ErrorResponse, Scope
from azure_responses.gateway.authentication import Access, HostRules
from azure_responses.gateway.background_calls import BackgroundCalls
from azure_responses.gateway.background_prices import BackgroundPrices
from azure_responses.gateway.batch_api import BatchAPI
from azure_responses.gateway.batch_calls import BatchCalls
from azure_responses.gateway.batch_purge import BatchPurge
from azure_responses.gateway.batch_runner import BatchRunner
from azure_responses.gateway.body_reader import BodyMemory, WorkerThreads
from azure_responses.gateway.budget import Budgets
from azure_responses.gateway.call_log import LOGGER, log_call
from azure_responses.gateway.concurrency_limit import ConcurrencyLimit
from azure_responses.gateway.connection_limits import ConnectionPlaces
from azure_responses.gateway.cost_estimate import CostEstimates
from azure_responses.gateway.deployment_checks import DeploymentChecks
from azure_responses.gateway.graceful_shutdown import GracefulShutdown
from azure_responses.gateway.key_table import ANYONE, ApiCaller, KeyTable
from azure_responses.gateway.metrics import Metrics
from azure_responses.gateway.native_batches import NativeBatches
from azure_responses.gateway.open_response import OpenResponse
from azure_responses.gateway.open_response_store import OpenResponseStore, RedisOpenResponses
from azure_responses.gateway.response_table import DatabaseTexts
from azure_responses.gateway.schema import GatewaySettings
from azure_responses.gateway.spend import SpendTotals
from azure_responses.gateway.spend_writer import SpendLog, SpendWriter
from azure_responses.gateway.webhook_event import Delivery, object_ended
from azure_responses.gateway.webhook_receiver import RedisWebhookIds, WebhookReceiver
from azure_responses.gateway.webhook_relay import WebhookRelay
from azure_responses.openai_server import AsyncOpenAIServer, CallSummary
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.pricing import default_book
from azure_responses.router import Router
from azure_responses.routing.model_rights import ModelRights
from azure_responses.store.redis_state import RedisState

__all__ = ["Gateway"]

# How long a caller with an unknown key waits for the database.
_KEY_PATIENCE = 1.0


class Gateway:
    """One process's router, keys, limits, totals and metrics.

    Args:
        settings: of the configuration.
        router_options: further arguments of `Router`, such as `async_http_client`.

    Raises:
        ConfigurationError: invalid entries of `model_list`, options or callbacks.
    """

    # Where there is a database, once the gateway has started.
    batch_purge: BatchPurge | None = None

    def __init__(
        self, settings: GatewaySettings, *, router_options: Mapping[str, Any] | None = None
    ) -> None:
        self.settings = settings
        # The prices are those of the process: every part prices with the same book.
        default_book.configure(settings.pricing)
        # Where replicas have no Redis, they share the database.
        shares_database = settings.database_url is not None and settings.state is None
        self._texts = DatabaseTexts(str(settings.database_url)) if shares_database else None
        options = _router_options(settings, router_options)
        self.router = self._make_router(options)
        self.checks = DeploymentChecks(settings, options, self.router)
        self.server = AsyncOpenAIServer(self.router)
        rights = ModelRights(self.router.parts.reader.routing)
        self._table = KeyTable(settings.keys, rights.allow)
        self._totals = SpendTotals()
        budgets = Budgets(self._totals.spent, status=settings.budget_status)
        self.hosts = _hosts(settings)
        self.access = _access(settings, self._table)
        self.admission = Admission(budgets)
        self.estimates = CostEstimates(self.router)
        self.admission_queue = AdmissionQueue(
            self.admission,
            self.estimates,
            self.router,
            settings.max_concurrent_requests,
        )
        self.concurrency = _places(settings, settings.max_concurrent_requests)
        self.uploads = _places(settings, settings.max_concurrent_uploads)
        # One caller may hold half of the bytes, and the longest body has to fit into that.
        self.bodies = BodyMemory(max(settings.max_bodies_bytes, 2 * settings.max_body_bytes))
        # The same for what WebSocket connections keep of their chains.
        self.kept_items = BodyMemory(settings.max_bodies_bytes)
        self.worker_threads = WorkerThreads()
        self.websockets = ConnectionPlaces(
            # Other callers need connections too, and a WebSocket keeps its own.
            min(settings.websocket_connections, settings.max_connections // 2),
            settings.websocket_connections_per_key,
        )
        self.shutdown = GracefulShutdown()
        self.background_calls = BackgroundCalls(self.server, self.router, self.shutdown)
        self.metrics = Metrics(_names(self.router))
        self._connect_prices()
        self.spend_writer: SpendWriter | None = None
        self.batch_runner: BatchRunner | None = None
        self.batch_api = self._batch_api()

    def _make_router(self, options: Mapping[str, Any]) -> Router:
        if self._texts is not None:
            options = {"response_texts": self._texts, **options}
        return Router(self.settings.model_list, **options)

    def _connect_prices(self) -> None:
        """Make what learns of the ends of background responses, and what passes them on."""
        settings = self.settings
        self.webhook_relay = WebhookRelay(
            self._table.caller_of,
            allows_http=settings.webhook_allow_http,
            allows_private=settings.webhook_allow_private,
        )
        self.background_prices = BackgroundPrices(
            self.server,
            self.router,
            self._totals,
            caller_of=self._table.caller_of,
            priced=self._note_priced,
            relay=self.webhook_relay,
        )
        self.webhook_receiver = WebhookReceiver(
            settings.webhook_secrets,
            prices=self.background_prices,
            relay=self.webhook_relay,
            table=self._table,
            router=self.router,
        )

    async def start(self) -> None:
        """Read keys and totals; raises when the database cannot be used."""
        settings = self.settings
        self.spend_writer = SpendWriter(
            self._table,
            self._totals,
            database_url=settings.database_url,
            log=None if settings.spend_log is None else SpendLog(settings.spend_log),
            flush_interval=settings.spend_flush_interval,
            refresh_interval=settings.key_refresh_interval,
        )
        self.spend_writer.start()
        await self._start_background(self.spend_writer)
        await self._start_batches()
        self.checks.start()

    async def close(self) -> None:
        """Write what is still in memory and close every connection."""
        self.shutdown.begin()
        await self.checks.aclose()
        if self.batch_runner is not None:
            await self.batch_runner.aclose()
        await self.webhook_receiver.aclose()
        await self.background_prices.aclose()
        await self.webhook_relay.aclose()
        await self.router.aclose()
        if self.spend_writer is not None:
            self.spend_writer.close()
        if self._texts is not None:
            self._texts.close()

    async def authenticate_again(
        self, headers: Mapping[str, str], error: ErrorResponse
    ) -> ApiCaller | ErrorResponse:
        """The caller, if the key that was refused with `error` is in the database by now."""
        if self.spend_writer is None or not self.access.is_unknown(headers):
            return error
        reading = self.spend_writer.read_keys_soon()
        if reading is None:
            return error
        # Others wait for the same reading: a caller who leaves must not cancel it.
        await asyncio.wait([asyncio.wrap_future(reading)], timeout=_KEY_PATIENCE)
        return self.access.authenticate(headers, time.time())

    def check_address(self, scope: Scope) -> ErrorResponse | None:
        """The refusal of a caller whose address `allowed_ips` does not name, or None."""
        settings = self.settings
        return check_address(settings.allowed_ips, scope, trusts_proxy=settings.use_x_forwarded_for)

    @property
    def database_state(self) -> str:
        """For readiness: "not connected", "connected" or "degraded"."""
        if self.settings.database_url is None or self.spend_writer is None:
            return "not connected"
        return "connected" if self.spend_writer.is_healthy else "degraded"

    @property
    def shared_state(self) -> str:
        """The same of the state that replicas share."""
        state = self.router.parts.async_calls.state
        if not state.is_shared:
            return "not connected"
        return "degraded" if state.is_degraded else "connected"

    def cooling(self) -> list[tuple[str, bool]]:
        """Each deployment, and whether it is in cooldown."""
        routing = self.router.parts.reader.routing
        out = routing.health.cooldowns(time.monotonic())
        return [(one.id, out.get(one.id, 0.0) > 0) for one in routing.deployments]

    def record(self, caller: ApiCaller, call: CallSummary, *, held: int = 0) -> None:
        """Price, count and log a call that has been answered.

        An error here is logged: it must not change what the caller gets.

        Args:
            held: what was reserved of a budget, where the cost will not be known; in millionths
                of a millionth of a US dollar.
        """
        try:
            if call.cost is None:
                call.price()
            self.metrics.note(call)
            if self.spend_writer is not None and call.is_billed:
                self.spend_writer.record(caller, call, held=held)
            log_call(caller, call)
        except Exception:
            LOGGER.exception("The call %s could not be recorded", call.call_id)

    def settle(self, caller: ApiCaller, call: ServedRequest, admitted: Admitted | None) -> None:
        """Record the call, and replace its reservation by its use."""
        summary, admission = call.summary, self.admission
        tokens = summary.total_tokens
        held = 0
        if admitted is not None and admitted.hold is not None and _has_unknown_use(summary):
            held = admitted.hold.amount
        self.record(caller, summary, held=held)
        if admitted is None or not (caller.has_limits or caller.budget is not None):
            return
        self.estimates.learn(caller, call, time.monotonic())
        # Lists are put together of several requests, which are not its attempts.
        is_list = call.route.row.collection and summary.status < 400
        if not summary.attempts and not is_list:
            admission.refund(admitted)
        elif tokens is None and summary.status >= 400:
            # It was sent, so it is one of the requests the key may make; it used no tokens.
            admission.settle(admitted, tokens=0)
        else:
            admission.settle(admitted, tokens=tokens)

    async def _start_batches(self) -> None:
        """Run batches from now on, where there is a database to keep them in."""
        database = None if self.spend_writer is None else self.spend_writer.database
        if database is None:
            return
        # Imported on use: SQLAlchemy is large.
        from azure_responses.gateway.batch_erasure import BatchErasure
        from azure_responses.gateway.batch_tables import BatchTables

        routing = self.router.parts.reader.routing
        calls = BatchCalls(
            self.server,
            self.concurrency,
            self.admission_queue,
            self.estimates,
            routing.group_of,
            self.settle,
        )
        self.batch_runner = BatchRunner(
            await asyncio.to_thread(BatchTables, database),
            calls,
            self._caller_of,
            lambda model: bool(routing.group_of(model)),
            self.shutdown,
            self.settings.batch_concurrency,
            self._tell_of_batch,
        )
        self.batch_purge = BatchPurge(self.batch_runner, BatchErasure(database))
        self.batch_runner.start()
        self.batch_api = self._batch_api()

    def _batch_api(self) -> BatchAPI:
        native = NativeBatches(self.router, self.server, self.background_prices)
        return BatchAPI(self.batch_runner, self.router, self.server, native)

    def _caller_of(self, key_id: str) -> ApiCaller | None:
        """The caller of a key that is valid now."""
        now = time.time()
        if not key_id:
            return ANYONE
        found = (one for one in self._table.callers() if one.key_id == key_id)
        valid = (one for one in found if one.revoked is None and not one.is_expired(now))
        return next(valid, None)

    async def _tell_of_batch(self, batch: BatchRecord, key_id: str) -> None:
        """Send the webhook of a batch that this gateway has executed, if its key has a URL."""
        if self._table.caller_of(key_id).webhook_url is not None:
            kind = f"batch.{batch.status}"
            await self.webhook_relay.add(
                object_ended(key_id, batch.id, batch.id, kind, time.time())
            )

    async def _start_background(self, writer: SpendWriter) -> None:
        """Begin to price background responses and to send webhooks."""
        database, deliveries = writer.database, None
        open_responses: OpenResponseStore | None = None
        state = self.router.parts.state
        if isinstance(state, RedisState):
            open_responses = RedisOpenResponses(state.address, prefix=state.prefix)
            self.webhook_receiver.ids = RedisWebhookIds(state.address, prefix=state.prefix)
        if database is not None:
            # Imported on use: SQLAlchemy is large.
            from azure_responses.gateway.due_table import DueTable
            from azure_responses.gateway.open_response_table import DatabaseOpenResponses
            from azure_responses.gateway.webhook_table import DatabaseWebhookIds

            deliveries = DueTable(database, "azure_responses_deliveries", Delivery.from_json)
            open_responses = DatabaseOpenResponses(database, deliveries)
            self.webhook_receiver.ids = DatabaseWebhookIds(database)
        self.webhook_relay.start(deliveries)
        await self.background_prices.start(open_responses, writer.turn)

    def _note_priced(self, opened: OpenResponse, call: CallSummary) -> None:
        """Record that a background response has its price, or will have none."""
        caller = self._table.caller_of(opened.key_id)
        self.metrics.note_use(call)
        if self.spend_writer is not None:
            self.spend_writer.log(caller, call)
        log_call(caller, call)


def _has_unknown_use(summary: CallSummary) -> bool:
    """True for a call whose use stays unknown: its caller left, or it continues in the background.

    Its reservation counts as spent. Otherwise a caller who leaves early would spend nothing.
    """
    # Speech has a price and no tokens.
    is_known = summary.total_tokens is not None or summary.price() is not None
    if is_known or not summary.attempts:
        return False
    return summary.is_abandoned or (summary.error is None and summary.status < 400)


def _names(router: Router) -> list[str]:
    """The names of models that callers may use."""
    routing = router.parts.reader.routing
    return [*routing.groups, *routing.settings.aliases]


def _places(settings: GatewaySettings, most: int) -> ConcurrencyLimit:
    return ConcurrencyLimit(most, settings.max_queued_requests, settings.queue_timeout)


def _hosts(settings: GatewaySettings) -> HostRules | None:
    """The hosts to answer for; None where a key, or the operator, says who may call."""
    trusts_loopback = _is_open(settings) and not settings.allow_unauthenticated
    if not trusts_loopback and not settings.allowed_hosts:
        return None
    return HostRules(settings.allowed_hosts, refuses_pages=trusts_loopback)


def _access(settings: GatewaySettings, table: KeyTable) -> Access:
    return Access(
        table,
        allow_unauthenticated=_is_open(settings),
        # By this setting the operator says that all who can reach the gateway may call.
        allow_pages=settings.allow_unauthenticated,
        metrics_key=settings.metrics_key,
        metrics_need_key=settings.metrics_need_key,
    )


def _is_open(settings: GatewaySettings) -> bool:
    has_keys = bool(settings.keys) or settings.database_url is not None
    return settings.allow_unauthenticated or not has_keys


def _router_options(settings: GatewaySettings, extra: Mapping[str, Any] | None) -> dict[str, Any]:
    options: dict[str, Any] = {**settings.router, "drop_params": settings.drop_params}
    if settings.state is not None:
        options["state"] = settings.state
    if settings.affinity_secrets:
        options["affinity_secret"] = settings.affinity_secrets
    if settings.callbacks:
        functions = [_find_callable(name) for name in settings.callbacks]
        options["on_response"] = options["on_error"] = functions
    return {**options, **(extra or {})}


def _find_callable(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(import_module(module), attribute)
    except Exception as error:  # An import runs whatever the module holds.
        raise ConfigurationError(
            f"The callback {name} cannot be imported: {error}.",
            hint="Name a callable of an installed module as module.attribute.",
        ) from error
    if not callable(found):
        raise ConfigurationError(f"The callback {name} cannot be called.")
    return found
