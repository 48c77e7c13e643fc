"""What an instance consists of."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from genai_contract.config import AppConfig, AppSecrets
from genai_contract.endpoints import DRAIN_SECONDS
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired import api, config, database, desired_state, jobs
from genai_operator.desired.context import Context, Images, Running, join_image, split_image
from genai_operator.desired.effective import database_size
from genai_operator.desired.secrets import plans
from genai_operator.manifests import Manifest, dig
from genai_operator.rendering import read_resource, render

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
IMAGES = Images("genai-auto/app:golden", "pgvector/pgvector:pg{version}", "redis:7-alpine")
OFFLINE: dict[str, Any] = {"environment": "Development", "llm": {"provider": "Offline"}}


def resource(**spec: Any) -> GenAIAuto:
    metadata = {"name": "demo", "namespace": "ns", "uid": "u-1", "generation": 1}
    return GenAIAuto.model_validate({"metadata": metadata, "spec": {**OFFLINE, **spec}})


def one(manifests: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    (found,) = (m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name)
    return found


def build(app: GenAIAuto, **facts: Any) -> tuple[Manifest, ...]:
    return desired_state(app, Context(images=IMAGES, **facts))


def configuration(app: GenAIAuto) -> str:
    return database.configuration(app.spec.database.managed, database_size(app))


def pod_specs(manifests: tuple[Manifest, ...]) -> list[Manifest]:
    return [dig(m, "spec", "template", "spec") for m in manifests if dig(m, "spec", "template")]


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} == {
        "quickstart", "development", "production", "gateway", "external-services", "air-gapped", "cloudnative-pg",
    }  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_golden_manifests(example: Path) -> None:
    golden = Path(__file__).parent / "golden" / example.name
    text = render(read_resource(example.read_text(encoding="utf-8")), IMAGES)
    command = f"APP_IMAGE={IMAGES.app} genai-auto-operator render examples/{example.name} > {golden.relative_to(ROOT)}"
    assert text == golden.read_text(encoding="utf-8"), f"if the change is wanted: {command}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_pod_satisfies_the_restricted_standard_and_has_no_token(example: Path) -> None:
    specs = pod_specs(build(read_resource(example.read_text(encoding="utf-8"))))
    assert len(specs) >= 3
    for spec in specs:
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is (container["name"] != "pgadmin")
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert (
                container["resources"]["limits"].keys()
                == container["resources"]["requests"].keys()
                == {"cpu", "memory"}
            )


def test_no_password_is_in_any_manifest_and_every_secret_variable_is_known_to_the_app() -> None:
    (container,) = pod_specs(build(resource()))[-1]["containers"]
    secret = {v["name"]: v["valueFrom"]["secretKeyRef"] for v in container["env"] if "valueFrom" in v}
    assert {name.lower() for name in secret} <= AppSecrets.model_fields.keys()
    assert secret["POSTGRES_PASSWORD"] == {"name": "demo-database", "key": "password"}
    assert secret["JWT_SECRET_KEY"] == {"name": "demo-auth", "key": "jwt-secret-key"}
    assert "OPENROUTER_API_KEY" not in secret


def test_the_app_reads_back_what_the_operator_writes() -> None:
    app = resource(
        environment="Production",
        llm={"provider": "OpenAICompatible", "baseURL": "http://m/v1", "model": "m", "apiKeySecretRef": {"name": "k"}},
        auth={"accessExpireMinutes": 10, "refreshExpireDays": 2},
        api={"logLevel": "ERROR"},
    )
    data = one(build(app), "ConfigMap", "demo-config")["data"]
    read = AppConfig.from_environment_variables(data)
    assert read == config.app_config(app)
    assert (read.llm_provider, read.openrouter_base_url, read.llm_model) == ("openai-compatible", "http://m/v1", "m")
    assert (read.jwt_access_expire_minutes, read.jwt_refresh_expire_days, read.log_level) == (10, 2, "ERROR")
    assert (read.postgres_host, read.redis_url) == ("demo-database", "redis://demo-redis:6379/0")


def test_without_redis_there_is_none_and_the_app_knows() -> None:
    manifests = build(resource(redis={"mode": "Disabled"}))
    assert not [m for m in manifests if "redis" in m["metadata"]["name"]]
    assert AppConfig.from_environment_variables(one(manifests, "ConfigMap", "demo-config")["data"]).redis_url == ""
    assert "demo-redis" not in {plan.name for plan in plans(resource(redis={"mode": "Disabled"}))}


@pytest.mark.parametrize("change", [{"secrets": {"demo-auth": "new"}}, {"secrets": {"demo-database": "new"}}])
def test_a_changed_secret_rolls_the_api(change: dict[str, Any]) -> None:
    app = resource()
    assert config.config_hash(app, Context(IMAGES)) != config.config_hash(app, Context(IMAGES, **change))


def test_a_changed_setting_rolls_the_api_and_a_foreign_secret_does_not() -> None:
    app = resource()
    before = config.config_hash(app, Context(IMAGES))
    assert before != config.config_hash(resource(api={"logLevel": "ERROR"}), Context(IMAGES))
    assert before == config.config_hash(app, Context(IMAGES, secrets={"other": "new"}))


def test_a_held_api_keeps_its_image_and_its_settings() -> None:
    held = Running(image="genai-auto/app:old", version="old", config_hash="h")
    template = one(build(resource(), held=held), "Deployment", "demo-api")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "genai-auto/app:old"
    assert template["metadata"]["annotations"]["genai-auto.dev/config-hash"] == "h"


def test_a_new_image_is_a_new_migration_and_a_new_password_is_not() -> None:
    first = jobs.migration_name(resource(), Context(IMAGES))
    assert first != jobs.migration_name(resource(version="2.0"), Context(IMAGES))
    assert first == jobs.migration_name(resource(), Context(IMAGES, secrets={"demo-database": "new"}))


def test_a_job_has_no_secret_that_it_does_not_need_and_a_new_reference_of_the_api_is_no_new_migration() -> None:
    hooks = {"humanSupportWebhookSecretRef": {"name": "desk"}, "scheduler": {"apiKeySecretRef": {"name": "s"}}}
    with_hooks = resource(integrations=hooks)
    assert jobs.migration_name(with_hooks, Context(IMAGES)) == jobs.migration_name(resource(), Context(IMAGES))
    (job,) = jobs.build_migration(with_hooks, Context(IMAGES))
    (main,) = job["spec"]["template"]["spec"]["containers"]
    assert {v["name"] for v in main["env"] if "valueFrom" in v} == {"POSTGRES_PASSWORD", "JWT_SECRET_KEY"}


def test_the_knowledge_base_is_seeded_once() -> None:
    app = resource(bootstrap={"seedKnowledgeBase": True})
    assert len(jobs.build_seed(app, Context(IMAGES))) == 1
    assert jobs.build_seed(app, Context(IMAGES, seeded=True)) == ()
    assert jobs.build_seed(resource(), Context(IMAGES)) == ()


def test_an_administrator_is_made_once_for_each_address_with_a_password_that_no_manifest_shows() -> None:
    app = resource(auth={"adminEmail": "boss@example.com"})
    (job,) = jobs.build_admin(app, Context(IMAGES))
    pod = job["spec"]["template"]["spec"]
    assert pod["containers"][0]["command"] == [
        "genai-auto", "create-admin", "--email=boss@example.com",
        "--password-file=/run/secrets/genai-auto/password", "--if-missing", "--wait=300",
    ]  # fmt: skip
    assert [v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v] == ["demo-admin"]
    assert "/run/secrets/genai-auto" in {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert jobs.administrator_of(job) == "boss@example.com"
    assert jobs.build_admin(app, Context(IMAGES, administrators=frozenset({"boss@example.com"}))) == ()
    assert len(jobs.build_admin(app, Context(IMAGES, administrators=frozenset({"former@example.com"})))) == 1
    assert jobs.build_admin(resource(), Context(IMAGES)) == ()


@pytest.mark.parametrize(("policy", "owned"), [("Retain", False), ("Delete", True)])
def test_the_first_password_stays_as_long_as_the_account_that_it_opens(policy: str, owned: bool) -> None:
    made = {plan.name: plan for plan in plans(resource(auth={"adminEmail": "b@example.com"}, deletionPolicy=policy))}
    assert made["demo-admin"].keys == {"password"}
    assert ("ownerReferences" in made["demo-admin"].metadata) == owned
    assert "demo-admin" not in {plan.name for plan in plans(resource())}


@pytest.mark.parametrize(("policy", "retention"), [("Retain", "Retain"), ("Delete", "Delete")])
def test_the_deletion_policy_decides_over_volume_and_credentials(policy: str, retention: str) -> None:
    app = resource(deletionPolicy=policy)
    spec = one(build(app), "StatefulSet", "demo-database")["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == retention
    owned = {plan.name: "ownerReferences" in plan.metadata for plan in plans(app)}
    assert owned == {"demo-database": policy == "Delete", "demo-redis": True, "demo-auth": True}


def test_a_bigger_volume_does_not_touch_the_immutable_template() -> None:
    app = resource(database={"managed": {"storage": {"size": "20Gi"}}})
    spec = one(build(app, claim_template_size="10Gi"), "StatefulSet", "demo-database")["spec"]
    assert dig(spec, "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage") == "10Gi"


@pytest.mark.parametrize("version", ["16", "17", "18"])
def test_data_files_are_on_our_volume_and_never_under_the_one_that_images_declare(version: str) -> None:
    managed = resource(database={"managed": {"version": version}}).spec.database.managed
    directory = database.data_directory(managed)
    assert directory.startswith(f"{database.MOUNT}/{version}/")
    assert not directory.startswith("/var/lib/postgresql/data")


def test_the_memory_of_postgresql_follows_its_limit_as_the_deployment_guide_says() -> None:
    limits = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "4Gi"}}
    text = configuration(resource(database={"managed": {"resources": limits}}))
    for line in ("shared_buffers = 1024MB", "effective_cache_size = 3072MB", "work_mem = 64MB",
                 "maintenance_work_mem = 256MB", "max_connections = 200"):  # fmt: skip
        assert line in text.splitlines()


def test_a_small_volume_is_not_filled_by_the_write_ahead_log() -> None:
    text = configuration(resource(database={"managed": {"storage": {"size": "1Gi"}}}))
    assert "max_wal_size = 204MB" in text


def test_a_pod_of_the_api_is_killed_only_after_its_time_to_drain() -> None:
    spec = one(build(resource()), "Deployment", "demo-api")["spec"]["template"]["spec"]
    before = dig(spec, "containers", 0, "lifecycle", "preStop", "sleep", "seconds")
    assert spec["terminationGracePeriodSeconds"] > before + DRAIN_SECONDS


def test_pull_secrets_reach_every_pod() -> None:
    specs = pod_specs(build(resource(imagePullSecrets=[{"name": "registry"}])))
    assert all(spec["imagePullSecrets"] == [{"name": "registry"}] for spec in specs)


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("app", ("app", "", "")),
        ("app:1", ("app", "1", "")),
        ("host:5000/app", ("host:5000/app", "", "")),
        ("host:5000/app:1", ("host:5000/app", "1", "")),
        ("app:1@sha256:ab", ("app", "1", "sha256:ab")),
    ],
)
def test_an_image_name_is_taken_apart_and_put_together(image: str, parts: tuple[str, str, str]) -> None:
    assert split_image(image) == parts
    assert join_image(*parts) == image


@pytest.mark.parametrize(
    ("spec", "image", "version"),
    [
        ({}, "genai-auto/app:golden", "golden"),
        ({"version": "2.0"}, "genai-auto/app:2.0", "2.0"),
        ({"version": "2.0", "image": {"tag": "2.0-slim"}}, "genai-auto/app:2.0-slim", "2.0"),
        ({"image": {"repository": "r/x"}}, "r/x:golden", "golden"),
        ({"image": {"digest": f"sha256:{'a' * 64}"}}, f"genai-auto/app:golden@sha256:{'a' * 64}", "golden"),
    ],
)
def test_the_resource_overrides_parts_of_the_operators_image(spec: dict[str, Any], image: str, version: str) -> None:
    wanted = api.wanted(resource(**spec), Context(IMAGES))
    assert (wanted.image, wanted.version) == (image, version)


def test_every_object_belongs_to_the_resource() -> None:
    for manifest in build(resource()):
        assert manifest["metadata"]["ownerReferences"][0]["uid"] == "u-1"
        assert manifest["metadata"]["labels"]["app.kubernetes.io/instance"] == "demo"


def test_the_golden_files_are_yaml_that_kubectl_takes() -> None:
    for golden in (Path(__file__).parent / "golden").glob("*.yaml"):
        documents = list(yaml.safe_load_all(golden.read_text(encoding="utf-8")))
        assert all({"apiVersion", "kind", "metadata"} <= document.keys() for document in documents)
