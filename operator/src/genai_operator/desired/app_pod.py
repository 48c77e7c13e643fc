"""The container and the pod of the app's image, the same for the API and for the Jobs."""

from collections.abc import Collection
from typing import Any, Final

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired.config import secret_variables
from genai_operator.desired.pods import APP_USER, Volume, container, pod_template
from genai_operator.manifests import Manifest
from genai_operator.naming import Component, Names

_VOLUMES: Final = (Volume.scratch("tmp", "/tmp", "1Gi"),)  # noqa: S108 - the mount point of the pod's own directory


def app_pod_template(
    app: GenAIAuto,
    component: Component,
    image: str,
    arguments: list[str],
    *,
    annotations: dict[str, str],
    pod: dict[str, Any],
    secrets: Collection[str],
    volumes: tuple[Volume, ...] = (),
    **more: Any,
) -> Manifest:
    """A pod template that runs `genai-auto` with some arguments.

    secrets: the secret settings that it needs. `pod` and `more` add fields to pod and container.
    """
    volumes = (*_VOLUMES, *volumes)
    main = container(
        component.value,
        image,
        command=["genai-auto", *arguments],
        resources=app.spec.api.resources,
        volumes=volumes,
        imagePullPolicy=app.spec.image.pull_policy.value,
        envFrom=[{"configMapRef": {"name": Names(app.metadata.name).config}}],
        env=[
            *secret_variables(app, secrets),
            {"name": "HOME", "value": "/tmp"},  # noqa: S108 - the pod's own directory
            {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
        ],
        **more,
    )
    return pod_template(app, component, main, volumes=volumes, user=APP_USER, annotations=annotations, **pod)
