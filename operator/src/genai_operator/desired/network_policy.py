"""NetworkPolicies: every pod of the instance takes and opens only the connections that the service needs."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from genai_contract.endpoints import HTTP_PORT, METRICS_PORT
from genai_operator.api.database import DatabaseMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.llm import Provider
from genai_operator.api.redis import RedisMode
from genai_operator.desired.connections import DATABASE_PORT, REDIS_PORT, cluster_name
from genai_operator.desired.context import Context
from genai_operator.desired.objects import metadata
from genai_operator.kinds import NETWORK_POLICY
from genai_operator.manifests import Manifest
from genai_operator.naming import APP_NAME, COMPONENT, OPERATOR_NAME, Component, Names

PRIVATE_NETWORKS: Final = {
    "0.0.0.0/0": ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    "::/0": ("fc00::/7", "fe80::/10"),
}
"""RFC 1918, 6598, 3927, 4193 and 4291: where a model of the internet is not, but clusters and metadata services are."""
JOBS: Final = (Component.MIGRATION, Component.SEED, Component.ADMIN, Component.CHECK)

_SERVICE: Final = re.compile(r"^[-a-z0-9]+(\.(?P<namespace>[-a-z][-a-z0-9]*)(\.svc(\.[-a-z0-9.]+)?)?)?$")
_DNS: Final[Manifest] = {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """One policy for each kind of pod; none when they are switched off."""
    if not app.spec.network_policy.enabled:
        return ()
    wish, outside = app.spec.network_policy, _outside(app)
    database, redis = _database(app), _redis(app)
    pgadmin = (Component.PGADMIN,) if app.spec.pgadmin.enabled else ()
    servers = (
        (
            app.spec.database.mode is DatabaseMode.MANAGED,
            Component.DATABASE,
            DATABASE_PORT,
            (Component.API, *JOBS, *pgadmin),
        ),
        (app.spec.redis.mode is RedisMode.MANAGED, Component.CACHE, REDIS_PORT, (Component.API,)),
    )
    return (
        _policy(
            app,
            (Component.API,),
            ingress=[_clients(app), _scrapers(app, ctx)],
            egress=[_DNS, *database, *redis, *outside, *wish.extra_egress],
        ),
        _policy(app, JOBS, ingress=[], egress=[_DNS, *database, *outside]),
        *(
            [_policy(app, (Component.PGADMIN,), ingress=[], egress=[_DNS, *database])]
            if app.spec.pgadmin.enabled
            else []
        ),
        *(
            _policy(app, (component,), ingress=[_from(app, port, callers)], egress=[])
            for is_ours, component, port, callers in servers
            if is_ours
        ),
    )


def _policy(
    app: GenAIAuto, components: tuple[Component, ...], *, ingress: list[Manifest], egress: list[Manifest]
) -> Manifest:
    names = Names(app.metadata.name)
    name = {
        Component.API: names.api,
        Component.DATABASE: names.database,
        Component.CACHE: names.redis,
        Component.PGADMIN: names.pgadmin,
    }.get(components[0], names.jobs)
    return {
        "apiVersion": NETWORK_POLICY.api_version,
        "kind": NETWORK_POLICY.name,
        "metadata": metadata(app, name, components[0]),
        "spec": {
            "podSelector": _pods(app, components),
            "policyTypes": ["Ingress", "Egress"],
            **({"ingress": ingress} if ingress else {}),
            **({"egress": egress} if egress else {}),
        },
    }


def _pods(app: GenAIAuto, components: Iterable[Component]) -> Manifest:
    """A selector of the pods of some components of this instance."""
    labels = Names(app.metadata.name).selector(Component.API)
    del labels[COMPONENT]
    values = [component.value for component in components]
    return {
        "matchLabels": labels,
        "matchExpressions": [{"key": COMPONENT, "operator": "In", "values": values}],
    }


def _tcp(*ports: int) -> list[Manifest]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _database(app: GenAIAuto) -> list[Manifest]:
    """To the database, wherever it is: of somebody else's only the port is known."""
    mode = app.spec.database.mode
    if mode is DatabaseMode.EXTERNAL:
        return [{"ports": _tcp(app.spec.database.external.port)}]
    if mode is DatabaseMode.CLOUD_NATIVE_PG:
        pods = {"matchLabels": {"cnpg.io/cluster": cluster_name(app)}}
        return [{"to": [{"podSelector": pods}], "ports": _tcp(DATABASE_PORT)}]
    return [_to(app, DATABASE_PORT, Component.DATABASE)]


def _redis(app: GenAIAuto) -> list[Manifest]:
    mode = app.spec.redis.mode
    if mode is RedisMode.EXTERNAL:
        return [{"ports": _tcp(app.spec.redis.external.port)}]
    return [_to(app, REDIS_PORT, Component.CACHE)] if mode is RedisMode.MANAGED else []


def _to(app: GenAIAuto, port: int, component: Component) -> Manifest:
    return {"to": [{"podSelector": _pods(app, (component,))}], "ports": _tcp(port)}


def _from(app: GenAIAuto, port: int, components: tuple[Component, ...]) -> Manifest:
    return {"from": [{"podSelector": _pods(app, components)}], "ports": _tcp(port)}


def _clients(app: GenAIAuto) -> Manifest:
    """Without a choice there is no `from`: an ingress controller may come from a node's own network."""
    labels = app.spec.network_policy.client_namespaces
    peers = {"from": [{"namespaceSelector": {"matchLabels": labels}}, {"podSelector": {}}]} if labels else {}
    return {**peers, "ports": _tcp(HTTP_PORT)}


def _scrapers(app: GenAIAuto, ctx: Context) -> Manifest:
    """Prometheus, the own namespace, and the operator, which asks for spending and sizes."""
    labels = app.spec.network_policy.monitoring_namespaces
    operator = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": ctx.operator_namespace}},
        "podSelector": {"matchLabels": {APP_NAME: OPERATOR_NAME}},
    }
    peers = [{"namespaceSelector": {"matchLabels": labels}}, {"podSelector": {}}, operator]
    return {"from": peers, "ports": _tcp(METRICS_PORT)}


def _outside(app: GenAIAuto) -> list[Manifest]:
    """The model server and other systems; nothing where the instance needs none."""
    spec = app.spec
    addresses = [url for url in (spec.llm.base_url, spec.integrations.scheduler.url) if url]
    needs = (
        spec.llm.provider is not Provider.OFFLINE,
        spec.llm.tracing.langsmith.enabled,
        spec.integrations.human_support_webhook_secret_ref is not None,
        bool(addresses),
    )
    if not any(needs):
        return []
    wish = spec.network_policy.llm_egress
    blocks: list[Manifest] = [{"ipBlock": {"cidr": cidr}} for cidr in wish.cidrs] or [
        {"ipBlock": {"cidr": everywhere, "except": list(private)}} for everywhere, private in PRIVATE_NETWORKS.items()
    ]
    ports = sorted({*wish.ports, *(_port(url) for url in addresses)})
    inside = [rule for url in addresses if (rule := _within_the_cluster(url)) is not None]
    return [{"to": blocks, "ports": _tcp(*ports)}, *inside]


def _port(url: str) -> int:
    parts = _split(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _split(url: str) -> SplitResult:
    """The parts of an address; of one that is none (the app will say so) its scheme."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit(url.partition("://")[0] + "://invalid")
    return parts


def _within_the_cluster(url: str) -> Manifest | None:
    """The pods behind a Service, whose own port we do not know; None for a name that cannot be one.

    `models.ml` may be a Service of the namespace ml as well as a site: what is let out is the namespace only.
    """
    match = _SERVICE.match(_split(url).hostname or "")
    if match is None:
        return None
    namespace = match["namespace"]
    if namespace is None:
        return {"to": [{"podSelector": {}}]}
    return {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}]}
