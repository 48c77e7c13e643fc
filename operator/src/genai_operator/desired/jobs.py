"""The Jobs of the app: the migration of the schema, and the sample knowledge base."""

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired.app_pod import app_pod_template
from genai_operator.desired.context import Context
from genai_operator.desired.objects import metadata
from genai_operator.manifests import Manifest, digest
from genai_operator.naming import Component, Names


def build_migration(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """Bring the schema to what the wanted image needs. A new pod template is a new Job: a Job's is immutable."""
    template = _template(app, ctx, Component.MIGRATION, ["migrate", "--wait", "300"])
    return (_job(app, Names(app.metadata.name).migration(digest(template)), Component.MIGRATION, template),)


def build_seed(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """Load the sample knowledge base, once. It waits for the schema by itself: a pod that fails costs 10 s and more."""
    if not app.spec.bootstrap.seed_knowledge_base or ctx.seeded:
        return ()
    template = _template(app, ctx, Component.SEED, ["ingest", "--seed", "--wait", "300"])
    return (_job(app, Names(app.metadata.name).seed(digest(template)), Component.SEED, template),)


def migration_name(app: GenAIAuto, ctx: Context) -> str:
    """The Job that must succeed before the API may run the wanted image."""
    (job,) = build_migration(app, ctx)
    return str(job["metadata"]["name"])


def _template(app: GenAIAuto, ctx: Context, component: Component, arguments: list[str]) -> Manifest:
    return app_pod_template(
        app,
        component,
        ctx.images.app_of(app),
        arguments,
        annotations={},
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
