# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`client.vector_stores.file_batches`: many files that are added to a vector store at once."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Unpack

from azure_responses._sync.concurrency import map_concurrently
from azure_responses._sync.files import Files
from azure_responses._sync.object_resource import ObjectResource
from azure_responses._sync.pages import Pages
from azure_responses._sync.vector_store_files import note_uploads, options_of_polls
from azure_responses.call_options import CallOptions
from azure_responses.errors import ConfigurationError
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.object_request import given
from azure_responses.protocol.polling import FILE_BATCH, Poll
from azure_responses.types.model import Model
from azure_responses.types.vector_stores import (
    FileAttributes,
    VectorStoreFile,
    VectorStoreFileBatch,
)

__all__ = ["VectorStoreFileBatches"]

_Fields = Model | Mapping[str, Any]
_Filter = Literal["in_progress", "completed", "failed", "cancelled"]
_Order = Literal["asc", "desc"]


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
            **options_of_polls(options),
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
        uploaded = list[str]()
        try:
            added = self._upload(files, max_concurrency, uploaded)
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
            note_uploads(error, uploaded)
            raise

    def _upload(self, files: Iterable[Any], max_concurrency: int, uploaded: list[str]) -> list[str]:
        """The ids of the files in their order; `uploaded` gets each as soon as it is known."""
        stored = Files(self._calls, self._timeout)

        def upload(file: Any) -> str:
            made = stored.create(file=file, purpose="assistants")
            uploaded.append(made.id)
            return made.id

        return map_concurrently(upload, files, _check_concurrency(max_concurrency))


def _check_concurrency(given: Any) -> int:
    if not isinstance(given, int) or given < 1:
        raise ConfigurationError(
            f"max_concurrency is {given!r}.", hint="It is a whole number from 1."
        )
    return given
