"""PURE: what every cluster has beside its processes: addresses of names and metrics, and the default storage class."""

from collections.abc import Sequence
from typing import Any

from genai_testbed.layout import DNS_ADDRESS, METRICS_PORT, NODE_ADDRESS, NODE_NAME

Manifest = dict[str, Any]
STORAGE_NAMESPACE = "local-path-storage"
METRICS_API = "v1beta1.metrics.k8s.io"
PROVISIONER = "rancher.io/local-path"


def manifests() -> tuple[Manifest, ...]:
    """Objects of the node level, in the order to apply."""
    return (*name_service(), *metrics(), *storage())


def name_service() -> tuple[Manifest, ...]:
    """The Service that pods ask for names."""
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    return process_service("kube-dns", ports, {"clusterIP": DNS_ADDRESS, "ports": ports})


def metrics() -> tuple[Manifest, ...]:
    """The metrics of nodes and pods, as a part of the API: `kubectl top` and autoscaling ask for them."""
    meta = {"name": "metrics-server", "namespace": "kube-system"}
    return (
        *process_service("metrics-server", [{"port": METRICS_PORT}], {"ports": [{"port": 443}]}),
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": METRICS_API},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "service": meta,
                "insecureSkipTLSVerify": True,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
            },
        },
    )


def process_service(name: str, listens: Sequence[Manifest], spec: Manifest) -> tuple[Manifest, ...]:
    """A Service of kube-system; behind it is a process on the node's address instead of pods."""
    meta = {"name": name, "namespace": "kube-system"}
    return (
        {"apiVersion": "v1", "kind": "Service", "metadata": {**meta, "labels": {"k8s-app": name}}, "spec": spec},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**meta, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE_ADDRESS], "nodeName": NODE_NAME, "conditions": {"ready": True}}],
            "ports": list(listens),
        },
    )


def storage() -> tuple[Manifest, ...]:
    """The default storage class, and the scripts by which its provisioner makes and removes folders."""
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STORAGE_NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "local-path-config", "namespace": STORAGE_NAMESPACE},
            "data": {
                "setup": '#!/bin/sh\nset -eu\nmkdir -m 0770 -p "$VOL_DIR"\n',
                "teardown": '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n',
            },
        },
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "local-path",
                "annotations": {
                    "storageclass.kubernetes.io/is-default-class": "true",
                    # Kubernetes applies fsGroup to `local` volumes and not to `hostPath`.
                    "defaultVolumeType": "local",
                },
            },
            "provisioner": PROVISIONER,
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
        },
    )
