"""Redis for the cache and the rate limits: memory only, with a password, started by our own script."""

from typing import Final

from genai_operator import quantities
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.profiles import Size
from genai_operator.api.redis import ManagedRedis, RedisMode
from genai_operator.desired.connections import PASSWORD_KEY, REDIS_PORT
from genai_operator.desired.context import Context
from genai_operator.desired.effective import hibernated, redis_size
from genai_operator.desired.objects import config_map, metadata, service
from genai_operator.desired.pods import SERVER_USER, Volume, container, pod_template, rolled_by
from genai_operator.desired.scripts import script
from genai_operator.manifests import Manifest, digest
from genai_operator.naming import Component, Names

SCRIPTS: Final = "/etc/genai-auto/redis"
SECRETS: Final = "/run/secrets/genai-auto"
SCRATCH: Final = "/run/redis"


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """Redis; nothing when it is disabled."""
    if app.spec.redis.mode is not RedisMode.MANAGED:
        return ()
    names = Names(app.metadata.name)
    files = {"start.sh": script("redis-start.sh"), "redis.conf": configuration(app.spec.redis.managed, redis_size(app))}
    return (
        config_map(app, names.redis_scripts, Component.CACHE, files),
        service(app, names.redis, Component.CACHE, redis=REDIS_PORT),
        _deployment(app, ctx, digest([files, ctx.secrets.get(names.redis, "")])),
    )


def configuration(managed: ManagedRedis, size: Size) -> str:
    """The text of redis.conf without the password, which the start script adds."""
    memory = int(quantities.parse(size.limits.memory)) * managed.max_memory_percent // 100
    lines = (
        "bind * -::*",
        f"port {REDIS_PORT}",
        "protected-mode yes",
        f"dir {SCRATCH}",
        'save ""',
        "appendonly no",
        f"maxmemory {memory}",
        f"maxmemory-policy {managed.eviction_policy.value}",
        "tcp-keepalive 60",
    )
    return "".join(f"{line}\n" for line in lines)


def _deployment(app: GenAIAuto, ctx: Context, config_hash: str) -> Manifest:
    names = Names(app.metadata.name)
    volumes = (
        Volume.config("scripts", SCRIPTS, names.redis_scripts),
        Volume.secret("credentials", SECRETS, names.redis, (PASSWORD_KEY,)),
        Volume.scratch("scratch", SCRATCH, "16Mi", memory=True),
    )
    main = container(
        "redis",
        ctx.images.redis_of(app),
        command=["sh", f"{SCRIPTS}/start.sh"],
        size=redis_size(app),
        volumes=volumes,
        env=[
            {"name": "CONFIG_DIRECTORY", "value": SCRIPTS},
            {"name": "SECRETS_DIRECTORY", "value": SECRETS},
            {"name": "SCRATCH_DIRECTORY", "value": SCRATCH},
        ],
        ports=[{"name": "redis", "containerPort": REDIS_PORT, "protocol": "TCP"}],
        livenessProbe={"tcpSocket": {"port": "redis"}, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
        readinessProbe={"tcpSocket": {"port": "redis"}, "periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 2},
    )
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(app, names.redis, Component.CACHE),
        "spec": {
            "replicas": 0 if hibernated(app) else 1,
            **({"paused": True} if ctx.keeps_pods(app, Component.CACHE) else {}),
            # Two at once would share no data: clients see one or the other, which a cache may do for some seconds.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": names.selector(Component.CACHE)},
            "template": pod_template(
                app,
                Component.CACHE,
                main,
                volumes=volumes,
                user=SERVER_USER,
                annotations=rolled_by(config_hash),
                terminationGracePeriodSeconds=15,
            ),
        },
    }
