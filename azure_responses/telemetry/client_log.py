"""One line of log per call, on the logger `azure_responses`; no secret and no content is in it."""

import json
import logging
from collections.abc import Mapping, Sequence, Sized
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from azure_responses.protocol.call import Call
from azure_responses.protocol.object_table import EVERY_OPERATION
from azure_responses.telemetry.record import CallRecord

__all__ = [
    "JSONFormatter",
    "LOGGER",
    "REDACTED",
    "describe_call",
    "log_call",
    "log_request",
    "log_retry",
    "redact_headers",
    "redact_parameters",
    "redact_url",
]

LOGGER = logging.getLogger("azure_responses")

# The attribute of a LogRecord that holds the fields for JSON.
_ATTRIBUTE = "azure_responses"


class JSONFormatter(logging.Formatter):
    """Writes each record as one line of JSON.

    The keys are `time` (ISO 8601, UTC), `level`, `logger` and `message`, then for a call those of
    `describe_call`, and `exception` where there is one. `azure-responses cost --from-log` reads it.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        document: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        details = getattr(record, _ATTRIBUTE, None)
        if isinstance(details, dict):
            document.update(details)
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str, ensure_ascii=False)


def log_request(call: Call) -> None:
    """Log at DEBUG what is about to be sent, without secrets and content."""
    request = call.request
    details = {
        "record": "azure_responses.request",
        "operation": call.context.operation,
        "method": request.method,
        "url": redact_url(request.url),
        "headers": redact_headers(request.headers),
        "parameters": redact_parameters(call.parameters),
    }
    LOGGER.debug(
        "%s %s %s",
        details["method"],
        details["url"],
        json.dumps(details["parameters"], default=str, ensure_ascii=False),
        extra={_ATTRIBUTE: details},
    )


def log_retry(record: CallRecord) -> None:
    """Log at DEBUG that a call is made again, and why."""
    details = {
        "record": "azure_responses.retry",
        "operation": record.operation,
        "client_request_id": record.client_request_id,
        "attempts": record.attempts,
        "retry_delay": record.retry_delay,
        "error": record.error_type,
    }
    LOGGER.debug(
        "%s again in %.3f s after %s (attempt %d)",
        record.operation,
        record.retry_delay or 0.0,
        record.error_type,
        record.attempts,
        extra={_ATTRIBUTE: details},
    )


def log_call(record: CallRecord) -> None:
    """Log at INFO how a call ended."""
    LOGGER.info(_sentence(record), extra={_ATTRIBUTE: describe_call(record)})


def describe_call(record: CallRecord) -> dict[str, Any]:
    """A call as one JSON object: that of `azure_responses.pricing.to_record` and more.

    `record` is "azure_responses.call" for what may be billed, "azure_responses.operation" for the
    rest: failures, deletions, lists. `latency` and `time_to_first_token` are in seconds.
    """
    # Imported on use: pricing reads its tables, and most programs log no calls.
    from azure_responses.pricing import to_record

    row = EVERY_OPERATION.get(record.operation)
    is_call = row is not None and row.returns_usage and record.response is not None
    document = to_record(
        record.response if record.response is not None else {},
        cost=record.cost,
        deployment=record.deployment,
        end_user=record.end_user,
    )
    kind = document["record"] if is_call else "azure_responses.operation"
    return {**document, "record": kind, **_facts(record)}


def _facts(record: CallRecord) -> dict[str, Any]:
    # Microseconds are enough, and shorter lines are easier to read.
    first = record.time_to_first_token
    return {
        "id": record.response_id,
        "served_deployment": record.served_deployment,
        "spillover_from": record.spillover_from,
        "region": record.region,
        "call_type": record.call_type,
        "operation": record.operation,
        "stream": record.is_stream,
        "user": record.user,
        "safety_identifier": record.safety_identifier,
        "request_id": record.request_id,
        "client_request_id": record.client_request_id,
        "latency": round(record.latency, 6),
        "time_to_first_token": None if first is None else round(first, 6),
        "attempts": record.attempts,
        "http_status": record.http_status,
        "abandoned": record.is_abandoned,
        "error": record.error_type,
        "error_class": None if record.error is None else type(record.error).__name__,
        "error_message": getattr(record.error, "message", None),
    }


def _sentence(record: CallRecord) -> str:
    subject = f"{record.operation} {record.deployment or record.response_id or ''}".strip()
    parts = [f"{subject}: {_outcome(record)} in {record.latency:.3f} s"]
    if record.attempts > 1:
        parts.append(f"{record.attempts} attempts")
    if record.usage is not None:
        parts.append(f"{record.usage.input_tokens} + {record.usage.output_tokens} tokens")
    if record.cost is not None:
        parts.append(f"${record.cost:f}")
    return ", ".join(parts)


def _outcome(record: CallRecord) -> str:
    if record.is_abandoned:
        return "abandoned"
    return record.error_type or record.status or "done"


REDACTED = "***"

# What is not named here is hidden, because a list of all secrets would never be complete.
_SHOWN_QUERY = frozenset(
    {"api-version", "stream", "starting_after", "limit", "order", "after", "before", "include[]"}
    | {"include_obfuscation"}
)
_SHOWN_HEADERS = frozenset(
    {"accept", "accept-encoding", "content-type", "user-agent", "x-ms-client-request-id"}
)
_SHOWN_PARAMETERS = frozenset(
    {"model", "stream", "store", "background", "temperature", "top_p", "max_output_tokens"}
    | {"max_tool_calls", "parallel_tool_calls", "service_tier", "truncation", "include"}
    | {"previous_response_id", "top_logprobs", "prompt_cache_retention", "stream_options"}
)
_SHOWN_PARTS: Mapping[str, frozenset[str]] = {"reasoning": frozenset({"effort", "summary"})}
_SCALARS = (bool, int, float, str)


def redact_url(url: str) -> str:
    """The URL without a password, and with the values of known query parameters only."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = [
        (name, value if name in _SHOWN_QUERY else REDACTED)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    # `*` stays as it is, so that the mask can be read in the URL.
    shown = urlencode(query, safe="*[]", quote_via=quote)
    return urlunsplit((parts.scheme, host, parts.path, shown, ""))


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, with values only where they hold neither a secret nor a name."""
    return {
        name: value if name.lower() in _SHOWN_HEADERS else REDACTED
        for name, value in headers.items()
    }


def redact_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a request, with sizes in the place of content."""
    return {name: _redact(name, value) for name, value in parameters.items()}


def _redact(name: str, value: Any) -> Any:
    if name in _SHOWN_PARAMETERS and _is_plain(value):
        return value
    if name in _SHOWN_PARTS and isinstance(value, Mapping):
        shown = _SHOWN_PARTS[name]
        return {part: text if part in shown else REDACTED for part, text in value.items()}
    # The size can explain a refusal or a cost; the text itself is private.
    if isinstance(value, str):
        return f"<{len(value)} characters>"
    if isinstance(value, Sized):
        return f"<{len(value)} entries>"
    return value if isinstance(value, bool | None) else REDACTED


def _is_plain(value: Any) -> bool:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return all(isinstance(part, _SCALARS) for part in value)
    return isinstance(value, _SCALARS)
