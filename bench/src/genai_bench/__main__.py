"""The command line: `genai-bench run p3 --quick` measures, `genai-bench report` writes docs/performance.md."""

from enum import StrEnum
from typing import Annotated

import typer

from genai_app.errors import ConfigurationError
from genai_bench import report as reports
from genai_bench.benches import BENCHES
from genai_bench.errors import BenchError
from genai_bench.figures import HEADINGS, cells, columns
from genai_bench.plan import FULL, QUICK
from genai_bench.world import opened

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


class Name(StrEnum):
    """Goals of the design; `all` in turn."""

    P1 = "p1"
    P3 = "p3"
    P4 = "p4"
    P6 = "p6"
    ALL = "all"


@app.command()
def run(
    name: Annotated[Name, typer.Argument(help="Which goal of the design.")],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer and shorter rounds: under two minutes.")] = False,
) -> None:
    """Measure. A goal that is missed is said, and is no failure."""
    plan = QUICK if quick else FULL
    names = tuple(BENCHES) if name is Name.ALL else (name.value,)
    try:
        with opened(_say) as world:
            for each in names:
                _say(f"{each}: {plan.rounds} rounds of {plan.seconds} s a side")
                found = BENCHES[each](world, plan, _say)
                path = reports.write(each, plan, found, quick=quick)
                typer.echo(columns([HEADINGS, *map(cells, found.rows)]))
                _say(f"→ {path}")
    except (BenchError, ConfigurationError) as error:
        _say(f"genai-bench: {error}")
        raise typer.Exit(1) from None


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
