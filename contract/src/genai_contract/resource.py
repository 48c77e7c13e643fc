"""Which field of the resource `GenAIAuto` each setting follows: the operator's mapping and the reference's last column.

Every setting is in exactly one of three tables, which a test enforces: whoever adds a setting says where it comes from.
Paths are below `spec`. A list is joined with commas, and an empty text leaves the setting at its default.
"""

from types import MappingProxyType
from typing import Final

FOLLOWED: Final = MappingProxyType(
    {
        "environment": "environment",
        "cors_allowed_origins": "api.corsAllowedOrigins",
        "trusted_proxies": "api.trustedProxies",
        "docs_enabled": "api.docsEnabled",
        "log_level": "api.logLevel",
        "drain_seconds": "api.rollout.drainSeconds",
        "rate_limit_enabled": "exposure.limits.enabled",
        "rate_limit_per_second": "exposure.limits.apiRPS",
        "rate_limit_burst": "exposure.limits.apiBurst",
        "rate_limit_auth_per_second": "exposure.limits.authRPS",
        "rate_limit_auth_burst": "exposure.limits.authBurst",
        "private_paths": "exposure.privatePaths",
        "max_body_bytes": "exposure.limits.maxBodySize",
        "postgres_db": "database.name",
        "postgres_user": "database.user",
        "database_pool_size": "database.pooling.connections",
        "cache_enabled": "cache.enabled",
        "cache_ttl": "cache.ttlSeconds",
        "cache_semantic_enabled": "cache.semantic.enabled",
        "llm_provider": "llm.provider",
        "openrouter_base_url": "llm.baseURL",
        "llm_model": "llm.model",
        "llm_fallback_models": "llm.fallbackModels",
        "llm_http_referer": "llm.httpReferer",
        "llm_timeout_seconds": "llm.timeoutSeconds",
        "embedding_model": "llm.embeddingModel",
        "embedding_dimension": "llm.embeddingDimensions",
        "vector_index": "database.vectorIndex.type",
        "vector_index_hnsw_m": "database.vectorIndex.hnsw.m",
        "vector_index_hnsw_ef_construction": "database.vectorIndex.hnsw.efConstruction",
        "hnsw_ef_search": "database.vectorIndex.hnsw.efSearch",
        "ivfflat_probes": "database.vectorIndex.ivfflat.probes",
        "confidence_threshold": "llm.confidenceThreshold",
        "llm_budget_hourly_warn_usd": "llm.budget.hourlyWarnUSD",
        "llm_budget_hourly_limit_usd": "llm.budget.hourlyLimitUSD",
        "llm_budget_monthly_limit_usd": "llm.budget.monthlyLimitUSD",
        "llm_budget_user_hourly_limit_usd": "llm.budget.userHourlyLimitUSD",
        "llm_budget_on_limit": "llm.budget.onLimit",
        "langchain_tracing_v2": "llm.tracing.langsmith.enabled",
        "langchain_endpoint": "llm.tracing.langsmith.endpoint",
        "langchain_project": "llm.tracing.langsmith.project",
        "mask_pii": "privacy.maskPII",
        "mask_pii_in_prompts": "privacy.maskPrompts",
        "handoff_dead_letter_hours": "integrations.handoffDeadLetterHours",
        "scheduler_api_url": "integrations.scheduler.url",
        "scheduler_timeout_seconds": "integrations.scheduler.timeoutSeconds",
        "service_timezone": "workshop.timezone",
        "service_opening_hours": "workshop.openingHours",
        "service_closed_days": "workshop.closedDays",
        "service_slot_minutes": "workshop.slotMinutes",
        "service_bays": "workshop.bays",
        "jwt_access_expire_minutes": "auth.accessExpireMinutes",
        "jwt_refresh_expire_days": "auth.refreshExpireDays",
        "openrouter_api_key": "llm.apiKeySecretRef",
        "langchain_api_key": "llm.tracing.langsmith.apiKeySecretRef",
        "jwt_secret_key": "auth.jwtSecretRef",
        "human_support_webhook": "integrations.humanSupportWebhookSecretRef",
        "human_support_webhook_secret": "integrations.humanSupportWebhookSigningSecretRef",
        "scheduler_api_key": "integrations.scheduler.apiKeySecretRef",
    }
)
"""Settings that a person chooses in the resource; those of `AppSecrets` by a reference to a Secret."""

WORKED_OUT: Final = MappingProxyType(
    {
        "postgres_host": "the database's Service, or `database.external`, or `database.cloudNativePG`",
        "postgres_port": "the same",
        "postgres_sslmode": "`database.external.sslMode`; strict with CloudNativePG",
        "postgres_sslrootcert": "`database.external.caSecretRef`, or CloudNativePG's own",
        "postgres_password": "a Secret that the operator makes, or `database.external.credentialsSecretRef`",
        "redis_url": "`redis.mode`, and the Service of Redis or `redis.external`",
        "redis_ca_file": "`redis.external.caSecretRef`",
        "redis_password": "a Secret that the operator makes, or `redis.external.credentialsSecretRef`",
    }
)
"""Settings that the operator works out, and from what."""

OUTSIDE: Final = MappingProxyType(
    {
        "api_host": "pods listen on every address",
        "api_port": "Service and probes expect the default",
        "metrics_port": "the Service expects the default",
        "debug": "it shows every SQL statement in the logs: for developers",
        "otel_exporter_otlp_endpoint": "OpenTelemetry is an extra of the package, which the image does not hold",
        "otel_exporter_otlp_headers": "OpenTelemetry is an extra of the package, which the image does not hold",
        "otel_service_name": "OpenTelemetry is an extra of the package, which the image does not hold",
        "database_url": "the `POSTGRES_*` parts say the same",
        "embedding_provider": "`auto` follows `llm.provider`",
        "similarity_top_k": "the default is what the answers were measured with",
        "jwt_algorithm": "there is only one",
        "jwt_previous_secret_key": "comes with the rotation of credentials",
    }
)
"""Settings that a resource does not reach, and why pods do well with their defaults."""
