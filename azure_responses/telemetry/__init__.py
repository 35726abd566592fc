"""Reports of calls: OpenTelemetry spans and metrics, a log, and callbacks.

They cost nothing before the program sets one up: a client asks once per call whether there is a
listener, and this package never imports opentelemetry before the program has imported it.

`callbacks` are the program's own, for every client; `JSONFormatter` writes the log that
`azure-responses cost --from-log` reads. docs/telemetry.md lists the names of everything.
"""

from azure_responses.telemetry.callback import Callback, Callbacks, callbacks
from azure_responses.telemetry.client_log import JSONFormatter
from azure_responses.telemetry.record import CallRecord

__all__ = ["CallRecord", "Callback", "Callbacks", "JSONFormatter", "callbacks"]
