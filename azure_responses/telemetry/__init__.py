"""What is told of calls: OpenTelemetry spans and metrics, a log, and callbacks.

Nothing of it costs anything before somebody listens: a client asks once per call whether anybody
does, and opentelemetry is never imported by this package before the program has imported it.

`callbacks` are the program's own, for every client; `JSONFormatter` writes the log that
`azure-responses cost --from-log` reads. docs/telemetry.md lists the names of everything.
"""

from azure_responses.telemetry.callback import Callback, Callbacks, callbacks
from azure_responses.telemetry.client_log import JSONFormatter
from azure_responses.telemetry.record import CallRecord

__all__ = ["CallRecord", "Callback", "Callbacks", "JSONFormatter", "callbacks"]
