"""A batch: its requests, how far it has come, and what it has answered so far."""

from dataclasses import dataclass, field
from typing import Any

from azure_responses.emulator.contents import ContentWriter, StoredContent
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.validation.batch_input import SubmittedBatch

__all__ = ["ENDED", "BatchRequest", "EmulatedBatch"]

ENDED = ("completed", "failed", "expired", "cancelled")
"""In these states nothing changes any more."""
# In the order of the objects that Microsoft's page shows.
_TIMES = (
    "cancelled_at",
    "cancelling_at",
    "completed_at",
    "expired_at",
    "failed_at",
    "finalizing_at",
    "in_progress_at",
)
# A window of 24 hours is the only one.
_WINDOW_SECONDS = 24 * 3600


@dataclass(frozen=True)
class BatchRequest:
    """What the caller of `POST /batches` asks for; the paths of an endpoint may have `/v1`."""

    input_file_id: str
    endpoint: str
    metadata: dict[str, Any] | None = None
    output_expires_in: int | None = None


@dataclass
class EmulatedBatch:
    """One batch of a resource.

    Attributes:
        status, entered_at: where it stands, and since which unix time.
        times: when it reached each state.
        submitted: what its file holds, until it ends.
        total, done: how many there are, and how many of them were executed.
        deployment: which deployment executes them.
        tokens: what it takes of the deployment's queue until it ends.
    """

    id: str
    request: BatchRequest
    created_at: int
    entered_at: float
    submitted: SubmittedBatch
    status: str = "validating"
    times: dict[str, int] = field(default_factory=dict)
    deployment: EmulatedDeployment | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    total: int = 0
    done: int = 0
    completed: int = 0
    output_file_id: str | None = None
    error_file_id: str | None = None
    _answers: ContentWriter = field(default_factory=ContentWriter)
    _failures: ContentWriter = field(default_factory=ContentWriter)

    @property
    def expires_at(self) -> int:
        """When its window ends, in unix seconds."""
        return self.created_at + _WINDOW_SECONDS

    @property
    def has_ended(self) -> bool:
        """True once nothing changes any more."""
        return self.status in ENDED

    def enter(self, status: str, at: float) -> None:
        """Reach a state at that unix time."""
        self.status, self.entered_at = status, at
        self.times[f"{status}_at"] = int(at)

    def answer(self, line: bytes, is_success: bool) -> None:
        """Take what a request was answered: one line of the output file or of the error file."""
        self.done += 1
        self.completed += is_success
        (self._answers if is_success else self._failures).write(line + b"\n")

    def give_up(self, line: bytes) -> None:
        """Note a request that was not executed in time."""
        self._failures.write(line + b"\n")

    def take_outputs(self) -> tuple[StoredContent, StoredContent]:
        """The output file and the error file, once; either may be empty.

        An ended batch needs its requests no more.
        """
        answers, failures = self._answers.finish(), self._failures.finish()
        self._answers, self._failures = ContentWriter(), ContentWriter()
        self.submitted = SubmittedBatch()
        return answers, failures

    def as_object(self, empty_file_id: str | None = None) -> dict[str, Any]:
        """The batch as the API shows it."""
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.request.endpoint,
            "errors": {"object": "list", "data": self.errors} if self.errors else None,
            "input_file_id": self.request.input_file_id,
            "completion_window": "24h",
            "status": self.status,
            "output_file_id": self.output_file_id or empty_file_id,
            "error_file_id": self.error_file_id or empty_file_id,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            **{name: self.times.get(name) for name in _TIMES},
            "request_counts": {
                "total": self.total,
                "completed": self.completed,
                "failed": self.done - self.completed,
            },
            "metadata": self.request.metadata,
        }
