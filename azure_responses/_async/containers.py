"""`client.containers`: where the code interpreter and the shell work, and the files there."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Unpack

from azure_responses._async.downloads import AsyncStreamedContent
from azure_responses._async.object_resource import AsyncObjectResource
from azure_responses._async.pages import AsyncPages
from azure_responses.call_options import CallOptions
from azure_responses.downloaded_content import BinaryContent
from azure_responses.errors import ConfigurationError
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.object_request import Form, FormFile, given
from azure_responses.types.containers import Container, ContainerFile
from azure_responses.types.model import Model
from azure_responses.types.result import Result

__all__ = [
    "AsyncContainerFileContent",
    "AsyncContainerFiles",
    "AsyncContainers",
    "AsyncStreamedContainerFileContent",
]


class AsyncContainers(AsyncObjectResource):
    """`client.containers`."""

    @property
    def files(self) -> "AsyncContainerFiles":
        """The files in a container."""
        return AsyncContainerFiles(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    async def create(
        self,
        *,
        name: str,
        expires_after: Model | Mapping[str, Any] | None = None,
        file_ids: Sequence[str] | None = None,
        memory_limit: Literal["1g", "4g", "16g", "64g"] | str | None = None,
        network_policy: Model | Mapping[str, Any] | None = None,
        skills: Iterable[Model | Mapping[str, Any]] | None = None,
        **options: Unpack[CallOptions],
    ) -> Container:
        """Create a container; it ends after 20 minutes without use, and is billed by the hour.

        Args:
            name: of the container.
            expires_after: such as {"anchor": "last_active_at", "minutes": 20}.
            file_ids: stored files that are copied into it.
            memory_limit: 1g where it is not given.
            network_policy: {"type": "disabled"}, or an "allowlist" with its `allowed_domains`;
                without one it reaches nothing.
            skills: references to skills, or skills themselves.
            options: of the call.
        """
        body = given(
            name=name,
            expires_after=expires_after,
            file_ids=file_ids,
            memory_limit=memory_limit,
            network_policy=network_policy,
            skills=skills,
        )
        return await self._perform("containers.create", Container, options, body=body)

    @shows_parameters(CallOptions)
    async def retrieve(self, container_id: str, **options: Unpack[CallOptions]) -> Container:
        """The description of a container; reading it does not count as use."""
        return await self._perform("containers.retrieve", Container, options, container_id)

    @shows_parameters(CallOptions)
    def list(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        name: str | None = None,
        order: Literal["asc", "desc"] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncPages[Container]:
        """The containers: iterate for all of them, over as many pages as needed.

        `limit` is the size of a page, 1 to 100; `name` lists containers with this name.
        """
        return self._list(
            "containers.list",
            Container,
            options,
            after=after,
            limit=limit,
            name=name,
            order=order,
        )

    @shows_parameters(CallOptions)
    async def delete(self, container_id: str, **options: Unpack[CallOptions]) -> None:
        """Delete a container and the files in it."""
        await self._perform("containers.delete", Result, options, container_id)


class AsyncContainerFiles(AsyncObjectResource):
    """`client.containers.files`."""

    @property
    def content(self) -> "AsyncContainerFileContent":
        """The content of a file."""
        return AsyncContainerFileContent(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    async def create(
        self,
        container_id: str,
        *,
        file: Any = None,
        file_id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> ContainerFile:
        """Put a file into a container: one that is uploaded, or one that is stored already.

        Args:
            container_id: of the container.
            file: the content, as `files.create` takes it.
            file_id: of a stored file, in place of `file`.
            options: of the call.

        Raises:
            ConfigurationError: neither a file nor an id was given, or both.
        """
        if (file is None) is (file_id is None):
            raise ConfigurationError(
                "A container gets one file at a time.", hint="Pass either file or file_id."
            )
        body = None if file_id is None else {"file_id": file_id}
        form = None if file is None else Form(files=(FormFile("file", file),))
        return await self._perform(
            "containers.files.create", ContainerFile, options, container_id, body=body, form=form
        )

    @shows_parameters(CallOptions)
    async def retrieve(
        self, file_id: str, *, container_id: str, **options: Unpack[CallOptions]
    ) -> ContainerFile:
        """The description of a file of a container."""
        return await self._perform(
            "containers.files.retrieve", ContainerFile, options, container_id, file_id
        )

    @shows_parameters(CallOptions)
    def list(
        self,
        container_id: str,
        *,
        after: str | None = None,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncPages[ContainerFile]:
        """The files of a container: iterate for all of them, over as many pages as needed."""
        return self._list(
            "containers.files.list",
            ContainerFile,
            options,
            container_id,
            after=after,
            limit=limit,
            order=order,
        )

    @shows_parameters(CallOptions)
    async def delete(
        self, file_id: str, *, container_id: str, **options: Unpack[CallOptions]
    ) -> None:
        """Delete a file of a container."""
        await self._perform("containers.files.delete", Result, options, container_id, file_id)


class AsyncContainerFileContent(AsyncObjectResource):
    """`client.containers.files.content`."""

    @property
    def with_streaming_response(self) -> "AsyncStreamedContainerFileContent":
        """`retrieve` as the content arrives, in place of complete."""
        return AsyncStreamedContainerFileContent(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    async def retrieve(
        self, file_id: str, *, container_id: str, **options: Unpack[CallOptions]
    ) -> BinaryContent:
        """The whole content of a file, such as one that the code interpreter wrote.

        The annotation `container_file_citation` of an answer has both ids.

        Raises:
            APIConnectionError: the connection broke before the end.
        """
        return await self._download("containers.files.content", options, container_id, file_id)


class AsyncStreamedContainerFileContent(AsyncObjectResource):
    """`client.containers.files.content.with_streaming_response`."""

    @shows_parameters(CallOptions)
    def retrieve(
        self, file_id: str, *, container_id: str, **options: Unpack[CallOptions]
    ) -> AbstractAsyncContextManager[AsyncStreamedContent]:
        """The content of a file as it arrives; the connection is released with the context."""
        return self._stream("containers.files.content", options, container_id, file_id)
