"""This machine's way to packages (certificates, indexes, proxies), for the time of a build and never inside an image.

Written to a private folder as the files that the Dockerfiles take as build secrets.
"""

import configparser
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genai_testbed.images import debian

CA_BUNDLE: Final = "ca_bundle"
PROXY_VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")

_CA_VARIABLES: Final = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
_SYSTEM_BUNDLES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
_PIP_OPTIONS: Final = (
    "index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy", "timeout", "default-timeout",
    "retries",
)  # fmt: skip


@dataclass(frozen=True)
class Secret:
    """A file that a build sees at /run/secrets/<id>."""

    id: str
    source: Path


def inside(secret_id: str) -> str:
    """Where a build finds that secret."""
    return f"/run/secrets/{secret_id}"


def find_ca_bundle(environment: Mapping[str, str], pip_files: Iterable[str] = ()) -> Path | None:
    """The certificates that this machine's clients trust: pip's setting, the usual variables, the system's bundle."""
    candidates = [
        *(environment[name] for name in _CA_VARIABLES if environment.get(name)),
        *(option for text in pip_files if (option := _pip_section(text).get("cert"))),
        *_SYSTEM_BUNDLES,
    ]
    return next((path for path in map(Path, candidates) if path.is_file()), None)


def pip_settings(files: Iterable[str], environment: Mapping[str, str], *, ca_bundle: str | None) -> str:
    """A pip.conf with what concerns fetching: texts of configuration files, later ones win, then PIP_* variables.

    Folders of wheels on this machine are left out: a build does not see them.
    """
    options: dict[str, str] = {}
    for text in files:
        options |= {key: value for key, value in _pip_section(text).items() if key in _PIP_OPTIONS}
    for option in _PIP_OPTIONS:
        if value := environment.get(f"PIP_{option.upper().replace('-', '_')}"):
            options[option] = value
    options["find-links"] = " ".join(link for link in options.get("find-links", "").split() if "://" in link)
    if ca_bundle is not None:
        options["cert"] = ca_bundle
    lines = ("{} = {}".format(key, value.strip().replace("\n", "\n    ")) for key, value in options.items() if value)
    return "\n".join(("[global]", *lines, ""))


@contextmanager
def secrets(
    scratch: Path, environment: Mapping[str, str], mirror: debian.Mirror | None = None
) -> Iterator[tuple[Secret, ...]]:
    """The settings as files in a private folder below `scratch` that is gone afterwards: they may hold passwords.

    With a mirror there are also apt's.
    """
    pip_files = tuple(path.read_text() for path in pip_files_of(environment) if path.is_file())
    bundle = find_ca_bundle(environment, pip_files)
    ca_inside = inside(CA_BUNDLE) if bundle else None
    folder = Path(tempfile.mkdtemp(prefix="secrets-", dir=scratch))
    try:
        texts = {"pip_conf": pip_settings(pip_files, environment, ca_bundle=ca_inside)}
        if mirror is not None:
            texts["apt_sources"] = debian.apt_sources(mirror)
            texts["apt_conf"] = debian.apt_settings(
                subprocess.run(["apt-config", "dump", "Acquire"], check=True, capture_output=True, text=True).stdout,
                sources=inside("apt_sources"), ca_bundle=ca_inside,
            )  # fmt: skip
        for name, text in texts.items():
            (folder / name).write_text(text)
        if bundle is not None:
            shutil.copyfile(bundle, folder / CA_BUNDLE)
        yield tuple(Secret(path.name, path) for path in sorted(folder.iterdir()))
    finally:
        shutil.rmtree(folder)


def pip_files_of(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """pip's configuration files in its order: the machine's, the person's, the one that is named."""
    if environment.get("PIP_CONFIG_FILE") == os.devnull:
        return ()
    home = Path(environment.get("HOME", "/root"))
    config_home = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    named = environment.get("PIP_CONFIG_FILE")
    usual = (Path("/etc/pip.conf"), home / ".pip" / "pip.conf", config_home / "pip" / "pip.conf")
    return (*usual, Path(named)) if named else usual


def apt_source_texts(folder: Path = Path("/etc/apt")) -> tuple[str, ...]:
    """The texts of apt's source files, the main one first."""
    files = (folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.sources")),
             *sorted((folder / "sources.list.d").glob("*.list")))  # fmt: skip
    return tuple(path.read_text() for path in files if path.is_file())


def _pip_section(text: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return {
        key: value
        for section in ("global", "install")
        if parser.has_section(section)
        for key, value in parser.items(section)
    }
