"""What a router answers without calling the service, sync and async alike."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Self, Unpack

from azure_responses.errors import BadRequestError, ConfigurationError
from azure_responses.router.arguments import ChatOptions, check_id
from azure_responses.router.options import RouterOptions
from azure_responses.router.parts import RouterParts
from azure_responses.router.request_reader import RequestReader
from azure_responses.routing.explain import Explanation, explain
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import candidate_for
from azure_responses.routing.signed_id import is_label, show_id

__all__ = ["RouterQueries"]


class RouterQueries:
    """The questions that a Router and an AsyncRouter answer alike."""

    def __init__(
        self, model_list: Iterable[Mapping[str, Any]], **options: Unpack[RouterOptions]
    ) -> None:
        self._join(RouterParts(model_list, options))

    def _join(self, parts: RouterParts) -> None:
        self._parts = parts
        self._routing = parts.routing
        self._signer = parts.signer
        self._reader = parts.reader
        self._chat_options = parts.chat_options

    @classmethod
    def _sharing(cls, parts: RouterParts) -> Self:
        """A router over parts that another one has, too."""
        router = cls.__new__(cls)
        router._join(parts)
        return router

    @property
    def reader(self) -> RequestReader:
        """Reads requests and their labels, for other kinds of attempts."""
        return self._reader

    @property
    def chat_options(self) -> ChatOptions:
        """How chat completions are bridged, for other kinds of attempts."""
        return self._chat_options

    @property
    def groups(self) -> tuple[str, ...]:
        """The model names callers may use."""
        return tuple(self._routing.groups)

    def adopt(self, id: str, *, deployment: str, owner: str | None = None) -> str:
        """The id that this router knows a stored thing by which it did not make.

        Args:
            id: as the service knows it, of a response, conversation, file, …
            deployment: the id of a deployment of the resource that stores it.
            owner: of use to this owner alone.

        Raises:
            ConfigurationError: there is no such deployment.
            BadRequestError: the id is none, or one that a router gave out.
        """
        found = self._routing.by_id(deployment)
        if found is None:
            known = ", ".join(one.id for one in self._routing.deployments)
            raise ConfigurationError(
                f"The router has no deployment {deployment!r}.",
                hint=f"Pass the model_info.id of a row, one of: {known}.",
            )
        return self._signer.label_id(
            self._bare(id), deployment_tag=found.tag, resource_tag=found.resource, owner=owner
        )

    def explain(self, /, **request: Any) -> Explanation:
        """Which deployment would serve a call made now, and why the others would not.

        Takes what `responses` or, with `messages`, `completion` takes, and changes nothing. Of a
        shared state it says what this process knows.
        """
        stream = bool(request.pop("stream", False))
        route_request = self._reader.read(
            request, is_stream=stream, is_chat="messages" in request
        ).route_request
        self._parts.calls.abandoned_streams.settle()
        now = time.monotonic()
        candidates = [
            candidate_for(deployment, route_request.tokens)
            for deployment in self._routing.deployments
        ]
        return explain(
            self._routing, route_request, now, self._parts.state.full_for(candidates, now)
        )

    def _label_of(self, entry: LedgerEntry) -> str:
        return self._signer.label_id(
            entry.response_id,
            deployment_tag=entry.deployment,
            resource_tag=entry.resource,
            owner=entry.owner,
        )

    def __repr__(self) -> str:
        groups = {name: len(group.deployments) for name, group in self._routing.groups.items()}
        return f"{type(self).__name__}({groups}, strategy={self._routing.settings.strategy!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a router holds secrets and connections and cannot be pickled")

    def _bare(self, id: Any) -> str:
        check_id(id)
        if id.isspace() or is_label(id):
            raise BadRequestError(
                f"{show_id(id)} is not an id of the service.",
                status_code=400,
                param="id",
                hint="Pass an id as the service gave it; one of a router's own needs no adopting.",
            )
        return str(id)
