"""`client.vector_stores`: files that `file_search` finds text in."""

from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any, Literal, Unpack

from azure_responses._async.object_resource import AsyncObjectResource
from azure_responses._async.pages import AsyncPages
from azure_responses._async.vector_store_batches import AsyncVectorStoreFileBatches
from azure_responses._async.vector_store_files import AsyncVectorStoreFiles
from azure_responses.call_options import CallOptions
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.object_request import given
from azure_responses.types.model import Model
from azure_responses.types.vector_stores import (
    VectorStore,
    VectorStoreDeleted,
    VectorStoreSearchResponse,
)

__all__ = ["AsyncVectorStoreFileBatches", "AsyncVectorStoreFiles", "AsyncVectorStores"]

_Fields = Model | Mapping[str, Any]
_Order = Literal["asc", "desc"]


class AsyncVectorStores(AsyncObjectResource):
    """`client.vector_stores`."""

    @property
    def files(self) -> AsyncVectorStoreFiles:
        """The files of a vector store."""
        return AsyncVectorStoreFiles(self._calls, self._timeout)

    @property
    def file_batches(self) -> AsyncVectorStoreFileBatches:
        """Many files that are added to a vector store at once."""
        return AsyncVectorStoreFileBatches(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    async def create(
        self,
        *,
        chunking_strategy: _Fields | None = None,
        description: str | None = None,
        expires_after: _Fields | None = None,
        file_ids: Sequence[str] | None = None,
        metadata: Mapping[str, str] | None = None,
        name: str | None = None,
        **options: Unpack[CallOptions],
    ) -> VectorStore:
        """Create a vector store; storage beyond the first GB is billed by the day.

        Args:
            chunking_strategy: how the files are cut, such as {"type": "auto"}.
            description: what the store is for.
            expires_after: such as {"anchor": "last_active_at", "days": 7}.
            file_ids: files of the purpose "assistants" that it begins with; `file_counts` of the
                store says how far they are.
            metadata: up to 16 pairs of texts.
            name: of the store.
            options: of the call.
        """
        body = given(
            chunking_strategy=chunking_strategy,
            description=description,
            expires_after=expires_after,
            file_ids=file_ids,
            metadata=metadata,
            name=name,
        )
        return await self._perform("vector_stores.create", VectorStore, options, body=body)

    @shows_parameters(CallOptions)
    async def retrieve(self, vector_store_id: str, **options: Unpack[CallOptions]) -> VectorStore:
        """The current state of a vector store."""
        return await self._perform("vector_stores.retrieve", VectorStore, options, vector_store_id)

    @shows_parameters(CallOptions)
    async def update(
        self,
        vector_store_id: str,
        *,
        expires_after: _Fields | EllipsisType | None = ...,
        metadata: Mapping[str, str] | EllipsisType | None = ...,
        name: str | EllipsisType | None = ...,
        **options: Unpack[CallOptions],
    ) -> VectorStore:
        """Change the given fields of a vector store; None removes a field."""
        wanted = {"expires_after": expires_after, "metadata": metadata, "name": name}
        body = {key: value for key, value in wanted.items() if value is not ...}
        return await self._perform(
            "vector_stores.update", VectorStore, options, vector_store_id, body=body
        )

    @shows_parameters(CallOptions)
    def list(
        self,
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int | None = None,
        order: _Order | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncPages[VectorStore]:
        """The vector stores: iterate for all of them, over as many pages as needed.

        `limit` is the size of a page, 1 to 100, by default 20; `order` is "desc" by default.
        """
        return self._list(
            "vector_stores.list",
            VectorStore,
            options,
            after=after,
            before=before,
            limit=limit,
            order=order,
        )

    @shows_parameters(CallOptions)
    async def delete(
        self, vector_store_id: str, **options: Unpack[CallOptions]
    ) -> VectorStoreDeleted:
        """Delete a vector store; its files stay."""
        return await self._perform(
            "vector_stores.delete", VectorStoreDeleted, options, vector_store_id
        )

    @shows_parameters(CallOptions)
    def search(
        self,
        vector_store_id: str,
        *,
        query: str | Sequence[str],
        filters: _Fields | None = None,
        max_num_results: int | None = None,
        ranking_options: _Fields | None = None,
        rewrite_query: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncPages[VectorStoreSearchResponse]:
        """The results of a search, the best first: iterate over them.

        Args:
            vector_store_id: of the store.
            query: what to look for.
            filters: by attributes of the files, such as {"type": "eq", "key": "year", "value": 1}.
            max_num_results: 1 to 50, by default 10.
            ranking_options: such as {"score_threshold": 0.5}.
            rewrite_query: lets the service put a question into better words for a search.
            options: of the call.
        """
        body = given(
            query=query,
            filters=filters,
            max_num_results=max_num_results,
            ranking_options=ranking_options,
            rewrite_query=rewrite_query,
        )
        return self._page(
            "vector_stores.search",
            VectorStoreSearchResponse,
            options,
            vector_store_id,
            body=body,
        )
