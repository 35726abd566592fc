"""The resources of stored objects, which clients and routers have alike: `files`, `uploads`, …."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from azure_responses.transport import Timeout

if TYPE_CHECKING:
    from azure_responses._async.files import AsyncFiles
    from azure_responses._async.object_calls import AsyncObjectCalls
    from azure_responses._async.uploads import AsyncUploads

__all__ = ["AsyncStoredObjects"]

T = TypeVar("T")


class AsyncStoredObjects:
    """Each resource is imported on use: most programs have none."""

    def _objects(self, kind: "Callable[[AsyncObjectCalls, Timeout], T]") -> T:
        """A resource over what performs the calls here."""
        raise NotImplementedError

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
