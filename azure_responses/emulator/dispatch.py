"""One request on its way through the emulator: who is asked, for what, with which faults."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isinf
from typing import Any, Never
from urllib.parse import parse_qsl

from pydantic_core import to_json

from azure_responses.emulator import engine
from azure_responses.emulator.accounts import SERVERLESS, Account, serverless_name
from azure_responses.emulator.faults import STREAM_FAULTS, Fault, FaultScript, error_of
from azure_responses.emulator.forms import SubmittedForm, read_form
from azure_responses.emulator.http_messages import UPGRADE, PlannedReply, ReceivedRequest
from azure_responses.emulator.limits import (
    Shortage,
    rate_limit_error,
    rate_limit_headers,
)
from azure_responses.emulator.model_catalog import find_deployed
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.routes import MatchedRoute
from azure_responses.emulator.service_errors import (
    ServiceError,
    invalid_json,
    operation_not_supported,
)

__all__ = [
    "EmulatedCall", "admit", "check_sku", "find_shortage", "make_generation", "serve",
    "shortage_error",
]  # fmt: skip

_OLDER = ("models", "serverless")
_MODEL_HEADER = "x-ms-model-mesh-model-name"


@dataclass
class EmulatedCall:
    """What an operation is given."""

    account: Account
    route: MatchedRoute
    received: ReceivedRequest
    script: FaultScript
    faults: list[Fault] = field(default_factory=list)
    # What an agent makes of the body, and where it asks for consent.
    given: dict[str, Any] | None = None
    consent_link: str | None = None
    is_batch_line: bool = False

    @property
    def now(self) -> float:
        """Unix seconds by the emulator's clock."""
        return self.account.clock.now()

    @property
    def api_version(self) -> str | None:
        """The dated version, None on the other surfaces."""
        return self.route.api_version if self.route.surface == "dated" else None

    @cached_property
    def parsed(self) -> Any:
        """The body's JSON whatever it is; None where it is not JSON.

        Half a surrogate pair is not: the service says that it could not parse such a body. Nor is
        a body that is nested too deep to be read.
        """
        try:
            parsed = json.loads(
                self.received.body, parse_constant=_refuse_constant, parse_float=_read_float
            )
            # No reply could repeat half a pair, nor so many levels inside its own.
            to_json([[[[[[[[parsed]]]]]]]])
        except (ValueError, RecursionError):
            return None
        return parsed

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object sent; raises ServiceError (400) for other JSON."""
        if self.given is not None:
            return self.given
        parsed = self.parsed
        if not isinstance(parsed, dict):
            raise invalid_json()
        return parsed

    @property
    def optional_body(self) -> dict[str, Any]:
        """The same, where an empty body stands for an empty object."""
        return self.body if self.received.body else {}

    @cached_property
    def form(self) -> SubmittedForm:
        """The fields and files of a form; raises ServiceError (400) for other bodies."""
        return read_form(self.received)

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the query; of one given twice, the last."""
        return dict(parse_qsl(self.received.query))

    @cached_property
    def deployment_name(self) -> Any:
        """What the caller asked for by name, before anything is checked."""
        if self.route.operation.model_in == "path":
            return self.route.ids[0]
        if self.route.operation.model_in is None:
            return None
        if self.route.operation.model_in == "form":
            return self._form_field("model")
        named = self.parsed.get("model") if isinstance(self.parsed, dict) else None
        if named is None and self.route.surface == "models":
            return self.received.headers.get(_MODEL_HEADER)
        # A serverless endpoint is one deployment: most callers name no other.
        if named is None and self.received.host.endswith(SERVERLESS):
            return serverless_name(self.account, self.received.host)
        return named

    @property
    def is_streamed(self) -> bool:
        """True where the caller asked for events."""
        if self.route.operation.stream_in == "query":
            return self.query.get("stream") == "true"
        if self.route.operation.stream_in == "form":
            return self._form_field("stream") == "true"
        parsed = self.parsed if self.route.operation.stream_in == "body" else None
        return isinstance(parsed, dict) and parsed.get("stream") is True

    def _form_field(self, name: str) -> str | None:
        # A form that cannot be read is refused once the caller is let in.
        try:
            return self.form.fields.get(name)
        except ServiceError:
            return None

    def match_faults(self, deployment: str | None) -> list[Fault]:
        """The faults that strike this call on that deployment; counts it as a request."""
        # Most emulators have no faults, and this is asked for every request.
        if not len(self.script):
            return []
        resource = self.account.resource.name
        is_socket = self.received.turn is not None or self.received.method == UPGRADE
        return self.script.match(
            self.route.operation.name,
            resource,
            deployment,
            self.is_streamed,
            "websocket" if is_socket else "http",
        )

    def raise_fault(self) -> None:
        """Raise the error of the first fault that answers with one."""
        for fault in self.faults:
            error = error_of(fault)
            if error is not None:
                raise error

    def stream_fault(self) -> Fault | None:
        """The fault that makes a 200 stream fail, if any."""
        return next((fault for fault in self.faults if fault.kind in STREAM_FAULTS), None)


# Python's reader takes NaN and Infinity, which are not JSON.
def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _read_float(digits: str) -> float:
    # 1e999 would become infinity, which no JSON can repeat.
    number = float(digits)
    if isinf(number):
        raise ValueError(digits)
    return number


Work = Callable[[EmulatedCall, EmulatedDeployment], PlannedReply]

# Microsoft's spillover page names these.
_SPILLING = (429, 500, 503)


def serve(call: EmulatedCall, deployment: EmulatedDeployment, work: Work) -> PlannedReply:
    """`work` on the deployment, or on its spillover target where a provisioned one cannot.

    After Microsoft's spillover page: 429, 500, 503 and over-long input trigger it, the
    deployment's own setting wins over `x-ms-spillover-deployment`, and where the second one fails
    too its answer is the one returned.
    """
    try:
        return work(call, deployment)
    except ServiceError as error:
        target = _spillover_target(call, deployment)
        if target is None or not _spills(error):
            raise
        headers = _spillover_headers(deployment, target, error)
    # The second deployment has faults of its own; those of the first stay with the first.
    second = replace(call, faults=call.match_faults(target.name))
    try:
        reply = work(second, target)
    except ServiceError as error:
        error.headers.update(headers)
        raise
    # x-ms-deployment-name and the like then name the deployment that answered.
    known = [pair for pair in reply.headers if pair[0] not in headers]
    reply.headers = [*known, *headers.items()]
    return reply


def _spillover_target(
    call: EmulatedCall, deployment: EmulatedDeployment
) -> EmulatedDeployment | None:
    # Microsoft: only provisioned deployments spill over, and only within their resource.
    if deployment.kind != "provisioned":
        return None
    name = deployment.spillover_to or call.received.headers.get("x-ms-spillover-deployment")
    return call.account.resource.find_deployment(name) if name else None


def _spills(error: ServiceError) -> bool:
    return error.status in _SPILLING or _error_code(error) == "context_length_exceeded"


def _error_code(error: ServiceError) -> str:
    fields = error.body.get("error") or {}
    return str(fields.get("code") or error.status)


def _spillover_headers(
    source: EmulatedDeployment, target: EmulatedDeployment, error: ServiceError
) -> dict[str, str]:
    return {
        "x-ms-spillover-from-deployment": source.name,
        "x-ms-deployment-name": target.name,
        "x-ms-spillover-error": _error_code(error),
        "x-ms-is-spilled-over": "true",
    }


def check_sku(call: EmulatedCall, deployment: EmulatedDeployment, operation: str) -> None:
    """Raise the 400 of litellm#9122 for a call of a deployment that takes batches alone."""
    if not (call.is_batch_line or deployment.takes_calls):
        raise operation_not_supported(operation, deployment.model_name)


def find_shortage(
    call: EmulatedCall, deployment: EmulatedDeployment, tokens: int
) -> Shortage | None:
    """What the deployment lacks for a call of so many tokens."""
    return call.account.window(deployment).shortage(deployment, call.now, tokens)


def shortage_error(
    call: EmulatedCall, deployment: EmulatedDeployment, shortage: Shortage
) -> ServiceError:
    """HTTP 429 with the headers of an exhausted deployment."""
    region, operation = call.account.region(deployment), call.route.operation.name
    error = rate_limit_error(deployment, region, shortage, operation, call.api_version)
    # Chat completions always name the limits, and so does any 429.
    mode = "present" if deployment.rate_limit_headers == "absent" else None
    window = call.account.window(deployment)
    error.headers.update(rate_limit_headers(deployment, window, call.now, mode))
    return error


def admit(call: EmulatedCall, deployment: EmulatedDeployment, tokens: int) -> None:
    """Raise HTTP 429 where the deployment has no room for the call."""
    shortage = find_shortage(call, deployment, tokens)
    if shortage is not None:
        raise shortage_error(call, deployment, shortage)


def make_generation(
    call: EmulatedCall,
    deployment: EmulatedDeployment,
    request: dict[str, Any],
    history: Sequence[dict[str, Any]] = (),
) -> engine.Generation:
    """What the engine needs to answer a request on a deployment."""
    account, model = call.account, find_deployed(deployment)
    if call.route.operation.name != "chat":
        model = model.on_responses()
    return engine.Generation(
        request=request,
        deployment=deployment.name,
        model=model,
        created_at=int(call.now),
        identifiers=account.mint,
        cipher=account.signer if call.route.surface == "anthropic" else account.cipher,
        history=list(history),
        headers=call.received.headers,
        dated=call.route.surface == "dated",
        find_file=account.objects.find_file,
        search=account.objects.search,
        chunking=deployment.chunking,
        prefixes=account.prefixes,
        consent_link=call.consent_link,
        thinks_aloud=call.route.surface in _OLDER and model.thinks_aloud,
    )
