"""Missing Debian packages: installed where we may, else named with the command that installs them."""

import pytest

from genai_testbed.layout import Level
from genai_testbed.packages import PACKAGES, _advice


@pytest.mark.parametrize(
    ("names", "is_root", "has_apt", "expected"),
    [
        ([], False, False, ""),
        (["runc"], True, True, ""),
        (
            ["runc", "ipset"],
            False,
            True,
            "runc, ipset are missing: run `sudo genai-testbed prerequisites`",
        ),
        (["runc"], True, False, "Debian packages runc are missing: install them with this system's tools"),
    ],
    ids=["nothing missing", "we install them", "not root", "not Debian"],
)
def test_advice(names: list[str], is_root: bool, has_apt: bool, expected: str) -> None:
    advice = _advice(names, is_root=is_root, has_apt=has_apt)
    assert advice.endswith(expected)
    assert bool(advice) is bool(expected)


def test_the_package_that_would_start_a_daemon_is_not_installed() -> None:
    assert "containerd" not in {package.name for package in PACKAGES}


def test_the_control_plane_needs_nothing_that_is_not_on_every_debian() -> None:
    assert {each.name for each in PACKAGES if each.level is Level.CONTROL_PLANE} == {"iproute2", "util-linux"}
