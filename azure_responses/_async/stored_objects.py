"""The resources of stored objects, which clients and routers have alike: `files`, `uploads`, …."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from azure_responses.transport import Timeout

if TYPE_CHECKING:
    from azure_responses._async.batches import AsyncBatches
    from azure_responses._async.containers import AsyncContainers
    from azure_responses._async.conversations import AsyncConversations
    from azure_responses._async.files import AsyncFiles
    from azure_responses._async.object_calls import AsyncObjectCalls
    from azure_responses._async.skills import AsyncSkills
    from azure_responses._async.uploads import AsyncUploads
    from azure_responses._async.vector_stores import AsyncVectorStores

__all__ = ["AsyncStoredObjects"]

T = TypeVar("T")


class AsyncStoredObjects:
    """Each resource is imported on use: most programs use none of them."""

    @property
    def files(self) -> "AsyncFiles":
        """Upload, list, read and delete files."""
        from azure_responses._async.files import AsyncFiles

        return self._objects(AsyncFiles)

    @property
    def uploads(self) -> "AsyncUploads":
        """Upload large files in parts."""
        from azure_responses._async.uploads import AsyncUploads

        return self._objects(AsyncUploads)

    @property
    def containers(self) -> "AsyncContainers":
        """Create, list and delete containers, and read the files in them."""
        from azure_responses._async.containers import AsyncContainers

        return self._objects(AsyncContainers)

    @property
    def conversations(self) -> "AsyncConversations":
        """Create, read, change and delete conversations, and their items."""
        from azure_responses._async.conversations import AsyncConversations

        return self._objects(AsyncConversations)

    @property
    def vector_stores(self) -> "AsyncVectorStores":
        """Create, fill, search and delete vector stores."""
        from azure_responses._async.vector_stores import AsyncVectorStores

        return self._objects(AsyncVectorStores)

    @property
    def batches(self) -> "AsyncBatches":
        """Create, list, cancel and wait for batches."""
        from azure_responses._async.batches import AsyncBatches

        return self._objects(AsyncBatches)

    @property
    def skills(self) -> "AsyncSkills":
        """Upload, list, read and delete skills and their versions."""
        from azure_responses._async.skills import AsyncSkills

        return self._objects(AsyncSkills)

    def _objects(self, kind: "Callable[[AsyncObjectCalls, Timeout], T]") -> T:
        """A resource whose calls this client or router performs."""
        raise NotImplementedError
