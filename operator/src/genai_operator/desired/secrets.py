"""Which Secrets an instance needs: names, keys and owners. The values come from `credentials.py`, never from here."""

from dataclasses import dataclass
from typing import Final

from genai_operator.api.database import DatabaseMode
from genai_operator.api.genaiauto import DeletionPolicy, GenAIAuto
from genai_operator.api.redis import RedisMode
from genai_operator.desired.connections import PASSWORD_KEY, USERNAME_KEY
from genai_operator.desired.objects import metadata
from genai_operator.manifests import Manifest
from genai_operator.naming import Component, Names

SUPERUSER_KEY: Final = "superuser-password"
JWT_KEY: Final = "jwt-secret-key"


@dataclass(frozen=True)
class SecretPlan:
    """A Secret that is created once: `fixed` values are known, a random text is drawn for each of `random`."""

    metadata: Manifest
    random: tuple[str, ...]
    fixed: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The Secret's name."""
        return str(self.metadata["name"])

    @property
    def keys(self) -> frozenset[str]:
        """Every key that the Secret must have."""
        return frozenset((*self.random, *(key for key, _ in self.fixed)))


def plans(app: GenAIAuto) -> tuple[SecretPlan, ...]:
    """The Secrets of an instance. Under Retain nothing owns those whose other half is in the data, which stay, too."""
    names, owned = Names(app.metadata.name), app.spec.deletion_policy is DeletionPolicy.DELETE
    found = []
    if app.spec.database.mode is DatabaseMode.MANAGED:
        found.append(
            SecretPlan(
                metadata(app, names.database, Component.DATABASE, owned=owned),
                random=(PASSWORD_KEY, SUPERUSER_KEY),
                fixed=((USERNAME_KEY, app.spec.database.user),),
            )
        )
    if app.spec.auth.admin_email:
        found.append(SecretPlan(metadata(app, names.admin, Component.ADMIN, owned=owned), random=(PASSWORD_KEY,)))
    if app.spec.redis.mode is RedisMode.MANAGED:
        found.append(SecretPlan(metadata(app, names.redis, Component.CACHE), random=(PASSWORD_KEY,)))
    if app.spec.auth.jwt_secret_ref is None:
        found.append(SecretPlan(metadata(app, names.auth, Component.API), random=(JWT_KEY,)))
    if app.spec.pgadmin.enabled:
        found.append(SecretPlan(metadata(app, names.pgadmin, Component.PGADMIN), random=(PASSWORD_KEY,)))
    return tuple(found)
