"""The command line: run the operator, or print manifests."""

from pathlib import Path
from typing import Annotated

import typer

from genai_operator.naming import OPERATOR_NAMESPACE

app = typer.Typer(
    name="genai-auto-operator", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.command()
def run(
    namespace: Annotated[
        list[str] | None, typer.Option("--namespace", "-n", help="Watch this namespace only; may be repeated.")
    ] = None,
) -> None:
    """Run the operator, in a pod or with the current kubeconfig."""
    import uvloop

    from genai_operator.logs import configure_logs
    from genai_operator.running import run_operator
    from genai_operator.settings import OperatorSettings

    settings = OperatorSettings()
    configure_logs(settings.log_level)
    uvloop.run(run_operator(settings, namespace or ()))


@app.command()
def render(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A GenAIAuto as YAML.")],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Namespace, where the file names none.")] = "",
    served: Annotated[
        list[str] | None,
        typer.Option(help="A kind that the cluster has, such as ServiceMonitor, for what is Auto; may be repeated."),
    ] = None,
) -> None:
    """Print the manifests of an instance, without a cluster."""
    from genai_operator.desired.context import Images
    from genai_operator.errors import InvalidResource
    from genai_operator.rendering import read_resource
    from genai_operator.rendering import render as render_text
    from genai_operator.settings import OperatorSettings

    settings = OperatorSettings()
    images = Images(**settings.images())
    try:
        resource = read_resource(file.read_text(encoding="utf-8"), namespace)
        typer.echo(render_text(resource, images, served or ()), nl=False)
    except InvalidResource as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(1) from error


@app.command()
def install_manifests(
    image: Annotated[str, typer.Option(help="Image of the operator.")],
    app_image: Annotated[str, typer.Option(help="Image of the agent API, where a resource names none.")],
    namespace: Annotated[str, typer.Option(help="Namespace of the operator.")] = OPERATOR_NAMESPACE,
    replicas: Annotated[int, typer.Option(help="Operators; one works, the others wait.", min=1, max=5)] = 2,
    watch_namespace: Annotated[
        list[str] | None,
        typer.Option(help="Work in this namespace only, with Roles in place of a ClusterRole; may be repeated."),
    ] = None,
) -> None:
    """Print the manifests that install the operator. The CRD comes first: kubectl apply -f crds/."""
    from genai_operator.install import install_manifests as manifests
    from genai_operator.yaml_output import to_yaml

    documents = manifests(namespace, image, app_image, replicas=replicas, watched=watch_namespace or ())
    typer.echo(to_yaml(documents), nl=False)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
