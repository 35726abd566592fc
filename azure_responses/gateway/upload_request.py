"""What a gateway allows of an upload, and which of its fields have to be known before its file."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from azure_responses.gateway.key_table import ApiCaller
from azure_responses.protocol.operation_table import APIOperation
from azure_responses.routing.asked_object import named_model

if TYPE_CHECKING:
    from azure_responses.gateway.gateway import Gateway

__all__ = ["UploadRequest"]


class UploadRequest:
    """One request with a form that has files.

    Args:
        gateway: that answers.
        caller: whose request it is.
        row: the operation.
        query: of the URL, as received.
        headers: of the request.
    """

    def __init__(
        self,
        gateway: "Gateway",
        caller: ApiCaller,
        row: APIOperation,
        query: str,
        headers: Mapping[str, str],
    ) -> None:
        self._gateway = gateway
        self._caller = caller
        self._row = row
        self._query = query
        self._headers = headers

    @property
    def limit(self) -> tuple[int, str]:
        """The longest form that the caller may send, and where that is set."""
        limit, own = self._gateway.settings.max_upload_bytes, self._caller.max_upload_bytes
        if own is not None and own < limit:
            return own, "max_upload_bytes of this API key"
        return limit, "general_settings.max_upload_bytes"

    def is_decided(self, values: Mapping[str, str]) -> bool:
        """True if the first fields of the form, or the rest of the request, name the resource.

        Args:
            values: of the fields that have been read.
        """
        if self._row.name == "files.create" and "purpose" not in values:
            return False
        if self._gateway.batch_api.takes_form(self._row, values):
            return True
        query = dict(parse_qsl(self._query))
        if self._row.variables or named_model(values, query, self._headers) is not None:
            return True
        places = self._gateway.router.parts.reader.objects.places
        return len(places.resources(self._caller.may_call)) <= 1
