"""What becomes of the keys of a `model_list` entry: `litellm_params` and `model_info`.

A row is (outcome, keys, text): see `litellm_keys`. The text says how a key differs, what to do
instead, or why it is refused; keys with the same text share a row.
"""

from collections.abc import Mapping, Sequence

__all__ = ["ENTRY_ROWS"]

_Rows = Sequence[tuple[str, str, str]]

_NOT_OF_AZURE = "Azure has no such setting: a resource is in one region and of one owner."
_UPLIFTS = (
    "regional_processing_uplift_multiplier_eu regional_processing_uplift_multiplier_us "
    "regional_endpoint_uplift_multiplier"
)
_OWN_CREDENTIALS = "Callers cannot bring a credential or an address of their own."
_KEEPALIVE = "Write general_settings.keepalive_seconds."

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
    ("works", "litellm_credential_name use_chat_completions_api num_retries", ""),
    (
        "works",
        "azure_ad_token",
        "A token, or one that Entra ID takes in exchange: `oidc/env/…`, `oidc/env_path/…`, "
        "`oidc/file/…`, `oidc/azure/`, `oidc/github/…`, `oidc/google/…`, `oidc/circleci/`.",
    ),
    (
        "refused",
        "azure_username azure_password",
        "Entra ID ends sign-in by password for programs: use a service principal.",
    ),
    ("own", "azure_ad_token_provider credential scope", ""),
    ("own", "endpoint azure_endpoint api preview_path models_path", ""),
    ("own", "strict_api_version allow_insecure verify proxy limits", ""),
    ("own", "batch execute facts image_deployment sku websocket", ""),
    ("own", "default_headers default_query", ""),
    ("no counterpart", "organization region_name", _NOT_OF_AZURE),
    ("refused", "use_litellm_proxy", "Write the api_base of the Azure resource itself."),
    ("no counterpart", "configurable_clientside_auth_params", _OWN_CREDENTIALS),
    # Routing and limits.
    ("works", "weight order rpm tpm", ""),
    ("works", "timeout stream_timeout max_retries cooldown_time", ""),
    ("works", "drop_params additional_drop_params", ""),
    ("own", "max_input_tokens access_groups", ""),
    ("no counterpart", "itpm otpm", "Write tpm, which counts both."),
    (
        "no counterpart",
        "timeout_by_service_tier stream_timeout_by_service_tier",
        "Write an entry with its own timeout for each service tier.",
    ),
    (
        "no counterpart",
        "provider_affinity_header",
        "Calls of a session stay together by themselves.",
    ),
    ("no counterpart", "keepalive_seconds allow_client_keepalive_override", _KEEPALIVE),
    ("no counterpart", "max_file_size_mb", "Write general_settings.max_upload_bytes."),
    (
        "no counterpart",
        "default_api_key_tpm_limit default_api_key_rpm_limit",
        "Give each key its own rpm and tpm.",
    ),
    (
        "no counterpart",
        "max_parallel_requests",
        "Write rpm and tpm; least-busy sends calls where the fewest are running.",
    ),
    (
        "differs",
        "tags",
        "A call that continues what one resource stores goes there whatever its tags.",
    ),
    ("refused", "tag_regex", "Give the deployment tags, or a name of its own."),
    (
        "refused",
        "auto_router_config_path auto_router_config auto_router_default_model "
        "auto_router_embedding_model auto_router_max_input_chars auto_router_routing_compression "
        "auto_router_model_compression complexity_router_config complexity_router_default_model "
        "adaptive_router_default_model adaptive_router_config quality_router_config "
        "quality_router_default_model",
        "Name a deployment of Azure's model-router, which chooses a model by the request.",
    ),
    (
        "refused",
        "max_budget budget_duration",
        "Give each key a budget; a deployment has none of its own.",
    ),
    (
        "no counterpart",
        "allowed_openai_params",
        "Every parameter is sent as it is, unless drop_params leaves it out.",
    ),
    ("refused", "mock_response", "Use the emulator: azure-responses serve --emulator."),
    # Prices, which stand in model_info too. Those of a tier or size are read by their pattern.
    (
        "differs",
        "input_cost_per_token output_cost_per_token cache_read_input_token_cost "
        "input_cost_per_token_cache_hit cache_creation_input_token_cost "
        "output_cost_per_reasoning_token input_cost_per_audio_token output_cost_per_audio_token "
        "input_cost_per_image_token output_cost_per_image_token tiered_pricing",
        "Also with `_priority`, `_flex`, `_batches` and `_above_272k_tokens`; those of tiers that "
        "Azure does not have have no effect.",
    ),
    (
        "works",
        "output_cost_per_image input_cost_per_image code_interpreter_cost_per_session "
        "file_search_cost_per_1k_calls search_context_cost_per_query",
        "",
    ),
    (
        "differs",
        "input_cost_per_second output_cost_per_second input_cost_per_audio_per_second "
        "output_cost_per_audio_per_second input_cost_per_character output_cost_per_character",
        "For audio only: other models of Azure are not billed by time.",
    ),
    ("refused", _UPLIFTS, "Write cost_margin: a multiplier of 1.1 is a margin of 0.1."),
    ("works", "cost_discount cost_margin", "Of one entry: a fraction of what its calls cost."),
    (
        "refused",
        "cost_per_second input_cost_per_pixel output_cost_per_pixel off_peak_pricing",
        "Write prices per token, second of audio or image.",
    ),
    # Requests and answers.
    ("works", "extra_headers extra_query merge_reasoning_content_in_choices", ""),
    (
        "works",
        "reasoning_effort max_tokens max_completion_tokens max_output_tokens temperature top_p "
        "service_tier verbosity response_format tools tool_choice parallel_tool_calls stop seed n "
        "frequency_penalty presence_penalty logit_bias logprobs top_logprobs modalities audio "
        "prediction web_search_options metadata user safety_identifier store prompt_cache_key "
        "prompt_cache_retention prompt_cache_options extra_body",
        "A default on each API that has a place for it; the caller's value wins.",
    ),
    (
        "works",
        "reasoning text include truncation instructions max_tool_calls context_management "
        "moderation prompt access_programs image multi_agent",
        "A default of the Responses API; `reasoning` and `text` on chat completions too.",
    ),
    ("works", "thinking top_k stop_sequences", "A default of Messages."),
    (
        "works",
        "dimensions encoding_format quality size style output_format output_compression voice "
        "speed",
        "A default of embeddings, images or speech.",
    ),
    ("works", "data_sources user_security_context", "A default of chat completions."),
    (
        "refused",
        "stream stream_options background background_options input messages previous_response_id "
        "conversation functions function_call",
        "Leave it to the callers.",
    ),
    ("own", "fixed_params", "Names of parameters whose values callers cannot change."),
    ("own", "drop_tools", "Types of tools that are left out of every call."),
    ("no counterpart", "output_vector_size", "Write dimensions."),
    ("no counterpart", "use_in_pass_through", "Only the OpenAI routes are served."),
    ("no counterpart", "litellm_trace_id", "Send traceparent in the request."),
    (
        "refused",
        "guardrails",
        "Use the content filter of the deployment, which Azure applies to every call.",
    ),
    # Other clouds: a deployment of Azure has no use for them.
    (
        "no counterpart",
        "vertex_project vertex_location vertex_credentials gcs_bucket_name bucket_name "
        "aws_access_key_id aws_secret_access_key aws_session_token aws_region_name "
        "aws_session_name aws_profile_name aws_role_name aws_web_identity_token aws_sts_endpoint "
        "aws_external_id aws_session_tags aws_bedrock_runtime_endpoint aws_bedrock_project_id "
        "aws_batch_role_arn "
        "s3_bucket_name s3_endpoint_url s3_region_name s3_access_key_id s3_secret_access_key "
        "s3_encryption_key_id s3_bucket_owner s3_output_bucket_name bedrock_tags "
        "watsonx_region_name anthropic_federation_rule_id anthropic_organization_id "
        "anthropic_service_account_id anthropic_federation_workspace_id "
        "anthropic_identity_token_file anthropic_identity_token anthropic_identity_source "
        "anthropic_issuer_url anthropic_issuer_subject anthropic_issuer_audience "
        "anthropic_issuer_ttl_seconds anthropic_issuer_signing_key_ref "
        "anthropic_keycloak_token_url anthropic_keycloak_client_id anthropic_keycloak_auth_method "
        "anthropic_keycloak_client_secret_ref anthropic_keycloak_scope "
        "anthropic_disable_workload_identity_federation openai_identity_provider_id "
        "openai_service_account_id openai_identity_token_file use_xai_oauth "
        "fireworks_forward_user_id vector_store_id milvus_text_field milvus_db_name "
        "milvus_partition_names valkey_host valkey_port valkey_password valkey_ssl "
        "valkey_text_field valkey_embedding_field vector_bucket_name index_name embedding_model",
        "It concerns another cloud or service.",
    ),
)

_NOTE = "A note: it has no effect on calls."

_INFO: _Rows = (
    ("works", "id base_model max_input_tokens rpm tpm access_groups tags", ""),
    ("differs", "mode", "Says how `serve --check --live` and /health call the deployment."),
    ("differs", "max_tokens max_output_tokens", "A note: Azure enforces the model's own limits."),
    (
        "differs",
        "supports_function_calling supports_parallel_function_calling supports_vision "
        "supports_response_schema supports_reasoning supports_prompt_caching supports_web_search "
        "supports_system_messages supports_native_streaming",
        "A note: write `facts` for what the table of model families does not know.",
    ),
    (
        "differs",
        "db_model updated_at updated_by created_at created_by tier description "
        "team_public_model_name member_auto_router discoverable ptu_count cost_per_ptu_per_hour "
        "ptu_effective_from ptu_effective_to allow_fail_open internal_router_model "
        "health_check_model disable_background_health_check",
        _NOTE,
    ),
    ("refused", _UPLIFTS, "Write cost_margin: a multiplier of 1.1 is a margin of 0.1."),
    ("refused", "team_id", "Give the model an access group, and the keys of the team its name."),
    ("refused", "blocked", "Remove the entry, or write weight: 0."),
    ("refused", "access_windows", "Run a gateway with another file in the hours in question."),
)

ENTRY_ROWS: Mapping[str, _Rows] = {
    "model_list": _ENTRY,
    "litellm_params": _PARAMS,
    "model_info": _INFO,
}
