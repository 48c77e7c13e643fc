"""The production checklist of the deployment guide (section 13), as far as the cluster decides it.

What the specification alone decides, such as masking or origins, is refused at once by the rules of `api/rules.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from genai_contract.config import Environment
from genai_contract.endpoints import PRIVATE_PATHS
from genai_operator.api.database import DatabaseMode
from genai_operator.api.exposure import ExposureType, TLSMode
from genai_operator.api.genaiauto import GenAIAuto, Spec
from genai_operator.conditions.verdict import Verdict
from genai_operator.desired.context import split_image
from genai_operator.kinds import ALERTMANAGER_CONFIG, SERVICE_MONITOR
from genai_operator.observed import Observed


@dataclass(frozen=True)
class Facts:
    """What the list asks about."""

    spec: Spec
    served: frozenset[str]
    images: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One line of the list: whether it holds, and what to do when it does not."""

    holds: Callable[[Facts], bool]
    advice: str


LONGEST_ACCESS_MINUTES: Final = 30
LONGEST_REFRESH_DAYS: Final = 7


def _trusted_certificate(facts: Facts) -> bool:
    exposure = facts.spec.exposure
    return exposure.type is not ExposureType.INGRESS or exposure.tls.mode in (TLSMode.CERT_MANAGER, TLSMode.SECRET)


def _fixed_images(facts: Facts) -> bool:
    return all(digest or tag not in ("", "latest") for _, tag, digest in map(split_image, facts.images))


CHECKLIST: Final = (
    Item(
        lambda f: f.spec.auth.access_expire_minutes <= LONGEST_ACCESS_MINUTES,
        f"set auth.accessExpireMinutes to {LONGEST_ACCESS_MINUTES} or less",
    ),
    Item(
        lambda f: f.spec.auth.refresh_expire_days <= LONGEST_REFRESH_DAYS,
        f"set auth.refreshExpireDays to {LONGEST_REFRESH_DAYS} or less",
    ),
    Item(_trusted_certificate, "use a certificate that clients trust: exposure.tls.mode CertManager or Secret"),
    Item(
        lambda f: set(f.spec.exposure.private_paths) >= PRIVATE_PATHS,
        f"keep {', '.join(sorted(PRIVATE_PATHS))} in exposure.privatePaths",
    ),
    Item(lambda f: f.spec.network_policy.enabled, "set networkPolicy.enabled to true"),
    Item(lambda f: f.spec.exposure.limits.enabled, "set exposure.limits.enabled to true"),
    Item(
        lambda f: f.spec.exposure.type is ExposureType.NONE or bool(f.spec.api.trusted_proxies),
        "name the ingress in api.trustedProxies: without it all clients share one limit",
    ),
    Item(lambda f: f.spec.api.log_level in ("WARNING", "ERROR"), "set api.logLevel to WARNING or ERROR"),
    Item(lambda f: SERVICE_MONITOR.name in f.served, "install the Prometheus operator, so that somebody watches"),
    Item(
        lambda f: f.spec.monitoring.receivers.any and ALERTMANAGER_CONFIG.name in f.served,
        "set monitoring.receivers, so that somebody hears of alerts",
    ),
    Item(_fixed_images, "pin every image to a version or a digest"),
    Item(
        lambda f: f.spec.database.mode is not DatabaseMode.MANAGED,
        "back the database up: this version makes no backups of mode Managed; until then pg_dump, or another mode",
    ),
)


def production_ready(o: Observed, app: GenAIAuto) -> Verdict:
    """Which items of the list are open."""
    if app.spec.environment is not Environment.PRODUCTION:
        return Verdict.unknown("NotProduction", f"environment is {app.spec.environment.value}: no list")
    images = (o.images.app_of(app), o.images.database_of(app), o.images.redis_of(app))
    facts = Facts(app.spec, o.served, images)
    open_items = [item.advice for item in CHECKLIST if not item.holds(facts)]
    if open_items:
        return Verdict.wait("ChecklistOpen", f"{len(open_items)} of {len(CHECKLIST)} open: {'; '.join(open_items)}")
    return Verdict.yes("ChecklistDone", f"all {len(CHECKLIST)} items hold")
