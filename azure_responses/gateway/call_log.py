"""What is written of each call: a line of the spend log, and one of the process's own log."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.spend import LONGEST_NAME, end_user_of, fit_name
from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.pricing import to_record
from azure_responses.pricing.use import Use
from azure_responses.protocol.object_table import PASSED_OPERATIONS
from azure_responses.telemetry.client_log import JSONFormatter

__all__ = ["LOGGER", "describe_call", "format_line", "log_call", "set_up_logging"]

LOGGER = logging.getLogger("azure_responses.gateway")

# What makes an answer is one operation, whichever API its caller used.
_CALL_TYPES = {"chat": "chat_completions", "messages": "messages"}
_OPERATION = "azure_responses.operation"
# The attribute of a log record: the caller and the call, which only JSON lines describe in full.
_SERVED = "served_call"
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


def describe_call(caller: ApiCaller, call: CallSummary) -> dict[str, Any]:
    """The line of the spend log: that of `pricing.to_record`, and what only a gateway knows.

    `record` is "azure_responses.call" for what was paid for, "azure_responses.operation" for
    the rest, as in the package's log.
    """
    use = call.use
    record = to_record(
        use or Use(),
        cost=call.cost,
        deployment=call.deployment,
        end_user=end_user_of(caller, call),
    )
    if use is None:
        record["record"] = _OPERATION
    record["time"] = datetime.fromtimestamp(call.started_at, UTC).isoformat()
    record["key_id"] = caller.key_id
    record["key_name"] = caller.name
    record["model_group"] = call.group or ""
    record["call_id"] = call.call_id
    record["call_type"] = _call_type(call.operation)
    record["operation"] = "create" if call.operation in _CALL_TYPES else call.operation
    record["deployment_api"] = call.deployment_api
    record["stream"] = call.is_stream
    record["transport"] = call.transport
    record["http_status"] = call.status
    record["error"] = call.error_type
    record["latency"] = round(call.latency, 6)
    record["time_to_first_token"] = call.time_to_first_output
    record["attempts"] = max(1, call.attempts)
    record["request_id"] = call.request_id
    return {name: _fit_text(value) for name, value in record.items()}


def _call_type(operation: str) -> str:
    if operation in PASSED_OPERATIONS:
        return operation.partition(".")[0]
    return _CALL_TYPES.get(operation, "responses")


def _fit_text(value: Any) -> Any:
    """A value of a line; a name given by a caller or a reply is cut to the length of names."""
    is_long = isinstance(value, str) and len(value) > LONGEST_NAME
    return fit_name(value) if is_long else value


def format_line(record: Mapping[str, Any]) -> bytes:
    """One line of JSON; ASCII only, so that not even half a surrogate pair can spoil it."""
    return _encode(record).encode("ascii") + b"\n"


def log_call(caller: ApiCaller, call: CallSummary) -> None:
    """Log at INFO how a call ended: who called what, who answered, what it used and cost.

    With `JSONFormatter` the line is an object with the keys of the package's own log, and those of
    the spend log besides.
    """
    if not LOGGER.isEnabledFor(logging.INFO):
        return
    cost, tokens = call.cost, None if call.use is None else call.use.tokens
    LOGGER.info(
        "%s %s%s %s: %d%s in %.3f s by %s, %s + %s tokens, $%s, key %s, call %s",
        call.operation,
        "stream" if call.is_stream else "-",
        "" if call.transport == "http" else f" transport={call.transport}",
        _shown(call.group),
        call.status,
        f" {_shown(call.error_type)}" if call.error is not None else "",
        call.latency,
        call.deployment_id or "-",
        "-" if tokens is None else tokens.input,
        "-" if tokens is None else tokens.output,
        "-" if cost is None else format(cost, "f"),
        caller.key_id or "-",
        call.call_id,
        extra={_SERVED: (caller, call)},
    )


def _shown(text: str | None) -> str:
    """A name given by a caller or by Azure, on one line."""
    if text is None:
        return "-"
    text = text[:200]
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


class _ObjectFormatter(JSONFormatter):
    """Lines of JSON; that of a call has the keys of the spend log."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        served = getattr(record, _SERVED, None)
        if served is not None:
            record.azure_responses = describe_call(*served)
        return super().format(record)


class _LineFormatter(logging.Formatter):
    """Time, level, message; the time of day is written out once a second, not once a line."""

    def __init__(self) -> None:
        super().__init__()
        self._second = 0
        self._shown = ""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with its traceback where there is one."""
        second = int(record.created)
        if second != self._second:
            self._second, self._shown = second, self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        line = f"{self._shown},{record.msecs:03.0f} {record.levelname} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up_logging(*, is_json: bool) -> None:
    """Write the package's log to standard error: one line per call, as text or JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(_ObjectFormatter() if is_json else _LineFormatter())
    for name in ("azure_responses", "uvicorn", "asyncio"):
        logging.getLogger(name).addHandler(handler)
    # No line shows these, so they need not be looked up for each: see "Optimization" in the
    # documentation of logging.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    # The gateway logs its own line of each call. The package's would cost a typed copy of it.
    logging.getLogger("azure_responses.gateway").setLevel(logging.INFO)
