"""Estimates what a call will use and cost, for what is reserved while it runs."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.spend import to_pico
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.pricing import default_book
from azure_responses.pricing.media import read_media_use
from azure_responses.pricing.use import Use, read_use
from azure_responses.router import Router
from azure_responses.router.passed_request import PassedRequest
from azure_responses.router.request_reader import continued_by
from azure_responses.router.routed_request import RoutedRequest
from azure_responses.router.upstream_reply import stored_ids, tokens_of
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.token_estimate import (
    UsualTokens,
    estimate_input_tokens,
    estimate_output_tokens,
    estimate_passed_tokens,
    has_output_limit,
)

__all__ = ["CostEstimates"]

_Known = dict[tuple[str, str], UsualTokens]

# Keys and models whose outputs are remembered; the oldest go.
_MOST_KNOWN = 10_000
# Entries of one group whose prices are looked at for one estimate.
_MOST_PRICED = 16
# Tokens of a square image by its quality (OpenAI's guide to image generation).
_IMAGE_TOKENS = {"low": 272, "medium": 1056, "high": 4160}


class CostEstimates:
    """CostEstimates calls, and learns how long the outputs of those without a limit are.

    Of a call that continues a response or a conversation, the stored context counts too.

    By key and model, and for keys not seen yet by model.
    """

    def __init__(self, router: Router) -> None:
        self._router = router
        self._usual: _Known = {}
        self._contexts: _Known = {}

    async def find_context(self, call: ServedRequest) -> int:
        """Tokens of what a call continues, as far as a replica knows; 0 for nothing."""
        given, reading = continued_by(call.body), call.routed
        if not isinstance(reading, RoutedRequest):
            return 0
        if given is None or reading.route_request.context_tokens:
            return reading.route_request.context_tokens
        state = self._router.parts.async_calls.state
        inner = given if reading.ids is None else reading.ids.inner_id(given)
        # Noted as it was given out, or as the service names it.
        return await state.context_of(given) or await state.context_of(inner)

    def estimate(
        self, caller: ApiCaller, call: ServedRequest, context: int, tick: float
    ) -> tuple[int, int]:
        """Tokens in all, and millionths of a millionth of a US dollar; 0 where no price is known.

        Args:
            context: from `find_context`.
            tick: monotonic seconds.
        """
        if isinstance(call.routed, PassedRequest):
            return self._estimate_passed(call, call.routed)
        given = estimate_input_tokens(call.body)
        if continued_by(call.body) is not None:
            # Where no replica knows its size: the usual context of calls that continue.
            given += context or _look_up(self._contexts, caller, call, tick) or 0
        made = self._output(caller, call, tick)
        deployments = self._router.parts.reader.routing.group_of(call.group or "")
        if not deployments:
            return given + made, 0
        usage = {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}
        tier = call.body.get("service_tier")
        cost = _dearest(
            deployments,
            call.group or "",
            lambda model: read_use({"model": model, "usage": usage, "service_tier": tier}),
        )
        return given + made, to_pico(cost)

    def _estimate_passed(self, call: ServedRequest, request: PassedRequest) -> tuple[int, int]:
        """Estimates embeddings, images and speech; only the reply says how long a recording is."""
        usage = _passed_usage(call, request)
        # As many as are asked for, for a price per image.
        made = [None] * _images(call) if call.operation.startswith("images.") else None
        result = {"usage": usage, "data": made}
        deployments = self._router.parts.reader.routing.group_of(call.group or "")
        if not deployments:
            return usage["total_tokens"], 0
        read = read_use
        if call.operation != "embeddings":
            read = partial(read_media_use, call.operation)
        cost = _dearest(
            deployments, call.group or "", lambda model: read({"model": model, **result})
        )
        return usage["total_tokens"], to_pico(cost)

    def learn(self, caller: ApiCaller, call: ServedRequest, tick: float) -> None:
        """The call is over."""
        usage = call.summary.usage or {}
        made, given = usage.get("output_tokens"), usage.get("input_tokens")
        # An answer that a limit may have cut says nothing about answers without one.
        if isinstance(made, int) and not has_output_limit(call.body):
            self._observe(self._usual, caller, call, made, tick)
        self._share_context(call)
        if isinstance(given, int) and continued_by(call.body) is not None:
            hidden = max(0, given - estimate_input_tokens(call.body))
            self._observe(self._contexts, caller, call, hidden, tick)

    def _observe(
        self, known: _Known, caller: ApiCaller, call: ServedRequest, tokens: int, tick: float
    ) -> None:
        for name in _names(caller, call):
            usual = known.get(name)
            if usual is None:
                while len(known) >= _MOST_KNOWN:
                    del known[next(iter(known))]
                usual = known[name] = UsualTokens()
            usual.observe(tokens, tick)

    def _output(self, caller: ApiCaller, call: ServedRequest, tick: float) -> int:
        usual = None
        if not has_output_limit(call.body):
            usual = _look_up(self._usual, caller, call, tick)
        return estimate_output_tokens(call.body) if usual is None else usual

    def _share_context(self, call: ServedRequest) -> None:
        result, tokens = call.summary.result, tokens_of(call.summary.result)
        if result is not None and tokens:
            state = self._router.parts.async_calls.state
            for stored_id in stored_ids(result):
                state.note_context(stored_id, tokens)


def _passed_usage(call: ServedRequest, request: PassedRequest) -> dict[str, Any]:
    """The expected use of a call of another API, in the form of its reply."""
    given, made = estimate_passed_tokens(call.body), 0
    if call.operation.startswith("images."):
        tokens = _IMAGE_TOKENS.get(str(call.body.get("quality")), _IMAGE_TOKENS["high"])
        made = tokens * _images(call)
    usage = {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}
    if request.characters:
        return {**usage, "type": "characters", "characters": request.characters}
    return usage


def _images(call: ServedRequest) -> int:
    count = str(call.body.get("n") or 1)
    return int(count) if count.isdecimal() and len(count) < 4 else 1


def _dearest(
    deployments: Sequence[Deployment], group: str, use_of: Callable[[str], Use]
) -> Decimal:
    """The most that a use may cost at one of the deployments; 0 where no price is known.

    One of them stands for all that have no prices of their own: they serve one model.
    """
    priced = [one for one in deployments if one.prices is not None]
    if priced:
        plain = (one for one in deployments if one.prices is None)
        looked_at = [*islice(plain, 1), *priced[:_MOST_PRICED]]
    else:
        looked_at = [deployments[0]]
    costs = []
    for one in looked_at:
        name = one.name_for(group)
        use = use_of(one.base_model or name)
        costs.append(default_book.total(use, name, one.base_model, prices=one.prices))
    return max((cost for cost in costs if cost is not None), default=Decimal(0))


def _look_up(known: _Known, caller: ApiCaller, call: ServedRequest, tick: float) -> int | None:
    for name in _names(caller, call):
        usual = known.get(name)
        tokens = usual.tokens(tick) if usual is not None else None
        if tokens is not None:
            return tokens
    return None


def _names(caller: ApiCaller, call: ServedRequest) -> tuple[tuple[str, str], tuple[str, str]]:
    model = call.group or ""
    return (caller.key_id, model), ("", model)
