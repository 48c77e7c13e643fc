"""PostgreSQL with pgvector: one pod, one volume, started by our own script, so that any image that has it will do."""

from dataclasses import replace
from typing import Final

from genai_operator import quantities
from genai_operator.api.database import DatabaseMode, ManagedDatabase
from genai_operator.api.genaiauto import DeletionPolicy, GenAIAuto
from genai_operator.api.profiles import Size
from genai_operator.desired.connections import DATABASE_PORT, PASSWORD_KEY
from genai_operator.desired.context import Context
from genai_operator.desired.effective import database_size, hibernated
from genai_operator.desired.objects import config_map, metadata, service
from genai_operator.desired.pods import SERVER_USER, Volume, container, pod_template, rolled_by
from genai_operator.desired.scripts import script
from genai_operator.desired.secrets import SUPERUSER_KEY
from genai_operator.manifests import Manifest, digest
from genai_operator.naming import Component, Names

MAX_CONNECTIONS: Final = 200
MOUNT: Final = "/var/lib/postgresql"
SCRIPTS: Final = "/etc/genai-auto/postgresql"
SECRETS: Final = "/run/secrets/genai-auto"
SOCKETS: Final = "/var/run/postgresql"


def data_directory(managed: ManagedDatabase) -> str:
    """Where the data files are. Never below …/data: official images declare a volume there, which would hide ours."""
    return f"{MOUNT}/{managed.version.value}/main"


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """The database of mode Managed; nothing in the other modes."""
    if app.spec.database.mode is not DatabaseMode.MANAGED:
        return ()
    names = Names(app.metadata.name)
    files = {
        "start.sh": script("postgres-start.sh"),
        "probe.sh": script("postgres-probe.sh"),
        "postgresql.conf": configuration(app.spec.database.managed, database_size(app)),
        "pg_hba.conf": script("pg_hba.conf"),
        "passwd": f"postgres:x:{SERVER_USER}:{SERVER_USER}::{MOUNT}:/bin/sh\n",
    }
    return (
        config_map(app, names.database_scripts, Component.DATABASE, files),
        service(app, names.database, Component.DATABASE, postgresql=DATABASE_PORT),
        _stateful_set(app, ctx, digest([files, ctx.secrets.get(names.database, "")])),
    )


def wal_mebibytes(managed: ManagedDatabase) -> int:
    """The write-ahead log between two checkpoints: a fifth of the volume, at most 4 GiB."""
    return min(max(quantities.mebibytes(managed.storage.size) // 5, 96), 4096)


def configuration(managed: ManagedDatabase, size: Size) -> str:
    """The text of postgresql.conf: memory in the proportions of the deployment guide, write-ahead log by the volume."""
    memory = quantities.mebibytes(size.limits.memory)
    parameters = {
        "listen_addresses": "'*'",
        "port": DATABASE_PORT,
        "unix_socket_directories": f"'{SOCKETS}'",
        "hba_file": f"'{SCRIPTS}/pg_hba.conf'",
        "max_connections": MAX_CONNECTIONS,
        "shared_buffers": f"{max(memory // 4, 16)}MB",
        "effective_cache_size": f"{max(memory * 3 // 4, 16)}MB",
        "work_mem": f"{max(memory // 64, 4)}MB",
        "maintenance_work_mem": f"{max(memory // 16, 16)}MB",
        "max_wal_size": f"{wal_mebibytes(managed)}MB",
        "min_wal_size": "80MB",
        "password_encryption": "scram-sha-256",
        "huge_pages": "off",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "log_line_prefix": "'%m [%p] %q%u@%d '",
        **{name: _quoted(value) for name, value in sorted(managed.parameters.items())},
    }
    return "".join(f"{name} = {value}\n" for name, value in parameters.items())


def _quoted(value: str) -> str:
    """A value of postgresql.conf; any kind of value may stand in quotes."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _stateful_set(app: GenAIAuto, ctx: Context, config_hash: str) -> Manifest:
    names, managed = Names(app.metadata.name), app.spec.database.managed
    keep = app.spec.deletion_policy is DeletionPolicy.RETAIN
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(app, names.database, Component.DATABASE),
        "spec": {
            "replicas": 0 if hibernated(app) else 1,
            "serviceName": names.database,
            # OrderedReady would wait for ever for a pod that cannot start, and never replace it with a mended one.
            "podManagementPolicy": "Parallel",
            # Pods below the partition keep their revision: with one pod, 1 pauses.
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"partition": 1 if ctx.keeps_pods(app, Component.DATABASE) else 0},
            },
            "persistentVolumeClaimRetentionPolicy": {
                "whenDeleted": "Retain" if keep else "Delete",
                "whenScaled": "Retain",
            },
            "selector": {"matchLabels": names.selector(Component.DATABASE)},
            "template": _pod(app, ctx, config_hash),
            "volumeClaimTemplates": [_claim(app, ctx.claim_template_size or managed.storage.size)],
        },
    }


def _pod(app: GenAIAuto, ctx: Context, config_hash: str) -> Manifest:
    names, managed = Names(app.metadata.name), app.spec.database.managed
    volumes = (
        Volume("data", MOUNT, None),
        Volume.config("scripts", SCRIPTS, names.database_scripts),
        # PostgreSQL looks its own user up by number; only the official images have a name for it.
        replace(Volume.config("scripts", "/etc/passwd", names.database_scripts), sub_path="passwd"),
        Volume.secret("credentials", SECRETS, names.database, (PASSWORD_KEY, SUPERUSER_KEY)),
        Volume.scratch("sockets", SOCKETS, "16Mi"),
        # The runtime gives 64 MiB, too little for parallel queries and index builds.
        Volume.scratch("shared-memory", "/dev/shm", f"{_shared_memory(database_size(app))}Mi", memory=True),  # noqa: S108 - a mount
    )
    main = container(
        "postgresql",
        ctx.images.database_of(app),
        command=["sh", f"{SCRIPTS}/start.sh"],
        size=database_size(app),
        volumes=volumes,
        env=[
            {"name": "PGDATA", "value": data_directory(managed)},
            {"name": "DATABASE_NAME", "value": app.spec.database.name},
            {"name": "DATABASE_USER", "value": app.spec.database.user},
            {"name": "CONFIG_DIRECTORY", "value": SCRIPTS},
            {"name": "SECRETS_DIRECTORY", "value": SECRETS},
            {"name": "SOCKET_DIRECTORY", "value": SOCKETS},
        ],
        ports=[{"name": "postgresql", "containerPort": DATABASE_PORT, "protocol": "TCP"}],
        # An hour: recovery after a crash can take long, and killing it begins it anew.
        startupProbe=_probe("live", period=2, failures=1800),
        livenessProbe=_probe("live", period=10, failures=6),
        readinessProbe=_probe("ready", period=5, failures=3),
    )
    return pod_template(
        app,
        Component.DATABASE,
        main,
        volumes=volumes,
        user=SERVER_USER,
        annotations=rolled_by(config_hash),
        terminationGracePeriodSeconds=120,
    )


def _shared_memory(size: Size) -> int:
    return max(quantities.mebibytes(size.limits.memory) // 8, 64)


def _probe(question: str, *, period: int, failures: int) -> Manifest:
    return {
        "exec": {"command": ["sh", f"{SCRIPTS}/probe.sh", question]},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _claim(app: GenAIAuto, size: str) -> Manifest:
    storage = app.spec.database.managed.storage
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "labels": Names(app.metadata.name).labels(Component.DATABASE)},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            **({"storageClassName": storage.storage_class_name} if storage.storage_class_name else {}),
        },
    }
