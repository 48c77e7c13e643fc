"""Every metric of the agent API: the only place where names, labels and buckets are spelled.

Names, labels and buckets are those that existing dashboards know (reference section 6), with the corrections of the
design: `user_feedback_total` carries no message id, and `endpoint` is a route template.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class MetricSpec:
    """One metric: `name` as scraped, `labels` in order, `buckets` in the unit that the name ends with."""

    name: str
    kind: Kind
    description: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


REQUEST_LATENCY: Final = MetricSpec(
    "request_latency_seconds",
    "histogram",
    "Time to answer a request.",
    ("endpoint", "method"),
    (0.1, 0.5, 1, 2, 5, 10, 30, 60),
)
HTTP_ERRORS: Final = MetricSpec(
    "http_errors_total", "counter", "Responses of status 400 and above.", ("endpoint", "method", "status_code")
)
REQUESTS_IN_PROGRESS: Final = MetricSpec("requests_in_progress", "gauge", "Requests being answered.", ("endpoint",))
LLM_TOKENS: Final = MetricSpec(
    "llm_tokens_total", "counter", "Tokens sent to and received from models.", ("type", "model", "agent")
)
LLM_LATENCY: Final = MetricSpec(
    "llm_latency_seconds", "histogram", "Time of a model call.", ("model", "agent"), (0.5, 1, 2, 5, 10, 20, 30)
)
LLM_ERRORS: Final = MetricSpec(
    "llm_errors_total",
    "counter",
    "Failed model calls: timeout, rate_limit, api_error or validation_error.",
    ("error_type", "model"),
)
LLM_COST: Final = MetricSpec("llm_cost_dollars_total", "counter", "Dollars that models cost.", ("model", "agent"))
LLM_COST_UNKNOWN: Final = MetricSpec(
    "llm_cost_unknown_total", "counter", "Calls of a paid model whose price is not known: they count as 0.", ("model",)
)
REQUEST_COST: Final = MetricSpec(
    "request_cost_dollars",
    "histogram",
    "Dollars that one turn cost.",
    buckets=(0.0001, 0.001, 0.01, 0.05, 0.1, 0.5, 1, 5),
)
LLM_REACHABLE: Final = MetricSpec(
    "llm_reachable", "gauge", "1, or 0 while every model is left alone after its failures."
)
BUDGET_SPENT: Final = MetricSpec(
    "llm_budget_spent_dollars", "gauge", "Dollars spent in this hour or month, by all replicas.", ("period",)
)
BUDGET_LIMIT: Final = MetricSpec(
    "llm_budget_limit_dollars", "gauge", "Dollars that may be spent in an hour or month; absent: no limit.", ("period",)
)
BUDGET_WARNING: Final = MetricSpec(
    "llm_budget_warning_dollars", "gauge", "Dollars in an hour from which on a warning is given."
)
BUDGET_EXHAUSTED: Final = MetricSpec(
    "llm_budget_exhausted_total", "counter", "Turns that found a budget spent.", ("period", "policy")
)
RAG_SIMILARITY: Final = MetricSpec(
    "rag_similarity_score",
    "histogram",
    "Cosine similarity of retrieved passages.",
    ("agent", "document_type"),
    (0, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1),
)
RAG_DOCUMENTS: Final = MetricSpec(
    "rag_documents_retrieved_total", "counter", "Passages retrieved.", ("agent", "document_type")
)
RAG_LATENCY: Final = MetricSpec(
    "rag_search_latency_ms",
    "histogram",
    "Time of a retrieval in milliseconds.",
    ("agent",),
    (10, 25, 50, 100, 200, 500, 1000, 2000),
)
CACHE_OPERATIONS: Final = MetricSpec(
    "cache_operations_total", "counter", "Cache look-ups by outcome.", ("operation", "cache_type")
)
CACHE_LATENCY: Final = MetricSpec(
    "cache_latency_ms",
    "histogram",
    "Time of a cache look-up in milliseconds.",
    ("operation", "cache_type"),
    (1, 5, 10, 25, 50, 100, 200),
)
AGENT_ROUTING: Final = MetricSpec(
    "agent_routing_total", "counter", "Turns by the agent that was chosen.", ("selected_agent", "routing_method")
)
AGENT_ROUTING_CONFIDENCE: Final = MetricSpec(
    "agent_routing_confidence",
    "histogram",
    "Measured confidence of the routing.",
    ("selected_agent",),
    (0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1),
)
AGENT_REROUTING: Final = MetricSpec(
    "agent_rerouting_total",
    "counter",
    "Turns that a second agent answered, because the first was an unsure choice and had no answer.",
    ("from_agent", "to_agent", "reason"),
)
RATE_LIMITED: Final = MetricSpec(
    "rate_limit_rejections_total", "counter", "Requests refused by the rate limit.", ("scope",)
)
DATABASE_SIZE: Final = MetricSpec("database_size_bytes", "gauge", "Size of the database, without the WAL.")
DEPENDENCY_DOWN: Final = MetricSpec(
    "dependency_down_total",
    "counter",
    "Uses of a dependency that did not answer, by its written policy.",
    ("dependency", "policy"),
)
CHAT_SESSIONS: Final = MetricSpec(
    "chat_sessions_active", "gauge", "Conversations with a turn in the last five minutes, on this replica."
)
TASK_COMPLETION: Final = MetricSpec(
    "task_completion_total",
    "counter",
    "Turns by their end: completed, escalated to a person, abandoned without an answer.",
    ("status", "agent"),
)
TASK_DURATION: Final = MetricSpec(
    "task_duration_seconds",
    "histogram",
    "Time from a message to its answer or its other end.",
    ("agent", "status"),
    (10, 30, 60, 120, 300, 600, 1200, 1800),
)
USER_FEEDBACK: Final = MetricSpec(
    "user_feedback_total", "counter", "Opinions about answers; one that changes counts again.", ("sentiment",)
)
HUMAN_HANDOFF: Final = MetricSpec(
    "human_handoff_total", "counter", "Turns that a person takes over.", ("reason", "agent")
)
HANDOFF_CONFIDENCE: Final = MetricSpec(
    "handoff_confidence_score",
    "histogram",
    "Confidence of the answers that a person takes over.",
    (),
    (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1),
)
HANDOFF_OUTBOX_DEPTH: Final = MetricSpec(
    "handoff_outbox_depth", "gauge", "Handoffs that the desk has not got yet, over all replicas."
)
HANDOFF_OUTBOX_AGE: Final = MetricSpec(
    "handoff_outbox_oldest_seconds", "gauge", "Age of the oldest handoff that the desk has not got yet; 0: none waits."
)
HANDOFF_DELIVERIES: Final = MetricSpec(
    "handoff_deliveries_total", "counter", "Attempts to deliver a handoff, by how they ended.", ("desk", "outcome")
)
HANDOFF_DEAD_LETTERS: Final = MetricSpec(
    "handoff_dead_letters_total", "counter", "Handoffs that were given up undelivered."
)
WEBSOCKETS: Final = MetricSpec("websocket_connections", "gauge", "Open WebSocket connections.")
TRACES: Final = MetricSpec(
    "traces_total",
    "counter",
    "Traces of turns by what became of them: sent, failed, or dropped because too many waited.",
    ("exporter", "outcome"),
)
BUILD_INFO: Final = MetricSpec("genai_auto_build_info", "gauge", "Always 1; the labels say what runs.", ("version",))

ALL: Final[tuple[MetricSpec, ...]] = tuple(value for value in globals().values() if isinstance(value, MetricSpec))
