"""One call, as the totals count it and the spend log shows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from azure_responses.gateway.budget import PICO, day_of, to_pico
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.spend import LONGEST_NAME, SpendKey, Spent, fit_name
from azure_responses.pricing import to_record
from azure_responses.pricing.use import Tokens, Use, read_use

__all__ = ["SpentCall", "format_line"]

# No call comes near these. A column of 64 bits that overflowed would take every later total along.
_MOST_COST = 100_000 * PICO
_MOST_TOKENS = 2**40
_NO_TOKENS = Tokens()
_OPERATION = "azure_responses.operation"
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentCall:
    """A call that is over.

    Attributes:
        caller: whose key it was.
        call_id: ours, as `x-litellm-call-id` says it.
        model: the name the caller used: a group of the model list.
        deployment: the id of the row that served it, or None.
        result: the response or completion, typed or as JSON, or best what `pricing.use.read_use`
            has read of it; None where there is none.
        cost: US dollars, or None where that is not known.
        held: what then counts against the budget of the key; see `Spent`.
        operation: `create`, `compact`, `retrieve`…
        end_user: for whom, as the request says.
        http_status: of the reply.
        error_code: of the error, or None.
        latency: seconds.
        started_at: unix seconds.
    """

    caller: ApiCaller
    call_id: str
    model: str
    started_at: float
    deployment: str | None = None
    result: Any = field(default=None, repr=False)
    cost: Decimal | None = None
    held: int = 0
    operation: str = "create"
    call_type: str = "responses"
    is_stream: bool = False
    end_user: str | None = None
    http_status: int | None = None
    error_code: str | None = None
    latency: float = 0.0
    time_to_first_token: float | None = None
    request_id: str | None = None
    attempts: int = 1

    def describe(self) -> dict[str, Any]:
        """The line of the spend log: that of `pricing.to_record`, and what a gateway knows more.

        `record` is "azure_responses.call" for what was paid for, "azure_responses.operation" for
        the rest, as in the package's log.
        """
        record = to_record(
            self._use or Use(),
            cost=self.cost,
            deployment=self.deployment,
            end_user=self._end_user(),
        )
        if self.result is None:
            record["record"] = _OPERATION
        record["time"] = datetime.fromtimestamp(self.started_at, UTC).isoformat()
        record["key_id"] = self.caller.key_id
        record["key_name"] = self.caller.name
        record["model_group"] = self.model
        record["call_id"] = self.call_id
        record["call_type"] = self.call_type
        record["operation"] = self.operation
        record["stream"] = self.is_stream
        record["http_status"] = self.http_status
        record["error"] = self.error_code
        record["latency"] = round(self.latency, 6)
        record["time_to_first_token"] = self.time_to_first_token
        record["attempts"] = self.attempts
        record["request_id"] = self.request_id
        return {name: _fit_text(value) for name, value in record.items()}

    def total(self) -> tuple[SpendKey, Spent]:
        """What to count, and under what."""
        key = SpendKey(
            self.caller.key_id,
            fit_name(self._end_user()),
            fit_name(self.model),
            day_of(self.started_at + self.latency),
        )
        use = self._use
        tokens = (use and use.tokens) or _NO_TOKENS
        spent = Spent(
            cost=0 if self.cost is None else _fit(to_pico(self.cost), _MOST_COST),
            calls=1,
            failed=int(use is None),
            unpriced=int(use is not None and self.cost is None),
            input_tokens=_fit(tokens.input, _MOST_TOKENS),
            cached_tokens=_fit(tokens.cached, _MOST_TOKENS),
            output_tokens=_fit(tokens.output, _MOST_TOKENS),
            reasoning_tokens=_fit(tokens.reasoning, _MOST_TOKENS),
            held=0 if self.cost is not None else _fit(self.held, _MOST_COST),
        )
        return key, spent

    def read(self) -> "SpentCall":
        """The same with its result read, so that nothing reads it twice.

        Raises:
            ConfigurationError: the result is none.
        """
        is_read = self.result is None or isinstance(self.result, Use)
        return self if is_read else replace(self, result=self._use)

    @property
    def _use(self) -> Use | None:
        return None if self.result is None else read_use(self.result)

    def _end_user(self) -> str | None:
        use = self._use
        return self.end_user or (use and use.end_user) or self.caller.end_user


def _fit_text(value: Any) -> Any:
    """A value of a line; what a caller or a reply named is no longer than a name may be."""
    is_long = isinstance(value, str) and len(value) > LONGEST_NAME
    return fit_name(value) if is_long else value


def _fit(number: int, most: int) -> int:
    return min(max(number, 0), most)


def format_line(record: Mapping[str, Any]) -> bytes:
    """One line of JSON; ASCII only, so that not even half a surrogate pair can spoil it."""
    return _encode(record).encode("ascii") + b"\n"
