# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`client.vector_stores.files`: the files of a vector store, one by one."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Unpack

from azure_responses._sync.files import Files
from azure_responses._sync.object_resource import ObjectResource
from azure_responses._sync.pages import Pages
from azure_responses.call_options import CallOptions
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.object_request import given
from azure_responses.protocol.polling import STORE_FILE, Poll
from azure_responses.types.model import Model
from azure_responses.types.vector_stores import (
    FileAttributes,
    VectorStoreFile,
    VectorStoreFileContent,
    VectorStoreFileDeleted,
)

__all__ = ["VectorStoreFiles", "note_uploads", "options_of_polls"]

_Fields = Model | Mapping[str, Any]
_Filter = Literal["in_progress", "completed", "failed", "cancelled"]
_Order = Literal["asc", "desc"]


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
            **options_of_polls(options),
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
            note_uploads(error, [stored.id])
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


def options_of_polls(options: CallOptions) -> CallOptions:
    """The options of a creation for the polls after it, which have no body."""
    polls: CallOptions = {**options}
    polls.pop("extra_body", None)
    return polls


def note_uploads(error: Exception, ids: Sequence[str]) -> None:
    """Say in an error which files were uploaded before it, for the next attempt."""
    if ids:
        error.add_note(f"Uploaded already, and not deleted: {', '.join(ids)}.")
