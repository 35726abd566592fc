"""What becomes of the keys of a `model_list` entry: `litellm_params` and `model_info`.

A row is (outcome, keys, text): see `litellm_keys`. The text says how a key differs, what to do
instead, or why it is refused; keys with the same text share a row.
"""

from collections.abc import Mapping, Sequence

__all__ = ["ENTRY_ROWS"]

_Rows = Sequence[tuple[str, str, str]]

_ENTRY: _Rows = (
    ("works", "model_name litellm_params model_info", ""),
    ("own", "params", "Another name of litellm_params."),
    ("own", "dheera_ai_params", "litellm_params as a fork of LiteLLM names it."),
)

_PARAMS: _Rows = (
    # The model and its place.
    ("works", "model custom_llm_provider base_model", ""),
    ("works", "api_base base_url api_key api_version", ""),
    ("works", "tenant_id client_id client_secret azure_scope", ""),
    ("works", "azure_ad_token", ""),
    ("own", "azure_ad_token_provider credential scope", ""),
    ("own", "endpoint azure_endpoint api preview_path models_path", ""),
    ("own", "strict_api_version allow_insecure verify proxy limits", ""),
    ("own", "batch execute facts image_deployment sku websocket", ""),
    ("own", "default_headers default_query", ""),
    # Routing and limits.
    ("works", "weight order rpm tpm", ""),
    ("works", "timeout max_retries cooldown_time", ""),
    ("works", "drop_params additional_drop_params", ""),
    ("own", "max_input_tokens access_groups", ""),
    # Requests and answers.
    ("works", "extra_headers merge_reasoning_content_in_choices", ""),
)

_INFO: _Rows = (("works", "id mode base_model max_input_tokens rpm tpm access_groups", ""),)

ENTRY_ROWS: Mapping[str, _Rows] = {
    "model_list": _ENTRY,
    "litellm_params": _PARAMS,
    "model_info": _INFO,
}
