"""What a resource comes to: the sizes of its profile with what the spec sets itself, and who decides the replicas."""

from dataclasses import dataclass

from genai_operator import quantities
from genai_operator.api.agent_api import Engine, Switch
from genai_operator.api.fields import Resources
from genai_operator.api.genaiauto import GenAIAuto, State
from genai_operator.api.profiles import PROFILES, Amount, Size
from genai_operator.naming import RECONCILE


@dataclass(frozen=True)
class Bounds:
    """Fewest and most API pods under autoscaling."""

    least: int
    most: int


def hibernated(app: GenAIAuto) -> bool:
    """Whether every pod is stopped on purpose."""
    return app.spec.state is State.HIBERNATED


def is_disabled(app: GenAIAuto) -> bool:
    """Whether the operator must not change anything."""
    return app.metadata.annotations.get(RECONCILE, "") == "disabled"


def api_size(app: GenAIAuto) -> Size:
    """CPU and memory of an API pod."""
    return sized(app.spec.api.resources, PROFILES[app.spec.profile].api)


def database_size(app: GenAIAuto) -> Size:
    """CPU and memory of the database."""
    return sized(app.spec.database.managed.resources, PROFILES[app.spec.profile].database)


def redis_size(app: GenAIAuto) -> Size:
    """CPU and memory of Redis."""
    return sized(app.spec.redis.managed.resources, PROFILES[app.spec.profile].redis)


def sized(wish: Resources, profile: Size) -> Size:
    """The profile's size with what is wished; a profile's request gives way to a wished limit, and the reverse."""
    cpu = _pair(wish.requests.cpu, wish.limits.cpu, profile.requests.cpu, profile.limits.cpu)
    memory = _pair(wish.requests.memory, wish.limits.memory, profile.requests.memory, profile.limits.memory)
    return Size(requests=Amount(cpu[0], memory[0]), limits=Amount(cpu[1], memory[1]))


def _pair(request: str | None, limit: str | None, usual_request: str, usual_limit: str) -> tuple[str, str]:
    """Request and limit: never more requested than allowed."""
    if limit is None:
        limit = usual_limit if request is None else max(usual_limit, request, key=quantities.parse)
    return request if request is not None else min(usual_request, limit, key=quantities.parse), limit


def autoscaling(app: GenAIAuto) -> Bounds | None:
    """The bounds between which the load decides; None when `api.replicas` decides."""
    wish, profile = app.spec.api.autoscaling, PROFILES[app.spec.profile]
    on = wish.mode is Switch.ENABLED or (wish.mode is Switch.AUTO and profile.scales)
    if hibernated(app) or not on:
        return None
    least = wish.min_replicas or min(profile.replicas[0], wish.max_replicas or profile.replicas[0])
    return Bounds(least, wish.max_replicas or max(profile.replicas[1], least))


def fewest_replicas(app: GenAIAuto) -> int:
    """API pods that there are at least while the instance runs."""
    bounds = autoscaling(app)
    return bounds.least if bounds else app.spec.api.replicas


def wanted_replicas(app: GenAIAuto, live: int | None) -> int:
    """API pods to ask for. Under autoscaling the number that is there stays: whoever scales decides about it.

    live: what the Deployment asks for now; None before it exists. An autoscaler does nothing at 0, so 0 is left.
    """
    if hibernated(app):
        return 0
    bounds = autoscaling(app)
    return (live or bounds.least) if bounds else app.spec.api.replicas


def engine(app: GenAIAuto, *, keda_is_there: bool) -> Engine | None:
    """Who scales; None when nobody does. Until KEDA is there an HPA stands in."""
    if autoscaling(app) is None:
        return None
    return Engine.KEDA if app.spec.api.autoscaling.engine is Engine.KEDA and keda_is_there else Engine.HPA
