"""Files that are stored for responses and batches, and uploads in parts."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from .mending import Loose
from .model import OPEN, Number
from .result import Result

__all__ = ["FileDeleted", "FileObject", "FilePurpose", "Upload", "UploadPart"]

FilePurpose = Annotated[
    Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"] | str, OPEN
]
"""What a file is for. Azure takes "assistants" for tools and "batch" for the input of batches."""


class FileObject(Result):
    """A file; times are Unix seconds.

    `status` is "uploaded", "processed" or "error"; Azure also reports "pending" and "running"
    while it checks the input of a batch (its description of the dated API).
    """

    _is_sent_by_id: ClassVar[bool] = True
    _stand_ins: ClassVar[Mapping[str, Any]] = {
        "bytes": 0,
        "created_at": 0,
        "filename": "",
        "purpose": "",
        "status": "",
    }

    id: str
    bytes: int
    created_at: Number
    filename: str
    object: str = "file"
    purpose: Annotated[
        Literal[
            "assistants",
            "assistants_output",
            "batch",
            "batch_output",
            "fine-tune",
            "fine-tune-results",
            "vision",
            "user_data",
        ]
        | str,
        OPEN,
    ]
    status: Annotated[
        Literal["uploaded", "processed", "error", "pending", "running", "deleting", "deleted"]
        | str,
        OPEN,
    ]
    expires_at: Number | None = None
    status_details: str | None = None


class FileDeleted(Result):
    """Confirms that a file is deleted."""

    id: str
    deleted: bool
    object: str = "file"


class Upload(Result):
    """A file that is uploaded in parts, within an hour; `file` is there once it is completed."""

    _stand_ins: ClassVar[Mapping[str, Any]] = {
        "bytes": 0,
        "created_at": 0,
        "expires_at": 0,
        "filename": "",
        "purpose": "",
        "status": "",
    }

    id: str
    bytes: int
    created_at: Number
    expires_at: Number
    filename: str
    object: str = "upload"
    purpose: FilePurpose
    status: Annotated[Literal["pending", "completed", "cancelled", "expired"] | str, OPEN]
    file: Loose[FileObject | None] = None


class UploadPart(Result):
    """A part of an upload."""

    _stand_ins: ClassVar[Mapping[str, Any]] = {"created_at": 0, "upload_id": ""}

    id: str
    created_at: Number
    object: str = "upload.part"
    upload_id: str
