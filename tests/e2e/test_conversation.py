"""Whole conversations over WebSocket with two replicas: every agent, connections that move, pods that leave."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genai_testbed.conversation import Chat, Turn, access_token, connected
from genai_testbed.deployment import OPERATOR, OPERATOR_NAMESPACE
from genai_testbed.instance import Instance
from genai_testbed.kubectl import Kubectl
from genai_testbed.scripted_model import ScriptedModel, put_scripted_model
from genai_testbed.waiting import eventually

pytestmark = pytest.mark.node

TODAY = datetime.now(UTC).date()
MONDAY = TODAY + timedelta(days=7 - TODAY.weekday())
SLOW = "Tell me slowly how many airbags the GenAuto X1 has."
SLOWLY = "It has six airbags, says the scripted model: two in front, two at the sides, and one curtain on each side."


@dataclass(frozen=True)
class Line:
    """What the customer says, who answers, what the answer has in it, and what it begins with when a model wrote it."""

    says: str
    agent: str
    has: str
    by_model: str = ""
    handoff: str | None = None


SPECS_AND_SYMPTOM = (
    Line("Which engine oil does the GenAuto X1 take?", "specs", "5W-30", "The model says 5W-30"),
    Line("And how often must it be changed?", "maintenance", "10,000 km", "The model says every 10,000 km"),
    Line("The air conditioning does not cool.", "troubleshoot", "Is A/C switched on", "The model says to look"),
)
DIAGNOSIS_AND_PROPOSAL = (
    Line("yes", "troubleshoot", "Is the air flow weak?"),
    Line("no", "troubleshoot", "Does it smell musty?"),
    Line("no", "troubleshoot", "R-1234yf", "The model says that R-1234yf has leaked"),
    Line(f"book an oil change on {MONDAY} at 10", "maintenance", "Shall I book it?", "The model says it looks."),
)
CONFIRMATION = Line("yes", "maintenance", "Booked: oil change on Monday")
CANCELLATION_AND_HANDOFF = (
    Line("cancel my appointment", "maintenance", "Shall I cancel it?"),
    Line("yes", "maintenance", "Cancelled: oil change on Monday"),
    Line("Which appointments do I have?", "maintenance", "no upcoming appointment", "The model says that"),
    Line("I want to speak to a person.", "", "", handoff="user_request"),
)
RULES: tuple[Mapping[str, Any], ...] = (
    {"task": "You are the router", "last": "air conditioning", "say": "troubleshoot"},
    {"task": "You are the router", "last": "appointment|book", "say": "maintenance"},
    {"task": "You are the router", "say": "specs"},
    {"last": "which engine oil", "say": "The model says 5W-30, as the manual does."},
    {"last": "how often", "say": "The model says every 10,000 km, or once a year."},
    {"last": "air conditioning", "say": "The model says to look at its settings first."},
    {"task": "diagnosis of a symptom tree", "say": "The model says that R-1234yf has leaked out."},
    {
        "last": r"oil change on (?P<day>\S+) at (?P<hour>\d+)",
        "say": "The model says it looks.",
        "call": {"book_appointment": {"service_type": "oil_change", "date": r"\g<day>", "time": r"\g<hour>:00"}},
    },
    {"last": "cancel my appointment|which appointments", "call": {"list_appointments": {}}},
    {
        "role": "tool",
        "last": r'"confirmation": "(?P<number>[^"]+)"',
        "call": {"cancel_appointment": {"confirmation_number": r"\g<number>"}},
    },
    {"role": "tool", "last": r'"appointments": \[\]', "say": "The model says that there is no upcoming appointment."},
    {"last": "slowly", "say": SLOWLY, "waits": True},
)


@dataclass(frozen=True)
class Replicas:
    """An instance with two API pods, and the model that it asks; None: it is offline."""

    instance: Instance
    model: ScriptedModel | None = None

    @property
    def pods(self) -> tuple[str, ...]:
        """The pods that stay, as targets."""
        return tuple(sorted(f"pod/{pod['metadata']['name']}" for pod in self.instance.pods("api")))


@pytest.fixture(scope="module")
def model(platform: Kubectl) -> Iterator[ScriptedModel]:
    """The scripted model server, in a namespace of its own."""
    operator = platform.within(OPERATOR_NAMESPACE).get(OPERATOR)
    container = operator["spec"]["template"]["spec"]["containers"][0]
    image = next(variable["value"] for variable in container["env"] if variable["name"] == "APP_IMAGE")
    namespace = f"e2e-model-{secrets.token_hex(3)}"
    platform.run("create", "namespace", namespace)
    yield put_scripted_model(platform.within(namespace), image, RULES)
    platform.run("delete", "namespace", namespace, "--wait=false")


@pytest.fixture(scope="module")
def both(make_instance: Callable[..., Instance], model: ScriptedModel) -> dict[str, Replicas]:
    """An offline instance and one that asks the model each time, with two replicas each; they start side by side."""
    quick = {"replicas": 2, "resources": {"requests": {"cpu": "50m", "memory": "384Mi"}}}
    llm = {"provider": "OpenAICompatible", "baseURL": model.base_url, "model": "scripted", "confidenceThreshold": "0"}
    found = {
        "offline": Replicas(make_instance(api=quick)),
        "scripted": Replicas(make_instance(api=quick, llm=llm, cache={"enabled": False}), model),
    }
    for replicas in found.values():
        replicas.instance.ready(within=240)
    return found


@pytest.fixture(params=["offline", "scripted"])
def replicas(request: pytest.FixtureRequest, both: dict[str, Replicas]) -> Replicas:
    """One of the two."""
    found: Replicas = both[request.param]
    return found


def test_a_conversation_with_every_agent_moves_between_replicas(replicas: Replicas) -> None:
    first, second = replicas.pods
    token, session = access_token(replicas.instance), f"whole-{secrets.token_hex(3)}"
    with connected(replicas.instance, token, session, first) as chat:
        turns = [answered(chat, line, replicas) for line in SPECS_AND_SYMPTOM]
    with connected(replicas.instance, token, session, second) as chat:
        turns += [answered(chat, line, replicas) for line in DIAGNOSIS_AND_PROPOSAL]
        chat.send(CONFIRMATION.says, client_message_id="confirmed")  # and the connection is lost
    with connected(replicas.instance, token, session, first) as chat:
        turns.append(answered(chat, CONFIRMATION, replicas, client_message_id="confirmed"))
        turns += [answered(chat, line, replicas) for line in CANCELLATION_AND_HANDOFF]
    lines = [*SPECS_AND_SYMPTOM, *DIAGNOSIS_AND_PROPOSAL, CONFIRMATION, *CANCELLATION_AND_HANDOFF]
    with replicas.instance.conversation(session, target=second) as talk:
        said = [text for line, turn in zip(lines, turns, strict=True) for text in (line.says, turn.response)]
        assert talk.history() == said


def test_a_turn_that_lost_its_connection_is_answered_once_by_the_other_replica(both: dict[str, Replicas]) -> None:
    replicas, model = both["scripted"], model_of(both["scripted"])
    first, second = replicas.pods
    token, session = access_token(replicas.instance), f"lost-{secrets.token_hex(3)}"
    with model.shut_gate() as gate:
        with connected(replicas.instance, token, session, first) as chat:
            chat.send(SLOW, client_message_id="m1")
            assert SLOWLY.startswith(chat.first_token())
        gate.move(is_open=True)
        with connected(replicas.instance, token, session, second) as chat:
            turn = chat.say(SLOW, client_message_id="m1")
    assert turn.response == SLOWLY
    with replicas.instance.conversation(session, target=first) as talk:
        assert talk.history() == [SLOW, SLOWLY]


def test_a_pod_that_leaves_finishes_its_turn_and_sends_its_clients_to_another(both: dict[str, Replicas]) -> None:
    replicas, model = both["scripted"], model_of(both["scripted"])
    leaving, _ = replicas.pods
    token, session = access_token(replicas.instance), f"drained-{secrets.token_hex(3)}"
    with (
        model.shut_gate() as gate,
        connected(replicas.instance, token, "idle", leaving) as idle,
        connected(replicas.instance, token, session, leaving) as busy,
    ):
        busy.send(SLOW, client_message_id="m1")
        shown = busy.first_token()
        replicas.instance.kubectl.run("delete", leaving, "--wait=false")
        assert idle.closing_code() == 1012  # the pod is draining
        gate.move(is_open=True)
        turn = busy.rest()
        assert (shown + "".join(turn.tokens), turn.response) == (SLOWLY, SLOWLY)
        assert busy.closing_code() == 1012
    asked = model.asked().count(SLOW)
    with connected(replicas.instance, token, session, replicas.pods[0]) as chat:
        assert chat.say(SLOW, client_message_id="m1").complete == turn.complete
    assert model.asked().count(SLOW) == asked
    replicas.instance.ready(within=120)


def test_a_rolling_restart_keeps_the_conversation_at_its_place(both: dict[str, Replicas]) -> None:
    replicas = both["offline"]
    instance, before = replicas.instance, replicas.pods
    token, session = access_token(instance), f"rolled-{secrets.token_hex(3)}"
    with connected(instance, token, session, before[0]) as chat:
        asked = chat.say("The air conditioning does not cool.")
        assert "Is A/C switched on" in asked.response
        instance.kubectl.run("rollout", "restart", f"deployment/{instance.name}-api")
        assert chat.closing_code() == 1012
    with connected(instance, token, session, eventually(lambda: replicas.pods, within=10)[-1]) as chat:
        assert "Is the air flow weak?" in chat.say("yes").response
    instance.kubectl.run("rollout", "status", f"deployment/{instance.name}-api", "--timeout=120s")
    instance.ready()
    assert set(replicas.pods).isdisjoint(before)
    with connected(instance, token, session) as chat:
        assert "Does it smell musty?" in chat.say("no").response


def answered(chat: Chat, line: Line, replicas: Replicas, **fields: Any) -> Turn:
    """The turn of `line`, as it has to be."""
    turn = chat.say(line.says, **fields)
    complete = turn.complete
    reason = complete["handoff"]["reason"] if complete["handoff"] else None
    assert reason == line.handoff, complete
    if line.handoff:
        assert complete["handoff"]["ticket"], complete
        return turn
    assert complete["agent"] == line.agent, complete
    assert line.has in turn.response, complete
    if replicas.model and line.by_model:
        assert turn.response.startswith(line.by_model), complete
        assert (complete["metadata"]["provider"], complete["metadata"]["model"]) == ("openai-compatible", "scripted")
        assert len(turn.tokens) > 1, "a model's answer streams"
    return turn


def model_of(replicas: Replicas) -> ScriptedModel:
    """The model of an instance that has one."""
    assert replicas.model is not None
    return replicas.model
