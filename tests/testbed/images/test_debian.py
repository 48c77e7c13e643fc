"""Where Debian packages come from: read from this machine's settings, which stay on this machine."""

import pytest

from genai_testbed.images.debian import (
    DEFAULT_KEYRING,
    MIRROR_VARIABLE,
    Mirror,
    apt_settings,
    apt_sources,
    find_mirror,
)
from genai_testbed.images.errors import NoDebianMirror

DEB822 = """\
Types: deb
# a comment: with a colon
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""
VENDOR = "deb [signed-by=/etc/vendor.gpg] https://packages.example/apt vendor-bookworm main\n"


@pytest.mark.parametrize(
    ("texts", "mirror"),
    [
        ([DEB822], Mirror("http://mirror.example/debian")),
        ([VENDOR, DEB822], Mirror("http://mirror.example/debian")),
        (["Enabled: no\n" + DEB822, "deb http://b.example/debian trixie main\n"], Mirror("http://b.example/debian")),
        (["deb-src http://src.example/debian trixie main\ndeb http://one.example/d bookworm contrib main non-free\n"],
         Mirror("http://one.example/d")),
        (["deb [arch=amd64 signed-by=/k/debian.gpg] http://two.example/d sid main"],
         Mirror("http://two.example/d", "/k/debian.gpg")),
        (["Types: deb deb-src\nURIs: https://a.example/d https://b.example/d\nSuites: stable\n"
          "Components: main contrib\n"
          "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n ."], Mirror("https://a.example/d", DEFAULT_KEYRING)),
    ],
    ids=["deb822", "a vendor's first", "disabled", "one line", "one line with a keyring", "embedded key"],
)  # fmt: skip
def test_the_mirror_is_that_of_the_apt_sources(texts: list[str], mirror: Mirror) -> None:
    assert find_mirror(texts, {}) == mirror


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [VENDOR],
        ["deb http://archive.example/ubuntu noble main universe\n"],
        ["# deb http://a.example/d trixie main"],
    ],
    ids=["nothing", "vendor only", "ubuntu", "commented out"],
)
def test_without_a_debian_mirror_the_message_names_the_two_ways_out(texts: list[str]) -> None:
    with pytest.raises(NoDebianMirror, match=rf"{MIRROR_VARIABLE}.*Docker"):
        find_mirror(texts, {})


def test_a_named_mirror_wins() -> None:
    assert find_mirror([DEB822], {MIRROR_VARIABLE: "https://mine.example/debian"}).uri == "https://mine.example/debian"


def test_builds_install_from_that_mirror_alone() -> None:
    assert apt_sources(Mirror("https://a.example/debian")) == "deb https://a.example/debian trixie main\n"


def test_settings_travel_but_paths_and_constants_of_this_machine_do_not() -> None:
    dump = (
        'Acquire "";\nAcquire::Check-Valid-Until "false";\nAcquire::http::Proxy "http://proxy.example:3128";\n'
        'Acquire::https::CaInfo "/etc/company/ca.pem";\nAcquire::CompressionTypes::xz "xz";\n'
        'Acquire::Languages:: "none";\nAcquire::cdrom::mount "/media/cdrom/";\n'
    )
    assert apt_settings(dump, sources="/run/secrets/apt_sources", ca_bundle="/run/secrets/ca_bundle").splitlines() == [
        'Acquire::Check-Valid-Until "false";',
        'Acquire::http::Proxy "http://proxy.example:3128";',
        'Dir::Etc::SourceList "/run/secrets/apt_sources";',
        'Dir::Etc::SourceParts "-";',
        'Acquire::Retries "3";',
        'Acquire::https::CaInfo "/run/secrets/ca_bundle";',
    ]
