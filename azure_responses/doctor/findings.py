"""The result of a diagnosis: one finding per step, and all of them together."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from azure_responses.protocol.http_message import redact

__all__ = [
    "NETWORK_STEPS",
    "SERVICE_STEPS",
    "STEPS",
    "Diagnosis",
    "Finding",
    "arrange",
    "redact_findings",
    "skip",
]

# The order in which a call passes them, so the first failure explains those after it.
NETWORK_STEPS = ("dns", "tcp", "tls")
SERVICE_STEPS = (
    "api-version",
    "credential",
    "firewall",
    "role",
    "deployment",
    "model",
    "region",
    "rate-limit",
    "call",
)
STEPS = ("endpoint", *NETWORK_STEPS, *SERVICE_STEPS)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step of a diagnosis showed.

    Attributes:
        name: one of `STEPS`.
        ok: True for fine, False for a failure, None for a step that could not be taken.
        detail: what was seen, or why the step was skipped.
        fix: what to change; advice where the step is fine.
        seconds: how long the step took, where it went to the network.
    """

    name: str
    ok: bool | None
    detail: str
    fix: str | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Diagnosis:
    """The findings of all steps, in the order of `STEPS`.

    Attributes:
        findings: one per step.
        deployment: the deployment that was called, or None.
        request_id: `apim-request-id` of the call; quote it to Azure support.
        checked_at: when, in ISO 8601, UTC.
        versions: of this package, Python and httpx.
    """

    findings: tuple[Finding, ...]
    deployment: str | None = None
    request_id: str | None = None
    checked_at: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True when no step failed."""
        return not self.failures

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings of steps that failed."""
        return tuple(finding for finding in self.findings if finding.ok is False)

    def __getitem__(self, name: str) -> Finding:
        """The finding of a step; KeyError for a name that is not one of `STEPS`."""
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values; no key and no token is in it."""
        return {
            "ok": self.ok,
            "checked_at": self.checked_at,
            "deployment": self.deployment,
            "request_id": self.request_id,
            "versions": dict(self.versions),
            "findings": [asdict(finding) for finding in self.findings],
        }


def skip(name: str, reason: str) -> Finding:
    """A step that was not taken, and why."""
    return Finding(name, None, f"skipped: {reason}")


def arrange(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding per step, in order.

    Of several findings of one step the last one counts: the service knows better than a check made
    before it was asked. Steps without any are skipped, for the first failure.
    """
    # A dict keeps the last finding of each step.
    known = {finding.name: finding for finding in findings}
    failed = next((name for name in STEPS if name in known and known[name].ok is False), "nothing")
    reason = f"not reached, because {failed} failed"
    return tuple(known.get(name) or skip(name, reason) for name in STEPS)


def redact_findings(findings: Iterable[Finding], secrets: Iterable[str]) -> tuple[Finding, ...]:
    """The findings without any of the secrets, whatever the service or a proxy echoed."""
    # An empty text would be found everywhere.
    hidden = [secret for secret in secrets if secret]
    return tuple(
        replace(
            finding,
            detail=redact(finding.detail, hidden),
            fix=redact(finding.fix, hidden) if finding.fix else finding.fix,
        )
        for finding in findings
    )
