"""Makes LiteLLM know the plug-in, and forget it again.

LiteLLM has a public interface for the chat of a custom provider. It has none for native
`/v1/responses`, and does not wait for a stream to begin, so four of its functions are wrapped. Each
wrapper acts for our provider names only, which are those that `litellm.custom_provider_map` gives
to our handler:

* `ProviderConfigManager.get_provider_responses_api_config` finds our configuration;
* the enum `LlmProviders` knows our names by value, which calls on stored responses need;
* `utils.get_supported_openai_params` lets every parameter of chat completions through;
* `main._complete_custom_providers` opens an awaited stream, so that one that cannot be opened is
  tried again, or elsewhere, as any other call.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.fork import new_lock
from azure_responses.litellm_plugin.chat_provider import AsyncChunks, AzureResponsesLLM
from azure_responses.litellm_plugin.clients import (
    PROVIDER,
    is_installed,
    litellm,
    litellm_module,
)
from azure_responses.litellm_plugin.responses_config import AzureResponsesConfig

__all__ = ["handler", "install", "is_installed", "override_azure", "register", "unregister"]

handler = AzureResponsesLLM()
"""The custom provider that `register` and a proxy's `custom_provider_map` name."""

_DISPATCH = "_complete_custom_providers"
# LiteLLM's configurations of `azure/`, for reasoning models a class of its own.
_OVERRIDDEN = ("AzureOpenAIResponsesAPIConfig", "AzureOpenAIOSeriesResponsesAPIConfig")


@dataclass
class _Change:
    """An attribute of LiteLLM's that holds something of ours."""

    owner: Any
    name: str
    original: Any
    ours: Any

    def undo(self) -> None:
        """Put the original back, unless other code has wrapped ours since."""
        if vars(self.owner).get(self.name) is not self.ours:
            return
        if self.original is None:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.original)


_changes: dict[tuple[int, str], _Change] = {}
_lock = new_lock()


def register(provider: str = PROVIDER, take_over_azure: bool = False) -> None:
    """Let LiteLLM call this package for models named `<provider>/<deployment>`.

    A second call with the same name changes nothing; another name is a second provider.

    Args:
        provider: the name; LiteLLM's own names are refused.
        take_over_azure: serve `/v1/responses` of LiteLLM's `azure/` models as well.

    Raises:
        ConfigurationError: LiteLLM is not installed, or has a provider of that name.
    """
    if provider in {known.value for known in _providers()}:
        raise ConfigurationError(
            f"LiteLLM has a provider {provider!r} of its own.",
            hint="Choose another name, or pass take_over_azure=True for azure/.",
        )
    others = [item for item in litellm().custom_provider_map if item["provider"] != provider]
    # In place, because other code may hold the list.
    litellm().custom_provider_map[:] = [*others, {"provider": provider, "custom_handler": handler}]
    litellm_module("litellm.utils").custom_llm_setup()
    install()
    if take_over_azure:
        override_azure()


def unregister() -> None:
    """Take back everything that `register`, `override_azure` and the use of `handler` did."""
    for name in list(_our_names()):
        for known in (litellm().provider_list, litellm()._custom_providers):
            while name in known:
                known.remove(name)
    others = [item for item in litellm().custom_provider_map if not _is_ours(item)]
    litellm().custom_provider_map[:] = others
    with _lock:
        while _changes:
            _changes.popitem()[1].undo()


def install() -> None:
    """Wrap what native responses and all parameters need; a second call does nothing."""
    manager = litellm_module("litellm.utils").ProviderConfigManager
    find = manager.get_provider_responses_api_config
    _change(manager, "get_provider_responses_api_config", staticmethod(_wrap_lookup(find)))
    _change(_providers(), "_missing_", classmethod(_wrap_enum(_providers()._missing_)))
    utils = litellm_module("litellm.utils")
    _change(utils, "get_supported_openai_params", _wrap_support(utils.get_supported_openai_params))
    main = litellm_module("litellm.main")
    # A private name. In a version that lacks it, a stream fails when it is iterated.
    if dispatch := vars(main).get(_DISPATCH):
        _change(main, _DISPATCH, _wrap_dispatch(dispatch))


def override_azure() -> None:
    """Serve `/v1/responses` of LiteLLM's `azure/` models; their chat stays LiteLLM's."""
    for name in _OVERRIDDEN:
        # Read first, because LiteLLM makes the attribute lazily and would replace ours.
        getattr(litellm(), name)
        _change(litellm(), name, AzureResponsesConfig)


def _change(owner: Any, name: str, ours: Any) -> None:
    with _lock:
        if (id(owner), name) in _changes:
            return
        original = vars(owner).get(name)
        setattr(owner, name, ours)
        _changes[id(owner), name] = _Change(owner, name, original, vars(owner)[name])


def _providers() -> Any:
    return litellm_module("litellm.types.utils").LlmProviders


def _is_ours(item: Any) -> bool:
    return isinstance(item["custom_handler"], AzureResponsesLLM)


def _our_names() -> Iterator[str]:
    return (item["provider"] for item in litellm().custom_provider_map if _is_ours(item))


def _wrap_lookup(find: Callable[..., Any]) -> Callable[..., Any]:
    def find_config(provider: Any, *rest: Any, **named: Any) -> Any:
        # LiteLLM passes the name or the member of its enum.
        if getattr(provider, "value", provider) in _our_names():
            return AzureResponsesConfig()
        return find(provider, *rest, **named)

    return find_config


def _wrap_support(support: Callable[..., Any]) -> Callable[..., Any]:
    def list_parameters(
        model: str, custom_llm_provider: str | None = None, *rest: Any, **named: Any
    ) -> Any:
        supported = support(model, custom_llm_provider, *rest, **named)
        if custom_llm_provider not in list(_our_names()):
            return supported
        every = litellm_module("litellm.constants").DEFAULT_CHAT_COMPLETION_PARAM_VALUES
        return [*(supported or ()), *every]

    return list_parameters


def _wrap_dispatch(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    def complete(*given: Any, **named: Any) -> Any:
        answer = dispatch(*given, **named)
        chunks = getattr(answer, "completion_stream", None)
        return _opened(answer, chunks) if isinstance(chunks, AsyncChunks) else answer

    return complete


async def _opened(answer: Any, chunks: AsyncChunks) -> Any:
    """LiteLLM's own stream, which its caller awaits if it gets a coroutine."""
    await chunks.open()
    return answer


def _wrap_enum(find: Callable[[object], Any]) -> Callable[..., Any]:
    def find_member(providers: Any, value: object) -> Any:
        """A member for one of our names; the enum itself does not list it."""
        if not isinstance(value, str) or value not in _our_names():
            return find(value)
        # Not added to the enum: other code iterates over its members.
        member = str.__new__(providers, value)
        member._name_, member._value_ = value.upper(), value
        return member

    return find_member
