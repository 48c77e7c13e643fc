"""Keys, certificates and kubeconfigs of a test bed: made once, valid for ten years, worth nothing elsewhere."""

import base64
import datetime as dt
import ipaddress
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from genai_testbed.layout import API_SERVICE_ADDRESS, NODE_ADDRESS, NODE_NAME, Bed

LIFETIME = dt.timedelta(days=3650)


@dataclass(frozen=True)
class Identity:
    """A client: `user` and `groups` as the API server sees them."""

    name: str
    user: str
    groups: tuple[str, ...] = ()


IDENTITIES: tuple[Identity, ...] = (
    Identity("admin", "kubernetes-admin", ("system:masters",)),
    Identity("kube-controller-manager", "system:kube-controller-manager"),
    Identity("kube-scheduler", "system:kube-scheduler"),
    Identity("kubelet", f"system:node:{NODE_NAME}", ("system:nodes",)),
    Identity("kube-proxy", "system:kube-proxy"),
    Identity("coredns", "testbed:coredns", ("system:masters",)),
    Identity("metrics-server", "testbed:metrics-server", ("system:masters",)),
    Identity("local-path-provisioner", "testbed:local-path-provisioner", ("system:masters",)),
)
KUBELET_CLIENT = Identity("kubelet-client", "kube-apiserver-kubelet-client", ("system:masters",))
FRONT_PROXY_CLIENT = Identity("front-proxy-client", "front-proxy-client")
API_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
API_ADDRESSES = ("127.0.0.1", NODE_ADDRESS, API_SERVICE_ADDRESS)


@dataclass(frozen=True)
class Authority:
    """A certificate authority that signs clients and servers."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def ensure(bed: Bed) -> None:
    """Make all keys and kubeconfigs unless they exist. Complete or absent: a killed run leaves no half."""
    if bed.pki.exists():
        return
    partial = bed.state / "pki.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    authority, front_proxy = _authority("kubernetes"), _authority("front-proxy")
    _save(partial, "ca", authority.key, authority.certificate)
    _save(partial, "front-proxy-ca", front_proxy.key, front_proxy.certificate)
    _save(partial, "apiserver", *_issue(authority, Identity("apiserver", "kube-apiserver"), server=True))
    _save(partial, KUBELET_CLIENT.name, *_issue(authority, KUBELET_CLIENT))
    _save(partial, FRONT_PROXY_CLIENT.name, *_issue(front_proxy, FRONT_PROXY_CLIENT))
    _save_key_pair(partial, "service-accounts")
    inside, outside = (f"https://127.0.0.1:{port}" for port in (bed.ports.api, bed.ports.host))
    for identity in IDENTITIES:
        key, certificate = _issue(authority, identity)
        _write(partial / f"{identity.name}.conf", kubeconfig(inside, authority.certificate, key, certificate))
        if identity.name == "admin":
            _write(bed.kubeconfig, kubeconfig(outside, authority.certificate, key, certificate))
    partial.replace(bed.pki)


def kubeconfig(
    server: str, authority: x509.Certificate, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> bytes:
    """A kubeconfig that holds everything in itself (JSON is YAML)."""

    def data(pem: bytes) -> str:
        return base64.b64encode(pem).decode()

    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "testbed",
            "clusters": [
                {
                    "name": "testbed",
                    "cluster": {"server": server, "certificate-authority-data": data(_pem(authority))},
                }
            ],
            "users": [
                {
                    "name": "testbed",
                    "user": {
                        "client-certificate-data": data(_pem(certificate)),
                        "client-key-data": data(_key_pem(key)),
                    },
                }
            ],
            "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": "testbed"}}],
        },
        indent=1,
    ).encode()


def _authority(name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _builder(subject, subject, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    return Authority(key, builder.sign(key, hashes.SHA256()))


def _issue(
    authority: Authority, identity: Identity, *, server: bool = False
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in identity.groups]
    subject = x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, identity.user)])
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = _builder(subject, authority.certificate.subject, key.public_key())
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(issuer, critical=False)  # Python 3.13 refuses a server certificate without it
    if server:
        builder = builder.add_extension(_alternative_names(API_NAMES, API_ADDRESSES), critical=False)
    return key, builder.sign(authority.key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))  # machines that share a state folder may disagree on the time
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_encipherment=False, content_commitment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs_certificates, crl_sign=signs_certificates, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _alternative_names(names: Sequence[str], addresses: Sequence[str]) -> x509.SubjectAlternativeName:
    hosts = [x509.DNSName(name) for name in names]
    return x509.SubjectAlternativeName([*hosts, *(x509.IPAddress(ipaddress.ip_address(each)) for each in addresses)])


def _save(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    _write(folder / f"{name}.key", _key_pem(key))
    _write(folder / f"{name}.crt", _pem(certificate))


def _save_key_pair(folder: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    _write(folder / f"{name}.key", _key_pem(key))
    _write(folder / f"{name}.pub", public)


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
