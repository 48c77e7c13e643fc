"""What server-side apply alone cannot mend: a port that somebody gave another number.

The API server merges ports by number, so an apply adds ours beside theirs; both have the same name, so it is refused.
"""

from genai_operator.manifests import Manifest, dig


def port_repair(wanted: Manifest, live: Manifest) -> Manifest | None:
    """A strategic merge patch that puts our ports in place of those that clash with them; None when none does."""
    if _clash(dig(wanted, "spec", "ports", default=[]), dig(live, "spec", "ports", default=[])):
        return {"spec": {"ports": _replacement(wanted["spec"]["ports"])}}
    containers = [
        {"name": container["name"], "ports": _replacement(container["ports"])}
        for container in _containers(wanted)
        for other in _containers(live)
        if container["name"] == other["name"] and _clash(container.get("ports", []), other.get("ports", []))
    ]
    return {"spec": {"template": {"spec": {"containers": containers}}}} if containers else None


def _containers(workload: Manifest) -> list[Manifest]:
    found: list[Manifest] = dig(workload, "spec", "template", "spec", "containers", default=[])
    return found


def _clash(wanted: list[Manifest], live: list[Manifest]) -> bool:
    numbers = {port["name"]: _number(port) for port in wanted}
    return any(numbers.get(port.get("name", ""), _number(port)) != _number(port) for port in live)


def _number(port: Manifest) -> tuple[object, object]:
    return port.get("containerPort", port.get("port")), port.get("protocol", "TCP")


def _replacement(ports: list[Manifest]) -> list[Manifest]:
    return [{"$patch": "replace"}, *ports]
