"""LiteLLM's chat completions and `/v1/responses` served by this package.

In a proxy's configuration:

```yaml
litellm_settings:
  custom_provider_map:
    - {provider: azure_responses, custom_handler: azure_responses.litellm_plugin.handler}
```

`azure_responses.litellm_plugin.azure_override` in place of `….handler` also serves `/v1/responses`
of every `azure/` model, as `register(take_over_azure=True)` does in a program. Chat completions of
those models stay LiteLLM's.

In a program: `azure_responses.litellm_plugin.register()`. Models are then named
`azure_responses/<deployment>`. LiteLLM is imported on first use of `handler` or `register`, not
with this module; the first use of either also installs what native `/v1/responses` needs, see
`azure_responses.litellm_plugin.registration`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure_responses.litellm_plugin.chat_provider import AzureResponsesLLM
    from azure_responses.litellm_plugin.registration import register, unregister

    handler: AzureResponsesLLM
    azure_override: AzureResponsesLLM

__all__ = ["handler", "register", "unregister"]

# Not in `__all__` or `dir`: reading it changes LiteLLM, and `import *` or a debugger must not.
_OVERRIDE = "azure_override"


def __getattr__(name: str) -> Any:
    if name not in (*__all__, _OVERRIDE):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    registration = import_module("azure_responses.litellm_plugin.registration")
    if name in ("handler", _OVERRIDE) and registration.is_installed():
        # A proxy only reads the handler, so reading it has to install the rest.
        registration.install()
    if name == _OVERRIDE:
        if registration.is_installed():
            registration.override_azure()
        return registration.handler
    value = getattr(registration, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
