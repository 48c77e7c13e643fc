"""The container and the pod of the app's image, the same for the API and for the Jobs."""

from collections.abc import Collection
from typing import Any, Final

from genai_operator.api.agent_api import Variable
from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.desired.config import secret_variables
from genai_operator.desired.connections import AUTHORITIES, authorities
from genai_operator.desired.effective import api_size
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
    volumes = (*_VOLUMES, *_authorities(app), *volumes)
    main = container(
        component.value,
        image,
        command=["genai-auto", *arguments],
        size=api_size(app),
        volumes=volumes,
        imagePullPolicy=app.spec.image.pull_policy.value,
        envFrom=[{"configMapRef": {"name": Names(app.metadata.name).config}}, *_extra_sources(app)],
        env=_variables(app, secrets),
        **more,
    )
    return pod_template(app, component, main, volumes=volumes, user=APP_USER, annotations=annotations, **pod)


def _authorities(app: GenAIAuto) -> tuple[Volume, ...]:
    """The certificates of the authorities that servers of somebody else have."""
    return tuple(
        Volume.secret(f"{folder}-authority", f"{AUTHORITIES}/{folder}", value.secret, (value.key,))
        for folder, value in authorities(app)
    )


def _variables(app: GenAIAuto, secrets: Collection[str]) -> list[Manifest]:
    """Ours, and those of the resource, which win: a name stands once in a pod."""
    extra = [_variable(variable) for variable in app.spec.api.extra_env]
    ours = [
        *secret_variables(app, secrets),
        {"name": "HOME", "value": "/tmp"},  # noqa: S108 - the pod's own directory
        {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
    ]
    taken = {variable["name"] for variable in extra}
    return [*(variable for variable in ours if variable["name"] not in taken), *extra]


def _variable(variable: Variable) -> Manifest:
    if variable.value_from is None:
        return {"name": variable.name, "value": variable.value}
    source = variable.value_from.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"name": variable.name, "valueFrom": source}


def _extra_sources(app: GenAIAuto) -> list[Manifest]:
    return [
        {
            **({"prefix": source.prefix} if source.prefix else {}),
            **source.model_dump(mode="json", by_alias=True, exclude={"prefix"}, exclude_none=True),
        }
        for source in app.spec.api.extra_env_from
    ]
