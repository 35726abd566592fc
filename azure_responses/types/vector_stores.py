"""Vector stores: their files, the work of indexing them, and what a search finds."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from .mending import Loose
from .model import OPEN, Model, Number
from .result import Result

__all__ = [
    "FileAttributes",
    "FileChunkingStrategy",
    "StaticFileChunkingStrategy",
    "VectorStore",
    "VectorStoreDeleted",
    "VectorStoreExpiresAfter",
    "VectorStoreFile",
    "VectorStoreFileBatch",
    "VectorStoreFileContent",
    "VectorStoreFileCounts",
    "VectorStoreFileDeleted",
    "VectorStoreFileError",
    "VectorStoreSearchContent",
    "VectorStoreSearchResponse",
]

FileAttributes = dict[str, str | float | bool]
"""What a search may filter by: at most 16 names, each with a text, a number or a boolean."""

_FileStatus = Annotated[Literal["in_progress", "completed", "cancelled", "failed"] | str, OPEN]


class VectorStoreFileCounts(Model):
    """How many files of a store, or of one piece of work, are in which state."""

    cancelled: int = 0
    completed: int = 0
    failed: int = 0
    in_progress: int = 0
    total: int = 0


class VectorStoreExpiresAfter(Model):
    """After how many days without use a store is deleted."""

    anchor: Annotated[Literal["last_active_at"] | str, OPEN] | None = None
    days: int | None = None


class VectorStore(Result):
    """A vector store; times are Unix seconds. Storage is billed by the day after the first GB."""

    _is_sent_by_id: ClassVar[bool] = True
    _stand_ins: ClassVar[Mapping[str, Any]] = {"created_at": 0, "status": "", "usage_bytes": 0}

    id: str
    created_at: Number
    file_counts: Loose[VectorStoreFileCounts] = Field(default_factory=VectorStoreFileCounts)
    last_active_at: Number | None = None
    metadata: dict[str, Any] | None = None
    name: str | None = None
    object: str = "vector_store"
    status: Annotated[Literal["expired", "in_progress", "completed"] | str, OPEN]
    usage_bytes: int
    description: str | None = None
    expires_after: Loose[VectorStoreExpiresAfter | None] = None
    expires_at: Number | None = None


class VectorStoreDeleted(Result):
    """Confirms that a vector store is deleted; its files stay."""

    id: str
    deleted: bool
    object: str = "vector_store.deleted"


class StaticFileChunkingStrategy(Model):
    """Into pieces of how many tokens a file is cut, and by how many these overlap."""

    chunk_overlap_tokens: int
    max_chunk_size_tokens: int


class FileChunkingStrategy(Model):
    """How a file is cut into pieces; "other" stands for files that are older than this choice."""

    type: Annotated[Literal["auto", "static", "other"] | str, OPEN]
    static: Loose[StaticFileChunkingStrategy | None] = None


class VectorStoreFileError(Model):
    """Why a file could not be indexed."""

    code: Annotated[Literal["server_error", "unsupported_file", "invalid_file"] | str, OPEN]
    message: str = ""


class VectorStoreFile(Result):
    """A file of a vector store; it can be found once its status is "completed"."""

    _stand_ins: ClassVar[Mapping[str, Any]] = {"created_at": 0, "status": ""}

    id: str
    created_at: Number
    last_error: Loose[VectorStoreFileError | None] = None
    object: str = "vector_store.file"
    status: _FileStatus
    usage_bytes: int = 0
    vector_store_id: str = ""
    attributes: dict[str, Any] | None = None
    chunking_strategy: Loose[FileChunkingStrategy | None] = None


class VectorStoreFileDeleted(Result):
    """Confirms that a file is no longer in a vector store; the file itself stays."""

    id: str
    deleted: bool
    object: str = "vector_store.file.deleted"


class VectorStoreFileBatch(Result):
    """The work of adding many files to a store; `file_counts` says how far it is."""

    _stand_ins: ClassVar[Mapping[str, Any]] = {"created_at": 0, "status": ""}

    id: str
    created_at: Number
    file_counts: Loose[VectorStoreFileCounts] = Field(default_factory=VectorStoreFileCounts)
    object: str = "vector_store.files_batch"
    status: _FileStatus
    vector_store_id: str = ""


class VectorStoreFileContent(Result):
    """A piece of a file's text, as it was read out of the file."""

    text: str | None = None
    type: str | None = None


class VectorStoreSearchContent(Model):
    """A piece of the text that was found."""

    text: str = ""
    type: Annotated[Literal["text"] | str, OPEN] = "text"


class VectorStoreSearchResponse(Result):
    """A file that a search found, with the pieces of its text that fit; `score` is 0 to 1."""

    attributes: dict[str, Any] | None = None
    content: list[VectorStoreSearchContent] = Field(default_factory=list)
    file_id: str
    filename: str = ""
    score: Number = 0.0
