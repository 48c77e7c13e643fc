"""pgAdmin, for a look into the database outside Production: one pod, reached by kubectl port-forward."""

import json
from typing import Final

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.profiles import Amount, Size
from genai_operator.desired.connections import PASSWORD_KEY, database_connection
from genai_operator.desired.context import Context
from genai_operator.desired.effective import hibernated, sized
from genai_operator.desired.objects import config_map, metadata, service
from genai_operator.desired.pods import Volume, container, pod_template, rolled_by, secret_variable
from genai_operator.manifests import Manifest, digest
from genai_operator.naming import Component, Names

PORT: Final = 8080
USER: Final = 5050
"""Of pgAdmin's image."""
_SERVERS: Final = "servers.json"
_SIZE: Final = Size(Amount("50m", "256Mi"), Amount("500m", "512Mi"))


def build(app: GenAIAuto, ctx: Context) -> tuple[Manifest, ...]:
    """pgAdmin with the instance's database in its list; nothing when it is switched off."""
    if not app.spec.pgadmin.enabled:
        return ()
    names = Names(app.metadata.name)
    servers = {_SERVERS: servers_file(app)}
    return (
        config_map(app, names.pgadmin, Component.PGADMIN, servers),
        service(app, names.pgadmin, Component.PGADMIN, http=PORT),
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(app, names.pgadmin, Component.PGADMIN),
            "spec": {
                "replicas": 0 if hibernated(app) else 1,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "selector": {"matchLabels": names.selector(Component.PGADMIN)},
                "template": _pod(app, ctx, digest([servers, ctx.secrets.get(names.pgadmin, "")])),
            },
        },
    )


def servers_file(app: GenAIAuto) -> str:
    """pgAdmin's list of servers; it asks for the password."""
    there = database_connection(app)
    server = {
        "Name": app.metadata.name,
        "Group": "Servers",
        "Host": there.host,
        "Port": there.port,
        "MaintenanceDB": there.database,
        "Username": app.spec.database.user,
        "SSLMode": there.ssl_mode,
    }
    return json.dumps({"Servers": {"1": server}}, indent=2)


def _pod(app: GenAIAuto, ctx: Context, config_hash: str) -> Manifest:
    names, wish = Names(app.metadata.name), app.spec.pgadmin
    volumes = (
        Volume.config("servers", "/etc/genai-auto", names.pgadmin),
        Volume.scratch("data", "/var/lib/pgadmin", "1Gi"),
        Volume.scratch("tmp", "/tmp", "256Mi"),  # noqa: S108 - the mount point of the pod's own directory
    )
    main = container(
        "pgadmin",
        ctx.images.pgadmin_of(app),
        command=["/entrypoint.sh"],
        size=sized(wish.resources, _SIZE),
        volumes=volumes,
        env=[
            {"name": "PGADMIN_DEFAULT_EMAIL", "value": wish.email},
            secret_variable("PGADMIN_DEFAULT_PASSWORD", names.pgadmin, PASSWORD_KEY),
            {"name": "PGADMIN_LISTEN_PORT", "value": str(PORT)},
            {"name": "PGADMIN_SERVER_JSON_FILE", "value": f"/etc/genai-auto/{_SERVERS}"},
            {"name": "PGADMIN_DISABLE_POSTFIX", "value": "true"},
        ],
        ports=[{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        readinessProbe={
            "httpGet": {"path": "/misc/ping", "port": "http", "scheme": "HTTP"},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
    )
    # Its start script writes its configuration beside the program.
    main["securityContext"] = {**main["securityContext"], "readOnlyRootFilesystem": False}
    return pod_template(
        app, Component.PGADMIN, main, volumes=volumes, user=USER, annotations=rolled_by(config_hash),
        terminationGracePeriodSeconds=10,
    )  # fmt: skip
