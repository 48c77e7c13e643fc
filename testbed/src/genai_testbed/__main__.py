"""The command line of the test bed: translates, calls one function, prints the result."""

import json
import os
import sys
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from genai_testbed import clusters, levels, lifecycle, packages, quickstart, suite, supervision
from genai_testbed.errors import TestbedError
from genai_testbed.images.cli import app as images_app
from genai_testbed.images.errors import ImagesError
from genai_testbed.kubectl import KubectlError
from genai_testbed.layout import Level
from genai_testbed.progress import Progress

app = typer.Typer(
    help="A real Kubernetes for tests, on a machine without Docker. CLUSTER=testbed|kind|current says where.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(images_app, name="images")
app.add_typer(quickstart.app, name="quickstart")

_output = Console(highlight=False, soft_wrap=True)


@app.command()
def up(level: Annotated[Level, typer.Option(help="How much of Kubernetes is real.")] = Level.NODE) -> None:
    """Have a cluster running; what runs already stays as it is. Prints the line that selects it."""
    cluster = clusters.choose()
    cluster.ensure(level)
    clusters.keep()
    print(f"export KUBECONFIG={cluster.kubeconfig()}")  # noqa: T201 - the result, for eval


@app.command()
def down() -> None:
    """Remove the cluster with all that belongs to it: processes, mounts, cgroups, network, files."""
    clusters.choose().down()


@app.command()
def status() -> None:
    """What runs, since when, and how to reach it. Exit code 1 when something is not well."""
    cluster = clusters.choose()
    if cluster.name != "testbed":
        print(f"CLUSTER={cluster.name}: kubectl --kubeconfig={cluster.kubeconfig()} get nodes")  # noqa: T201 - the result
        return
    seen = lifecycle.status()
    if seen is None:
        print("There is no test bed: genai-testbed up")  # noqa: T201 - the result
        raise typer.Exit(1)
    bed, rows = seen
    table = Table("process", "state", "pid", "up for", title=f"test bed {bed.id}", title_justify="left")
    for row in rows:
        state = "[green]ready[/]" if row.ready else "[yellow]not ready[/]" if row.pid else "[red]stopped[/]"
        age = f"{time.time() - row.since:.0f} s" if row.since else ""
        table.add_row(row.name, state, str(row.pid or ""), age)
    _output.print(table)
    _output.print(f"export KUBECONFIG={bed.kubeconfig}")
    if not all(row.ready for row in rows):
        _output.print("Not everything is well: `genai-testbed up` mends it, `genai-testbed logs NAME` says why.")
        raise typer.Exit(1)


@app.command()
def kubeconfig() -> None:
    """Print the path of the cluster's kubeconfig."""
    print(clusters.choose().kubeconfig())  # noqa: T201 - the result


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="A process, as `status` names it; or: audit.")],
    lines: Annotated[int, typer.Option(min=1, help="How many lines from the end.")] = 100,
) -> None:
    """Print the end of what one of the test bed's processes said."""
    bed, _ = lifecycle.inside()
    known = sorted(path.stem for path in bed.log(name).parent.glob("*.log"))
    if name not in known:
        raise TestbedError(f"There is no log of {name}; there are: {', '.join(known)}")
    print(supervision.log_end(bed.log(name), lines))  # noqa: T201 - the result


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def execute(command: Annotated[list[str], typer.Argument(help="The command with its arguments, after --.")]) -> None:
    """Run a command inside the node's namespaces: its network, mounts and processes."""
    _, place = lifecycle.inside()
    argv = place.command(command)
    os.execvpe(argv[0], argv, {**os.environ, "PATH": place.path})  # noqa: S606 - this process becomes that command


@app.command()
def prerequisites(level: Annotated[Level, typer.Option(help="For which level.")] = Level.NODE) -> None:
    """Install the Debian packages that a level needs, or say what is missing."""
    lifecycle.require(level, isolated=os.geteuid() == 0)
    packages.ensure(level, Progress())
    print(f"This machine has what the level {level} needs.")  # noqa: T201 - the result


@app.command()
def prepare(level: Annotated[Level, typer.Option(help="For which level.")] = Level.NODE) -> None:
    """Have what takes long the first time: packages, compiled programs and, for the node, images."""
    suite.prepare(level)


@app.command(name="levels")
def show_levels(
    output: Annotated[str, typer.Option("--format", help="text or json.", metavar="text|json")] = "text",
) -> None:
    """Which levels of tests this machine can run, and why not the others. Exit code 0 in any case."""
    found = levels.levels()
    if output == "json":
        print(json.dumps([{"level": each.name, "missing": each.missing} for each in found]))  # noqa: T201 - the result
        return
    for each in found:
        _output.print(f"[green]✓[/] {each.name}" if not each.missing else f"[red]✗[/] {each.name}: {each.missing}")


@app.command()
def test() -> None:
    """Run every level of tests that this machine can run; in CI a level that is left out is a failure."""
    raise typer.Exit(suite.run_tests())


def main() -> None:
    """The console script: errors that a person can mend are one message, not a traceback."""
    try:
        app(standalone_mode=True)
    except (TestbedError, ImagesError, KubectlError) as error:
        print(f"genai-testbed: {error}", file=sys.stderr)  # noqa: T201 - the result
        sys.exit(1)


if __name__ == "__main__":
    main()
