"""Whether the service is reached from outside, and whether its certificate is there."""

from genai_operator.api.exposure import ExposureType, TLSMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.conditions.verdict import Verdict
from genai_operator.desired.exposure import tls_secret, url
from genai_operator.diagnosis import Problem
from genai_operator.kinds import CERTIFICATE, HTTP_ROUTE, INGRESS
from genai_operator.manifests import Manifest, dig
from genai_operator.naming import CERTIFICATE_UNTIL
from genai_operator.observed import Observed


def exposed(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether whoever runs the edge has taken the routes."""
    kind = app.spec.exposure.type
    if kind is ExposureType.NONE:
        return Verdict.unknown("NotConfigured", "exposure.type is None: reached within the cluster only")
    if kind is ExposureType.INGRESS:
        return _ingress(o.child(INGRESS.name, o.names.api), app)
    if HTTP_ROUTE.name not in o.served:
        return Verdict.no(
            Problem("GatewayApiMissing", "the cluster has no Gateway API: install it, or set exposure.type to Ingress")
        )
    return _route(o.child(HTTP_ROUTE.name, o.names.api), app)


def _ingress(ingress: Manifest | None, app: GenAIAuto) -> Verdict:
    addresses = dig(ingress, "status", "loadBalancer", "ingress", default=[])
    found = [address.get("ip") or address.get("hostname", "") for address in addresses]
    if found:
        return Verdict.yes("Exposed", f"{url(app)} at {', '.join(found)}")
    wanted = app.spec.exposure.ingress.class_name or "the cluster's default"
    return Verdict.unknown(
        "AddressUnknown",
        f"no ingress controller has told its address yet; the class is {wanted}: kubectl get ingressclass",
    )


def _route(route: Manifest | None, app: GenAIAuto) -> Verdict:
    """A Gateway says of each route whether it takes it."""
    parents = dig(route, "status", "parents", default=[])
    bad = [c for parent in parents for c in parent.get("conditions", []) if c["status"] == "False"]
    if bad:
        return Verdict.no(Problem(bad[0]["reason"], f"the Gateway refuses the route: {bad[0].get('message', '')}"))
    accepted = [c for parent in parents for c in parent.get("conditions", []) if c["type"] == "Accepted"]
    if accepted:
        return Verdict.yes("Exposed", url(app))
    names = ", ".join(ref.name for ref in app.spec.exposure.gateway.parent_refs)
    return Verdict.unknown("NotAccepted", f"no Gateway has taken the route yet: kubectl describe gateway {names}")


def certificate_ready(o: Observed, app: GenAIAuto) -> Verdict:
    """Whether there is a certificate for HTTPS."""
    exposure, name = app.spec.exposure, tls_secret(app)
    if exposure.type is ExposureType.NONE or exposure.tls.mode is TLSMode.NONE:
        return Verdict.unknown("NotConfigured", "no certificate is asked for")
    if exposure.tls.mode is TLSMode.CERT_MANAGER:
        return _issued(o, name)
    if exposure.tls.mode is TLSMode.SELF_SIGNED:
        secret = o.child("Secret", name)
        until = dig(secret, "metadata", "annotations", CERTIFICATE_UNTIL)
        if until:
            return Verdict.yes("SelfSigned", f"valid until {until}, renewed before; clients must trust Secret {name}")
        return Verdict.yes("Provided", f"Secret {name}") if name in o.foreign_secrets else Verdict.wait("Making", name)
    if name in o.foreign_secrets:
        return Verdict.yes("Provided", f"Secret {name}")
    help_text = f"kubectl create secret tls {name} --cert=tls.crt --key=tls.key"
    return Verdict.no(Problem("SecretMissing", f"there is no Secret {name}: {help_text}"))


def _issued(o: Observed, name: str) -> Verdict:
    """What cert-manager says."""
    if CERTIFICATE.name not in o.served:
        return Verdict.no(
            Problem(
                "CertManagerMissing", "cert-manager is not installed: install it, or set exposure.tls.mode otherwise"
            )
        )
    certificate = o.child(CERTIFICATE.name, o.names.tls)
    for condition in dig(certificate, "status", "conditions", default=[]):
        if condition["type"] == "Ready" and condition["status"] == "True":
            return Verdict.yes("Issued", f"until {dig(certificate, 'status', 'notAfter', default='an unknown date')}")
        if condition["type"] == "Ready":
            said = condition.get("message", "")
            return Verdict.wait("Issuing", f"cert-manager: {said}; see kubectl describe certificate {o.names.tls}")
    return Verdict.wait("Issuing", f"waiting for cert-manager to fill Secret {name}")
