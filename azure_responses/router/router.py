"""Several deployments, regions and resources behind one name."""

import time
import warnings
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, NoReturn, Self, Unpack

from azure_responses._async.client import AsyncAzureResponses
from azure_responses._sync.client import AzureResponses
from azure_responses.errors import BadRequestError, ConfigurationError
from azure_responses.parameter_help import shows_parameters
from azure_responses.router._async.operations import AsyncRouterOperations
from azure_responses.router._async.routed_calls import AsyncRoutedCalls
from azure_responses.router._sync.operations import RouterOperations
from azure_responses.router._sync.routed_calls import RoutedCalls
from azure_responses.router.arguments import RouterOptions, check_id
from azure_responses.router.awaited import AwaitedCalls
from azure_responses.router.parts import RouterParts
from azure_responses.routing.explain import Explanation, explain
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import candidate_for
from azure_responses.routing.signed_id import is_label, show_id

__all__ = ["AsyncRouter", "Router"]


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

    @classmethod
    def _sharing(cls, parts: RouterParts) -> Self:
        """A router over parts that another one has, too."""
        router = cls.__new__(cls)
        router._join(parts)
        return router

    @property
    def parts(self) -> RouterParts:
        """Everything under the router, for this package's own servers; it may change."""
        return self._parts

    @property
    def _calls(self) -> Any:
        """The loop under every call of this side."""
        raise NotImplementedError

    @property
    def calls(self) -> Any:
        """The loop under every call, under its old name."""
        warnings.warn("Router.calls is now Router.parts.calls.", DeprecationWarning, stacklevel=2)
        return self._calls

    @property
    def async_calls(self) -> AsyncRoutedCalls:
        """`parts.async_calls` under its old name."""
        warnings.warn(
            "Router.async_calls is now Router.parts.async_calls.", DeprecationWarning, stacklevel=2
        )
        return self._parts.async_calls

    @property
    def groups(self) -> tuple[str, ...]:
        """The model names callers may use."""
        return tuple(self._routing.groups)

    def import_id(self, id: str, *, deployment: str, owner: str | None = None) -> str:
        """The signed id of something that another program stored at the service.

        Args:
            id: as the service knows it, of a response, conversation, file, …
            deployment: the id of a deployment of the resource that stores it.
            owner: of use to this owner alone.

        Raises:
            ConfigurationError: there is no such deployment.
            BadRequestError: the id is invalid, or a router gave it out.
        """
        found = self._routing.by_id(deployment)
        if found is None:
            known = ", ".join(one.id for one in self._routing.deployments)
            raise ConfigurationError(
                f"The router has no deployment {deployment!r}.",
                hint=f"Pass the model_info.id of an entry of model_list, one of: {known}.",
            )
        return self._signer.label_id(
            self._bare(id), deployment_tag=found.tag, resource_tag=found.resource, owner=owner
        )

    def adopt(self, id: str, *, deployment: str, owner: str | None = None) -> str:
        """`import_id` under its old name."""
        warnings.warn("Router.adopt is now Router.import_id.", DeprecationWarning, stacklevel=2)
        return self.import_id(id, deployment=deployment, owner=owner)

    def explain(self, /, **request: Any) -> Explanation:
        """Which deployment would serve a call made now, and why the others would not.

        Takes what `responses` or, with `messages`, `completion` takes, and changes nothing. Of a
        shared state it says what this process knows.
        """
        stream = bool(request.pop("stream", False))
        route_request = self._reader.read(
            request, is_stream=stream, caller="chat" if "messages" in request else "responses"
        ).route_request
        # Streams that no reader holds any more would count as calls under way.
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
                hint="Pass an id as the service gave it; an id of a router is signed already.",
            )
        return str(id)


@shows_parameters(RouterOptions)
class AsyncRouter(RouterQueries, AsyncRouterOperations):
    """`Router` for async programs: the same arguments and methods, which are awaited.

    Safe to share between the tasks of several event loops; each loop has its own connections.
    """

    def _join(self, parts: RouterParts) -> None:
        super()._join(parts)
        self._state = parts.async_state

    @property
    def _calls(self) -> AsyncRoutedCalls:
        """The loop under every call of the running event loop."""
        return self._parts.async_calls

    @classmethod
    @shows_parameters(RouterOptions)
    def of(cls, client: AsyncAzureResponses, **options: Unpack[RouterOptions]) -> Self:
        """A router of one client, which passes any model on."""
        row = {"model_name": "*", "async_client": client, "model_info": {"id": "client"}}
        return cls([row], **options)

    async def aclose(self) -> None:
        """Close the connections of this event loop's calls, and the state."""
        await self._parts.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


@shows_parameters(RouterOptions)
class Router(RouterQueries, RouterOperations, AwaitedCalls):
    """Calls the right deployment every time; safe to share between threads and event loops.

    Args:
        model_list: entries as LiteLLM's users write them: `model_name`, `litellm_params` (or
            `params`) and `model_info`. An entry may have an existing client (`client`,
            `async_client`) in place of an endpoint and a key; a `model_name` of "*" takes any
            model.
        options: see `RouterOptions`.

    Raises:
        ConfigurationError: invalid entries or options; the message suggests the nearest name.
    """

    def _join(self, parts: RouterParts) -> None:
        super()._join(parts)
        self._state = parts.state
        self._awaited = AsyncRouter._sharing(parts)

    @classmethod
    @shows_parameters(RouterOptions)
    def of(
        cls,
        client: AzureResponses | AsyncAzureResponses,
        **options: Unpack[RouterOptions],
    ) -> Self:
        """A router of one client, which passes any model on."""
        kind = "client" if isinstance(client, AzureResponses) else "async_client"
        row = {"model_name": "*", kind: client, "model_info": {"id": "client"}}
        return cls([row], **options)

    @property
    def _calls(self) -> RoutedCalls:
        """The loop under every sync call."""
        return self._parts.calls

    def close(self) -> None:
        """Close the connections of sync calls and the state."""
        self._parts.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop's calls, those of sync calls, and the state."""
        await self._parts.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
