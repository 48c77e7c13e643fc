"""This machine's way to packages is given to a build as files, and to nobody afterwards."""

import stat
from pathlib import Path

import pytest

from genai_testbed.images.client_settings import find_ca_bundle, pip_files_of, pip_settings, secrets


@pytest.mark.parametrize(
    ("files", "environment", "lines"),
    [
        ([], {}, []),
        (["[global]\nindex-url = https://a.example/simple\n"], {}, ["index-url = https://a.example/simple"]),
        (["[global]\nindex-url = https://a.example/simple\n", "[global]\nindex-url = https://b.example/simple\n"], {},
         ["index-url = https://b.example/simple"]),
        (["[global]\nindex-url = https://a.example/simple\n"], {"PIP_INDEX_URL": "https://c.example/simple"},
         ["index-url = https://c.example/simple"]),
        (["[install]\ntrusted-host = a.example\n\n[global]\ntimeout = 60\n"], {},
         ["timeout = 60", "trusted-host = a.example"]),
        (["[global]\nrequire-virtualenv = true\ncert = /etc/company.pem\n"], {"PIP_USER": "1"}, []),
        ([], {"PIP_FIND_LINKS": "/opt/wheels https://a.example/wheels"}, ["find-links = https://a.example/wheels"]),
        ([], {"PIP_FIND_LINKS": "/opt/wheels"}, []),
    ],
    ids=["none", "file", "later file", "variable", "sections", "what does not concern fetching", "links", "folders"],
)  # fmt: skip
def test_what_concerns_fetching_travels(files: list[str], environment: dict[str, str], lines: list[str]) -> None:
    assert pip_settings(files, environment, ca_bundle=None).splitlines() == ["[global]", *lines]


def test_a_password_with_a_percent_sign_is_taken_as_it_is() -> None:
    text = "[global]\nindex-url = https://me:a%40b@a.example/simple\n"
    assert "https://me:a%40b@a.example/simple" in pip_settings([text], {}, ca_bundle=None)


def test_certificates_are_named_by_their_place_in_the_build() -> None:
    text = pip_settings(["[global]\ncert = /etc/company.pem\n"], {}, ca_bundle="/run/secrets/ca_bundle")
    assert text == "[global]\ncert = /run/secrets/ca_bundle\n"


def test_the_first_bundle_that_exists_is_taken(tmp_path: Path) -> None:
    (tmp_path / "company.pem").touch()
    environment = {"PIP_CERT": str(tmp_path / "absent.pem"), "SSL_CERT_FILE": str(tmp_path / "company.pem")}
    assert find_ca_bundle(environment) == tmp_path / "company.pem"
    assert find_ca_bundle({}, [f"[global]\ncert = {tmp_path}/company.pem"]) == tmp_path / "company.pem"


def test_pip_files_are_read_in_pips_order(tmp_path: Path) -> None:
    files = pip_files_of({"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/named.conf"})
    assert files == (
        Path("/etc/pip.conf"), tmp_path / ".pip/pip.conf", tmp_path / ".config/pip/pip.conf", Path("/named.conf"),
    )  # fmt: skip
    assert pip_files_of({"PIP_CONFIG_FILE": "/dev/null"}) == ()


def test_secrets_are_private_and_gone_after_a_failed_build(tmp_path: Path) -> None:
    def fail() -> None:
        with secrets(tmp_path, {"HOME": str(tmp_path)}) as files:
            assert "pip_conf" in {secret.id for secret in files}
            assert all(stat.S_IMODE(secret.source.parent.stat().st_mode) == 0o700 for secret in files)
            raise RuntimeError("build failed")

    with pytest.raises(RuntimeError, match="build failed"):
        fail()
    assert list(tmp_path.iterdir()) == []
