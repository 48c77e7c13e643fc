"""The certificate of exposure.tls.mode SelfSigned: made by the operator, and made anew before it ends."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.cluster import Cluster
from genai_operator.desired.exposure import needs_own_certificate, tls_secret
from genai_operator.desired.objects import metadata
from genai_operator.errors import Conflict
from genai_operator.kinds import SECRET
from genai_operator.manifests import Manifest, Ref, dig
from genai_operator.naming import CERTIFICATE_HOST, CERTIFICATE_UNTIL, GENERATED, Component
from genai_operator.observed import Observed
from genai_operator.store import slim

LIFE: Final = timedelta(days=90)
RENEWED_BEFORE: Final = timedelta(days=30)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


async def ensure(cluster: Cluster, app: GenAIAuto, observed: Observed, now: datetime) -> tuple[Manifest, ...]:
    """Make or renew the certificate when it is due. Returns the Secret if it changed, without its values."""
    if not needs_own_certificate(app):
        return ()
    name = tls_secret(app)
    live = observed.child("Secret", name)
    if not is_due(live, app.spec.exposure.host, now):
        return ()
    wanted = _secret(app, name, now)
    if live is None:
        try:
            return (slim(await cluster.create(wanted)),)
        except Conflict:  # a person's own: it is used as it is
            return ()
    patch = {"metadata": {"annotations": wanted["metadata"]["annotations"]}, "data": wanted["data"]}
    return (slim(await cluster.merge_patch(SECRET, Ref(app.metadata.namespace, name), patch)),)


def is_due(secret: Manifest | None, host: str, now: datetime) -> bool:
    """Whether a certificate must be made: there is none of ours, it names another host, or it ends soon."""
    if secret is None:
        return True
    annotations = dig(secret, "metadata", "annotations", default={}) or {}
    if annotations.get(GENERATED) != "true":
        return False
    until = annotations.get(CERTIFICATE_UNTIL, "")
    whole = {"tls.crt", "tls.key"} <= secret["hashes"].keys()
    if annotations.get(CERTIFICATE_HOST) != host or not until or not whole:
        return True
    return datetime.fromisoformat(until) - now < RENEWED_BEFORE


def _secret(app: GenAIAuto, name: str, now: datetime) -> Manifest:
    host, until = app.spec.exposure.host, now + LIFE
    certificate, key = self_signed(host, now - _CLOCKS_DIFFER, until)
    notes = {GENERATED: "true", CERTIFICATE_HOST: host, CERTIFICATE_UNTIL: until.isoformat(timespec="seconds")}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {**metadata(app, name, Component.EDGE), "annotations": notes},
        "type": "kubernetes.io/tls",
        "data": {
            "tls.crt": base64.b64encode(certificate).decode(),
            "tls.key": base64.b64encode(key).decode(),
            "ca.crt": base64.b64encode(certificate).decode(),
        },
    }


def self_signed(host: str, begin: datetime, end: datetime) -> tuple[bytes, bytes]:
    """Certificate and key (P-256) as PEM, for a server called `host`, which is its own issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin.astimezone(UTC))
        .not_valid_after(end.astimezone(UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), plain
