"""The Jobs of the app: the migration of the schema, the sample knowledge base, and the first administrator."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from genai_operator.api.database import DatabaseMode, MigrationMode
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired.app_pod import app_pod_template
from genai_operator.desired.connections import PASSWORD_KEY, database_connection
from genai_operator.desired.context import Context
from genai_operator.desired.effective import hibernated
from genai_operator.desired.objects import metadata
from genai_operator.desired.pods import Volume, rolled_by
from genai_operator.manifests import Manifest, dig, digest
from genai_operator.naming import Component, Names

_SECRETS: Final = ("postgres_password", "openrouter_api_key", "jwt_secret_key")
"""No more than a Job needs: the database, embeddings, and a start that Production accepts. What is in the template
decides over a Job's name, so a reference that only the API needs must not begin a new migration."""
_ADMIN_SECRET: Final = "/run/secrets/genai-auto"  # noqa: S105 - a path, not a password


def build_migration(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """Bring the schema to what the wanted image needs. While it hibernates there is no database to migrate.

    What a running API must wait for begins in a maintenance window, as its rollout does.
    """
    waits = ctx.held is not None and Component.API in ctx.kept
    if hibernated(app) or waits or app.spec.database.migrations.mode is MigrationMode.MANUAL:
        return ()
    return (_migration(app, ctx),)


def _migration(app: GenAIAuto, ctx: Context) -> Manifest:
    """A new pod template is a new Job: a Job's is immutable."""
    template = _template(
        app,
        ctx,
        Component.MIGRATION,
        ["migrate", "--wait", str(app.spec.database.migrations.timeout_seconds)],
        annotations=rolled_by(digest(app.spec.database.vector_index.model_dump(mode="json"))),
    )
    return _job(app, Names(app.metadata.name).migration(digest(template)), Component.MIGRATION, template)


def build_check(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """Look whether somebody else's database can be reached and will do, anew when the credentials change."""
    if hibernated(app) or app.spec.database.mode is DatabaseMode.MANAGED:
        return ()
    return (_check(app, ctx),)


def check_name(app: GenAIAuto, ctx: Context) -> str:
    """The Job that looks at the database with the present credentials."""
    return str(_check(app, ctx)["metadata"]["name"])


def _check(app: GenAIAuto, ctx: Context) -> Manifest:
    there = database_connection(app)
    named = {value.secret for value in (there.user, there.password, there.authority) if value is not None}
    contents = digest({name: ctx.secrets.get(name, "") for name in named})
    template = _template(app, ctx, Component.CHECK, ["check-database"], annotations=rolled_by(contents))
    return _job(app, Names(app.metadata.name).check(digest(template)), Component.CHECK, template)


def build_seed(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """Load the sample knowledge base, once. It waits for the schema by itself: a pod that fails costs 10 s and more."""
    if hibernated(app) or not app.spec.bootstrap.seed_knowledge_base or ctx.seeded:
        return ()
    template = _template(app, ctx, Component.SEED, ["ingest", "--seed", "--wait", "300"])
    return (_job(app, Names(app.metadata.name).seed(digest(template)), Component.SEED, template),)


def build_admin(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """Make the administrator, once for each address. An account that is there already is left as it is."""
    email = app.spec.auth.admin_email
    if hibernated(app) or not email or email in ctx.administrators:
        return ()
    names = Names(app.metadata.name)
    template = _template(
        app,
        ctx,
        Component.ADMIN,
        ["create-admin", _email_argument(email), f"--password-file={_ADMIN_SECRET}/{PASSWORD_KEY}", "--if-missing",
         "--wait=300"],
        volumes=(Volume.secret("admin", _ADMIN_SECRET, names.admin, (PASSWORD_KEY,)),),
    )  # fmt: skip
    return (_job(app, names.admin_job(digest(template)), Component.ADMIN, template),)


def administrator_of(job: Manifest) -> str:
    """The address that a Job of `build_admin` was made for."""
    command = dig(job, "spec", "template", "spec", "containers", 0, "command", default=[])
    prefix = _email_argument("")
    return next((word.removeprefix(prefix) for word in command if word.startswith(prefix)), "")


def _email_argument(email: str) -> str:
    return f"--email={email}"


def migration_name(app: GenAIAuto, ctx: Context) -> str:
    """The Job that must succeed before the API may run the wanted image."""
    return str(_migration(app, ctx)["metadata"]["name"])


def _template(
    app: GenAIAuto,
    ctx: Context,
    component: Component,
    arguments: list[str],
    *,
    volumes: tuple[Volume, ...] = (),
    annotations: Mapping[str, str] = MappingProxyType({}),
) -> Manifest:
    return app_pod_template(
        app,
        component,
        ctx.images.app_of(app),
        arguments,
        annotations=dict(annotations),
        secrets=_SECRETS,
        volumes=volumes,
        pod={"restartPolicy": "Never", "terminationGracePeriodSeconds": 30},
    )


def _job(app: GenAIAuto, name: str, component: Component, template: Manifest) -> Manifest:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(app, name, component),
        # Kubernetes waits 10 s, 20 s, 40 s … between tries: about half an hour in all, enough for a slow first pull.
        "spec": {"backoffLimit": 8, "completions": 1, "parallelism": 1, "suspend": False, "template": template},
    }
