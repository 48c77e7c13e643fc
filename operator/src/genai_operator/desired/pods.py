"""Pods that satisfy the restricted Pod Security Standard: the only way in which builders make them."""

from dataclasses import dataclass
from typing import Any, Final

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.api.profiles import Size
from genai_operator.manifests import Manifest
from genai_operator.naming import CONFIG_HASH, Component, Names

APP_USER: Final = 65532
SERVER_USER: Final = 999
"""User and group of postgres and redis in the official images; their data belongs to it."""


@dataclass(frozen=True)
class Volume:
    """A volume and where the container sees it. `source` as in the pod spec; None: a claim template of that name."""

    name: str
    path: str
    source: Manifest | None
    read_only: bool = False
    sub_path: str = ""

    @classmethod
    def scratch(cls, name: str, path: str, size: str, *, memory: bool = False) -> "Volume":
        """An empty directory that goes with the pod."""
        return cls(name, path, {"emptyDir": {"sizeLimit": size, **({"medium": "Memory"} if memory else {})}})

    @classmethod
    def secret(cls, name: str, path: str, secret: str, keys: tuple[str, ...]) -> "Volume":
        """Files with the values of some keys of a Secret, readable by the pod's group only."""
        items = [{"key": key, "path": key} for key in keys]
        source = {"secret": {"secretName": secret, "items": items, "defaultMode": 0o440}}
        return cls(name, path, source, read_only=True)

    @classmethod
    def config(cls, name: str, path: str, config_map: str) -> "Volume":
        """Files of a ConfigMap, executable."""
        return cls(name, path, {"configMap": {"name": config_map, "defaultMode": 0o555}}, read_only=True)

    @property
    def mount(self) -> Manifest:
        """The container's side."""
        return {
            "name": self.name,
            "mountPath": self.path,
            **({"readOnly": True} if self.read_only else {}),
            **({"subPath": self.sub_path} if self.sub_path else {}),
        }


def secret_variable(name: str, secret: str, key: str) -> Manifest:
    """An environment variable from a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def container(
    name: str, image: str, *, command: list[str], size: Size, volumes: tuple[Volume, ...], **more: Any
) -> Manifest:
    """A container without privileges and with a read-only root."""
    return {
        "name": name,
        "image": image,
        "command": command,
        "resources": size.manifest(),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [volume.mount for volume in volumes],
        **more,
    }


def pod_template(
    app: GenAIAuto,
    component: Component,
    main: Manifest,
    *,
    volumes: tuple[Volume, ...],
    user: int,
    annotations: dict[str, str],
    **more: Any,
) -> Manifest:
    """A pod template around one container."""
    names = Names(app.metadata.name)
    pull_secrets = [{"name": secret.name} for secret in app.spec.image_pull_secrets]
    return {
        "metadata": {
            "labels": names.labels(component),
            "annotations": {"kubectl.kubernetes.io/default-container": main["name"], **annotations},
        },
        "spec": {
            "serviceAccountName": names.service_account,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": user,
                "runAsGroup": user,
                "fsGroup": user,
                # Always would open PGDATA to the group, and PostgreSQL then refuses to start.
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            **({"imagePullSecrets": pull_secrets} if pull_secrets else {}),
            "containers": [main],
            "volumes": [{"name": v.name, **v.source} for v in volumes if v.source is not None and not v.sub_path],
            **more,
        },
    }


def rolled_by(config_hash: str) -> dict[str, str]:
    """Annotations that replace the pods when the hash changes."""
    return {CONFIG_HASH: config_hash}
