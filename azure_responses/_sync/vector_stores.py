# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`client.vector_stores`: files that `file_search` finds text in."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import EllipsisType
from typing import Any, Literal, Unpack

from azure_responses._sync.concurrency import map_concurrently
from azure_responses._sync.files import Files
from azure_responses._sync.object_resource import ObjectResource
from azure_responses._sync.pages import Pages
from azure_responses.call_options import CallOptions
from azure_responses.errors import ConfigurationError
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.object_request import given
from azure_responses.protocol.polling import FILE_BATCH, STORE_FILE, Poll
from azure_responses.types.model import Model
from azure_responses.types.vector_stores import (
    FileAttributes,
    VectorStore,
    VectorStoreDeleted,
    VectorStoreFile,
    VectorStoreFileBatch,
    VectorStoreFileContent,
    VectorStoreFileDeleted,
    VectorStoreSearchResponse,
)

__all__ = ["VectorStoreFileBatches", "VectorStoreFiles", "VectorStores"]

_Fields = Model | Mapping[str, Any]
_Filter = Literal["in_progress", "completed", "failed", "cancelled"]
_Order = Literal["asc", "desc"]


class VectorStores(ObjectResource):
    """`client.vector_stores`."""

    @property
    def files(self) -> "VectorStoreFiles":
        """The files of a vector store."""
        return VectorStoreFiles(self._calls, self._timeout)

    @property
    def file_batches(self) -> "VectorStoreFileBatches":
        """Many files that are added to a vector store at once."""
        return VectorStoreFileBatches(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    def create(
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
        return self._perform("vector_stores.create", VectorStore, options, body=body)

    @shows_parameters(CallOptions)
    def retrieve(self, vector_store_id: str, **options: Unpack[CallOptions]) -> VectorStore:
        """The current state of a vector store."""
        return self._perform("vector_stores.retrieve", VectorStore, options, vector_store_id)

    @shows_parameters(CallOptions)
    def update(
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
        return self._perform(
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
    ) -> Pages[VectorStore]:
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
    def delete(self, vector_store_id: str, **options: Unpack[CallOptions]) -> VectorStoreDeleted:
        """Delete a vector store; its files stay."""
        return self._perform("vector_stores.delete", VectorStoreDeleted, options, vector_store_id)

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
    ) -> Pages[VectorStoreSearchResponse]:
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


class VectorStoreFiles(ObjectResource):
    """`client.vector_stores.files`."""

    @shows_parameters(CallOptions)
    def create(
        self,
        vector_store_id: str,
        *,
        file_id: str,
        attributes: FileAttributes | None = None,
        chunking_strategy: _Fields | None = None,
        **options: Unpack[CallOptions],
    ) -> VectorStoreFile:
        """Add a file to a vector store; it can be found once its status is "completed".

        Args:
            vector_store_id: of the store.
            file_id: of a file of the purpose "assistants".
            attributes: what a search may filter by.
            chunking_strategy: how the file is cut, such as {"type": "auto"}.
            options: of the call.
        """
        body = given(file_id=file_id, attributes=attributes, chunking_strategy=chunking_strategy)
        return self._perform(
            "vector_stores.files.create", VectorStoreFile, options, vector_store_id, body=body
        )

    @shows_parameters(CallOptions)
    def retrieve(
        self, file_id: str, *, vector_store_id: str, **options: Unpack[CallOptions]
    ) -> VectorStoreFile:
        """The current state of a file of a vector store."""
        return self._perform(
            "vector_stores.files.retrieve", VectorStoreFile, options, vector_store_id, file_id
        )

    @shows_parameters(CallOptions)
    def update(
        self,
        file_id: str,
        *,
        vector_store_id: str,
        attributes: FileAttributes | None,
        **options: Unpack[CallOptions],
    ) -> VectorStoreFile:
        """Replace the attributes of a file; None removes all of them."""
        return self._perform(
            "vector_stores.files.update",
            VectorStoreFile,
            options,
            vector_store_id,
            file_id,
            body={"attributes": attributes},
        )

    @shows_parameters(CallOptions)
    def list(
        self,
        vector_store_id: str,
        *,
        after: str | None = None,
        before: str | None = None,
        filter: _Filter | None = None,
        limit: int | None = None,
        order: _Order | None = None,
        **options: Unpack[CallOptions],
    ) -> Pages[VectorStoreFile]:
        """The files of a vector store: iterate for all of them, over as many pages as needed.

        `filter` lists those in one state.
        """
        return self._list(
            "vector_stores.files.list",
            VectorStoreFile,
            options,
            vector_store_id,
            after=after,
            before=before,
            filter=filter,
            limit=limit,
            order=order,
        )

    @shows_parameters(CallOptions)
    def delete(
        self, file_id: str, *, vector_store_id: str, **options: Unpack[CallOptions]
    ) -> VectorStoreFileDeleted:
        """Remove a file from a vector store; the file itself stays."""
        return self._perform(
            "vector_stores.files.delete",
            VectorStoreFileDeleted,
            options,
            vector_store_id,
            file_id,
        )

    @shows_parameters(CallOptions)
    def content(
        self, file_id: str, *, vector_store_id: str, **options: Unpack[CallOptions]
    ) -> Pages[VectorStoreFileContent]:
        """The text that was read out of a file, in pieces: iterate over them."""
        return self._page(
            "vector_stores.files.content",
            VectorStoreFileContent,
            options,
            vector_store_id,
            file_id,
        )

    @shows_parameters(CallOptions)
    def poll(
        self,
        file_id: str,
        *,
        vector_store_id: str,
        poll_interval_ms: int | None = None,
        max_wait_seconds: float | None = None,
        on_progress: Callable[[VectorStoreFile], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> VectorStoreFile:
        """Wait until a file is indexed or has failed; its status says which.

        Args:
            file_id: which file.
            vector_store_id: of the store.
            poll_interval_ms: milliseconds between polls; None goes by what the service asks for,
                else starts at half a second and grows to five.
            max_wait_seconds: seconds to wait in all; None waits for ever.
            on_progress: called with what each poll found, the last one included.
            options: of each poll.

        Raises:
            APITimeoutError: the time is up; the service goes on with the file.
        """
        poll = Poll.every(poll_interval_ms, max_wait_seconds, time.monotonic(), STORE_FILE)

        def retrieve(every: CallOptions) -> VectorStoreFile:
            return self.retrieve(file_id, vector_store_id=vector_store_id, **every)

        return self._wait(retrieve, poll, options, on_progress)

    @shows_parameters(CallOptions)
    def create_and_poll(
        self,
        file_id: str,
        *,
        vector_store_id: str,
        attributes: FileAttributes | None = None,
        poll_interval_ms: int | None = None,
        max_wait_seconds: float | None = None,
        chunking_strategy: _Fields | None = None,
        on_progress: Callable[[VectorStoreFile], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> VectorStoreFile:
        """`create`, then `poll`."""
        self.create(
            vector_store_id,
            file_id=file_id,
            attributes=attributes,
            chunking_strategy=chunking_strategy,
            **options,
        )
        return self.poll(
            file_id,
            vector_store_id=vector_store_id,
            poll_interval_ms=poll_interval_ms,
            max_wait_seconds=max_wait_seconds,
            on_progress=on_progress,
            **_of_polls(options),
        )

    def upload(
        self,
        *,
        vector_store_id: str,
        file: Any,
        chunking_strategy: _Fields | None = None,
        attributes: FileAttributes | None = None,
    ) -> VectorStoreFile:
        """Upload a file with the purpose "assistants", and add it to a vector store.

        The file is given as `files.create` takes it. Where it cannot be added, the error has a note
        with its id.
        """
        stored = Files(self._calls, self._timeout).create(file=file, purpose="assistants")
        try:
            return self.create(
                vector_store_id,
                file_id=stored.id,
                attributes=attributes,
                chunking_strategy=chunking_strategy,
            )
        except Exception as error:
            _note_uploads(error, [stored.id])
            raise

    def upload_and_poll(
        self,
        *,
        vector_store_id: str,
        file: Any,
        attributes: FileAttributes | None = None,
        poll_interval_ms: int | None = None,
        max_wait_seconds: float | None = None,
        chunking_strategy: _Fields | None = None,
        on_progress: Callable[[VectorStoreFile], object] | None = None,
    ) -> VectorStoreFile:
        """`upload`, then `poll`."""
        added = self.upload(
            vector_store_id=vector_store_id,
            file=file,
            attributes=attributes,
            chunking_strategy=chunking_strategy,
        )
        return self.poll(
            added.id,
            vector_store_id=vector_store_id,
            poll_interval_ms=poll_interval_ms,
            max_wait_seconds=max_wait_seconds,
            on_progress=on_progress,
        )


class VectorStoreFileBatches(ObjectResource):
    """`client.vector_stores.file_batches`."""

    @shows_parameters(CallOptions)
    def create(
        self,
        vector_store_id: str,
        *,
        attributes: FileAttributes | None = None,
        chunking_strategy: _Fields | None = None,
        file_ids: Sequence[str] | None = None,
        files: Iterable[_Fields] | None = None,
        **options: Unpack[CallOptions],
    ) -> VectorStoreFileBatch:
        """Add many files to a vector store, at most 500 in one call.

        Args:
            vector_store_id: of the store.
            attributes, chunking_strategy: of all of them.
            file_ids: the files.
            files: in place of `file_ids`, each with its own attributes, such as
                {"file_id": "assistant-…", "attributes": {"year": 2026}}.
            options: of the call.
        """
        body = given(
            attributes=attributes,
            chunking_strategy=chunking_strategy,
            file_ids=file_ids,
            files=files,
        )
        return self._perform(
            "vector_stores.file_batches.create",
            VectorStoreFileBatch,
            options,
            vector_store_id,
            body=body,
        )

    @shows_parameters(CallOptions)
    def retrieve(
        self, batch_id: str, *, vector_store_id: str, **options: Unpack[CallOptions]
    ) -> VectorStoreFileBatch:
        """The current state of the batch."""
        return self._perform(
            "vector_stores.file_batches.retrieve",
            VectorStoreFileBatch,
            options,
            vector_store_id,
            batch_id,
        )

    @shows_parameters(CallOptions)
    def cancel(
        self, batch_id: str, *, vector_store_id: str, **options: Unpack[CallOptions]
    ) -> VectorStoreFileBatch:
        """Stop the batch; files that are indexed already stay."""
        return self._perform(
            "vector_stores.file_batches.cancel",
            VectorStoreFileBatch,
            options,
            vector_store_id,
            batch_id,
        )

    @shows_parameters(CallOptions)
    def list_files(
        self,
        batch_id: str,
        *,
        vector_store_id: str,
        after: str | None = None,
        before: str | None = None,
        filter: _Filter | None = None,
        limit: int | None = None,
        order: _Order | None = None,
        **options: Unpack[CallOptions],
    ) -> Pages[VectorStoreFile]:
        """The files of the batch: iterate for all of them, over as many pages as needed."""
        return self._list(
            "vector_stores.file_batches.list_files",
            VectorStoreFile,
            options,
            vector_store_id,
            batch_id,
            after=after,
            before=before,
            filter=filter,
            limit=limit,
            order=order,
        )

    @shows_parameters(CallOptions)
    def poll(
        self,
        batch_id: str,
        *,
        vector_store_id: str,
        poll_interval_ms: int | None = None,
        max_wait_seconds: float | None = None,
        on_progress: Callable[[VectorStoreFileBatch], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> VectorStoreFileBatch:
        """Wait for the end of the batch; `file_counts` says how many files failed.

        The arguments are those of `vector_stores.files.poll`.

        Raises:
            APITimeoutError: the time is up; the service goes on with the files.
        """
        poll = Poll.every(poll_interval_ms, max_wait_seconds, time.monotonic(), FILE_BATCH)

        def retrieve(every: CallOptions) -> VectorStoreFileBatch:
            return self.retrieve(batch_id, vector_store_id=vector_store_id, **every)

        return self._wait(retrieve, poll, options, on_progress)

    @shows_parameters(CallOptions)
    def create_and_poll(
        self,
        vector_store_id: str,
        *,
        attributes: FileAttributes | None = None,
        chunking_strategy: _Fields | None = None,
        file_ids: Sequence[str] | None = None,
        files: Iterable[_Fields] | None = None,
        poll_interval_ms: int | None = None,
        max_wait_seconds: float | None = None,
        on_progress: Callable[[VectorStoreFileBatch], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> VectorStoreFileBatch:
        """`create`, then `poll`."""
        batch = self.create(
            vector_store_id,
            attributes=attributes,
            chunking_strategy=chunking_strategy,
            file_ids=file_ids,
            files=files,
            **options,
        )
        return self.poll(
            batch.id,
            vector_store_id=vector_store_id,
            poll_interval_ms=poll_interval_ms,
            max_wait_seconds=max_wait_seconds,
            on_progress=on_progress,
            **_of_polls(options),
        )

    def upload_and_poll(
        self,
        vector_store_id: str,
        *,
        files: Iterable[Any],
        max_concurrency: int = 5,
        file_ids: Sequence[str] = (),
        poll_interval_ms: int | None = None,
        chunking_strategy: _Fields | None = None,
        attributes: FileAttributes | None = None,
        max_wait_seconds: float | None = None,
        on_progress: Callable[[VectorStoreFileBatch], object] | None = None,
    ) -> VectorStoreFileBatch:
        """Upload files with the purpose "assistants", add them to a vector store, and `poll`.

        `files` is read while the files are uploaded, so that a generator needs little memory. After
        the first upload that fails no other begins; the error has a note with the ids of those that
        were uploaded, for `file_ids` of the next attempt.

        Args:
            vector_store_id: of the store.
            files: each as `files.create` takes it.
            max_concurrency: how many are uploaded at the same time.
            file_ids: of files that are stored already.
            chunking_strategy, attributes: of all of them.
            poll_interval_ms, max_wait_seconds, on_progress: as of `vector_stores.files.poll`.

        Raises:
            ConfigurationError: no file, or no room for one.
            APITimeoutError: the time is up; the service goes on with the files.
        """
        stored, uploaded = Files(self._calls, self._timeout), list[str]()

        def upload(file: Any) -> str:
            made = stored.create(file=file, purpose="assistants")
            uploaded.append(made.id)
            return made.id

        try:
            added = map_concurrently(upload, files, _check_concurrency(max_concurrency))
            if not added and not file_ids:
                raise ConfigurationError("There are no files to add.", hint="Pass files.")
            return self.create_and_poll(
                vector_store_id,
                file_ids=[*file_ids, *added],
                chunking_strategy=chunking_strategy,
                attributes=attributes,
                poll_interval_ms=poll_interval_ms,
                max_wait_seconds=max_wait_seconds,
                on_progress=on_progress,
            )
        except Exception as error:
            _note_uploads(error, uploaded)
            raise


def _check_concurrency(given: Any) -> int:
    if not isinstance(given, int) or given < 1:
        raise ConfigurationError(
            f"max_concurrency is {given!r}.", hint="It is a whole number from 1."
        )
    return given


def _of_polls(options: CallOptions) -> CallOptions:
    """The options of a creation for the polls after it, which have no body."""
    polls: CallOptions = {**options}
    polls.pop("extra_body", None)
    return polls


def _note_uploads(error: Exception, ids: Sequence[str]) -> None:
    if ids:
        error.add_note(f"Uploaded already, and not deleted: {', '.join(ids)}.")
