"""/livez, /readyz, /health and the metrics on the API's port."""

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from genai_app import __version__
from genai_app.health.checks import Checks
from genai_app.http.problems import problem, request_id_of
from genai_app.metrics import CONTENT_TYPE, Metrics
from genai_contract.endpoints import HEALTH_PATH, LIVENESS_PATH, METRICS_PATH, READINESS_PATH

router = APIRouter(tags=["health"])

RETRY_SECONDS = 2
_DETAILS = {
    "database_unreachable": "The database cannot be reached.",
    "schema_behind": "The database's schema is older than this build: run `genai-auto migrate`.",
}


class ServicesOut(BaseModel):
    """What each dependency is like."""

    database: Literal["connected", "disconnected"]
    redis: Literal["connected", "disconnected"]
    llm: Literal["configured", "unconfigured", "unreachable", "offline"]


class Health(BaseModel):
    """200 while requests can be served, 503 when the database is gone."""

    status: Literal["healthy", "degraded", "unhealthy"]
    version: str
    services: ServicesOut


async def checks(request: Request) -> Checks:
    """The application's checks."""
    return cast("Checks", request.app.state.checks)


ChecksDependency = Annotated[Checks, Depends(checks)]


@router.get(HEALTH_PATH, responses={503: {"model": Health}})
async def health(checks: ChecksDependency, response: Response) -> Health:
    """The state of the service, for people and uptime monitors."""
    services = await checks.services()
    status = checks.status(services)
    if status == "unhealthy":
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return Health(
        status=status,
        version=__version__,
        services=ServicesOut(database=services.database, redis=services.redis, llm=services.llm),
    )


@router.get(LIVENESS_PATH)
async def live() -> dict[str, str]:
    """The process runs and its event loop turns; looks at nothing else."""
    return {"status": "alive"}


@router.get(READINESS_PATH, response_model=dict[str, str])
async def ready(request: Request, checks: ChecksDependency) -> Response | dict[str, str]:
    """Whether this replica should get requests; `reason` says why not."""
    reason = await checks.not_ready()
    if reason is None:
        return {"status": "ready"}
    return problem(
        503,
        reason.value.replace("_", "-"),
        "This replica is not ready",
        _DETAILS[reason.value],
        request_id=request_id_of(request.scope),
        headers={"Retry-After": str(RETRY_SECONDS)},
        extra={"reason": reason.value},
    )


@router.get(METRICS_PATH, response_class=Response, responses={200: {"content": {CONTENT_TYPE: {}}}})
async def metrics(request: Request) -> Response:
    """Prometheus' text format; for the private network."""
    return Response(cast("Metrics", request.app.state.metrics).render(), media_type=CONTENT_TYPE)
