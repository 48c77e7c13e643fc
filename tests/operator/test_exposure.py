"""The way in from outside, and the certificate for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from tests.operator.test_desired import build, one, resource

from genai_operator.certificates import LIFE, RENEWED_BEFORE, is_due, self_signed
from genai_operator.desired.exposure import url
from genai_operator.kinds import CERTIFICATE, HTTP_ROUTE
from genai_operator.manifests import Manifest
from genai_operator.naming import CERTIFICATE_HOST, CERTIFICATE_UNTIL, GENERATED

SERVED = frozenset({HTTP_ROUTE.name, CERTIFICATE.name})
HOST = "cars.example.com"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def manifests(kind: str, **exposure: Any) -> tuple[Manifest, ...]:
    return build(resource(exposure={"type": kind, "host": HOST, **exposure}), served=SERVED)


def ingress(**exposure: Any) -> Manifest:
    return one(manifests("Ingress", **exposure), "Ingress", "demo-api")


def test_without_exposure_there_is_no_way_in() -> None:
    kinds = {manifest["kind"] for manifest in build(resource(), served=SERVED)}
    assert not kinds & {"Ingress", "HTTPRoute", "Certificate"}
    assert url(resource()) == "http://demo-api.ns.svc:8000"


def test_an_ingress_leads_to_the_api_and_private_paths_lead_nowhere() -> None:
    found = manifests("Ingress", privatePaths=["/api/v1/metrics", "/docs"])
    (rule,) = one(found, "Ingress", "demo-api")["spec"]["rules"]
    assert rule["host"] == HOST
    leads = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert leads == {"/api/v1/metrics": "demo-nowhere", "/docs": "demo-nowhere", "/": "demo-api"}
    nobody = one(found, "Service", "demo-nowhere")["spec"]["selector"]
    labels = [m["spec"]["template"]["metadata"]["labels"] for m in found if "template" in m.get("spec", {})]
    assert labels
    assert not [pod for pod in labels if nobody.items() <= pod.items()]


@pytest.mark.parametrize(
    ("tls", "secret", "scheme"),
    [
        ({"mode": "SelfSigned"}, "demo-tls", "https"),
        ({"mode": "Secret", "secretName": "mine"}, "mine", "https"),
        ({"mode": "CertManager", "issuerRef": {"name": "le"}}, "demo-tls", "https"),
        ({"mode": "None"}, None, "http"),
    ],
)
def test_each_mode_of_tls_names_its_secret(tls: dict[str, Any], secret: str | None, scheme: str) -> None:
    spec = ingress(tls=tls)["spec"]
    assert spec.get("tls") == ([{"hosts": [HOST], "secretName": secret}] if secret else None)
    assert url(resource(exposure={"type": "Ingress", "host": HOST, "tls": tls})) == f"{scheme}://{HOST}"


@pytest.mark.parametrize(
    ("controller", "expected"),
    [
        ("Generic", {}),
        ("Traefik", {"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"}),
        ("HAProxy", {"haproxy.org/timeout-server": "90s", "haproxy.org/timeout-tunnel": "600s"}),
        ("F5Nginx", {"nginx.org/client-max-body-size": "1048576", "nginx.org/websocket-services": "demo-api",
                     "nginx.org/redirect-to-https": "true"}),
    ],
)  # fmt: skip
def test_each_controller_is_told_in_its_own_words(controller: str, expected: dict[str, str]) -> None:
    limits = {"maxBodySize": "1Mi", "apiTimeoutSeconds": 90, "websocketIdleSeconds": 600}
    own = {"example.com/note": "mine"}
    found = ingress(ingress={"controller": controller, "className": "edge", "annotations": own}, limits=limits)
    assert found["spec"]["ingressClassName"] == "edge"
    assert expected.items() <= found["metadata"]["annotations"].items()
    assert own.items() <= found["metadata"]["annotations"].items()


def test_annotations_of_ones_own_win() -> None:
    mine = {"nginx.org/lb-method": "round_robin"}
    found = ingress(ingress={"controller": "F5Nginx", "annotations": mine})
    assert mine.items() <= found["metadata"]["annotations"].items()


def test_a_gateway_gets_a_route_and_a_redirect() -> None:
    refs = [{"name": "edge", "namespace": "infra"}]
    found = manifests("Gateway", gateway={"parentRefs": refs}, limits={"websocketIdleSeconds": 600})
    route = one(found, "HTTPRoute", "demo-api")["spec"]
    assert [(ref["name"], ref["namespace"], ref["sectionName"]) for ref in route["parentRefs"]] == [
        ("edge", "infra", "https")
    ]
    rules = {rule["matches"][0]["path"]["value"]: rule for rule in route["rules"]}
    assert rules["/api/v1/metrics"]["backendRefs"][0]["name"] == "demo-nowhere"
    assert rules["/"]["timeouts"] == {"request": "120s"}
    assert rules["/ws/"]["timeouts"] == {"request": "600s"}
    redirect = one(found, "HTTPRoute", "demo-redirect")["spec"]
    assert redirect["parentRefs"][0]["sectionName"] == "http"
    assert redirect["rules"][0]["filters"][0]["requestRedirect"]["scheme"] == "https"
    named = manifests("Gateway", gateway={"parentRefs": refs, "httpSectionName": "plain"})
    assert one(named, "HTTPRoute", "demo-redirect")["spec"]["parentRefs"][0]["sectionName"] == "plain"
    plain = manifests("Gateway", gateway={"parentRefs": refs, "httpsRedirect": False})
    assert "demo-redirect" not in {manifest["metadata"]["name"] for manifest in plain}


def test_kinds_that_the_cluster_does_not_have_are_left_out() -> None:
    tls = {"mode": "CertManager", "issuerRef": {"name": "le"}}
    gateway = {"type": "Gateway", "host": HOST, "tls": tls, "gateway": {"parentRefs": [{"name": "g"}]}}
    assert not {m["kind"] for m in build(resource(exposure=gateway))} & {"HTTPRoute", "Certificate"}


def test_cert_manager_is_asked_for_the_host() -> None:
    spec = one(manifests("Ingress", tls={"mode": "CertManager", "issuerRef": {"name": "le", "kind": "Issuer"}}),
               "Certificate", "demo-tls")["spec"]  # fmt: skip
    assert (spec["secretName"], spec["dnsNames"]) == ("demo-tls", [HOST])
    assert spec["issuerRef"] == {"group": "cert-manager.io", "name": "le", "kind": "Issuer"}


def own_certificate(*, until: datetime, host: str = HOST, **more: str) -> Manifest:
    notes = {GENERATED: "true", CERTIFICATE_HOST: host, CERTIFICATE_UNTIL: until.isoformat(), **more}
    return {"metadata": {"annotations": notes}, "hashes": {"tls.crt": "", "tls.key": ""}}


@pytest.mark.parametrize(
    ("secret", "due"),
    [
        (None, True),
        (own_certificate(until=NOW + LIFE), False),
        (own_certificate(until=NOW + RENEWED_BEFORE), False),
        (own_certificate(until=NOW + RENEWED_BEFORE - timedelta(seconds=1)), True),
        (own_certificate(until=NOW - timedelta(days=1)), True),
        (own_certificate(until=NOW + LIFE, host="other.example.com"), True),
        ({**own_certificate(until=NOW + LIFE), "hashes": {"tls.crt": ""}}, True),
        ({"metadata": {}, "hashes": {"tls.crt": "", "tls.key": ""}}, False),
        (own_certificate(until=NOW, **{GENERATED: ""}), False),
    ],
)
def test_a_certificate_is_made_in_time_and_a_persons_is_left_alone(secret: Manifest | None, due: bool) -> None:
    assert is_due(secret, HOST, NOW) is due


def test_a_self_signed_certificate_names_its_host_and_ends() -> None:
    pem, key = self_signed(HOST, NOW, NOW + LIFE)
    certificate = x509.load_pem_x509_certificate(pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [HOST]
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (NOW, NOW + LIFE)
    assert b"PRIVATE KEY" in key
