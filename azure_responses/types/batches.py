"""Batches: many requests in one file, answered within a day at half the price."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from .mending import Loose
from .model import OPEN, Model, Number
from .result import Result
from .usage import Usage

__all__ = ["Batch", "BatchError", "BatchErrors", "BatchRequestCounts", "BatchStatus"]

BatchStatus = Annotated[
    Literal[
        "validating",
        "failed",
        "in_progress",
        "finalizing",
        "completed",
        "expired",
        "cancelling",
        "cancelled",
    ]
    | str,
    OPEN,
]


class BatchError(Model):
    """Why a batch was refused, with the line of the input file at fault, counted from 1."""

    code: str | None = None
    line: int | None = None
    message: str | None = None
    param: str | None = None


class BatchErrors(Model):
    """Why a batch was refused."""

    data: list[BatchError] | None = None
    object: str | None = None


class BatchRequestCounts(Model):
    """How many requests of a batch are done."""

    completed: int = 0
    failed: int = 0
    total: int = 0


class Batch(Result):
    """A batch; times are Unix seconds.

    Attributes:
        endpoint: which operation each line calls, such as "/v1/responses".
        errors: why the whole batch was refused; what became of single lines is in the files.
        output_file_id: the answers, one line for each.
        error_file_id: the requests that failed, one line for each.
        request_counts: how far it is.
        usage: the tokens of all answers, where the service counts them.
    """

    _stand_ins: ClassVar[Mapping[str, Any]] = {
        "completion_window": "",
        "created_at": 0,
        "endpoint": "",
        "input_file_id": "",
        "status": "",
    }

    id: str
    completion_window: str
    created_at: Number
    endpoint: str
    input_file_id: str
    object: str = "batch"
    status: BatchStatus
    cancelled_at: Number | None = None
    cancelling_at: Number | None = None
    completed_at: Number | None = None
    # Azure writes "" where there is no file yet.
    error_file_id: str | None = None
    errors: Loose[BatchErrors | None] = None
    expired_at: Number | None = None
    expires_at: Number | None = None
    failed_at: Number | None = None
    finalizing_at: Number | None = None
    in_progress_at: Number | None = None
    metadata: dict[str, Any] | None = None
    model: str | None = None
    output_file_id: str | None = None
    request_counts: Loose[BatchRequestCounts | None] = None
    usage: Loose[Usage | None] = None
