"""The command line: `genai-bench run p3 --quick` measures, `genai-bench report` writes docs/performance.md."""

from enum import StrEnum
from typing import Annotated

import typer

from genai_app.errors import ConfigurationError
from genai_bench import report as reports
from genai_bench.benches import BENCHES, Found
from genai_bench.errors import BenchError
from genai_bench.figures import HEADINGS, cells, columns
from genai_bench.operators import operator
from genai_bench.plan import FULL, QUICK, Plan
from genai_bench.world import opened
from genai_testbed.errors import TestbedError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


class Name(StrEnum):
    """Goals of the design; `all` in turn."""

    P1 = "p1"
    P3 = "p3"
    P4 = "p4"
    P6 = "p6"
    P10 = "p10"
    ALL = "all"


@app.command()
def run(
    name: Annotated[Name, typer.Argument(help="Which goal of the design.")],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer and shorter rounds: under two minutes.")] = False,
) -> None:
    """Measure. A goal that is missed is said, and is no failure."""
    plan = QUICK if quick else FULL
    names = (*BENCHES, Name.P10.value) if name is Name.ALL else (name.value,)
    try:
        if served := [each for each in names if each in BENCHES]:
            with opened(_say) as world:
                for each in served:
                    _say(f"{each}: {plan.rounds} rounds of {plan.seconds} s a side")
                    _keep(each, plan, BENCHES[each](world, plan, _say), quick=quick)
        if Name.P10.value in names:
            _keep(Name.P10.value, plan, operator(plan, _say), quick=quick)
    except (BenchError, ConfigurationError, TestbedError) as error:
        _say(f"genai-bench: {error}")
        raise typer.Exit(1) from None


def _keep(name: str, plan: Plan, found: Found, *, quick: bool) -> None:
    path = reports.write(name, plan, found, quick=quick)
    typer.echo(columns([HEADINGS, *map(cells, found.rows)]))
    _say(f"→ {path}")


@app.command()
def report() -> None:
    """Write docs/performance.md from the kept results."""
    _say(f"→ {reports.write_page()}")


def main() -> None:
    """The console script."""
    app()


def _say(line: str) -> None:
    typer.echo(line, err=True)


if __name__ == "__main__":
    main()
