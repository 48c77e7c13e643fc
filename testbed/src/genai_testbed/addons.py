"""PURE: what every cluster has beside its processes: the name service's address and the default storage class."""

from typing import Any

from genai_testbed.layout import DNS_ADDRESS, NODE_ADDRESS, NODE_NAME

Manifest = dict[str, Any]
STORAGE_NAMESPACE = "local-path-storage"
PROVISIONER = "rancher.io/local-path"


def manifests() -> tuple[Manifest, ...]:
    """Objects of the node level, in the order to apply."""
    return (*name_service(), *storage())


def name_service() -> tuple[Manifest, ...]:
    """The Service that pods ask for names; behind it is a process on the node's address instead of pods."""
    meta = {"name": "kube-dns", "namespace": "kube-system"}
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    return (
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**meta, "labels": {"k8s-app": "kube-dns"}},
            "spec": {"clusterIP": DNS_ADDRESS, "ports": ports},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**meta, "labels": {"kubernetes.io/service-name": "kube-dns"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE_ADDRESS], "nodeName": NODE_NAME, "conditions": {"ready": True}}],
            "ports": ports,
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
