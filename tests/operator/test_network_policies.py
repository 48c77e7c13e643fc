"""Who may talk to whom: the policies are evaluated as the NetworkPolicy API says, flow by flow."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from tests.operator.test_desired import build, resource

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.manifests import Manifest
from genai_operator.naming import APP_NAME, OPERATOR_NAME, OPERATOR_NAMESPACE, Component, Names

NAMES = Names("demo")
NAMESPACES = {
    "ns": {"kubernetes.io/metadata.name": "ns"},
    "monitoring": {"kubernetes.io/metadata.name": "monitoring"},
    "shop": {"kubernetes.io/metadata.name": "shop", "team": "web"},
    "models": {"kubernetes.io/metadata.name": "models"},
    OPERATOR_NAMESPACE: {"kubernetes.io/metadata.name": OPERATOR_NAMESPACE},
}
Peer = tuple[str, dict[str, str]] | str
"""A pod as (namespace, labels), or an address outside the cluster."""

ONLINE: dict[str, Any] = {"environment": "Development", "llm": {"apiKeySecretRef": {"name": "k"}}}


def pod(component: Component) -> Peer:
    return "ns", NAMES.labels(component)


def stranger(namespace: str) -> Peer:
    return namespace, {"app": "stranger"}


OPERATOR: tuple[str, dict[str, str]] = (OPERATOR_NAMESPACE, {APP_NAME: OPERATOR_NAME})
API, DATABASE, CACHE = pod(Component.API), pod(Component.DATABASE), pod(Component.CACHE)


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return equal and all(labels.get(e["key"]) in e["values"] for e in selector.get("matchExpressions", ()))


def matches(peer: Manifest, other: Peer, home: str) -> bool:
    if "ipBlock" in peer:
        if not isinstance(other, str):
            return False
        address, block = ip_address(other), peer["ipBlock"]
        inside = address.version == ip_network(block["cidr"]).version and address in ip_network(block["cidr"])
        return inside and not any(address in ip_network(hole) for hole in block.get("except", ()))
    if isinstance(other, str):
        return False
    namespace, labels = other
    where = peer.get("namespaceSelector")
    right_place = namespace == home if where is None else selects(where, labels_of(namespace))
    return right_place and selects(peer.get("podSelector", {}), labels)


def labels_of(namespace: str) -> dict[str, str]:
    return NAMESPACES.get(namespace, {"kubernetes.io/metadata.name": namespace})


def lets(rules: list[Manifest], side: str, other: Peer, home: str, port: int, protocol: str) -> bool:
    return any(
        (side not in rule or any(matches(peer, other, home) for peer in rule[side]))
        and ("ports" not in rule or {"port": port, "protocol": protocol} in rule["ports"])
        for rule in rules
    )


def passes(app: GenAIAuto, source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Whether an instance of the namespace ns lets a connection through."""
    return judge([m for m in build(app) if m["kind"] == "NetworkPolicy"], "ns", source, target, port, protocol)


def judge(manifests: list[Manifest], home: str, source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Whether both ends let a connection through; a pod that no policy selects lets everything through."""
    policies = [manifest["spec"] for manifest in manifests]
    for end, other, direction, side in ((source, target, "egress", "to"), (target, source, "ingress", "from")):
        if isinstance(end, str) or end[0] != home:
            continue
        mine = [policy for policy in policies if selects(policy["podSelector"], end[1])]
        if mine and not any(lets(policy.get(direction, []), side, other, home, port, protocol) for policy in mine):
            return False
    return True


@pytest.mark.parametrize(
    ("source", "target", "port", "allowed"),
    [
        (API, DATABASE, 5432, True),
        (API, CACHE, 6379, True),
        (pod(Component.MIGRATION), DATABASE, 5432, True),
        (pod(Component.SEED), DATABASE, 5432, True),
        (pod(Component.ADMIN), DATABASE, 5432, True),
        (stranger("shop"), API, 8000, True),
        ("10.0.0.7", API, 8000, True),
        (stranger("monitoring"), API, 9090, True),
        (stranger("ns"), API, 9090, True),
        (OPERATOR, API, 9090, True),
        (OPERATOR, DATABASE, 5432, False),
        (("shop", OPERATOR[1]), API, 9090, False),
        (stranger(OPERATOR_NAMESPACE), API, 9090, False),
        (API, "93.184.216.34", 443, True),
        (API, stranger("models"), 443, False),
        (API, "93.184.216.34", 80, False),
        (API, "10.0.0.7", 443, False),
        (API, "169.254.169.254", 443, False),
        (API, "2606:2800:220:1::1", 443, True),
        (API, "fd00::1", 443, False),
        (stranger("shop"), API, 9090, False),
        (stranger("shop"), DATABASE, 5432, False),
        (stranger("ns"), DATABASE, 5432, False),
        (stranger("ns"), CACHE, 6379, False),
        (pod(Component.MIGRATION), CACHE, 6379, False),
        (CACHE, DATABASE, 5432, False),
        (DATABASE, "93.184.216.34", 443, False),
        (CACHE, "93.184.216.34", 443, False),
        (stranger("shop"), pod(Component.MIGRATION), 8000, False),
    ],
)
def test_every_flow_is_as_the_service_needs_it(source: Peer, target: Peer, port: int, allowed: bool) -> None:
    assert passes(resource(**ONLINE), source, target, port) is allowed


def test_names_are_resolved_from_the_api_and_the_jobs() -> None:
    for source in (API, pod(Component.MIGRATION)):
        assert passes(resource(), source, stranger("models"), 53, "UDP")
    assert not passes(resource(), DATABASE, stranger("models"), 53, "UDP")


def test_the_offline_model_needs_nothing_from_outside() -> None:
    assert not passes(resource(), API, "93.184.216.34", 443)


@pytest.mark.parametrize("url", ["http://vllm.models:8000/v1", "http://vllm.models.svc.cluster.local:8000/v1"])
def test_a_model_within_the_cluster_is_reached_in_its_namespace_only(url: str) -> None:
    app = resource(llm={"provider": "OpenAICompatible", "baseURL": url})
    assert passes(app, API, stranger("models"), 8000)
    assert not passes(app, API, stranger("shop"), 8000)
    assert passes(app, API, "93.184.216.34", 8000), "the name may be a site's, too"


def test_the_networks_of_the_model_can_be_named() -> None:
    app = resource(**ONLINE, networkPolicy={"llmEgress": {"cidrs": ["10.9.0.0/16"], "ports": [8443]}})
    assert passes(app, API, "10.9.1.2", 8443)
    assert not passes(app, API, "93.184.216.34", 443)


def test_clients_and_scrapers_can_be_chosen() -> None:
    policy = {"clientNamespaces": {"team": "web"}, "monitoringNamespaces": {"team": "web"}}
    app = resource(networkPolicy=policy)
    assert passes(app, stranger("shop"), API, 8000)
    assert not passes(app, stranger("models"), API, 8000)
    assert passes(app, stranger("shop"), API, 9090)
    assert not passes(app, stranger("monitoring"), API, 9090)


def test_more_can_be_let_out() -> None:
    extra = [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 9000, "protocol": "TCP"}]}]
    assert passes(resource(networkPolicy={"extraEgress": extra}), API, "192.0.2.1", 9000)


def test_servers_of_somebody_else_are_reached_at_their_port() -> None:
    app = resource(
        database={
            "mode": "External",
            "external": {"host": "db.example", "port": 6432, "credentialsSecretRef": {"name": "c"}},
        },
        redis={"mode": "External", "external": {"host": "redis.example", "port": 6380}},
    )
    assert passes(app, API, "10.1.1.1", 6432)
    assert passes(app, API, "10.1.1.1", 6380)
    assert passes(app, pod(Component.CHECK), "10.1.1.1", 6432)
    assert not passes(app, API, "10.1.1.1", 5432)


def test_cloud_native_pg_is_reached_by_its_pods() -> None:
    app = resource(database={"mode": "CloudNativePG"})
    assert passes(app, API, ("ns", {"cnpg.io/cluster": "demo-database"}), 5432)
    assert not passes(app, API, ("ns", {"cnpg.io/cluster": "other"}), 5432)


def test_pgadmin_reaches_the_database_where_it_is_wanted() -> None:
    assert passes(resource(pgadmin={"enabled": True}), pod(Component.PGADMIN), DATABASE, 5432)
    assert not passes(resource(), pod(Component.PGADMIN), DATABASE, 5432)


def test_policies_can_be_switched_off() -> None:
    assert not [m for m in build(resource(networkPolicy={"enabled": False})) if m["kind"] == "NetworkPolicy"]
