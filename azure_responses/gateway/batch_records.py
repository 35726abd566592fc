"""What the gateway's database keeps of batches: files, batches and results."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from azure_responses.batches.batch import BatchRecord
from azure_responses.batches.results import BatchTokens

__all__ = ["ClaimedBatch", "ResultRow", "StoredBatch", "KeptFile", "digest_of"]


def digest_of(end_user: str | None) -> str | None:
    """What stands for an end user in the tables; None for no end user."""
    if end_user is None:
        return None
    return sha256(end_user.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that the gateway keeps.

    Attributes:
        owner: who may read it; None where no key is asked for.
        size: in bytes.
        created, expires: unix seconds.
        batch_id: of an output or error file; is_failed: True of the error file.
        end_user_digest: for whom it was uploaded.
    """

    id: str
    owner: str | None
    purpose: str
    filename: str
    size: int
    created: float
    expires: float | None = None
    batch_id: str | None = None
    is_failed: bool | None = None
    end_user_digest: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The object as callers see it."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.size,
            "created_at": int(self.created),
            "expires_at": None if self.expires is None else int(self.expires),
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch, and the totals of its results.

    Attributes:
        cost: millionths of a millionth of a US dollar, of the results whose cost is known.
    """

    batch: BatchRecord
    usage: BatchTokens = field(default_factory=BatchTokens)
    cost: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The object as callers see it."""
        return self.batch.to_dict(self.usage)


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    """A batch to run, its owner, and the key that pays."""

    batch: BatchRecord
    owner: str | None
    key_id: str


@dataclass(frozen=True, slots=True)
class ResultRow:
    """The result of one request.

    Attributes:
        line: its number in the input file.
        text: the line of the output or error file, with its end.
        cost: millionths of a millionth of a US dollar; None where it is not known.
        is_made: False of a request that was not made.
        end_user_digest: whom the body of the request names.
    """

    line: int
    text: bytes
    is_failed: bool
    usage: BatchTokens = field(default_factory=BatchTokens)
    cost: int | None = None
    is_made: bool = True
    end_user_digest: str | None = None
