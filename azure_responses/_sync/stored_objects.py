# Written by scripts/unasync: change the file of this name in ../_async instead.
"""The resources of stored objects, which clients and routers have alike: `files`, `uploads`, …."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from azure_responses.transport import Timeout

if TYPE_CHECKING:
    from azure_responses._sync.batches import Batches
    from azure_responses._sync.containers import Containers
    from azure_responses._sync.conversations import Conversations
    from azure_responses._sync.files import Files
    from azure_responses._sync.object_calls import ObjectCalls
    from azure_responses._sync.skills import Skills
    from azure_responses._sync.uploads import Uploads
    from azure_responses._sync.vector_stores import VectorStores

__all__ = ["StoredObjects"]

T = TypeVar("T")


class StoredObjects:
    """Each resource is imported on use: most programs use none of them."""

    @property
    def files(self) -> "Files":
        """Upload, list, read and delete files."""
        from azure_responses._sync.files import Files

        return self._objects(Files)

    @property
    def uploads(self) -> "Uploads":
        """Upload large files in parts."""
        from azure_responses._sync.uploads import Uploads

        return self._objects(Uploads)

    @property
    def containers(self) -> "Containers":
        """Create, list and delete containers, and read the files in them."""
        from azure_responses._sync.containers import Containers

        return self._objects(Containers)

    @property
    def conversations(self) -> "Conversations":
        """Create, read, change and delete conversations, and their items."""
        from azure_responses._sync.conversations import Conversations

        return self._objects(Conversations)

    @property
    def vector_stores(self) -> "VectorStores":
        """Create, fill, search and delete vector stores."""
        from azure_responses._sync.vector_stores import VectorStores

        return self._objects(VectorStores)

    @property
    def batches(self) -> "Batches":
        """Create, list, cancel and wait for batches."""
        from azure_responses._sync.batches import Batches

        return self._objects(Batches)

    @property
    def skills(self) -> "Skills":
        """Upload, list, read and delete skills and their versions."""
        from azure_responses._sync.skills import Skills

        return self._objects(Skills)

    def _objects(self, kind: "Callable[[ObjectCalls, Timeout], T]") -> T:
        """A resource whose calls this client or router performs."""
        raise NotImplementedError
