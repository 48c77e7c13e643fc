"""The tree of a turn: what belongs to what, and that nothing is collected when nobody wants it."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from genai_app.tracing import Trace, Tracing, step
from genai_app.tracing.langsmith import rendered


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []

    def export(self, trace: Trace) -> None:
        self.traces.append(trace)

    async def close(self) -> None:
        """Nothing to send."""


def tree(trace: Trace) -> list[tuple[str, str | None]]:
    """Each run's name and its parent's."""
    return [(run.name, run.parent.name if run.parent else None) for run in trace.runs]


def test_steps_hang_below_the_step_that_was_open_when_they_began() -> None:
    kept = Kept()
    with Tracing([kept]).turn("turn", {"session_id": "s"}, message="oil?") as root:
        with step("route"), step("embed"):
            pass
        with step("retrieve", "retriever", query="oil?") as run:
            run.gives(passages=2)
        root.gives(response="5W-30")
    [trace] = kept.traces
    assert tree(trace) == [("turn", None), ("route", "turn"), ("embed", "route"), ("retrieve", "turn")]
    assert (trace.runs[0].inputs, trace.runs[0].outputs) == ({"message": "oil?"}, {"response": "5W-30"})
    assert trace.runs[3].outputs == {"passages": 2}
    assert all(run.ended is not None and run.started <= run.ended for run in trace.runs)


async def test_turns_at_once_keep_apart_and_their_tasks_belong_to_them() -> None:
    kept = Kept()
    tracing = Tracing([kept])
    begun = asyncio.Barrier(3)

    async def work(name: str) -> None:
        with step(f"step of {name}"):
            await begun.wait()

    async def turn(name: str) -> None:
        with tracing.turn(name, {}):
            await asyncio.create_task(work(name))

    await asyncio.gather(*(turn(name) for name in "abc"))
    assert sorted(map(tree, kept.traces)) == [[(name, None), (f"step of {name}", name)] for name in "abc"]


async def test_a_turn_that_is_closed_from_another_task_ends_its_trace() -> None:
    kept = Kept()
    tracing = Tracing([kept])

    async def events() -> AsyncGenerator[int]:
        with tracing.turn("turn", {}), step("generate"):
            yield 1

    running = events()
    assert await anext(running) == 1
    await asyncio.create_task(running.aclose())
    [trace] = kept.traces
    assert [run.error for run in trace.runs] == ["GeneratorExit: "] * 2
    with step("late"):
        pass
    assert len(trace.runs) == 2


def test_an_error_is_told_and_goes_on() -> None:
    kept = Kept()
    with pytest.raises(ValueError, match="lost"), Tracing([kept]).turn("turn", {}), step("work"):
        raise ValueError("lost ana@example.com")
    runs = rendered(kept.traces[0], "project")
    assert [run["error"] for run in runs] == ["ValueError: lost [EMAIL]"] * 2


def test_without_a_sink_nothing_is_collected() -> None:
    with Tracing().turn("turn", {}, message="oil?") as root:
        root.gives(response="5W-30")
        with step("route") as run:
            run.gives(agent="specs")
    assert root is run
    assert root.trace.runs == []


def test_what_langsmith_gets_is_masked_json_in_its_own_order() -> None:
    kept = Kept()
    with Tracing([kept]).turn("turn", {"session_id": "cpf 529.982.247-25"}, message="ana@example.com"):  # noqa: SIM117 - one below the other
        with step("retrieve", "retriever", query={"tel": "+55 11 91234-5678"}) as run:
            run.gives(found=(kept, "a"))
    root, child = rendered(kept.traces[0], "genai-auto")
    assert root["inputs"] == {"message": "[EMAIL]"}
    assert root["extra"]["metadata"]["session_id"] == "cpf [CPF]"
    assert child["inputs"] == {"query": {"tel": "[PHONE]"}}
    assert child["parent_run_id"] == root["id"] == root["trace_id"] == child["trace_id"]
    assert child["dotted_order"].startswith(root["dotted_order"] + ".")
    assert (child["run_type"], child["session_name"]) == ("retriever", "genai-auto")
