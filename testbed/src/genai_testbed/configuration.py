"""PURE: the files that the node's programs read, as text by file name under `<state>/config`."""

import json
from collections.abc import Mapping
from typing import Any

from genai_testbed.layout import DNS_ADDRESS, NODE_NAME, POD_SUBNET, Bed, Level
from genai_testbed.pause import PAUSE_IMAGE

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
"""Inside the node's own mount namespace: the machine's containerd, if it has one, is another."""


def files(bed: Bed, level: Level) -> Mapping[str, str]:
    """File name → content. JSON where the format is YAML: every YAML reader takes it, and quoting cannot go wrong."""
    control_plane = {"audit-policy.yaml": json.dumps(audit_policy(), indent=1)}
    if level is Level.CONTROL_PLANE:
        return control_plane
    return control_plane | {
        "containerd.toml": containerd(bed),
        "cni/10-bridge.conflist": json.dumps(pod_network(), indent=1),
        "kubelet.yaml": json.dumps(kubelet(bed), indent=1),
        "resolv.conf": f"nameserver {DNS_ADDRESS}\n",
        "kube-proxy.yaml": json.dumps(kube_proxy(bed), indent=1),
        "Corefile": corefile(bed),
        "local-path.json": json.dumps(local_path(bed), indent=1),
        "local-path-helper.yaml": json.dumps(local_path_helper(), indent=1),
    }


def audit_policy() -> dict[str, Any]:
    """One line for every finished request of a client; none for the components' own chatter."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        # A request is told once, when it ends; a watch therefore when it is closed.
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [
            {"level": "None", "userGroups": ["system:nodes"]},
            {
                "level": "None",
                "users": [
                    "system:anonymous",  # health probes
                    "system:apiserver",
                    "system:kube-controller-manager",
                    "system:kube-scheduler",
                    "system:kube-proxy",
                ],
            },
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
            {"level": "Metadata"},
        ],
    }


def containerd(bed: Bed) -> str:
    """containerd's configuration, version 2: the one that Debian 12's 1.6 and all later ones read."""
    return f"""\
version = 2
root = "{bed.state}/containerd"
state = "/run/containerd"

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  # Machines without CAP_SYS_RESOURCE: else pods fail with "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
  sandbox_image = "{PAUSE_IMAGE}"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{bed.config}/cni"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


def pod_network() -> dict[str, Any]:
    """A bridge inside the node's network namespace."""
    subnet = POD_SUBNET.replace(".0.0/16", ".0.0/24")
    return {
        "cniVersion": "1.0.0",
        "name": "testbed",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "ipMasq": True,
                "hairpinMode": True,
                "ipam": {"type": "host-local", "ranges": [[{"subnet": subnet}]], "routes": [{"dst": "0.0.0.0/0"}]},
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet(bed: Bed) -> dict[str, Any]:
    """kubelet with its pods in a cgroup of our own and no eviction on a nearly full disk."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "x509": {"clientCAFile": f"{bed.pki}/ca.crt"},
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{bed.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "resolvConf": f"{bed.config}/resolv.conf",
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,  # there is no registry to pull a collected image from again
        "serializeImagePulls": False,
    }


def kube_proxy(bed: Bed) -> dict[str, Any]:
    """kube-proxy that leaves the machine's conntrack limits alone."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": f"{bed.pki}/kube-proxy.conf"},
        "clusterCIDR": POD_SUBNET,
        "hostnameOverride": NODE_NAME,
        "mode": "iptables",
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"},
    }


def corefile(bed: Bed) -> str:
    """Names of the cluster only: nothing leaves the machine."""
    return f"""\
.:53 {{
    errors
    health :8080
    ready :8181
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {bed.pki}/coredns.conf
    }}
    cache 5
}}
"""


def local_path(bed: Bed) -> dict[str, Any]:
    """Every volume is a folder under `<state>/volumes`."""
    return {"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [str(bed.volumes)]}]}


def local_path_helper() -> dict[str, Any]:
    """The pod that makes and removes a volume's folder: the pause image has a shell for that."""
    container = {"name": "helper", "image": PAUSE_IMAGE, "imagePullPolicy": "Never"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "helper"},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }
