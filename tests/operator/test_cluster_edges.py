"""What lies around an instance: ingress, gateway, certificates, and databases of somebody else. Real definitions."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genai_operator.desired.context import Images
from genai_operator.kinds import OPTIONAL
from genai_operator.rendering import read_resource, render
from genai_testbed.waiting import eventually

if TYPE_CHECKING:  # pytest imports test modules by path, so conftest.py is no module at run time
    from tests.operator.conftest import World

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
IMAGES = Images("genai-auto/app:1", "pgvector/pgvector:pg{version}", "redis:7-alpine")
HOST = "cars.example.com"
CLUSTERS = "clusters.postgresql.cnpg.io"
InstallCrds = Callable[[str], None]


def set_status(world: "World", kind: str, name: str, status: dict[str, Any]) -> None:
    """Say of an object what its own controller would say."""
    patch = json.dumps({"status": status})
    world.kubectl.run("patch", kind, name, "--subresource=status", "--type=merge", "--patch", patch)


def test_an_ingress_with_a_certificate_of_our_own(world: "World") -> None:
    world.bring_up(exposure={"type": "Ingress", "host": HOST})
    assert world.resource()["status"]["url"] == f"https://{HOST}"
    secret = world.kubectl.get("secret", "quickstart-tls")
    assert secret["type"] == "kubernetes.io/tls"
    before = base64.b64decode(secret["data"]["tls.crt"])
    assert before.startswith(b"-----BEGIN CERTIFICATE-----")
    assert "valid until" in world.has("CertificateReady", "True", "SelfSigned")["message"]
    world.has("Exposed", "Unknown", "AddressUnknown")
    set_status(world, "ingress", "quickstart-api", {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}})
    assert "192.0.2.10" in world.has("Exposed", "True")["message"]
    settled = world.quiet()
    world.annotate("look=again")
    assert world.quiet() == settled

    world.kubectl.run("delete", "secret", "quickstart-tls")
    eventually(lambda: world.kubectl.find("secret", "quickstart-tls"), within=5)
    world.apply(exposure={"type": "None"})
    gone = (("ingress", "quickstart-api"), ("secret", "quickstart-tls"), ("service", "quickstart-nowhere"))
    eventually(lambda: not any(world.kubectl.find(*what) for what in gone), within=10)
    world.has("Exposed", "Unknown", "NotConfigured")


def test_a_certificate_of_a_person_is_asked_for_and_used(world: "World") -> None:
    world.apply(exposure={"type": "Ingress", "host": HOST, "tls": {"mode": "Secret", "secretName": "mine"}})
    assert "kubectl create secret tls mine" in world.has("CertificateReady", "False", "SecretMissing")["message"]
    world.kubectl.run("create", "secret", "generic", "mine", "--from-literal=tls.crt=x", "--from-literal=tls.key=y")
    world.has("CertificateReady", "True", "Provided")
    assert world.kubectl.find("secret", "quickstart-tls") is None


def test_cert_manager_is_noticed_when_it_is_installed(world: "World", install_crds: InstallCrds) -> None:
    tls = {"mode": "CertManager", "issuerRef": {"name": "letsencrypt"}}
    world.apply(exposure={"type": "Ingress", "host": HOST, "tls": tls})
    world.has("CertificateReady", "False", "CertManagerMissing")
    install_crds("cert-manager")
    eventually(lambda: world.kubectl.find("certificates.cert-manager.io", "quickstart-tls"), within=30)
    world.has("CertificateReady", "False", "Issuing")
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = {"conditions": [ready], "notAfter": "2026-12-31T00:00:00Z"}
    set_status(world, "certificates.cert-manager.io", "quickstart-tls", status)
    assert "2026-12-31" in world.has("CertificateReady", "True", "Issued")["message"]


def test_a_gateway_gets_its_routes_and_says_what_it_thinks_of_them(world: "World", install_crds: InstallCrds) -> None:
    world.apply(exposure={"type": "Gateway", "host": HOST, "gateway": {"parentRefs": [{"name": "edge"}]}})
    world.has("Exposed", "False", "GatewayApiMissing")
    install_crds("gateway")
    routes = "httproutes.gateway.networking.k8s.io"
    eventually(lambda: world.kubectl.find(routes, "quickstart-api"), within=30)
    assert world.kubectl.find(routes, "quickstart-redirect") is not None
    world.has("Exposed", "Unknown", "NotAccepted")
    settled = world.quiet()
    world.annotate("look=again")
    assert world.quiet() == settled

    def said(status: str, reason: str) -> None:
        conditions = [
            {"type": "Accepted", "status": status, "reason": reason, "message": "the gateway's words",
             "lastTransitionTime": "2026-01-01T00:00:00Z"}
        ]  # fmt: skip
        parent = {"parentRef": {"name": "edge"}, "controllerName": "example.com/controller", "conditions": conditions}
        set_status(world, routes, "quickstart-api", {"parents": [parent]})

    said("False", "NoMatchingListenerHostname")
    assert "the gateway's words" in world.has("Exposed", "False", "NoMatchingListenerHostname")["message"]
    said("True", "Accepted")
    world.has("Exposed", "True")


def test_an_external_database_is_checked_and_the_reason_is_told(world: "World") -> None:
    external = {"host": "db.example.com", "sslMode": "require", "credentialsSecretRef": {"name": "login"}}
    world.apply(database={"mode": "External", "external": external})
    assert "there is no Secret login" in world.has("ConfigurationValid", "False")["message"]
    world.kubectl.run("create", "secret", "generic", "login", "--from-literal=username=u", "--from-literal=password=p")
    world.has("DatabaseReady", "False", "Checking")
    refusal = "genai-auto: AuthenticationFailed: db.example.com:5432 refuses the user with this password"
    world.set_pods("check", "Failed", {"state": {"terminated": {"exitCode": 1, "message": refusal}}})
    message = world.has("DatabaseReady", "False", "AuthenticationFailed")["message"]
    assert message.startswith("db.example.com:5432 refuses the user with this password; it is tried again")
    world.kubectl.run("patch", "secret", "login", "--type=merge", '--patch={"stringData":{"password":"q"}}')
    world.has("DatabaseReady", "False", "Checking")
    world.finish_job("check")
    world.has("DatabaseReady", "True", "Accepting")
    world.run_pods("cache", "api")
    world.finish_job("migration")
    world.finish_job("seed")
    world.has("Ready", "True")
    assert not world.kubectl.items("statefulsets")
    assert world.kubectl.find("secret", "quickstart-database") is None


def test_cloud_native_pg_runs_the_database(world: "World", install_crds: InstallCrds) -> None:
    world.apply(database={"mode": "CloudNativePG", "cloudNativePG": {"create": {"instances": 1}}})
    world.has("DatabaseReady", "False", "CloudNativePGMissing")
    install_crds("cloudnative-pg")
    eventually(lambda: world.kubectl.find(CLUSTERS, "quickstart-database"), within=30)
    world.has("DatabaseReady", "False", "Starting")
    set_status(world, CLUSTERS, "quickstart-database", {"phase": "Setting up primary", "readyInstances": 0})
    eventually(lambda: "Setting up primary" in world.has("DatabaseReady", "False")["message"], within=10)
    for name in ("app", "ca"):
        values = ["--from-literal=username=u", "--from-literal=password=p", "--from-literal=ca.crt=c"]
        world.kubectl.run("create", "secret", "generic", f"quickstart-database-{name}", *values)
    set_status(world, CLUSTERS, "quickstart-database", {"phase": "Cluster in healthy state", "readyInstances": 1})
    world.has("DatabaseReady", "False", "Checking")
    world.finish_job("check")
    world.run_pods("cache", "api")
    world.finish_job("migration")
    world.finish_job("seed")
    world.has("Ready", "True")
    world.kubectl.run("delete", "gai", "quickstart")
    eventually(lambda: not world.kubectl.items("deployments"), within=30)
    assert world.kubectl.find(CLUSTERS, "quickstart-database") is not None, "Retain keeps the data"


def test_a_cluster_of_somebody_else_is_named_when_it_is_missing(world: "World", install_crds: InstallCrds) -> None:
    install_crds("cloudnative-pg")
    world.apply(database={"mode": "CloudNativePG", "cloudNativePG": {"clusterRef": {"name": "shared"}}})
    assert "there is no Cluster shared" in world.has("DatabaseReady", "False", "ClusterMissing", within=30)["message"]
    cluster = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "shared"},
               "spec": {"instances": 1}}  # fmt: skip
    world.kubectl.apply(json.dumps(cluster))
    set_status(world, CLUSTERS, "shared", {"readyInstances": 1})
    world.has("DatabaseReady", "False", "Checking")


def test_a_lost_network_policy_comes_back(world: "World") -> None:
    world.apply()
    world.has("Ready", "False")
    policies = {item["metadata"]["name"] for item in world.kubectl.items("networkpolicies")}
    assert policies == {"quickstart-api", "quickstart-jobs", "quickstart-database", "quickstart-redis"}
    world.kubectl.run("delete", "networkpolicy", "quickstart-database")
    eventually(lambda: world.kubectl.find("networkpolicy", "quickstart-database"), within=5)
    settled = world.quiet()
    world.annotate("look=again")
    assert world.quiet() == settled
    world.apply(networkPolicy={"enabled": False})
    eventually(lambda: not world.kubectl.items("networkpolicies"), within=10)


def test_the_prometheus_operator_is_noticed_when_it_is_installed(world: "World", install_crds: InstallCrds) -> None:
    receivers = {"slackSecretRef": {"name": "slack"}, "email": {"to": "a@example.com"}}
    world.apply(monitoring={"receivers": receivers, "prometheusRule": {"mode": "Enabled"}})
    world.has("MonitoringReady", "False", "PrometheusOperatorMissing")
    annotations = world.kubectl.get("service", "quickstart-api")["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    install_crds("monitoring")
    watched = "ServiceMonitor, PrometheusRule, AlertmanagerConfig quickstart-api"  # not all are found at the first look
    eventually(lambda: world.has("MonitoringReady", "True", "Watched", within=30)["message"] == watched, within=30)
    assert "prometheus.io/scrape" not in world.kubectl.get("service", "quickstart-api")["metadata"]["annotations"]
    assert world.kubectl.find("configmap", "quickstart-dashboards") is not None
    settled = world.quiet()
    world.annotate("look=again")
    assert world.quiet() == settled
    rule = "prometheusrules.monitoring.coreos.com"
    world.kubectl.run("patch", rule, "quickstart-api", "--type=merge", '--patch={"spec":{"groups":[]}}')
    eventually(lambda: world.kubectl.get(rule, "quickstart-api")["spec"]["groups"], within=5)
    world.apply(monitoring={"prometheusRule": {"mode": "Disabled"}})
    eventually(lambda: world.kubectl.find(rule, "quickstart-api") is None, within=10)


def test_pgadmin_comes_and_goes(world: "World") -> None:
    world.apply(pgadmin={"enabled": True})
    eventually(lambda: world.kubectl.find("deployment", "quickstart-pgadmin"), within=10)
    assert world.kubectl.find("secret", "quickstart-pgadmin") is not None
    eventually(lambda: world.pods("pgadmin"), within=10)
    world.apply(pgadmin={"enabled": False})
    kinds = ("deployment", "service", "configmap", "secret", "networkpolicy")
    eventually(lambda: not any(world.kubectl.find(kind, "quickstart-pgadmin") for kind in kinds), within=10)


def test_every_example_is_taken_by_the_api_server_with_all_that_follows_from_it(
    world: "World", install_crds: InstallCrds
) -> None:
    for name in ("monitoring", "cert-manager", "gateway", "keda", "cloudnative-pg"):
        install_crds(name)
    everything = frozenset(kind.name for kind in OPTIONAL)
    for example in sorted((ROOT / "examples").glob("*.yaml")):
        text = example.read_text(encoding="utf-8")
        created = world.kubectl.run("create", "--dry-run=server", "--filename=-", stdin=text)
        assert created.startswith("genaiauto.genai-auto.dev/")
        manifests = render(read_resource(text, world.namespace), IMAGES, everything)
        applied = world.kubectl.run("apply", "--dry-run=server", "--server-side", "--filename=-", stdin=manifests)
        assert len(applied.splitlines()) >= 10, example.name
