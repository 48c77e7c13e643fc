"""Ports and paths of the agent API: what probes, ingresses, scrapers and clients may rely on."""

from typing import Final

HTTP_PORT: Final = 8000
METRICS_PORT: Final = 9090

LIVENESS_PATH: Final = "/livez"
READINESS_PATH: Final = "/readyz"
HEALTH_PATH: Final = "/health"

API_PREFIX: Final = "/api/v1"
METRICS_PATH: Final = f"{API_PREFIX}/metrics"
"""On both ports: the HTTP port inside the cluster, and for scrapers the metrics port, which no route exposes."""
AUTH_PREFIX: Final = f"{API_PREFIX}/auth"
CHAT_PATH: Final = f"{API_PREFIX}/chat"
FEEDBACK_PATH: Final = f"{API_PREFIX}/feedback"
WEBSOCKET_PATH: Final = "/ws/{session_id}"
WEBSOCKET_ALIAS: Final = "/ws/chat"
"""Without a session in the path: each message may name one."""

PRIVATE_PATHS: Final = frozenset({METRICS_PATH})
"""Not there for whoever comes through a proxy: the API answers 404, and an ingress may refuse them by itself."""

DRAIN_SECONDS: Final = 60
"""After SIGTERM turns and requests get this long unless DRAIN_SECONDS says otherwise; whoever stops it waits longer."""
