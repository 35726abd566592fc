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
_LOGS = "Read the spend log, the package's log or its OpenTelemetry signals."
_MCP = "Name remote MCP servers in the request's tools."
_NO_CACHE = "Replies are not cached."
_ONE_CLOUD = "This gateway serves Azure only."
_PRICING = "Use the section pricing."
_RETRIES = "Retries follow the service's own hints; set num_retries and allowed_fails."
_ROUTES = "Only the OpenAI routes are served."
_SECRETS = "Put secrets into variables: os.environ/NAME."
_TAGS = "Give deployments different names instead of tags."
_KEY_BUDGET = "Give each key a budget."

_TOP: _Rows = (
    ("works", "model_list router_settings general_settings litellm_settings", ""),
    ("works", "environment_variables", ""),
    ("own", "virtual_keys pricing dheera_ai_settings", ""),
    ("no counterpart", "credential_list", "Give each entry its own credential."),
    ("no counterpart", "guardrails", "Use Azure's content filters."),
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
    ("works", "routing_strategy num_retries timeout retry_after", ""),
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
    ("own", "always_include_stream_usage prompt_cache_affinity", ""),
    ("works", "redis_url redis_host redis_port redis_password redis_db", ""),
    ("own", "strategy aliases retry_delay retry_ratio retry_floor", ""),
    ("own", "longest_cooldown on_origin_down replicate_files", ""),
    ("own", "affinity_secret state model_alias_map", ""),
    ("no counterpart", "alerting_config", _ALERTS),
    ("no counterpart", "allowed_fails_policy", _RETRIES),
    ("no counterpart", "retry_policy model_group_retry_policy", _RETRIES),
    ("no counterpart", "assistants_config", "Assistants are not served; use Responses."),
    ("no counterpart", "cache_kwargs cache_responses caching_groups", _NO_CACHE),
    ("no counterpart", "client_ttl", "Clients are kept as long as the router."),
    ("no counterpart", "debug_level set_verbose", _LOG_LEVEL),
    (
        "no counterpart",
        "default_litellm_params",
        "Write the parameters into each entry of model_list.",
    ),
    (
        "no counterpart",
        "default_max_parallel_requests",
        "Set rpm and tpm in the entries of model_list.",
    ),
    ("no counterpart", "default_priority", "Calls have no priorities."),
    ("no counterpart", "polling_interval", "Calls are not queued."),
    (
        "no counterpart",
        "disable_cooldowns",
        "Set cooldown_time: 0; a time that the service itself names is kept.",
    ),
    (
        "no counterpart",
        "enable_pre_call_checks",
        "Context windows are always checked where entries state them.",
    ),
    ("no counterpart", "enable_tag_filtering tag_filtering_match_any", _TAGS),
    (
        "no counterpart",
        "enable_weighted_failover",
        "A failed call always goes on to another deployment by weight.",
    ),
    ("no counterpart", "ignore_invalid_deployments", "Remove the entries that cannot be used."),
    ("no counterpart", "provider_budget_config", "Give each of the gateway's keys a budget."),
    ("no counterpart", "router_general_settings", "The router reads its settings when it is made."),
    ("no counterpart", "routing_strategy_args", "The strategies have nothing to set."),
    ("no counterpart", "stream_timeout", "Set timeout, which covers streams too."),
)

_LITELLM: _Rows = (
    ("works", "drop_params callbacks success_callback failure_callback", ""),
    ("works", "budget_exceeded_status_code json_logs", ""),
    ("works", "require_auth_for_metrics_endpoint", ""),
    ("works", "sse_keepalive_ping_interval_seconds", ""),
    ("works", "num_retries request_timeout allowed_fails", ""),
    ("works", "fallbacks default_fallbacks max_fallbacks", ""),
    ("works", "context_window_fallbacks content_policy_fallbacks", ""),
    ("works", "turn_off_message_logging redact_user_api_key_info", ""),
    ("works", "return_response_headers suppress_debug_info", ""),
    ("works", "include_cost_in_streaming_usage model_alias_map", ""),
    ("works", "forward_traceparent_to_llm_provider", ""),
    ("no counterpart", "cache cache_params caching", _NO_CACHE),
    ("no counterpart", "guardrails", "Use Azure's content filters."),
    ("no counterpart", "max_budget", _KEY_BUDGET),
    ("no counterpart", "max_end_user_budget max_user_budget", _KEY_BUDGET),
    ("no counterpart", "budget_duration", "Give each key a budget_period."),
    ("no counterpart", "default_internal_user_params", _KEYS),
    ("no counterpart", "upperbound_key_generate_params", _KEYS),
    ("no counterpart", "default_key_generate_params", _KEYS),
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
    ("no counterpart", "custom_auth litellm_jwtauth custom_key_generate", _KEYS),
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
        "no counterpart",
        "global_max_parallel_requests",
        "Set max_concurrent_requests, for each process.",
    ),
    ("no counterpart", "allowed_ips", "Restrict addresses in front of the gateway."),
    ("no counterpart", "pass_through_endpoints", _ROUTES),
    ("no counterpart", "key_management_system", _SECRETS),
    ("no counterpart", "key_management_settings", _SECRETS),
    ("no counterpart", "use_azure_key_vault use_google_kms", _SECRETS),
    ("no counterpart", "completion_model", "Callers name the model."),
    ("no counterpart", "infer_model_from_keys", "List deployments under model_list."),
    ("no counterpart", "disable_spend_logs", "Leave spend_log out."),
    ("no counterpart", "database_connection_pool_limit", "The gateway writes over one connection."),
    ("no counterpart", "database_connection_timeout", "Add connect_timeout to the database's URL."),
    (
        "no counterpart",
        "litellm_key_header_name",
        "Send Authorization, api-key or x-litellm-api-key.",
    ),
    ("no counterpart", "user_header_name", "Send safety_identifier or user in the request."),
    (
        "no counterpart",
        "enforced_params",
        "Not enforced here; check requests in front of the gateway.",
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
