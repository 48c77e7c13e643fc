"""The Secrets that a person makes and a resource refers to: looked up and judged here, and remembered for the watch."""

import base64
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from genai_contract.config import DEFAULT_JWT_SECRETS, SHORTEST_JWT_SECRET, Environment
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.cluster import Cluster
from genai_operator.desired.references import Reference, references
from genai_operator.errors import Refused
from genai_operator.kinds import SECRET
from genai_operator.manifests import Manifest, Ref, digest


class References:
    """Which instances refer to which Secrets; filled by each reconcile, asked when a Secret changes."""

    def __init__(self) -> None:
        self._of_instance: dict[Ref, frozenset[str]] = {}
        self._of_secret: dict[Ref, set[Ref]] = {}

    def keep(self, instance: Ref, secrets: Iterable[str]) -> None:
        """Remember the names of the Secrets of one instance, and of no others; none: forget it."""
        names = frozenset(secrets)
        for name in self._of_instance.pop(instance, frozenset()) - names:
            secret = Ref(instance.namespace, name)
            self._of_secret[secret].discard(instance)
            if not self._of_secret[secret]:
                del self._of_secret[secret]
        if names:
            self._of_instance[instance] = names
        for name in names:
            self._of_secret.setdefault(Ref(instance.namespace, name), set()).add(instance)

    def instances_with(self, secret: Ref) -> frozenset[Ref]:
        """Every instance that refers to this Secret."""
        return frozenset(self._of_secret.get(secret, ()))

    def instances(self) -> frozenset[Ref]:
        """Every instance that refers to any."""
        return frozenset(self._of_instance)


async def look_up(cluster: Cluster, known: References, app: GenAIAuto) -> tuple[dict[str, str], tuple[str, ...]]:
    """Hashes of the Secrets that the spec names, and what is wrong with them, in the order of the settings.

    They are remembered before they are read, so that no change in between is missed.
    """
    wanted = references(app)
    names = tuple(dict.fromkeys(reference.secret for reference in wanted))
    known.keep(Ref(app.metadata.namespace, app.metadata.name), names)
    try:
        found = {name: await cluster.get(SECRET, Ref(app.metadata.namespace, name)) for name in names}
    except Refused as error:
        return {}, (f"{wanted[0].path}: the Secret cannot be read: {error}",)
    hashes = {name: digest(secret.get("data") or {}) for name, secret in found.items() if secret is not None}
    problems = (problem(app, reference, found[reference.secret]) for reference in wanted if reference.needed)
    return hashes, tuple(dict.fromkeys(text for text in problems if text))


def problem(app: GenAIAuto, reference: Reference, secret: Manifest | None) -> str:
    """What is wrong with the value that a field refers to, and what to do; empty when it is fine."""
    path, name, key = reference.path, reference.secret, reference.key
    if secret is None:
        return f"{path}: there is no Secret {name}: kubectl create secret generic {name} --from-literal={key}=…"
    encoded = (secret.get("data") or {}).get(key)
    if encoded is None:
        return f"{path}: Secret {name} has no key {key}: add it, or name another in the spec"
    value = base64.b64decode(encoded).decode(errors="replace")
    complaint = "is empty" if not value.strip() else _JUDGES.get(reference.setting, _content)(app, value)
    return f"{path}: the value of {key} in Secret {name} {complaint}" if complaint else ""


def _content(app: GenAIAuto, value: str) -> str:
    del app, value
    return ""


def _signing_key(app: GenAIAuto, value: str) -> str:
    if app.spec.environment is not Environment.PRODUCTION:
        return ""
    if value in DEFAULT_JWT_SECRETS:
        return "is a published default, which Production refuses: use the output of openssl rand -hex 32"
    if len(value) < SHORTEST_JWT_SECRET:
        return (
            f"has {len(value)} characters and Production needs {SHORTEST_JWT_SECRET}: "
            "use the output of openssl rand -hex 32"
        )
    return ""


def _address(app: GenAIAuto, value: str) -> str:
    del app
    return "" if value.startswith(("http://", "https://")) else "is no address that begins with https:// or http://"


_JUDGES: Final[Mapping[str, Callable[[GenAIAuto, str], str]]] = MappingProxyType(
    {"jwt_secret_key": _signing_key, "human_support_webhook": _address}
)
"""What is said of the value of a setting after "the value of … in Secret …"; empty when it is fine."""
