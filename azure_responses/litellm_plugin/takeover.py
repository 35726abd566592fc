"""The handler for a proxy whose `azure/` models are to be served by this package too.

```yaml
litellm_settings:
  custom_provider_map:
    - provider: azure_responses
      custom_handler: azure_responses.litellm_plugin.takeover.handler
```

Importing this module takes over `/v1/responses` of every `azure/` model; it is how a configuration
file says `register(take_over_azure=True)`. Their chat completions stay LiteLLM's.
"""

from azure_responses.litellm_plugin import handler
from azure_responses.litellm_plugin.clients import is_installed
from azure_responses.litellm_plugin.registration import take_over_azure

__all__ = ["handler"]

if is_installed():
    take_over_azure()
