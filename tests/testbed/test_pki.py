"""Keys and certificates: complete or absent, and good for exactly what they name."""

import base64
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from genai_testbed import layout, pki
from genai_testbed.layout import Bed


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    made = layout.create(tmp_path, isolated=True)
    pki.ensure(made)
    return made


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_api_server_is_itself_under_all_its_names(bed: Bed) -> None:
    names = certificate(bed.pki / "apiserver.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(each) for each in names.get_values_for_type(x509.IPAddress)} == set(pki.API_ADDRESSES)
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("identity", pki.IDENTITIES, ids=lambda identity: identity.name)
def test_a_kubeconfig_is_who_it_says(bed: Bed, identity: pki.Identity) -> None:
    path = bed.pki / f"{identity.name}.conf"
    (user,) = json.loads(path.read_text())["users"]
    client = x509.load_pem_x509_certificate(base64.b64decode(user["user"]["client-certificate-data"]))
    assert [each.value for each in client.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [identity.user]
    groups = tuple(each.value for each in client.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
    assert groups == identity.groups
    client.verify_directly_issued_by(certificate(bed.pki / "ca.crt"))
    assert path.stat().st_mode & 0o077 == 0


def test_users_come_from_outside_and_components_from_inside(bed: Bed) -> None:
    def server(path: Path) -> str:
        return str(json.loads(path.read_text())["clusters"][0]["cluster"]["server"])

    assert server(bed.kubeconfig) == f"https://127.0.0.1:{bed.ports.host}"
    assert server(bed.pki / "kubelet.conf") == "https://127.0.0.1:6443"


def test_it_is_made_once(bed: Bed) -> None:
    before = (bed.pki / "ca.crt").read_bytes()
    pki.ensure(bed)
    assert (bed.pki / "ca.crt").read_bytes() == before


def test_what_a_killed_run_left_is_made_anew(tmp_path: Path) -> None:
    bed = layout.create(tmp_path, isolated=True)
    (tmp_path / "pki.partial").mkdir()
    (tmp_path / "pki.partial" / "ca.key").write_text("half a ke")
    pki.ensure(bed)
    assert certificate(bed.pki / "ca.crt").subject.rfc4514_string() == "CN=kubernetes"
    assert not (tmp_path / "pki.partial").exists()
