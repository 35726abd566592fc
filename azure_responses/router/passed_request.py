"""A call of embeddings, images or audio as a router reads it: passed on as it came.

Only the name of the model is replaced, by that of the deployment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_responses.protocol.operation_table import APIOperation
from azure_responses.protocol.received_form import FormFields
from azure_responses.router.arguments import end_user_of, is_altered
from azure_responses.router.prepared_request import options_of
from azure_responses.router.upstream import UpstreamRequest
from azure_responses.router.upstream_reply import to_bytes
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.route_request import RouteRequest
from azure_responses.timeouts import Timeout, deadline_of, shortest_of

__all__ = ["PassedRequest", "route_passed"]


@dataclass(slots=True)
class PassedRequest:
    """A call that is passed on.

    Attributes:
        row: of the table of operations.
        route_request: what routing is asked.
        body: the JSON object, or the plain fields of the form.
        content: as received.
        content_type: as received.
        form: where its fields stand; None of a JSON body.
        timeout: for the whole call.
        options: the given ones, such as `extra_headers`.
        owner: who asks.
        call_id: of the request.
        is_stream: the answer is asked for as events.
    """

    row: APIOperation
    route_request: RouteRequest
    body: Mapping[str, Any]
    content: bytes
    content_type: str
    form: FormFields | None
    timeout: Timeout
    options: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None
    call_id: str | None = None
    is_stream: bool = False

    @property
    def operation(self) -> str:
        """The name of the row."""
        return self.row.name

    @property
    def end_user(self) -> str | None:
        """For whom the caller asks."""
        return end_user_of(self.body)

    @property
    def characters(self) -> int:
        """Of the text that is to be read aloud, by which older models are billed."""
        text = self.body.get("input")
        return len(text) if self.operation == "audio.speech" and isinstance(text, str) else 0

    def prepare(self, deployment: Deployment, name: str) -> UpstreamRequest:
        """What is sent to a deployment, whose name at Azure is `name`."""
        body = self.body
        if deployment.parameters is not None and self.form is None:
            body = deployment.parameters.extend(body, self.operation)
        return UpstreamRequest(
            self.operation,
            name,
            parameters=body,
            content=self._content_for(name, body),
            options=options_of(self.options, self.timeout),
            call_id=self.call_id,
            is_stream=self.is_stream,
            content_type=self.content_type,
        )

    def _content_for(self, name: str, body: Mapping[str, Any]) -> bytes:
        if body is self.body and body.get("model") == name:
            return self.content
        if self.form is not None:
            return self.form.replace(self.content, {"model": name})
        return to_bytes({**body, "model": name})


def route_passed(
    model: str, options: Mapping[str, Any], *, tokens: int, is_stream: bool
) -> RouteRequest:
    """What routing is asked for such a call; `tokens` is an estimate of its input."""
    is_timed = "timeout" in options
    return RouteRequest(
        model,
        tokens,
        deadline=deadline_of(options["timeout"]) if is_timed else None,
        is_stream=is_stream,
        patience=shortest_of(options["timeout"]) if is_timed else None,
        is_altered=is_altered(options),
    )
