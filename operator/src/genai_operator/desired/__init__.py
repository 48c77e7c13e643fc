"""Every object that an instance needs, from its resource: pure functions, one file for each concern."""

from collections.abc import Callable
from typing import Final

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired import (
    api,
    cache,
    cloud_native_pg,
    config,
    database,
    exposure,
    jobs,
    monitoring,
    network_policy,
    pgadmin,
    scaling,
)
from genai_operator.desired.context import Context
from genai_operator.manifests import Manifest

Builder = Callable[[GenAIAuto, Context], tuple[Manifest, ...]]

BUILDERS: Final[tuple[Builder, ...]] = (
    config.build,
    network_policy.build,
    database.build,
    cloud_native_pg.build,
    cache.build,
    jobs.build_check,
    jobs.build_migration,
    jobs.build_seed,
    jobs.build_admin,
    api.build,
    scaling.build,
    exposure.build,
    monitoring.build,
    pgadmin.build,
)


def desired_state(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """Every object that should exist, in apply order. Secrets are not among them: `credentials.py` makes them once."""
    return tuple(manifest for build in BUILDERS for manifest in build(app, ctx))
