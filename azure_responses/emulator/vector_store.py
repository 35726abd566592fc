"""Vector stores: which files they hold, how far each is indexed, and batches of files."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["AttachedFile", "FileBatch", "EmulatedVectorStore", "count_files"]

_STATUSES = ("in_progress", "completed", "failed", "cancelled")
_DAY = 24 * 3600
# What `auto` stands for.
_CHUNKS = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}


@dataclass
class AttachedFile:
    """A file of a vector store.

    Attributes:
        ready_at: unix time from which on it can be found.
        error: why it cannot be indexed, as `last_error` shows it.
    """

    file_id: str
    attached_at: float
    ready_at: float
    attributes: dict[str, Any] = field(default_factory=dict)
    chunking: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    is_cancelled: bool = False

    def status(self, now: float) -> str:
        """How far it is indexed."""
        if self.is_cancelled:
            return "cancelled"
        if now < self.ready_at:
            return "in_progress"
        return "failed" if self.error else "completed"

    def cancel(self, now: float) -> None:
        """Stop the indexing, unless it has ended."""
        self.is_cancelled = self.is_cancelled or now < self.ready_at

    def as_object(self, store_id: str, size: int, now: float) -> dict[str, Any]:
        """The file as the API shows it, where it has so many bytes."""
        status = self.status(now)
        chunking = self.chunking or {"type": "static", "static": _CHUNKS}
        return {
            "id": self.file_id,
            "object": "vector_store.file",
            "usage_bytes": size if status == "completed" else 0,
            "created_at": int(self.attached_at),
            "vector_store_id": store_id,
            "status": status,
            "last_error": self.error if status == "failed" else None,
            "attributes": self.attributes,
            "chunking_strategy": chunking,
        }


@dataclass
class FileBatch:
    """Files that were attached together."""

    id: str
    created_at: int
    files: list[AttachedFile]
    is_cancelled: bool = False

    def as_object(self, store_id: str, now: float) -> dict[str, Any]:
        """The batch as the API shows it."""
        counts = count_files(self.files, now)
        status = "in_progress" if counts["in_progress"] else "completed"
        if self.is_cancelled:
            status = "cancelled"
        elif self.files and counts["failed"] == len(self.files):
            status = "failed"
        return {
            "id": self.id,
            "object": "vector_store.files_batch",
            "created_at": self.created_at,
            "vector_store_id": store_id,
            "status": status,
            "file_counts": counts,
        }


@dataclass
class EmulatedVectorStore:
    """Files that can be searched together."""

    id: str
    name: str | None
    created_at: int
    metadata: dict[str, Any]
    last_active_at: float = 0.0
    days: int | None = None
    files: dict[str, AttachedFile] = field(default_factory=dict)
    batches: dict[str, FileBatch] = field(default_factory=dict)

    @property
    def expires_at(self) -> int | None:
        """When it expires unless it is used before; None where it does not."""
        return None if self.days is None else int(self.last_active_at) + self.days * _DAY

    def has_expired(self, now: float) -> bool:
        """True once it was not used for too long."""
        return self.expires_at is not None and now >= self.expires_at

    def as_object(self, size: int, now: float) -> dict[str, Any]:
        """The store as the API shows it, where its files have so many bytes."""
        counts = count_files(list(self.files.values()), now)
        status = "in_progress" if counts["in_progress"] else "completed"
        expiry = None if self.days is None else {"anchor": "last_active_at", "days": self.days}
        return {
            "id": self.id,
            "object": "vector_store",
            "created_at": self.created_at,
            "name": self.name,
            "usage_bytes": size,
            "file_counts": counts,
            "status": "expired" if self.has_expired(now) else status,
            "expires_after": expiry,
            "expires_at": self.expires_at,
            "last_active_at": int(self.last_active_at),
            "metadata": self.metadata,
        }


def count_files(files: list[AttachedFile], now: float) -> dict[str, int]:
    """How many files have each status, and in all."""
    statuses = [file.status(now) for file in files]
    return {name: statuses.count(name) for name in _STATUSES} | {"total": len(files)}
