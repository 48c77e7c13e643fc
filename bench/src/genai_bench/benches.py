"""The benches by name: what each compares with what, and which goal of the design it stands for."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import httpx2
import redis as redis_client

from genai_bench import peers_installed
from genai_bench.errors import BenchError
from genai_bench.figures import CPU, Goal, Row, Sense
from genai_bench.load import Work, numbered
from genai_bench.plan import Plan
from genai_bench.rounds import Side, measure
from genai_bench.servers import Server
from genai_bench.sockets import ask_for, connections
from genai_bench.world import Say, World, register

CHAT: Final = "/api/v1/chat"
LIVE: Final = "/livez"
QUESTION: Final = "Which engine oil does the GenAuto X1 take?"
NEW_QUESTIONS: Final = (
    "Which engine oil does the GenAuto X1 take after NUMBER kilometres?",
    "What is the tyre pressure of the GenAuto X1 with a load of NUMBER grams?",
    "How often must the brake fluid be changed when I drive NUMBER kilometres?",
    "How large is the boot of the GenAuto X1 for NUMBER marbles?",
)
ECHO_CONNECTIONS: Final = 32
FEW: Final = 4
"""Connections where a request takes long: a busy machine shall not run into time limits that change the work."""


@dataclass(frozen=True)
class Found:
    """What a bench measured; `notes` say what a reader must know of it."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = field(default=())


Bench = Callable[[World, Plan, Say], Found]


def uncached_chat(world: World, plan: Plan, say: Say) -> Found:
    """P1: a chat whose answer nobody has, against a graph of two ChatOpenAI calls."""
    python = peers_installed.python(say)
    bodies = numbered([{"message": question} for question in NEW_QUESTIONS])
    with world.ours() as ours, world.peer("naive_graph", python=python, MODEL_URL=world.model_url) as peer:
        sides = {
            "ours": Side(ours, Work(f"{ours.url}{CHAT}", register(ours), bodies)),
            "peer": Side(peer, Work(f"{peer.url}/chat", bodies=bodies)),
        }
        asked = {name: _model_calls(world, side) for name, side in sides.items()}
        found = measure(replace(plan, connections=FEW), sides)
    goal = Goal(Sense.AT_MOST, now=0.7, aim=0.5)
    return Found(
        rows=(Row("P1 uncached chat", CPU, found["ours"].cpu, found["peer"].cpu, goal),),
        notes=(
            f"Calls of the model server a chat: ours {asked['ours']:g} (the question's vector, the answer, "
            f"and a second opinion where the agent is not sure), peer {asked['peer']:g} (topic, answer; not streamed).",
            "The peer has no login, limits, cache, retrieval, storage, log lines or metrics; ours has them all on.",
        ),
    )


def cached_chat(world: World, plan: Plan, say: Say) -> Found:
    """P3: a chat whose answer is known, stored before it is given, against the least that such an endpoint takes."""
    say("Asking once, so that the answer is known …")
    with world.ours() as ours:
        token = register(ours)
        known = _known_answer(ours, token)
        variables = {
            "DATABASE": world.settings().database_dsn,
            "REDIS_URL": world.variables["REDIS_URL"],
            "JWT_SECRET_KEY": world.variables["JWT_SECRET_KEY"],
        }
        with redis_client.Redis.from_url(world.variables["REDIS_URL"]) as redis:
            redis.set(f"bench:answer:{QUESTION}", known)
        with world.ours("quiet", LOG_LEVEL="WARNING") as quiet, world.peer("cached_endpoint", **variables) as peer:
            bodies = numbered([{"message": QUESTION}])
            sides = {
                "ours": Side(ours, Work(f"{ours.url}{CHAT}", token, bodies)),
                "peer": Side(peer, Work(f"{peer.url}/chat", token, bodies)),
                "quiet": Side(quiet, Work(f"{quiet.url}{CHAT}", token, bodies)),
            }
            before = world.models_asked()
            found = measure(plan, sides)
            missed = world.models_asked() - before
    goal = Goal(Sense.AT_LEAST, now=0.7, aim=1.0)
    peer_cpu = found["peer"].cpu
    return Found(
        rows=(
            Row("P3 cached chat, rate by CPU", CPU, found["ours"].cpu, peer_cpu, goal, inverted=True),
            Row("P3 … with LOG_LEVEL=WARNING", CPU, found["quiet"].cpu, peer_cpu, goal, inverted=True),
        ),
        notes=(
            "The ratio is that of the rates that one core could serve: the peer's CPU ÷ ours.",
            f"Calls of the model server meanwhile: {missed}. More than none means that Redis did not answer within our "
            "100 ms on this busy machine and some chats went the long way, which makes ours look dearer.",
            "Ours logs each request as in production (LOG_LEVEL=INFO), masked; the peer logs nothing. The second line "
            "has the same work without log lines.",
        ),
    )


def layers(world: World, plan: Plan, say: Say) -> Found:
    """P4: the same route with and without the layers around it: what they cost."""
    _ = say
    less = {"LOG_LEVEL": "WARNING"}
    without = "genai_bench.without_layers"
    with (
        world.ours() as ours,
        world.ours("quiet", **less) as quiet,
        world.ours("bare", module=without, **less) as bare,
    ):
        sides = {each.name: Side(each, Work(f"{each.url}{LIVE}")) for each in (ours, quiet, bare)}
        found = measure(plan, sides)
    goal = Goal(Sense.AT_MOST, now=1.4, aim=1.25)
    return Found(
        rows=(
            Row("P4 layers around a route", CPU, found["quiet"].cpu, found["bare"].cpu, goal),
            Row("P4 … with a log line each", CPU, found["ours"].cpu, found["bare"].cpu, goal),
        ),
        notes=(f"The route is {LIVE}, which does nothing: the dearest case for whatever is around it.",),
    )


def websockets(world: World, plan: Plan, say: Say) -> Found:
    """P6: the memory of idle sessions that are logged in, and the CPU of a small frame and its reply."""
    return asyncio.run(_websockets(world, plan, say))


async def _websockets(world: World, plan: Plan, say: Say) -> Found:
    with world.ours() as ours, world.peer("echo") as peer:
        token = await asyncio.to_thread(register, ours)
        sides = {"ours": (ours, "/ws/chat", token), "peer": (peer, "/ws", None)}
        say(f"Opening {plan.sessions:,} sessions with each …")
        memory = {name: await _memory(side, plan) for name, side in sides.items()}
        cpu: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(plan.rounds):
            for name, side in sides.items():
                cpu[name].append(await _echo(side, plan))
    return Found(
        rows=(
            Row("P6 idle session, KiB", "KiB a session", (memory["ours"],), (), Goal(Sense.AT_MOST, 60, 40)),
            Row("P6 frame and reply", "µs CPU", tuple(cpu["ours"]), tuple(cpu["peer"]), Goal(Sense.AT_MOST, 1.3, 1.3)),
        ),
        notes=(
            f"{plan.sessions:,} sessions were open at once; ours are logged in. "
            f"The peer, uvicorn as it comes, takes {memory['peer']:.0f} KiB a session.",
            "The frame is ours for `ping`, which is parsed and checked; the peer gives back what it gets.",
        ),
    )


async def _memory(side: tuple[Server, str, str | None], plan: Plan) -> float:
    """KiB of the server's memory a session, beyond what 100 sessions before have made it take."""
    server, path, token = side
    url = f"{server.url.replace('http', 'ws', 1)}{path}"
    async with connections(url, 100, token=token):
        pass
    before = server.resident_bytes()
    async with connections(url, plan.sessions, token=token):
        after = server.resident_bytes()
    return (after - before) / plan.sessions / 1024


async def _echo(side: tuple[Server, str, str | None], plan: Plan) -> float:
    """Microseconds of the server's CPU a frame and its reply."""
    server, path, token = side
    async with connections(f"{server.url.replace('http', 'ws', 1)}{path}", ECHO_CONNECTIONS, token=token) as opened:
        before = server.cpu_seconds()
        replies = await ask_for(plan.seconds, opened, '{"type":"ping"}')
        return (server.cpu_seconds() - before) / replies * 1e6


def _model_calls(world: World, side: Side) -> float:
    """Calls of the model server for one question of each wording, a question."""
    before = world.models_asked()
    headers = {} if side.work.token == "-" else {"Authorization": f"Bearer {side.work.token}"}  # noqa: S105 - the sign for none
    for position, body in enumerate(side.work.bodies):
        message = json.loads(body.replace("NUMBER", str(position + 1)))
        httpx2.post(side.work.url, json=message, headers=headers, trust_env=False, timeout=30).raise_for_status()
    return (world.models_asked() - before) / len(side.work.bodies)


def _known_answer(server: Server, token: str) -> bytes:
    """The reply that comes out of the cache. Raises BenchError when none does."""
    with httpx2.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30) as client:
        for _ in range(2):
            reply = client.post(f"{server.url}{CHAT}", json={"message": QUESTION}).raise_for_status()
    if not reply.json()["metadata"].get("cached", reply.json().get("cached")):
        raise BenchError("The same question twice was not answered from the cache: nothing to measure.")
    return reply.content


BENCHES: Final[Mapping[str, Bench]] = {
    "p1": uncached_chat,
    "p3": cached_chat,
    "p4": layers,
    "p6": websockets,
}
