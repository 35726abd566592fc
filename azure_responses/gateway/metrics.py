"""What Prometheus scrapes: calls, latency, tokens, cost, retries, and what is going on.

Labels are the groups and deployments of the configuration, never keys, end users or anything else
that callers choose: their number has to stay small, and none may be a secret.

With several worker processes, PROMETHEUS_MULTIPROC_DIR (which `azure-responses serve --workers`
sets) lets any of them answer for all.
"""

import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

if TYPE_CHECKING:
    from azure_responses.openai_server import CallSummary

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

# Up to the minutes that a model which reasons may take.
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320)
# What the gateway itself takes is a few milliseconds, unless it is overloaded.
_OVERHEAD = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
_CALL = ("operation", "group", "deployment", "status", "deployment_api")
_PLACE = ("group", "deployment")
_ANY_MODEL = "*"
_OTHER = "other"
# Usage is what the service reports. No real call comes near these limits; one absurd number would
# spoil a counter for good.
_MOST_TOKENS = 2**40
_MOST_COST = 100_000.0


class Metrics:
    """The metrics of one process.

    Args:
        groups: the configured names, aliases among them. Other names are shown as "*" if an entry
            takes any, else as "other".
    """

    def __init__(self, groups: Collection[str]) -> None:
        self._registry = CollectorRegistry()
        self._groups = frozenset(groups)
        self._unknown = _ANY_MODEL if _ANY_MODEL in self._groups else _OTHER
        self._make_clocks(self._registry)
        self._make_counters(self._registry)
        self._make_gauges(self._registry)
        self._uses: dict[tuple[str, str], tuple[Counter, ...]] = {}
        self._children: dict[tuple[str, ...], tuple[Counter, Histogram]] = {}

    def _make_clocks(self, registry: CollectorRegistry) -> None:
        self._latency = Histogram(
            "azure_responses_call_seconds",
            "Seconds from a request's arrival to the end of its reply.",
            ("operation", "group"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._first = Histogram(
            "azure_responses_time_to_first_output_seconds",
            "Seconds to the first output of a stream.",
            ("group",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._overhead = Histogram(
            "azure_responses_overhead_seconds",
            "Seconds of a call, streams left out, that were not spent waiting for Azure.",
            buckets=_OVERHEAD,
            registry=registry,
        )

    def _make_counters(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "azure_responses_calls", "Calls that ended.", _CALL, registry=registry
        )
        self._tokens = Counter(
            "azure_responses_tokens", "Tokens used.", (*_PLACE, "kind"), registry=registry
        )
        self._cost = Counter(
            "azure_responses_cost_usd", "US dollars spent.", _PLACE, registry=registry
        )
        self._retries = Counter(
            "azure_responses_retries", "Attempts after the first.", ("group",), registry=registry
        )
        self._fallbacks = Counter(
            "azure_responses_fallbacks",
            "Calls given to another group.",
            ("group",),
            registry=registry,
        )
        self._abandoned = Counter(
            "azure_responses_abandoned", "Callers who left early.", ("group",), registry=registry
        )
        self._turns = Counter(
            "azure_responses_websocket_turns",
            "Calls over WebSocket connections.",
            ("group",),
            registry=registry,
        )

        self._reconnects = Counter(
            "azure_responses_websocket_reconnects",
            "WebSockets to a deployment that took the place of another.",
            ("deployment",),
            registry=registry,
        )

    def _make_gauges(self, registry: CollectorRegistry) -> None:
        self._gauges = {
            name: Gauge(
                f"azure_responses_{name}", text, registry=registry, multiprocess_mode="livesum"
            )
            for name, text in (
                ("in_progress", "Calls in progress."),
                ("queued", "Calls waiting for a place."),
                ("websockets", "WebSocket connections that are open."),
            )
        }
        self._cooling = Gauge(
            "azure_responses_deployment_cooling_down",
            "1 while a deployment is in cooldown.",
            ("deployment",),
            registry=registry,
            multiprocess_mode="livemax",
        )

    def note(self, summary: "CallSummary") -> None:
        """A call has ended."""
        group = self._shown(summary.group)
        deployment = summary.deployment_id or ""
        status, api = _shown_status(summary.status), summary.deployment_api or ""
        key = (summary.operation, group, deployment, status, api)
        # `labels` looks each child up under a lock; ours are kept.
        found = self._children.get(key)
        if found is None:
            found = self._calls.labels(*key), self._latency.labels(summary.operation, group)
            self._children[key] = found
        calls, latency = found
        calls.inc()
        latency.observe(summary.latency)
        if summary.time_to_first_output is not None:
            self._first.labels(group).observe(summary.time_to_first_output)
        elif summary.upstream_seconds:
            self._overhead.observe(max(0.0, summary.latency - summary.upstream_seconds))
        self._note_trouble(summary, group)
        if summary.is_billed:
            self._note_use(summary, group, deployment)

    def note_use(self, summary: "CallSummary") -> None:
        """Count the use of a call that became known after its end."""
        self._note_use(summary, self._shown(summary.group), summary.deployment_id or "")

    def refuse(self, status: int) -> None:
        """A request was refused before it became a call."""
        self._calls.labels("refused", "", "", str(status), "").inc()

    def note_reconnects(self, deployment: str, count: int) -> None:
        """WebSockets to a deployment took the place of others."""
        self._reconnects.labels(deployment).inc(count)

    def render(
        self,
        *,
        in_progress: int,
        queued: int,
        websockets: int = 0,
        cooling: Iterable[tuple[str, bool]] = (),
    ) -> bytes:
        """The text that Prometheus reads."""
        self._gauges["in_progress"].set(in_progress)
        self._gauges["queued"].set(queued)
        self._gauges["websockets"].set(websockets)
        for deployment, is_cooling in cooling:
            self._cooling.labels(deployment).set(is_cooling)
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _note_trouble(self, summary: "CallSummary", group: str) -> None:
        if summary.attempts > 1:
            self._retries.labels(group).inc(summary.attempts - 1)
        if summary.fallbacks:
            self._fallbacks.labels(group).inc(summary.fallbacks)
        if summary.transport == "websocket":
            self._turns.labels(group).inc()
        if summary.is_abandoned:
            self._abandoned.labels(group).inc()

    def _note_use(self, summary: "CallSummary", group: str, deployment: str) -> None:
        use = summary.use
        if use is None or use.tokens is None:
            return
        counters = self._uses.get((group, deployment))
        if counters is None:
            kinds = (self._tokens.labels(group, deployment, kind) for kind in ("input", "output"))
            counters = (*kinds, self._cost.labels(group, deployment))
            self._uses[group, deployment] = counters
        counters[0].inc(_fit(use.tokens.input))
        counters[1].inc(_fit(use.tokens.output))
        if summary.cost:
            counters[2].inc(min(float(summary.cost), _MOST_COST))

    def _shown(self, group: str | None) -> str:
        if group is None:
            return ""
        return group if group in self._groups else self._unknown


def _fit(tokens: int) -> int:
    return min(max(tokens, 0), _MOST_TOKENS)


def _shown_status(status: int) -> str:
    return str(status) if 100 <= status <= 599 else _OTHER
