"""Databases and caches that somebody else runs, and another engine."""

from typing import Any

import pytest
from tests.operator.test_desired import build, one, resource

from genai_contract.config import AppConfig
from genai_operator.desired.database import configuration
from genai_operator.desired.effective import database_size
from genai_operator.desired.references import references
from genai_operator.desired.secrets import plans
from genai_operator.kinds import POSTGRES_CLUSTER
from genai_operator.manifests import Manifest, dig

EXTERNAL: dict[str, Any] = {
    "mode": "External",
    "external": {
        "host": "db.example.com",
        "port": 6432,
        "database": "cars",
        "caSecretRef": {"name": "db-ca"},
        "credentialsSecretRef": {"name": "db-login", "passwordKey": "pw"},
    },
}
REDIS: dict[str, Any] = {
    "mode": "External",
    "external": {
        "host": "redis.example.com",
        "user": "app",
        "caSecretRef": {"name": "redis-ca", "key": "root.pem"},
        "credentialsSecretRef": {"name": "redis-login"},
    },
}
CNPG = frozenset({POSTGRES_CLUSTER.name})


def settings(manifests: tuple[Manifest, ...]) -> AppConfig:
    return AppConfig.from_environment_variables(one(manifests, "ConfigMap", "demo-config")["data"])


def container(manifests: tuple[Manifest, ...], kind: str = "Deployment", prefix: str = "demo-api") -> Manifest:
    (found,) = (m for m in manifests if m["kind"] == kind and m["metadata"]["name"].startswith(prefix))
    (only,) = found["spec"]["template"]["spec"]["containers"]
    result: Manifest = only
    return result


def secret_variables(item: Manifest) -> dict[str, tuple[str, str]]:
    refs = {v["name"]: v["valueFrom"]["secretKeyRef"] for v in item["env"] if "valueFrom" in v}
    return {name: (ref["name"], ref["key"]) for name, ref in refs.items()}


def test_an_external_database_is_reached_as_the_spec_says_and_none_is_made() -> None:
    manifests = build(resource(database=EXTERNAL))
    found = settings(manifests)
    assert (found.postgres_host, found.postgres_port, found.postgres_db) == ("db.example.com", 6432, "cars")
    assert found.postgres_sslmode == "verify-full"
    for item in (
        container(manifests),
        container(manifests, "Job", "demo-mig"),
        container(manifests, "Job", "demo-check"),
    ):
        variables = secret_variables(item)
        assert variables["POSTGRES_USER"] == ("db-login", "username")
        assert variables["POSTGRES_PASSWORD"] == ("db-login", "pw")
        mounts = {mount["mountPath"] for mount in item["volumeMounts"]}
        assert found.postgres_sslrootcert.rpartition("/")[0] in mounts
    assert not [m for m in manifests if m["kind"] == "StatefulSet" or "database" in m["metadata"]["name"]]
    assert "demo-database" not in {plan.name for plan in plans(resource(database=EXTERNAL))}


def test_the_check_runs_anew_when_the_credentials_change() -> None:
    app = resource(database=EXTERNAL)
    names = {
        m["metadata"]["name"]
        for secrets in ({}, {"db-login": "1"}, {"db-ca": "1"}, {"other": "1"})
        for m in build(app, secrets=secrets)
        if m["metadata"]["name"].startswith("demo-check")
    }
    assert len(names) == 3


def test_external_redis_is_encrypted_and_its_password_is_in_a_secret() -> None:
    manifests = build(resource(redis=REDIS))
    found = settings(manifests)
    assert found.redis_url == "rediss://app@redis.example.com:6379/0"
    assert found.redis_ca_file.endswith("/redis/root.pem")
    assert secret_variables(container(manifests))["REDIS_PASSWORD"] == ("redis-login", "password")
    assert not [m for m in manifests if "redis" in m["metadata"]["name"]]
    assert "demo-redis" not in {plan.name for plan in plans(resource(redis=REDIS))}


def test_external_redis_may_be_plain_and_without_a_password() -> None:
    manifests = build(resource(redis={"mode": "External", "external": {"host": "r", "tls": False}}))
    assert settings(manifests).redis_url == "redis://r:6379/0"
    assert "REDIS_PASSWORD" not in secret_variables(container(manifests))


def test_what_a_person_must_make_is_known_with_its_field() -> None:
    found = {(r.path, r.secret, r.key) for r in references(resource(database=EXTERNAL, redis=REDIS)) if r.needed}
    assert found == {
        ("database.external.credentialsSecretRef", "db-login", "username"),
        ("database.external.credentialsSecretRef", "db-login", "pw"),
        ("database.external.caSecretRef", "db-ca", "ca.crt"),
        ("redis.external.credentialsSecretRef", "redis-login", "password"),
        ("redis.external.caSecretRef", "redis-ca", "root.pem"),
    }


def test_valkey_is_another_image_of_the_same_cache() -> None:
    manifests = build(resource(redis={"engine": "Valkey"}))
    assert container(manifests, prefix="demo-redis")["image"].startswith("valkey/valkey:")
    own = build(resource(redis={"engine": "Valkey", "managed": {"image": "mine:1"}}))
    assert container(own, prefix="demo-redis")["image"] == "mine:1"


def test_a_cluster_of_cloud_native_pg_is_made_and_used() -> None:
    create = {"instances": 2, "image": "pg:17", "storage": {"size": "20Gi", "storageClassName": "fast"}}
    app = resource(database={"mode": "CloudNativePG", "cloudNativePG": {"create": create}})
    manifests = build(app, served=CNPG)
    spec = one(manifests, "Cluster", "demo-database")["spec"]
    assert (spec["instances"], spec["imageName"]) == (2, "pg:17")
    assert spec["storage"] == {"size": "20Gi", "storageClass": "fast"}
    assert spec["bootstrap"]["initdb"]["postInitApplicationSQL"] == ["CREATE EXTENSION IF NOT EXISTS vector"]
    found = settings(manifests)
    assert (found.postgres_host, found.postgres_sslmode) == ("demo-database-rw", "verify-full")
    assert secret_variables(container(manifests))["POSTGRES_PASSWORD"] == ("demo-database-app", "password")
    assert not [m for m in manifests if m["kind"] == "StatefulSet"]
    assert "Cluster" not in {m["kind"] for m in build(app)}, "where CloudNativePG is not installed"


def test_a_cluster_that_is_there_is_used_and_none_is_made() -> None:
    app = resource(database={"mode": "CloudNativePG", "cloudNativePG": {"clusterRef": {"name": "shared"}}})
    manifests = build(app, served=CNPG)
    assert "Cluster" not in {m["kind"] for m in manifests}
    assert settings(manifests).postgres_host == "shared-rw"
    assert secret_variables(container(manifests))["POSTGRES_USER"] == ("shared-app", "username")


@pytest.mark.parametrize(("state", "annotation"), [("Running", "off"), ("Hibernated", "on")])
def test_hibernation_reaches_cloud_native_pg(state: str, annotation: str) -> None:
    manifests = build(resource(state=state, database={"mode": "CloudNativePG"}), served=CNPG)
    assert one(manifests, "Cluster", "demo-database")["metadata"]["annotations"] == {"cnpg.io/hibernation": annotation}


def test_a_retained_cluster_has_no_owner() -> None:
    kept = build(resource(database={"mode": "CloudNativePG"}), served=CNPG)
    assert "ownerReferences" not in one(kept, "Cluster", "demo-database")["metadata"]
    gone = build(resource(database={"mode": "CloudNativePG"}, deletionPolicy="Delete"), served=CNPG)
    assert "ownerReferences" in one(gone, "Cluster", "demo-database")["metadata"]


def test_parameters_of_ones_own_win() -> None:
    app = resource(database={"managed": {"parameters": {"work_mem": "64MB", "search_path": "it's"}}})
    lines = configuration(app.spec.database.managed, database_size(app)).splitlines()
    assert lines.count("work_mem = '64MB'") == 1
    assert not [line for line in lines if line.startswith("work_mem = ") and "64MB" not in line]
    assert "search_path = 'it''s'" in lines


def test_a_migration_waits_as_long_as_the_spec_says() -> None:
    manifests = build(resource(database={"migrations": {"timeoutSeconds": 900}}))
    assert dig(container(manifests, "Job", "demo-mig"), "command")[-1] == "900"


def test_another_vector_index_is_a_new_migration() -> None:
    def migration(**wish: Any) -> str:
        manifests = build(resource(database={"vectorIndex": wish}))
        names = (str(m["metadata"]["name"]) for m in manifests if m["kind"] == "Job")
        return next(name for name in names if "-mig-" in name)

    names = {migration(), migration(type="IVFFlat"), migration(hnsw={"m": 32}), migration(ivfflat={"probes": 20})}
    assert len(names) == 4


def test_the_user_may_have_another_key() -> None:
    login = {"name": "login", "usernameKey": "user"}
    external = {**EXTERNAL["external"], "credentialsSecretRef": login}
    variables = secret_variables(container(build(resource(database={"mode": "External", "external": external}))))
    assert variables["POSTGRES_USER"] == ("login", "user")


def test_redis_forgets_as_it_is_told() -> None:
    managed = {"maxMemoryPercent": 50, "evictionPolicy": "volatile-ttl", "resources": {"limits": {"memory": "1Gi"}}}
    manifests = build(resource(redis={"managed": managed}))
    lines = one(manifests, "ConfigMap", "demo-redis-conf")["data"]["redis.conf"].splitlines()
    assert {"maxmemory 536870912", "maxmemory-policy volatile-ttl"} <= set(lines)


def test_the_image_is_pulled_when_the_spec_says() -> None:
    assert container(build(resource(image={"pullPolicy": "Always"})))["imagePullPolicy"] == "Always"
