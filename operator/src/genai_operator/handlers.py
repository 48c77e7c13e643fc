"""What Kopf calls: sign in, and watch our resources. A handler only enqueues, so nothing is ever lost in it."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import kopf
from kubernetes.aio.client.configuration import Configuration

from genai_operator.kinds import GENAI_AUTO, GROUP, VERSION
from genai_operator.manifests import Manifest, Ref
from genai_operator.store import Store

_LOGIN_LIFE: Final = timedelta(minutes=10)
"""A pod's token is renewed by the kubelet; Kopf keeps a copy, which must not outlive it."""
_ERROR_BACKOFFS: Final = (0.2, 0.5, 1.0, 2.0, 3.0, 5.0)


class _Backoffs(Collection[float]):
    """Short pauses that never end: the API server may be away for an hour."""

    def __iter__(self) -> Any:
        yield from _ERROR_BACKOFFS
        while True:
            yield _ERROR_BACKOFFS[-1]

    def __len__(self) -> int:
        return len(_ERROR_BACKOFFS)

    def __contains__(self, item: object) -> bool:
        return item in _ERROR_BACKOFFS


class _NoProgress(kopf.ProgressStorage):
    """Kopf keeps nothing on our resources: the queue and the cluster's state are all there is."""

    def fetch(self, *, key: Any, body: Any) -> None:
        del key, body

    def store(self, *, key: Any, record: Any, body: Any, patch: Any) -> None:
        del key, record, body, patch

    def purge(self, *, key: Any, body: Any, patch: Any) -> None:
        del key, body, patch

    def touch(self, *, body: Any, patch: Any, value: Any) -> None:
        del body, patch, value

    def clear(self, *, essence: Any) -> Any:
        return essence


class _NoDiffBase(kopf.DiffBaseStorage):
    """Kopf computes no diffs, which saves a copy of every body."""

    def build(self, *, body: Any, extra_fields: Any = None) -> Any:
        del body, extra_fields
        return {}

    def fetch(self, *, body: Any) -> None:
        del body

    def store(self, *, body: Any, patch: Any, essence: Any) -> None:
        del body, patch, essence


def build_registry(
    configuration: Configuration, store: Store, on_change: Callable[[Ref], None]
) -> kopf.OperatorRegistry:
    """The handlers, in a registry of their own: importing this module registers nothing."""
    registry = kopf.OperatorRegistry()

    async def login(**_: object) -> kopf.ConnectionInfo:
        return await connection_info(configuration)

    async def changed(event: kopf.RawEvent, namespace: str | None, name: str | None, **_: object) -> None:
        instance = Ref(namespace or "", name or "")
        if event["type"] == "DELETED":
            store.forget_resource(instance)
            on_change(instance)
        elif store.put_resource(cast("Manifest", event["object"])):
            on_change(instance)

    kopf.on.login(registry=registry)(login)
    kopf.on.event(GROUP, VERSION, GENAI_AUTO.plural, registry=registry)(changed)
    return registry


def build_settings(*, namespaced: bool) -> kopf.OperatorSettings:
    """Kopf as we need it: it watches, and writes nothing."""
    settings = kopf.OperatorSettings()
    settings.persistence.progress_storage = _NoProgress()
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.networking.error_backoffs = _Backoffs()
    # Kopf's workers only enqueue: at the end nothing of theirs is worth waiting for.
    settings.queueing.idle_timeout = settings.queueing.exit_timeout = 0.1
    # Without the rights to list namespaces and CRDs, looking for them would delay the start by a minute.
    settings.scanning.disabled = namespaced
    return settings


async def connection_info(configuration: Configuration) -> kopf.ConnectionInfo:
    """Kopf signs in as our own client does."""
    setting = (await configuration.auth_settings()).get("BearerToken")
    bearer = (setting["value"] if setting else None) or ""  # "bearer TOKEN" in a pod, "Bearer TOKEN" from a kubeconfig
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        ca_data=configuration.ca_cert_data,
        insecure=not configuration.verify_ssl,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        token=bearer.rpartition(" ")[2] or None,
        expiration=datetime.now(UTC) + _LOGIN_LIFE if bearer else None,
    )
