"""The aspects of an instance, one file each: an ordered list of pure checks. What sums them up is `status.py`."""

from typing import Final

from genai_operator.conditions.api import api_available
from genai_operator.conditions.cache import cache_ready
from genai_operator.conditions.database import database_ready
from genai_operator.conditions.exposure import certificate_ready, exposed
from genai_operator.conditions.model import budget_ok, llm_reachable
from genai_operator.conditions.monitoring import monitoring_ready
from genai_operator.conditions.production import production_ready
from genai_operator.conditions.schema import schema_up_to_date
from genai_operator.conditions.state import is_hibernated, rollouts_paused
from genai_operator.conditions.storage import storage_healthy
from genai_operator.conditions.verdict import Check

CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("DatabaseReady", database_ready),
    ("CacheReady", cache_ready),
    ("SchemaUpToDate", schema_up_to_date),
    ("ApiAvailable", api_available),
    ("LLMReachable", llm_reachable),
    ("Exposed", exposed),
    ("CertificateReady", certificate_ready),
    ("MonitoringReady", monitoring_ready),
    ("StorageHealthy", storage_healthy),
    ("BudgetOK", budget_ok),
    ("ProductionReady", production_ready),
    ("RolloutsPaused", rollouts_paused),
    ("Hibernated", is_hibernated),
)
