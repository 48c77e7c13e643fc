"""The metadata and the Services that all builders share."""

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.kinds import GENAI_AUTO
from genai_operator.manifests import Manifest
from genai_operator.naming import Component, Names


def owner_reference(app: GenAIAuto) -> Manifest:
    """Makes the garbage collector delete a child with its resource."""
    return {
        "apiVersion": GENAI_AUTO.api_version,
        "kind": GENAI_AUTO.name,
        "name": app.metadata.name,
        "uid": app.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def metadata(app: GenAIAuto, name: str, component: Component, *, owned: bool = True) -> Manifest:
    """Name, labels and owner of a child; without an owner where there is no cluster, and so no uid, yet."""
    names = Names(app.metadata.name)
    result: Manifest = {
        "name": name,
        "namespace": app.metadata.namespace,
        "labels": names.labels(component),
    }
    if owned and app.metadata.uid:
        result["ownerReferences"] = [owner_reference(app)]
    return result


def config_map(app: GenAIAuto, name: str, component: Component, data: dict[str, str]) -> Manifest:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(app, name, component), "data": data}


def service(app: GenAIAuto, name: str, component: Component, **ports: int) -> Manifest:
    """A Service inside the cluster; each keyword is the name of a port of the pods."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(app, name, component),
        "spec": {
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "selector": Names(app.metadata.name).selector(component),
            "ports": [
                {"name": port_name, "port": port, "targetPort": port_name, "protocol": "TCP"}
                for port_name, port in ports.items()
            ],
        },
    }
