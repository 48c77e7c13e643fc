"""What a builder may know beside the resource: facts of the cluster and of the operator, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.images import Image
from genai_operator.api.redis import RedisEngine
from genai_operator.kinds import Kind
from genai_operator.naming import OPERATOR_NAMESPACE, PAUSE_ROLLOUTS, Component


@dataclass(frozen=True)
class Images:
    """The operator's images, where a resource names none. `database` may contain {version}."""

    app: str
    database: str
    redis: str
    valkey: str = "valkey/valkey:8-alpine"
    pgadmin: str = "dpage/pgadmin4:9"

    def app_of(self, app: GenAIAuto) -> str:
        """Image of the agent API: the operator's, with what the resource overrides."""
        repository, tag, digest = split_image(self.app)
        wanted: Image = app.spec.image
        if wanted.digest or wanted.tag or app.spec.version or wanted.repository:
            digest = wanted.digest
        image = join_image(wanted.repository or repository, wanted.tag or app.spec.version or tag, digest)
        return from_registry(image, app.spec.image_registry)

    def database_of(self, app: GenAIAuto) -> str:
        """Image of the database."""
        managed = app.spec.database.managed
        image = managed.image or self.database.replace("{version}", managed.version.value)
        return from_registry(image, app.spec.image_registry)

    def redis_of(self, app: GenAIAuto) -> str:
        """Image of Redis."""
        usual = self.valkey if app.spec.redis.engine is RedisEngine.VALKEY else self.redis
        return from_registry(app.spec.redis.managed.image or usual, app.spec.image_registry)

    def pgadmin_of(self, app: GenAIAuto) -> str:
        """Image of pgAdmin."""
        return from_registry(app.spec.pgadmin.image or self.pgadmin, app.spec.image_registry)


def from_registry(image: str, registry: str) -> str:
    """The image as a mirror has it: the registry in its name is replaced, or put before it. Empty: as it is."""
    if not registry:
        return image
    host, slash, rest = image.partition("/")
    named = slash and ("." in host or ":" in host or host == "localhost")
    return f"{registry}/{rest if named else image}"


def split_image(image: str) -> tuple[str, str, str]:
    """Repository, tag and digest; a port in the registry's name is no tag."""
    name, _, digest = image.partition("@")
    head, colon, tag = name.rpartition(":")
    return (head, tag, digest) if colon and "/" not in tag else (name, "", digest)


def join_image(repository: str, tag: str, digest: str) -> str:
    """The reverse of `split_image`."""
    return repository + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


@dataclass(frozen=True)
class Running:
    """What the API pods run now: kept while the schema is not ready for anything else."""

    image: str
    version: str
    config_hash: str


@dataclass(frozen=True)
class Context:
    """Facts for the builders.

    secrets: a Secret's name to the hash of its contents.
    held: what the API keeps running until the migration of the wanted image has succeeded; None: nothing holds it back.
    seeded: the knowledge base was loaded.
    administrators: addresses of the administrators that were made.
    claim_template_size: the size in the StatefulSet's immutable claim template; empty before it exists.
    live_replicas: API pods that the Deployment asks for now; None before it exists.
    served: names of the optional kinds that the API server has.
    operator_namespace: where the operator runs, which asks the API for its metrics.
    kept: components whose pods serve and must not be replaced now: no maintenance window is open.
    """

    images: Images
    secrets: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    held: Running | None = None
    seeded: bool = False
    administrators: frozenset[str] = frozenset()
    claim_template_size: str = ""
    live_replicas: int | None = None
    served: frozenset[str] = frozenset()
    kept: frozenset[Component] = frozenset()
    operator_namespace: str = OPERATOR_NAMESPACE

    def keeps_pods(self, app: GenAIAuto, component: Component) -> bool:
        """Whether pods stay as they are although their template changes: by annotation, or until a window opens."""
        return rollouts_are_paused(app) or component in self.kept

    def serves(self, kind: Kind) -> bool:
        """Whether objects of an optional kind can be made."""
        return kind.name in self.served


def rollouts_are_paused(app: GenAIAuto) -> bool:
    """Whether an annotation keeps pods as they are although their templates change."""
    return app.metadata.annotations.get(PAUSE_ROLLOUTS, "") == "true"
