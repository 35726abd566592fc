# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`client.uploads`: large files in parts."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Unpack

from azure_responses._sync.object_resource import ObjectResource
from azure_responses.call_options import CallOptions
from azure_responses.errors import AzureResponsesError
from azure_responses.file_parts import FileParts
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.object_request import Form, FormFile
from azure_responses.types.files import FilePurpose, Upload, UploadPart

__all__ = ["UploadParts", "Uploads"]

# Bytes; the largest part that the service takes, and the size that the openai package sends.
_PART_SIZE = 64 * 2**20

# The parameter `bytes` hides the type of that name.
_Bytes = bytes


class Uploads(ObjectResource):
    """`client.uploads`."""

    @property
    def parts(self) -> "UploadParts":
        """The parts of an upload."""
        return UploadParts(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    def create(
        self,
        *,
        bytes: int,
        filename: str,
        mime_type: str,
        purpose: FilePurpose,
        expires_after: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> Upload:
        """Begin an upload of `bytes` bytes, up to 8 GB; it must be completed within an hour.

        Azure's description of its v1 API does not list uploads (November 2026): `files.create`
        streams files of up to 512 MB.
        """
        body = {
            "bytes": bytes,
            "filename": filename,
            "mime_type": mime_type,
            "purpose": purpose,
            **({} if expires_after is None else {"expires_after": expires_after}),
        }
        return self._perform("uploads.create", Upload, options, body=body)

    @shows_parameters(CallOptions)
    def complete(
        self,
        upload_id: str,
        *,
        part_ids: Sequence[str],
        md5: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Upload:
        """Make a file of the parts, in this order; it is the `file` of the result.

        `md5` is the checksum of the whole in hexadecimal digits, for the service to compare.
        """
        body = {"part_ids": [*part_ids], **({} if md5 is None else {"md5": md5})}
        return self._perform("uploads.complete", Upload, options, upload_id, body=body)

    @shows_parameters(CallOptions)
    def cancel(self, upload_id: str, **options: Unpack[CallOptions]) -> Upload:
        """Cancel an upload; its parts are deleted."""
        return self._perform("uploads.cancel", Upload, options, upload_id)

    def upload_file_chunked(
        self,
        *,
        file: "os.PathLike[str] | str | _Bytes | IO[_Bytes]",
        mime_type: str,
        purpose: FilePurpose,
        filename: str | None = None,
        bytes: int | None = None,
        part_size: int | None = None,
        md5: str | None = None,
    ) -> Upload:
        """Upload a file in parts, one after the other; an upload that fails is cancelled.

        Each part is read while it is sent, so that memory stays flat.

        Args:
            file: a path, bytes, or a file opened in binary mode.
            mime_type, purpose: of the file.
            filename: needed for bytes, and for a file without a name.
            bytes: how many there are; needed for a file that cannot be rewound.
            part_size: in bytes, 64 MiB by default, which is the most.
            md5: as of `complete`.

        Raises:
            ConfigurationError: there is no name or no size, or the part size is invalid.
            OSError: a path that cannot be read.
            AzureResponsesError: what the service or the network ended with, after retries.
        """
        with FileParts(file, filename, bytes, part_size or _PART_SIZE) as parts:
            upload = self.create(
                bytes=parts.size, filename=parts.name, mime_type=mime_type, purpose=purpose
            )
            try:
                part_ids = [self.parts.create(upload.id, data=part).id for part in parts]
            except Exception:
                with suppress(AzureResponsesError):
                    self.cancel(upload.id)
                raise
        return self.complete(upload.id, part_ids=part_ids, md5=md5)


class UploadParts(ObjectResource):
    """`client.uploads.parts`."""

    @shows_parameters(CallOptions)
    def create(self, upload_id: str, *, data: Any, **options: Unpack[CallOptions]) -> UploadPart:
        """Upload one part, of up to 64 MB; `data` is given as the `file` of `files.create`."""
        form = Form(files=(FormFile("data", data),))
        name = "uploads.parts.create"
        return self._perform(name, UploadPart, options, upload_id, form=form)
