# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`router.scoped(…)`: the stored objects of one owner, made at the resource of one model."""

from collections.abc import Callable
from typing import TypeVar

from azure_responses._sync.object_calls import ObjectCalls
from azure_responses._sync.stored_objects import StoredObjects
from azure_responses.router._sync.object_calls import RouterObjectCalls
from azure_responses.router._sync.routed_calls import RoutedCalls
from azure_responses.router.request_reader import RequestReader
from azure_responses.transport import Timeout

__all__ = ["ScopedObjects"]

T = TypeVar("T")


class ScopedObjects(StoredObjects):
    """`files`, `vector_stores` and the other stored objects, as a client has them.

    Args:
        reader: the router's.
        calls: gives the loop under every call.
        model: at whose resource objects are made; None leaves it to the only resource.
        owner: the owner of the objects; only this owner can use their ids.
        end_user: for whom they are made.
        replicate: files are uploaded to every resource of the model; None leaves it to the router.
    """

    def __init__(
        self,
        reader: RequestReader,
        calls: Callable[[], RoutedCalls],
        *,
        model: str | None = None,
        owner: str | None = None,
        end_user: str | None = None,
        replicate: bool | None = None,
    ) -> None:
        self._reader = reader
        self._calls_of = calls
        self._model = model
        self._owner = owner
        self._end_user = end_user
        self._replicate = replicate

    def _objects(self, kind: Callable[[ObjectCalls, Timeout], T]) -> T:
        calls = RouterObjectCalls(
            self._reader.objects,
            self._calls_of,
            model=self._model,
            owner=self._owner,
            end_user=self._end_user,
            replicates=self._replicate,
        )
        return kind(calls, self._reader.timeout)
