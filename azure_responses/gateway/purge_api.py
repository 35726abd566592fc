"""`POST /admin/purge`: deletes what is stored for an end user; needs the master key."""

import json
import time
from collections.abc import Mapping
from typing import Any

from azure_responses.errors import AzureResponsesError
from azure_responses.gateway.asgi_reply import ErrorResponse, Receive, error_response
from azure_responses.gateway.authentication import Access
from azure_responses.gateway.batch_purge import BatchPurge
from azure_responses.gateway.body_reader import read_short_body
from azure_responses.router import Router

__all__ = ["PATH", "PurgeApi"]

PATH = "/admin/purge"
_LONGEST_BODY = 16 * 1024
_MOST_VALUES = 100
_FIELDS: Mapping[str, type] = {"end_user": str, "owner": str, "dry_run": bool}


class PurgeApi:
    """Answers purges.

    Args:
        access: knows the keys.
        router: whose ledger is purged.
        batches: of the gateway's database; None without one.
    """

    def __init__(self, access: Access, router: Router, batches: BatchPurge | None = None) -> None:
        self._access = access
        self._router = router
        self._batches = batches

    async def answer(
        self, method: str, headers: Mapping[str, str], receive: Receive
    ) -> bytes | ErrorResponse:
        """The receipt as JSON, or why there is none.

        Raises:
            Refused: the body is too long or is not declared as JSON.
            CallerLeft: the connection was closed before the end of the body.
        """
        refused = self._refuse(method, headers)
        if refused is not None:
            return refused
        asked = _read(await read_short_body(receive, headers, _LONGEST_BODY, _MOST_VALUES))
        if isinstance(asked, ErrorResponse):
            return asked
        try:
            # First, since the requests of a batch make responses that the router deletes.
            own = None if self._batches is None else await self._batches.purge(**asked)
            receipt = (await self._router.apurge(**asked)).to_dict()
        except AzureResponsesError as error:
            # Half a list of what is stored would pass for a whole one.
            return error_response(503, error.message, code="purge_failed", type="server_error")
        return json.dumps(receipt if own is None else own.add_to(receipt)).encode()

    def _refuse(self, method: str, headers: Mapping[str, str]) -> ErrorResponse | None:
        caller = self._access.authenticate(headers, time.time())
        if isinstance(caller, ErrorResponse):
            return caller
        if not caller.is_master:
            return error_response(
                403, "Only the master key may purge.", code="key_not_allowed", type="auth_error"
            )
        if method != "POST":
            return error_response(
                405, f"{method} is not possible at {PATH}.", code="method_not_allowed"
            )
        return None


def _read(body: bytes) -> dict[str, Any] | ErrorResponse:
    """The arguments of the purge; an unknown name is refused and deletes nothing."""
    try:
        given = json.loads(body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return _invalid("The body is not a JSON object.", None)
    for name, value in given.items():
        kind = _FIELDS.get(name)
        if kind is None:
            return _invalid(f"{name[:100]} is not a field of a purge.", name[:100])
        if not isinstance(value, kind) and not (value is None and name == "owner"):
            return _invalid(f"{name} is not a {kind.__name__}.", name)
    if not given.get("end_user"):
        return _invalid("end_user is missing: name whose data is to be deleted.", "end_user")
    return given


def _invalid(message: str, param: str | None) -> ErrorResponse:
    return error_response(400, message, code="invalid_request", param=param)
