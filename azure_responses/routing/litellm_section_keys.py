"""What becomes of the keys at the top of a LiteLLM file and in its sections of settings.

A row is (outcome, keys, text): see `litellm_keys`. The text says how a key differs, what to do
instead, or why it is refused; keys with the same text share a row.
"""

from collections.abc import Mapping, Sequence

__all__ = ["SECTION_ROWS"]

_Rows = Sequence[tuple[str, str, str]]

_ALERTS = "Alert on OpenTelemetry, or on the gateway's /metrics."
_CERTIFICATES = "Set SSL_CERT_FILE for a certificate authority of your own."
_CONNECTIONS = "The gateway chooses its connections itself."
_KEYS = "Make keys with `azure-responses keys create`, or list them under `virtual_keys`."
_LOG_LEVEL = "Set the level of the logger azure_responses."
_FILTERS = "Use the content filters of Azure, which apply to every call of a deployment."
_LOGS = "Read the spend log, the package's log or its OpenTelemetry signals."
_MCP = "Name remote MCP servers in the request's tools."
_NO_CACHE = "Replies are not cached."
_ONE_CLOUD = "This gateway serves Azure only."
_PRICING = "Use the section pricing."
_RETRIES = "Retries follow the service's own hints; set num_retries and allowed_fails."
_ROUTES = "Only the OpenAI routes are served."
_SECRETS = "Put secrets into variables: os.environ/NAME."
_KEY_BUDGET = "Give each key a budget."

_TOP: _Rows = (
    ("works", "model_list router_settings general_settings litellm_settings", ""),
    ("works", "environment_variables credential_list", ""),
    ("own", "virtual_keys pricing dheera_ai_settings", ""),
    ("refused", "guardrails", _FILTERS),
    ("refused", "include", "Put the entries of all files into one file."),
    ("no counterpart", "general_ui_settings", "There is no user interface."),
    ("no counterpart", "callback_settings", _LOGS),
    ("no counterpart", "mcp_servers mcp_tools", _MCP),
    (
        "no counterpart",
        "files_settings",
        "Files go to the resource of the model that their caller names.",
    ),
    (
        "no counterpart",
        "finetune_settings",
        "Fine-tuning is not part of this gateway; call Azure for it.",
    ),
    (
        "no counterpart",
        "assistant_settings",
        "Assistants are not part of this gateway; use Responses.",
    ),
    ("no counterpart", "default_vertex_config", _ONE_CLOUD),
    ("no counterpart", "vector_store_registry", "Name vector stores in the request's tools."),
    ("no counterpart", "search_tools", "Use the web_search tool of Responses."),
    ("no counterpart", "prompts", "Name a stored prompt in the request."),
    ("no counterpart", "pass_through_endpoints", _ROUTES),
    ("no counterpart", "agents", "Agents are not part of this gateway."),
    ("no counterpart", "plugins", "Name callables under litellm_settings.callbacks."),
)

_ROUTER: _Rows = (
    ("works", "routing_strategy num_retries timeout stream_timeout retry_after", ""),
    ("works", "disable_cooldowns default_litellm_params", ""),
    ("works", "allowed_fails cooldown_time", ""),
    ("works", "fallbacks default_fallbacks max_fallbacks", ""),
    ("works", "context_window_fallbacks content_policy_fallbacks", ""),
    ("works", "model_group_alias", ""),
    (
        "differs",
        "optional_pre_call_checks",
        "All kinds of affinity but deployment_affinity are on without being named. A deployment "
        "that has the prompt in its cache is preferred and not required, and a session, key or "
        "owner with more than 60 calls a minute is spread.",
    ),
    (
        "differs",
        "deployment_affinity_ttl_seconds",
        "The default is 600, and 86400 for models that keep their prompt caches for a day.",
    ),
    (
        "differs",
        "model_group_affinity_config",
        "A list may name prompt_caching too. A group or a kind that does not exist is an error.",
    ),
    ("own", "always_include_stream_usage prompt_cache_affinity reasoning_auto_summary", ""),
    ("works", "redis_url redis_host redis_port redis_password redis_db", ""),
    ("own", "strategy aliases retry_delay retry_ratio retry_floor", ""),
    ("own", "longest_cooldown on_origin_down replicate_files", ""),
    ("own", "affinity_secret state model_alias_map", ""),
    ("own", "enforced_params enforce_user_param user_header_name", ""),
    ("no counterpart", "alerting_config", _ALERTS),
    ("no counterpart", "allowed_fails_policy", _RETRIES),
    ("no counterpart", "retry_policy model_group_retry_policy", _RETRIES),
    ("no counterpart", "assistants_config", "Assistants are not served; use Responses."),
    ("no counterpart", "cache_kwargs cache_responses caching_groups", _NO_CACHE),
    ("no counterpart", "client_ttl", "Clients are kept as long as the router."),
    ("no counterpart", "debug_level set_verbose", _LOG_LEVEL),
    (
        "no counterpart",
        "default_max_parallel_requests",
        "Set rpm and tpm in the entries of model_list.",
    ),
    ("no counterpart", "default_priority", "Calls have no priorities."),
    ("no counterpart", "polling_interval", "Calls are not queued."),
    (
        "no counterpart",
        "enable_pre_call_checks",
        "Context windows are always checked where entries state them.",
    ),
    ("works", "enable_tag_filtering tag_filtering_match_any", ""),
    (
        "no counterpart",
        "enable_weighted_failover",
        "A failed call always goes on to another deployment by weight.",
    ),
    ("no counterpart", "ignore_invalid_deployments", "Remove the entries that cannot be used."),
    ("refused", "provider_budget_config", "Give each of the gateway's keys a budget."),
    ("no counterpart", "router_general_settings", "The router reads its settings when it is made."),
    ("no counterpart", "routing_strategy_args", "The strategies have nothing to set."),
    ("no counterpart", "max_retries", "Set num_retries."),
    ("no counterpart", "enable_pre_call_check", "Write enable_pre_call_checks."),
    ("no counterpart", "search_tools", "Use the web_search tool of Responses."),
    ("refused", "guardrail_list", _FILTERS),
    ("no counterpart", "plugins", "Pass callables to on_response and on_error."),
    (
        "refused",
        "tag_routing_prefix routing_groups weights",
        "Write weight, order and tags into the entries of model_list.",
    ),
    (
        "no counterpart",
        "enable_health_check_routing health_check_staleness_threshold "
        "health_check_ignore_transient_errors background_health_check_model_groups",
        "Write enable_health_check_routing and health_check_interval in general_settings.",
    ),
    (
        "no counterpart",
        "fallback_access_check fallback_budget_check",
        "A fallback is part of the call: the rights and the budget of its key hold for it.",
    ),
    ("no counterpart", "auto_router_capability_limit", "Use Azure's model-router."),
)

_LITELLM: _Rows = (
    ("works", "drop_params callbacks success_callback failure_callback", ""),
    ("works", "budget_exceeded_status_code json_logs", ""),
    ("works", "require_auth_for_metrics_endpoint", ""),
    ("works", "sse_keepalive_ping_interval_seconds", ""),
    ("works", "num_retries request_timeout stream_timeout allowed_fails", ""),
    ("works", "fallbacks default_fallbacks max_fallbacks", ""),
    ("works", "context_window_fallbacks content_policy_fallbacks", ""),
    ("works", "turn_off_message_logging redact_user_api_key_info", ""),
    ("works", "return_response_headers suppress_debug_info", ""),
    ("works", "include_cost_in_streaming_usage model_alias_map", ""),
    ("differs", "reasoning_auto_summary", "Asks for the summary `auto`, LiteLLM for `detailed`."),
    ("works", "forward_traceparent_to_llm_provider", ""),
    ("no counterpart", "cache cache_params caching", _NO_CACHE),
    ("refused", "guardrails", _FILTERS),
    ("refused", "max_budget", _KEY_BUDGET),
    (
        "refused",
        "max_end_user_budget max_user_budget max_internal_user_budget "
        "default_max_internal_user_budget",
        _KEY_BUDGET,
    ),
    ("no counterpart", "budget_duration", "Give each key a budget_period."),
    ("no counterpart", "default_internal_user_params", _KEYS),
    ("no counterpart", "upperbound_key_generate_params", _KEYS),
    (
        "differs",
        "default_key_generate_params",
        "Terms of the `virtual_keys` of the file; `keys create` has options for its own.",
    ),
    ("no counterpart", "default_team_settings", "Give each key its own settings."),
    ("no counterpart", "custom_provider_map", _ONE_CLOUD),
    ("no counterpart", "ssl_verify ssl_certificate", _CERTIFICATES),
    ("no counterpart", "set_verbose", _LOG_LEVEL),
    ("no counterpart", "use_aiohttp_transport", _CONNECTIONS),
    ("no counterpart", "disable_aiohttp_transport", _CONNECTIONS),
    ("no counterpart", "service_callback audit_log_callbacks", _LOGS),
    ("no counterpart", "cost_discount_config", _PRICING),
    ("no counterpart", "cost_margin_config", _PRICING),
    ("no counterpart", "model_cost_map_url", _PRICING),
    ("no counterpart", "num_retries_per_request", _RETRIES),
    (
        "no counterpart",
        "modify_params",
        "Requests are changed only where a parameter says so: drop_params.",
    ),
    (
        "no counterpart",
        "enable_azure_ad_token_refresh",
        "Tokens are fetched by azure-identity without a switch.",
    ),
    ("no counterpart", "service_callbacks langfuse_default_tags store_audit_logs", _LOGS),
    ("no counterpart", "mcp_aliases mcp_semantic_tool_filter", _MCP),
    ("no counterpart", "enable_redis_auth_cache", "Keys are read from the database."),
    (
        "no counterpart",
        "force_ipv4 aiohttp_trust_env enable_preview_features disable_hf_tokenizer_download "
        "disable_add_transform_inline_image_block disable_copilot_system_to_assistant "
        "LITELLM_DISABLE_STOP_SEQUENCE_LIMIT",
        "It concerns other clouds, or LiteLLM's own code.",
    ),
    (
        "no counterpart",
        "use_chat_completions_url_for_anthropic_messages",
        "Each deployment is called over the API that it speaks; write api: chat in its entry.",
    ),
    (
        "no counterpart",
        "enable_json_schema_validation",
        "Ask for strict output, which the service guarantees.",
    ),
    (
        "no counterpart",
        "disable_end_user_cost_tracking disable_end_user_cost_tracking_prometheus_only",
        "Metrics name no end users; leave spend_log out to keep no costs of end users.",
    ),
    (
        "refused",
        "key_generation_settings",
        "Only who has the gateway's database can make keys.",
    ),
    (
        "no counterpart",
        "enable_key_alias_format_validation key_alias_pattern max_ui_session_budget",
        "There is no user interface that makes keys.",
    ),
    ("refused", "post_call_rules", _FILTERS),
    ("no counterpart", "budget_reset_time", "A budget is renewed a whole period after it began."),
    (
        "no counterpart",
        "global_prompt_directory global_bitbucket_config global_gitlab_config",
        "Name a stored prompt in the request.",
    ),
    (
        "no counterpart",
        "priority_reservation priority_reservation_settings model_group_settings",
        "Give keys their own rpm and tpm.",
    ),
    ("no counterpart", "websearch_interception_params", "Use the web_search tool of Responses."),
    (
        "no counterpart",
        "request_correlation_in_logs",
        "Log lines carry the call's id without a switch.",
    ),
)

_GENERAL: _Rows = (
    ("works", "master_key database_url proxy_batch_write_at", ""),
    ("works", "user_api_key_cache_ttl max_request_size_mb allowed_routes", ""),
    ("works", "max_in_flight_requests_per_worker", ""),
    ("works", "max_queued_requests_per_worker", ""),
    ("works", "admission_queue_timeout_seconds cancel_on_disconnect", ""),
    ("works", "always_include_stream_usage", ""),
    (
        "differs",
        "background_health_checks health_check_interval enable_health_check_routing",
        "Each process calls the deployments itself; a failed one has a cooldown on that process.",
    ),
    ("works", "health_check_details", ""),
    ("works", "enforced_params enforce_user_param user_header_name", ""),
    (
        "no counterpart",
        "user_header_mappings",
        "Write user_header_name for the end user; a key says who else calls.",
    ),
    ("own", "health_check_timeout", ""),
    ("own", "affinity_secret allow_unauthenticated allowed_hosts", ""),
    ("own", "batch_concurrency drain_timeout keepalive_seconds", ""),
    ("own", "key_refresh_interval max_bodies_bytes max_body_bytes", ""),
    ("own", "max_body_values max_concurrent_requests max_connections", ""),
    ("own", "max_concurrent_uploads max_queued_requests max_upload_bytes", ""),
    ("own", "metrics metrics_key queue_timeout redis_url", ""),
    ("own", "spend_flush_interval spend_log", ""),
    ("own", "webhook_allow_http webhook_allow_private webhook_secret", ""),
    ("own", "webhook_secrets webhook_url", ""),
    ("own", "websocket_connections websocket_connections_per_key", ""),
    ("own", "websocket_idle_seconds websocket_max_seconds", ""),
    (
        "refused",
        "custom_auth custom_auth_run_common_checks litellm_jwtauth enable_jwt_auth "
        "enable_oauth2_auth oauth2_config_mappings enable_oauth2_proxy_auth allow_user_auth "
        "role_permissions enforce_rbac service_account_settings",
        _KEYS,
    ),
    (
        "no counterpart",
        "custom_key_generate custom_key_policy custom_key_update default_team_disabled "
        "disable_custom_api_keys disable_key_generate_for_org_admin use_team_public_model_name "
        "team_metadata_schema team_metadata_validation_error_message "
        "team_metadata_validation_timeout custom_team_metadata_validate "
        "disable_auto_add_proxy_admin_to_teams apply_user_budget_to_team_keys",
        _KEYS,
    ),
    (
        "refused",
        "reject_clientside_metadata_tags",
        "Tags of callers choose among deployments only where enable_tag_filtering says so.",
    ),
    (
        "no counterpart",
        "trusted_proxy_ranges",
        "use_x_forwarded_for trusts the one proxy that is in front.",
    ),
    (
        "no counterpart",
        "disable_responses_id_security allow_unmanaged_response_ids",
        "Ids are of use to their owner only; give keys one owner to share them.",
    ),
    (
        "no counterpart",
        "allow_requests_on_db_unavailable",
        "Keys that are known stay valid while the database cannot be reached.",
    ),
    (
        "no counterpart",
        "allow_client_side_credentials",
        "Callers cannot bring their own credential.",
    ),
    (
        "no counterpart",
        "forward_client_headers_to_llm_api forward_openai_org_id forward_llm_provider_auth_headers",
        "Send extra_headers in the request; headers of callers are not passed on.",
    ),
    (
        "no counterpart",
        "image_generation_model embedding_model moderation_model",
        "Callers name the model.",
    ),
    (
        "no counterpart",
        "store_prompts_in_spend_logs spend_logs_metadata_fields",
        "Content is never stored.",
    ),
    (
        "refused",
        "disable_spend_updates disable_reset_budget disable_budget_reservation",
        "Budgets count every call: leave the budget of a key out instead.",
    ),
    (
        "no counterpart",
        "disable_adding_master_key_hash_to_db disable_prisma_schema_update "
        "supported_db_objects use_redis_transaction_buffer database_connect_timeout "
        "database_socket_timeout database_max_idle_connection_lifetime "
        "database_extra_connection_params database_disable_prepared_statements database_type "
        "database_args database_connection_pool_timeout user_api_key_cache_max_size "
        "scheduled_job_stagger spend_capture_rate_check proxy_budget_rescheduler_min_time "
        "proxy_budget_rescheduler_max_time proxy_batch_polling_interval track_unmanaged_batch_cost",
        "The gateway looks after its database itself.",
    ),
    (
        "no counterpart",
        "maximum_spend_logs_retention_period maximum_spend_logs_retention_interval "
        "maximum_spend_logs_cleanup_cron maximum_spend_logs_cleanup_batch_size "
        "maximum_spend_logs_cleanup_max_batches maximum_spend_logs_cleanup_run_budget "
        "maximum_spend_logs_cleanup_batch_timeout use_spend_logs_partitioning "
        "maximum_autorouter_session_retention_period maximum_health_check_retention_period "
        "maximum_daily_tag_spend_retention_period",
        "Rotate the spend log with the tools of the system.",
    ),
    (
        "no counterpart",
        "disable_master_key_return disable_env_credential_login hide_default_credentials_hint "
        "auto_redirect_ui_login_to_sso custom_ui_sso_sign_in_handler control_plane_url "
        "allow_cli_sso_verification_uri_complete enable_public_model_hub "
        "disable_password_login_when_sso_enabled max_failed_login_attempts_per_source "
        "max_failed_login_attempts_per_source_overrides failed_login_window_seconds "
        "failed_login_block_seconds password_policy_min_length password_policy_require_uppercase "
        "password_policy_require_lowercase password_policy_require_numbers "
        "password_policy_require_special_characters password_policy_check_breached_passwords",
        "There is no user interface to sign in to.",
    ),
    (
        "no counterpart",
        "user_mcp_management_mode mcp_internal_ip_ranges mcp_advertised_versions "
        "mcp_allowed_clients mcp_client_id_header mcp_trusted_proxy_ranges "
        "mcp_xff_num_trusted_hops mcp_prefer_client_id_metadata_document mcp_required_fields "
        "mcp_allow_all_keys_respects_mcp_scope mcp_client_side_auth_header_name "
        "mcp_session_token_signing enable_mcp_registry require_end_user_mcp_access_defined "
        "require_key_mcp_access_defined",
        _MCP,
    ),
    (
        "no counterpart",
        "use_client_credentials_pass_through_routes pass_through_request_timeout "
        "passthrough_managed_object_ids disable_bedrock_agent_runtime_passthrough "
        "enable_openai_websocket_passthrough",
        _ROUTES,
    ),
    ("no counterpart", "spend_report_frequency alert_type_config", _ALERTS),
    (
        "no counterpart",
        "health_check_concurrency health_check_skip_disabled_background_models "
        "background_health_check_model_groups health_check_staleness_threshold "
        "health_check_ignore_transient_errors use_shared_health_check model_list_healthy_only "
        "disable_model_info_refresh",
        "All deployments are called, at most eight at once; a 429 does not count as a failure.",
    ),
    ("no counterpart", "allow_public_health_readiness_details", "Readiness shows no secrets."),
    (
        "no counterpart",
        "disable_retry_on_max_parallel_request_limit_error",
        "A call over the limit waits, then gets 503.",
    ),
    ("no counterpart", "responses_websocket_session_limit_seconds", "Write websocket_max_seconds."),
    ("no counterpart", "max_file_size_mb max_batch_file_size_mb", "Write max_upload_bytes."),
    (
        "refused",
        "max_batch_file_records max_batch_file_uploads_per_day max_file_downloads_per_minute "
        "allowed_file_extensions blocked_file_extensions",
        "Check uploads in front of the gateway, or leave /files out of allowed_routes.",
    ),
    (
        "no counterpart",
        "disable_batch_input_file_rate_limiting skip_batch_input_file_rate_limiting_for_models "
        "skip_batch_input_file_rate_limiting_for_providers token_rate_limit_type",
        "The requests of a batch count like calls.",
    ),
    (
        "no counterpart",
        "fail_closed_rate_limit_enforcement fail_closed_budget_enforcement",
        "Limits hold on each replica while the shared state cannot be reached.",
    ),
    (
        "refused",
        "vector_store_deny_by_default search_tool_deny_by_default",
        "Write allowed_routes.",
    ),
    ("refused", "enforce_fallback_model_access", "Write fallbacks that every key may call."),
    (
        "refused",
        "user_url_validation user_url_allowed_hosts provider_url_destination_allowed_hosts",
        "Azure fetches the URLs of a request; check them in front of the gateway.",
    ),
    (
        "no counterpart",
        "include_call_id_in_error_body expose_fallback_errors_to_caller disable_error_logs tracing",
        "Errors name the call in x-litellm-call-id; read the package's log.",
    ),
    (
        "no counterpart",
        "enable_claude_code_gateway claude_code_gateway_managed_settings missing_session_id "
        "transcribe_media_buckets litellm_license enable_drain_endpoint drain_endpoint_token",
        "It is part of LiteLLM's own product.",
    ),
    ("no counterpart", "custom_sso", "There is no user interface to sign in to."),
    ("no counterpart", "ui_access_mode", "There is no user interface."),
    (
        "no counterpart",
        "store_model_in_db",
        "Deployments stand in the file; restart to change them.",
    ),
    ("no counterpart", "alerting alert_types alerting_threshold", _ALERTS),
    ("no counterpart", "alerting_args alert_to_webhook_url", _ALERTS),
    (
        "no counterpart",
        "max_parallel_requests",
        "Set max_concurrent_requests, which holds for all keys.",
    ),
    (
        "differs",
        "global_max_parallel_requests",
        "It is max_concurrent_requests: of each process, and further calls wait for queue_timeout.",
    ),
    ("refused", "admin_only_routes", "Give each key its allowed_routes."),
    ("no counterpart", "public_routes", "Every route but those of health needs a key."),
    ("differs", "allowed_ips", "Networks are read too. Health probes and webhooks are let in."),
    (
        "differs",
        "use_x_forwarded_for",
        "The last address of X-Forwarded-For counts, which the proxy in front has written.",
    ),
    ("no counterpart", "pass_through_endpoints", _ROUTES),
    ("no counterpart", "key_management_system", _SECRETS),
    ("no counterpart", "key_management_settings", _SECRETS),
    ("no counterpart", "use_azure_key_vault use_google_kms", _SECRETS),
    ("no counterpart", "completion_model", "Callers name the model."),
    ("no counterpart", "plugins", "Name callables under litellm_settings.callbacks."),
    ("no counterpart", "search_tools", "Use the web_search tool of Responses."),
    ("no counterpart", "infer_model_from_keys", "List deployments under model_list."),
    ("no counterpart", "disable_spend_logs", "Leave spend_log out."),
    ("no counterpart", "database_connection_pool_limit", "The gateway writes over one connection."),
    ("no counterpart", "database_connection_timeout", "Add connect_timeout to the database's URL."),
    (
        "no counterpart",
        "litellm_key_header_name",
        "Send Authorization, api-key or x-litellm-api-key.",
    ),
    ("no counterpart", "master_key_hash", "Set master_key."),
    ("no counterpart", "otel", "OpenTelemetry is used wherever the application sets it up."),
    ("no counterpart", "coordination_redis", "Set redis_url."),
    ("no counterpart", "dangerously_permit_weak_or_unset_master_key", "Set allow_unauthenticated."),
    (
        "no counterpart",
        "max_response_size_mb",
        "Replies are passed on in pieces, whatever their size.",
    ),
    ("no counterpart", "proxy_config_reload_interval_seconds", "Restart to read the file again."),
)

SECTION_ROWS: Mapping[str, _Rows] = {
    "": _TOP,
    "router_settings": _ROUTER,
    "litellm_settings": _LITELLM,
    "general_settings": _GENERAL,
}
