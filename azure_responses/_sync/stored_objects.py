# Written by scripts/unasync: change the file of this name in ../_async instead.
"""The resources of stored objects, which clients and routers have alike: `files`, `uploads`, …."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from azure_responses.transport import Timeout

if TYPE_CHECKING:
    from azure_responses._sync.files import Files
    from azure_responses._sync.object_calls import ObjectCalls
    from azure_responses._sync.uploads import Uploads

__all__ = ["StoredObjects"]

T = TypeVar("T")


class StoredObjects:
    """Each resource is imported on use: most programs have none."""

    def _objects(self, kind: "Callable[[ObjectCalls, Timeout], T]") -> T:
        """A resource over what performs the calls here."""
        raise NotImplementedError

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
