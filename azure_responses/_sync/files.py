# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`client.files`: what tools and batches read, and batches write."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, Unpack

from azure_responses._sync.downloads import StreamedContent
from azure_responses._sync.object_resource import ObjectResource
from azure_responses._sync.pages import Pages
from azure_responses._sync.waiting import wait_for_end
from azure_responses.call_options import CallOptions
from azure_responses.downloaded_content import BinaryContent
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.multipart import form_fields
from azure_responses.protocol.object_request import Form, FormFile
from azure_responses.protocol.polling import FILE, Poll
from azure_responses.types.files import FileDeleted, FileObject, FilePurpose

__all__ = ["Files", "StreamedFiles"]


class Files(ObjectResource):
    """`client.files`."""

    @property
    def with_streaming_response(self) -> "StreamedFiles":
        """`content` as it arrives, in place of complete."""
        return StreamedFiles(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    def create(
        self,
        *,
        file: Any,
        purpose: FilePurpose,
        expires_after: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> FileObject:
        """Upload a file; it is read while it is sent, so that memory stays flat.

        Args:
            file: bytes, a path, a file opened in binary mode, an iterator of bytes (an async client
                also takes an async one), or a tuple (name, one of these) that may go on with a
                content type and headers. Azure tells the kind of a file by the ending of its name.
                A source that can be read only once is not sent again after a failure.
            purpose: Azure takes "assistants" for what tools read, and "batch".
            expires_after: such as {"anchor": "created_at", "seconds": 1209600}.
            options: of the call; the timeout is the longest time without progress.

        Raises:
            ConfigurationError: a file of a type that cannot be sent.
            OSError: a path that cannot be read.
            AzureResponsesError: what the service or the network ended with, after retries.
        """
        fields = form_fields({"purpose": purpose, "expires_after": expires_after})
        form = Form(tuple(fields), (FormFile("file", file),))
        return self._perform("files.create", FileObject, options, form=form)

    @shows_parameters(CallOptions)
    def retrieve(self, file_id: str, **options: Unpack[CallOptions]) -> FileObject:
        """The description of a file."""
        return self._perform("files.retrieve", FileObject, options, file_id)

    @shows_parameters(CallOptions)
    def list(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        purpose: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Pages[FileObject]:
        """The files: iterate for all of them, over as many pages as needed.

        `limit` is the size of a page, up to 10,000.
        """
        return self._list(
            "files.list",
            FileObject,
            options,
            after=after,
            limit=limit,
            order=order,
            purpose=purpose,
        )

    @shows_parameters(CallOptions)
    def delete(self, file_id: str, **options: Unpack[CallOptions]) -> FileDeleted:
        """Delete a file, and remove it from all vector stores."""
        return self._perform("files.delete", FileDeleted, options, file_id)

    @shows_parameters(CallOptions)
    def content(self, file_id: str, **options: Unpack[CallOptions]) -> BinaryContent:
        """The whole content of a file, kept on disk if it is large.

        `with_streaming_response.content` gives it as it arrives.

        Raises:
            APIConnectionError: the connection broke before the end.
            BadRequestError: the service does not give back files of this purpose.
        """
        return self._download("files.content", options, file_id)

    @shows_parameters(CallOptions)
    def retrieve_content(self, file_id: str, **options: Unpack[CallOptions]) -> str:
        """The content of a file as text; `content` gives it in any form."""
        return self.content(file_id, **options).text

    def wait_for_processing(
        self, id: str, *, poll_interval: float = 5.0, max_wait_seconds: float = 30 * 60
    ) -> FileObject:
        """`wait` with the arguments of the openai package.

        Raises:
            APITimeoutError: the time is up and the file is still being processed.
        """
        return self.wait(id, poll_interval=poll_interval, timeout=max_wait_seconds)

    def wait(
        self,
        file_id: str,
        *,
        poll_interval: float | None = None,
        timeout: float | None = None,
        on_progress: Callable[[FileObject], object] | None = None,
    ) -> FileObject:
        """Wait until a file is processed, and return it with its status.

        Args:
            file_id: which file.
            poll_interval: seconds between polls; None goes by what the service asks for, else
                starts at half a second and grows to five.
            timeout: seconds to wait in all; None waits for ever.
            on_progress: called with what each poll found, the last one included.

        Raises:
            APITimeoutError: the time is up and the file is still being processed.
        """
        poll = Poll(time.monotonic(), poll_interval, timeout, FILE)

        def retrieve(options: CallOptions) -> FileObject:
            return self.retrieve(file_id, **options)

        return wait_for_end(retrieve, poll, self._timeout, on_progress)


class StreamedFiles(ObjectResource):
    """`client.files.with_streaming_response`."""

    @shows_parameters(CallOptions)
    def content(
        self, file_id: str, **options: Unpack[CallOptions]
    ) -> AbstractContextManager[StreamedContent]:
        """The content of a file as it arrives; the connection is released with the context."""
        return self._stream("files.content", options, file_id)
