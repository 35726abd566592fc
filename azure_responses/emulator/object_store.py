"""Files, vector stores, containers and conversations of one resource."""

import math
import re
from dataclasses import dataclass, field
from typing import Any

from azure_responses.emulator.bounded_dict import BoundedDict
from azure_responses.emulator.contents import StoredContent
from azure_responses.emulator.opaque_values import IdentifierMint
from azure_responses.emulator.skill_store import EmulatedSkill
from azure_responses.emulator.timing import Clock
from azure_responses.emulator.vector_store import EmulatedVectorStore

__all__ = [
    "CONTAINER_IDLE_SECONDS", "CONTAINER_SESSION_SECONDS", "EmulatedContainer",
    "ObjectStore", "StoredConversation", "EmulatedFile", "StoredUpload",
]  # fmt: skip

# Microsoft's Responses page: idle timeout 20 minutes, a session lasts an hour at most.
CONTAINER_IDLE_SECONDS = 20 * 60
CONTAINER_SESSION_SECONDS = 60 * 60
# Of each kind, and bytes of files in all: the oldest are dropped. Azure keeps 10,000 files of
# each purpose.
_MOST, _MOST_ITEMS, _MOST_FILES = 1000, 5000, 25_000
# In memory, and in temporary files, each of which is open: macOS allows 256 in a process.
_MOST_BYTES, _MOST_SPOOLED = 256 * 1024 * 1024, 8 * 1024 * 1024 * 1024
_MOST_SPOOLS = 200
# OpenAI's reference: an upload expires after an hour.
_UPLOAD_SECONDS = 3600
_WORD = re.compile(r"\w+")


@dataclass
class EmulatedFile:
    """An uploaded file."""

    id: str
    filename: str
    purpose: str
    created_at: int
    content: StoredContent
    expires_at: int | None = None

    def as_object(self) -> dict[str, Any]:
        """The file as the API shows it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "object": "file",
            "bytes": self.content.size,
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }
        if self.expires_at is not None:
            shown["expires_at"] = self.expires_at
        return shown


@dataclass
class StoredUpload:
    """A file that is sent in parts; it has to be complete within an hour."""

    id: str
    filename: str
    purpose: str
    size: int
    created_at: int
    expires_in: int | None = None
    parts: dict[str, StoredContent] = field(default_factory=dict)
    file: EmulatedFile | None = None
    is_cancelled: bool = False

    @property
    def expires_at(self) -> int:
        """When it is too late to complete it."""
        return self.created_at + _UPLOAD_SECONDS

    @property
    def received(self) -> int:
        """The bytes of the parts so far."""
        return sum(part.size for part in self.parts.values())

    def status(self, now: float) -> str:
        """`pending`, `completed`, `cancelled` or `expired`."""
        if self.is_cancelled:
            return "cancelled"
        if self.file is not None:
            return "completed"
        return "expired" if now >= self.expires_at else "pending"

    def as_object(self, now: float) -> dict[str, Any]:
        """The upload as the API shows it."""
        return {
            "id": self.id,
            "object": "upload",
            "bytes": self.size,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": self.status(now),
            "file": self.file.as_object() if self.file else None,
        }


@dataclass
class EmulatedContainer:
    """Where the code interpreter keeps its files; it expires when idle, and after an hour."""

    id: str
    name: str
    created_at: float
    last_active_at: float
    idle_seconds: float = CONTAINER_IDLE_SECONDS
    memory_limit: str = "1g"
    files: dict[str, dict[str, Any]] = field(default_factory=lambda: BoundedDict(_MOST))
    contents: dict[str, StoredContent] = field(default_factory=lambda: BoundedDict(_MOST))

    def add_file(
        self, filename: str, content: StoredContent, source: str, now: float, file_id: str
    ) -> dict[str, Any]:
        """Keep a file of a `user` or of the `assistant`, and no more than a thousand of them."""
        file: dict[str, Any] = {
            "id": file_id,
            "object": "container.file",
            "created_at": int(now),
            "bytes": content.size,
            "container_id": self.id,
            "path": f"/mnt/data/{filename}",
            "source": source,
        }
        self.files[file_id] = file
        self.contents[file_id] = content
        return file

    def has_expired(self, now: float) -> bool:
        """True once it was idle for too long, or its session is over."""
        is_idle = now >= self.last_active_at + self.idle_seconds
        return is_idle or now >= self.created_at + CONTAINER_SESSION_SECONDS


@dataclass
class StoredConversation:
    """Items that responses continue and add to."""

    id: str
    created_at: int
    metadata: dict[str, Any]
    items: list[dict[str, Any]] = field(default_factory=list)

    def add(self, items: list[dict[str, Any]]) -> None:
        """Go on with these items; the oldest of several thousand are dropped."""
        # A new list: a response in progress goes on with the one that it began with.
        self.items = [*self.items, *items][-_MOST_ITEMS:]


class ObjectStore:
    """What a resource's callers have put into it, each by id."""

    def __init__(self, mint: IdentifierMint, clock: Clock) -> None:
        self._mint = mint
        self._clock = clock
        self._files: dict[str, EmulatedFile] = BoundedDict(_MOST_FILES, self.drop_file)
        self._next_expiry = math.inf
        self._in_memory = self._spooled = self._spools = 0
        self.vector_stores: dict[str, EmulatedVectorStore] = BoundedDict(_MOST)
        self.uploads: dict[str, StoredUpload] = BoundedDict(_MOST)
        self.containers: dict[str, EmulatedContainer] = BoundedDict(_MOST)
        self.conversations: dict[str, StoredConversation] = BoundedDict(_MOST)
        self.skills: dict[str, EmulatedSkill] = BoundedDict(_MOST)

    @property
    def files(self) -> dict[str, EmulatedFile]:
        """The files that have not expired."""
        now = self._clock.now()
        if now >= self._next_expiry:
            self._drop_expired(now)
        return self._files

    def _drop_expired(self, now: float) -> None:
        dated = {key: file.expires_at for key, file in self._files.items() if file.expires_at}
        for file_id, expires_at in dated.items():
            if now >= expires_at:
                self.drop_file(file_id)
        self._next_expiry = min((at for at in dated.values() if at > now), default=math.inf)

    def add_file(
        self, filename: str, purpose: str, content: StoredContent, expires_in: int | None = None
    ) -> EmulatedFile:
        """Keep an upload, for so many seconds where they are given."""
        self.make_room(content)
        now = int(self._clock.now())
        expires_at = None if expires_in is None else now + expires_in
        file_id = self._mint.file(purpose)
        file = EmulatedFile(file_id, filename, purpose, now, content, expires_at)
        self._files[file.id] = file
        self._count(content, 1)
        if expires_at is not None:
            self._next_expiry = min(self._next_expiry, expires_at)
        return file

    def drop_file(self, file_id: str) -> None:
        """Forget a file; vector stores do not have it any more either."""
        self._count(self._files.pop(file_id).content, -1)
        for store in self.vector_stores.values():
            store.files.pop(file_id, None)

    def _count(self, content: StoredContent, sign: int) -> None:
        if content.is_in_memory:
            self._in_memory += sign * content.size
        else:
            self._spooled += sign * content.size
            self._spools += sign

    def make_room(self, content: StoredContent) -> None:
        """Drop the oldest files until there is room for one more with that content."""
        while self._files and self._lacks_room(content):
            self.drop_file(next(iter(self._files)))
        for container in list(self.containers.values()):
            if not self._lacks_room(content):
                return
            container.files.clear()
            container.contents.clear()

    def _lacks_room(self, content: StoredContent) -> bool:
        kept = [one for box in self.containers.values() for one in box.contents.values()]
        kept += [part for upload in self.uploads.values() for part in upload.parts.values()]
        kept += [
            version.bundle.archive
            for skill in self.skills.values()
            for version in skill.versions.values()
        ]
        if content.is_in_memory:
            held = sum(one.size for one in kept if one.is_in_memory)
            return self._in_memory + held + content.size > _MOST_BYTES
        sizes = [one.size for one in kept if not one.is_in_memory]
        if self._spools + len(sizes) >= _MOST_SPOOLS:
            return True
        return self._spooled + sum(sizes) + content.size > _MOST_SPOOLED

    def add_vector_store(self, name: str | None, metadata: dict[str, Any]) -> EmulatedVectorStore:
        """A new store without files."""
        store_id = "vs_" + self._mint.letters(24)
        now = self._clock.now()
        store = EmulatedVectorStore(store_id, name, int(now), metadata, now)
        self.vector_stores[store.id] = store
        return store

    def add_upload(
        self, filename: str, purpose: str, size: int, expires_in: int | None
    ) -> StoredUpload:
        """A new upload without parts."""
        upload_id = "upload_" + self._mint.digits(32)
        now = int(self._clock.now())
        upload = StoredUpload(upload_id, filename, purpose, size, now, expires_in)
        self.uploads[upload.id] = upload
        return upload

    def add_container(
        self,
        name: str,
        idle_seconds: float = CONTAINER_IDLE_SECONDS,
        container_id: str | None = None,
    ) -> EmulatedContainer:
        """A new container; `container_id` for one that a tool call has started."""
        now = self._clock.now()
        container_id = container_id or self._mint.container()
        container = EmulatedContainer(container_id, name, now, now, idle_seconds)
        self.containers[container.id] = container
        return container

    def add_conversation(self, metadata: dict[str, Any]) -> StoredConversation:
        """A new conversation without items."""
        conversation = StoredConversation(self._mint.item("conv"), int(self._clock.now()), metadata)
        self.conversations[conversation.id] = conversation
        return conversation

    def find_file(self, file_id: str) -> dict[str, Any] | None:
        """A file's object with its `content` (bytes), as the engine reads it."""
        file = self.files.get(file_id)
        return {**file.as_object(), "content": file.content.read()} if file else None

    def search(self, store_ids: list[str], query: str) -> list[tuple[str, str, str]]:
        """(file id, filename, text) of the stores' files, most words of the query first."""
        # Word overlap in place of embeddings: a test can tell what will be found.
        words = set(_WORD.findall(query.lower()))
        rows: list[tuple[int, tuple[str, str, str]]] = []
        for file in self._files_of(store_ids):
            text = file.content.read().decode("utf-8", "replace")
            score = len(words.intersection(_WORD.findall(text.lower())))
            rows.append((score, (file.id, file.filename, text)))
        rows.sort(key=lambda row: -row[0])
        return [row for score, row in rows if score or not words]

    def _files_of(self, store_ids: list[str]) -> list[EmulatedFile]:
        now, files = self._clock.now(), self.files
        stores = [self.vector_stores.get(store_id) for store_id in store_ids]
        found: dict[str, EmulatedFile] = {}
        for store in stores:
            for attached in store.files.values() if store else ():
                if attached.status(now) == "completed":
                    found[attached.file_id] = files[attached.file_id]
        return list(found.values())
