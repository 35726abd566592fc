"""Several deployments, regions and resources behind one name."""

from types import TracebackType
from typing import Self, Unpack

from azure_responses._async.client import AsyncAzureResponses
from azure_responses._sync.client import AzureResponses
from azure_responses.parameter_help import shows_parameters
from azure_responses.router._async.operations import AsyncRouterOperations
from azure_responses.router._async.routed_calls import AsyncRoutedCalls
from azure_responses.router._sync.operations import RouterOperations
from azure_responses.router._sync.routed_calls import RoutedCalls
from azure_responses.router.awaited import AwaitedCalls
from azure_responses.router.options import RouterOptions
from azure_responses.router.parts import RouterParts
from azure_responses.router.queries import RouterQueries

__all__ = ["AsyncRouter", "Router"]


@shows_parameters(RouterOptions)
class AsyncRouter(RouterQueries, AsyncRouterOperations):
    """`Router` for async programs: the same arguments and methods, which are awaited.

    Safe to share between the tasks of several event loops; each loop has its own connections.
    """

    def _join(self, parts: RouterParts) -> None:
        super()._join(parts)
        self._state = parts.async_state

    @property
    def calls(self) -> AsyncRoutedCalls:
        """The loop under every call of the running event loop."""
        return self._parts.async_calls

    @property
    def async_calls(self) -> AsyncRoutedCalls:
        """`calls`, under the name that `Router` has them."""
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
        model_list: rows as LiteLLM's users write them: `model_name`, `litellm_params` (or
            `params`) and `model_info`. A row may bring an existing client (`client`,
            `async_client`) in place of an endpoint and a key; a `model_name` of "*" takes any
            model.
        options: see `RouterOptions`.

    Raises:
        ConfigurationError: rows or options that cannot be used; the nearest name is named.
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
    def calls(self) -> RoutedCalls:
        """The loop under every sync call."""
        return self._parts.calls

    @property
    def async_calls(self) -> AsyncRoutedCalls:
        """The loop under every async call of the running event loop."""
        return self._parts.async_calls

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
