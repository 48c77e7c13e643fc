"""The operator's own metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """One registry for each operator: no state in the module."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.reconciles = Counter(
            "genai_operator_reconciles_total",
            "Reconciles by result: success or error.",
            ("result",),
            registry=self.registry,
        )
        self.reconcile_seconds = Histogram(
            "genai_operator_reconcile_seconds",
            "Time of a reconcile.",
            buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 30, 180),
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "genai_operator_queue_depth", "Instances that wait for a worker.", registry=self.registry
        )
        self.heartbeat = Gauge(
            "genai_operator_heartbeat_timestamp_seconds",
            "When the event loop and the workers were last found well, as Unix time.",
            registry=self.registry,
        )
        self.leads = Gauge(
            "genai_operator_leader",
            "1 while this process works, 0 while another holds the Lease.",
            registry=self.registry,
        )
        self.outdated = Gauge(
            "genai_operator_crd_outdated",
            "1 while the API server's definition of GenAIAuto lacks fields that this operator knows.",
            registry=self.registry,
        )
        self.api_requests = Counter(
            "genai_operator_kubernetes_requests_total",
            "Answers of the API server by method and status.",
            ("method", "status"),
            registry=self.registry,
        )

    def count_answer(self, method: str, status: int) -> None:
        """Count one answer of the API server."""
        self.api_requests.labels(method, str(status)).inc()
