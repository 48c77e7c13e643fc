"""Where this machine gets Debian packages from, and with which client settings: texts in, values out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from genai_testbed.images.errors import NoDebianMirror

SUITE: Final = "trixie"
MIRROR_VARIABLE: Final = "GENAI_TESTBED_DEBIAN_MIRROR"
DEFAULT_KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"

_DEBIAN_SUITES: Final = frozenset(
    {"bullseye", "bookworm", "trixie", "forky", "sid", "stable", "oldstable", "testing", "unstable"}
)
_ONE_LINE: Final = re.compile(r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<rest>.+)$")
_SETTING: Final = re.compile(r'^(Acquire(?:::[A-Za-z-]+)+) "(.*)";$')
_SETTINGS_OF_APT_ITSELF: Final = ("IndexTargets", "CompressionTypes", "Changelogs", "Languages", "cdrom")


@dataclass(frozen=True)
class Mirror:
    """A Debian archive: its address, and the keyring file that its releases are signed with."""

    uri: str
    keyring: str = DEFAULT_KEYRING


def find_mirror(sources: Iterable[str], environment: Mapping[str, str]) -> Mirror:
    """The first main archive of Debian among the texts of apt source files (both formats); a variable wins.

    Raises NoDebianMirror, for example on Ubuntu.
    """
    if named := environment.get(MIRROR_VARIABLE):
        return Mirror(named)
    for text in sources:
        for mirror in (*_deb822(text), *_one_line(text)):
            return mirror
    raise NoDebianMirror(
        "this machine's apt sources name no Debian archive to build the base image from: "
        f"set {MIRROR_VARIABLE} to the address of one, or install Docker"
    )


def apt_sources(mirror: Mirror) -> str:
    """The one source that a build installs from."""
    return f"deb {mirror.uri} {SUITE} main\n"


def apt_settings(dump: str, *, sources: str, ca_bundle: str | None) -> str:
    """An apt configuration for a build, from `apt-config dump` of this machine.

    Keeps what concerns fetching (proxies, dates, retries), without apt's own constants and without paths of this
    machine; `sources` and `ca_bundle` are the paths inside the build.
    """
    kept = [line for line in dump.splitlines() if (found := _SETTING.match(line)) and _travels(*found.groups())]
    own = [f'Dir::Etc::SourceList "{sources}";', 'Dir::Etc::SourceParts "-";', 'Acquire::Retries "3";']
    if ca_bundle is not None:
        own.append(f'Acquire::https::CaInfo "{ca_bundle}";')
    return "\n".join((*kept, *own, ""))


def _travels(name: str, value: str) -> bool:
    return bool(value) and not value.startswith("/") and not any(part in name for part in _SETTINGS_OF_APT_ITSELF)


def _deb822(text: str) -> Iterable[Mirror]:
    for paragraph in re.split(r"\n\s*\n", text):
        lines = (line for line in paragraph.splitlines() if ":" in line and not line.startswith(("#", " ", "\t")))
        fields = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        types, suites, components = (fields.get(key, "").split() for key in ("types", "suites", "components"))
        if fields.get("enabled", "yes").lower() in {"no", "false"} or "deb" not in types or "main" not in components:
            continue
        if _DEBIAN_SUITES.intersection(suites) and (uris := fields.get("uris", "").split()):
            yield _mirror(uris[0], fields.get("signed-by", ""))


def _one_line(text: str) -> Iterable[Mirror]:
    for line in text.splitlines():
        found = _ONE_LINE.match(line.strip())
        if found and found["suite"] in _DEBIAN_SUITES and "main" in found["rest"].split():
            signed_by = re.search(r"signed-by=(\S+)", found["options"] or "")
            yield _mirror(found["uri"], signed_by[1] if signed_by else "")


def _mirror(uri: str, signed_by: str) -> Mirror:
    """A keyring that is written into the source itself, or several, is not one that debootstrap takes."""
    return Mirror(uri, signed_by if re.fullmatch(r"/\S+", signed_by) else DEFAULT_KEYRING)
