"""LiteLLM's chat completions and `/v1/responses` served by this package.

In a proxy's configuration:

```yaml
litellm_settings:
  custom_provider_map:
    - {provider: azure_responses, custom_handler: azure_responses.litellm_plugin.handler}
```

In a program: `azure_responses.litellm_plugin.register()`. Models are then named
`azure_responses/<deployment>`. LiteLLM is imported on first use of `handler` or `register`, not
with this module; the first use of either also installs what native `/v1/responses` needs, see
`azure_responses.litellm_plugin.registration`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure_responses.litellm_plugin.chat import AzureResponsesLLM
    from azure_responses.litellm_plugin.registration import register, unregister

    handler: AzureResponsesLLM

__all__ = ["handler", "register", "unregister"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    registration = import_module("azure_responses.litellm_plugin.registration")
    if name == "handler" and registration.is_installed():
        # A proxy does no more than take the handler from here.
        registration.install()
    value = getattr(registration, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
