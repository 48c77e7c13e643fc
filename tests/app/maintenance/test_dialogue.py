"""Whole conversations without a model: what is asked, what is proposed, and what is in the database afterwards."""

from datetime import UTC, datetime, time
from uuid import UUID

import pytest
from tests.app.maintenance.conftest import NOW, Customer, World, on, said

from genai_app.agents.conversation import CustomerScope

pytestmark = pytest.mark.service

TUESDAY_AT_TEN = datetime.combine(on(6), time(10), UTC)


@pytest.mark.parametrize(
    ("wish", "yes", "asks", "confirms"),
    [
        ("book an oil change next Tuesday at 10", "yes", "49.99 to 79.99 USD. Shall I book it?", "Booked: oil change"),
        ("oil change next tuesday, 10am", "Yes, please!", "Shall I book it?", "Your confirmation number is APT-"),
        ("quero agendar uma troca de óleo na próxima terça às 10h", "sim", "Posso agendar?", "Agendado: troca de óleo"),
        ("Marcar troca de óleo terça-feira às 10", "pode marcar", "de 49.99 a 79.99 USD", "confirmação é APT-"),
    ],
)
async def test_a_wish_is_proposed_and_a_yes_books_it(
    wish: str, yes: str, asks: str, confirms: str, ana: Customer
) -> None:
    proposal = await ana.say(wish)
    assert asks in proposal
    assert "10:00" in proposal
    assert await ana.booked() == []
    assert ana.goes_on(yes)
    assert confirms in await ana.say(yes)
    assert ana.steps == ["tool_call"]
    assert await ana.booked() == [("oil_change", TUESDAY_AT_TEN, "scheduled")]


async def test_a_repeated_yes_books_once_also_when_the_first_reply_was_lost(ana: Customer) -> None:
    await ana.say("book an oil change next Tuesday at 10")
    before = ana.state
    first = await ana.say("yes")
    assert "already done" in await ana.say("yes")
    ana.state = before  # the turn was cut after the booking, before its state was stored
    assert await ana.say("yes") == first
    assert len(await ana.booked()) == 1


async def test_nothing_is_booked_by_anything_but_a_plain_yes(ana: Customer) -> None:
    await ana.say("book an oil change next Tuesday at 10")
    changed = await ana.say("yes, but at 11")
    assert "at 11:00" in changed
    assert await ana.booked() == []
    assert "nothing was changed" in await ana.say("no")
    await ana.say("yes")
    assert await ana.booked() == []


async def test_a_question_in_between_is_answered_and_the_yes_after_it_is_asked_again(ana: Customer) -> None:
    await ana.say("book an oil change next Tuesday at 10")
    assert not ana.goes_on("How much oil does the engine take?")
    assert "4.2" in await ana.say("How much oil does an oil change take?")
    assert "Shall I book it?" in await ana.say("yes")
    assert await ana.booked() == []
    assert "Booked" in await ana.say("yes")


@pytest.mark.parametrize(
    "turns",
    [
        ("I want to book an appointment", "Which service", "brakes", "On which day", "Friday", "At", "2 pm", "14:00"),
        ("Book me in on Friday at 2 pm", "Which service", "a brake service", "at 14:00"),
        ("I need a brake service, can you book it?", "On which day", "on Friday", "08:00", "14", "at 14:00"),
        ("Can you book the brakes for Friday afternoon?", "12:00, 13:00, 14:00", "the third one", "at 14:00"),
        ("agendar revisão dos freios na sexta às 14h", "um serviço", "freios", "às 14:00"),
        (
            "quero marcar um horário",
            "Qual serviço",
            "pastilhas de freio",
            "Em que dia",
            "sexta",
            "Livre",
            "14h",
            "14:00",
        ),
    ],
    ids=lambda turns: turns[0],
)
async def test_what_is_missing_is_asked_for_in_any_order(turns: tuple[str, ...], ana: Customer) -> None:
    for message, reply in zip(turns[::2], turns[1::2], strict=True):
        assert reply.lower().removeprefix("at") in (await ana.say(message)).lower().removeprefix("at")
    await ana.say("yes" if ana.answer and ana.answer.language == "en" else "sim")
    assert await ana.booked() == [("brake_service", datetime.combine(on(2), time(14), UTC), "scheduled")]


async def test_a_taken_time_is_refused_with_others_and_one_of_them_can_be_taken(world: World, ana: Customer) -> None:
    other = await world.customer()
    await other.say("book an oil change next Tuesday at 10")
    await ana.say("book an oil change next Tuesday at 10")
    await other.say("yes")
    refused = await ana.say("yes")
    assert "is not free" in refused
    assert "08:00, 09:00, 11:00" in refused
    assert "Shall I book it?" in await ana.say("11")
    await ana.say("yes")
    assert [starts_at for _, starts_at, _ in await ana.booked()] == [datetime.combine(on(6), time(11), UTC)]


async def test_a_closed_day_or_hour_is_refused_before_it_is_proposed(ana: Customer) -> None:
    refused = await ana.say("book an oil change on Sunday at 10")
    assert "is not free" in refused
    assert said(on(3)) in refused
    assert "has passed" in await ana.say("today at 8 am")


async def test_as_soon_as_possible_is_the_first_free_time(ana: Customer) -> None:
    proposal = await ana.say("I need a tire rotation as soon as possible, please book it")
    assert f"{said(NOW.date())} at 10:00, 29.99 USD" in proposal


async def test_what_can_be_read_in_two_ways_is_asked_or_pointed_out(ana: Customer) -> None:
    assert "Do you mean" in await ana.say("book an oil change on 3/4 at 10")
    ana.state = {}
    proposal = await ana.say("book an oil change next Friday at 10")
    assert said(on(9)) in proposal
    assert f"If you mean {said(on(2))}, say “this Friday”." in proposal
    assert said(on(2)) in await ana.say("this Friday")


@pytest.mark.parametrize(
    ("move", "yes", "asks"),
    [
        ("move it to Thursday 2 pm", "yes", "Shall I move it?"),
        ("reschedule my appointment to Thursday at 14:00", "ok", "Shall I move it?"),
        ("quero remarcar para quinta às 14h", "sim", "Posso remarcar?"),
    ],
)
async def test_an_appointment_is_moved_after_a_yes(move: str, yes: str, asks: str, ana: Customer) -> None:
    await ana.say("book an oil change next Tuesday at 10")
    await ana.say("yes")
    assert ana.goes_on(move)
    assert asks in await ana.say(move)
    assert await ana.booked() == [("oil_change", TUESDAY_AT_TEN, "scheduled")]
    await ana.say(yes)
    assert await ana.booked() == [("oil_change", datetime.combine(on(1), time(14), UTC), "scheduled")]


@pytest.mark.parametrize(
    ("cancel", "yes", "asks", "confirms"),
    [
        ("cancel my appointment", "yes", "Shall I cancel it?", "Cancelled: oil change"),
        ("quero cancelar meu agendamento", "sim", "Posso cancelar?", "Cancelado: troca de óleo"),
        ("Preciso desmarcar", "pode cancelar", "Posso cancelar?", "Cancelado"),
    ],
)
async def test_the_only_appointment_is_cancelled_after_a_yes(
    cancel: str, yes: str, asks: str, confirms: str, ana: Customer
) -> None:
    await ana.say("book an oil change next Tuesday at 10")
    await ana.say("yes")
    ana.state = {}  # another session
    assert asks in await ana.say(cancel)
    assert (await ana.booked())[0][2] == "scheduled"
    assert confirms in await ana.say(yes)
    assert (await ana.booked())[0][2] == "cancelled"


@pytest.mark.parametrize("choice", ["the second one", "the inspection", "number"])
async def test_of_several_appointments_the_customer_chooses_one(choice: str, ana: Customer) -> None:
    numbers = []
    for wish in ("book an oil change on Thursday at 9", "book an inspection on Friday at 9"):
        await ana.say(wish)
        numbers.append((await ana.say("yes")).rstrip(".").split()[-1])
    ana.state = {}
    assert "Which one?" in await ana.say("cancel my appointment")
    assert "Inspection" in await ana.say(numbers[1] if choice == "number" else choice)
    await ana.say("yes")
    assert [(service, status) for service, _, status in await ana.booked()] == [
        ("oil_change", "scheduled"),
        ("inspection", "cancelled"),
    ]


async def test_nobody_reaches_the_appointments_of_somebody_else(world: World, ana: Customer) -> None:
    await ana.say("book an oil change next Tuesday at 10")
    number = (await ana.say("yes")).rstrip(".").split()[-1]
    other = await world.customer()
    assert "no upcoming appointment" in await other.say(f"cancel my appointment {number}")
    assert "no upcoming appointments" in await other.say("what are my appointments?")
    assert (await ana.booked())[0][2] == "scheduled"
    assert number in await ana.say("when is my appointment?")


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("How much is an oil change?", "Oil change: 49.99 to 79.99 USD."),
        ("What does a tire rotation cost?", "Tire rotation: 29.99 USD."),
        ("Quanto custa a troca de bateria?", "Troca de bateria: de 149.99 a 299.99 USD."),
        ("What are the prices of your services?", "- transmission service: 149.99 to 249.99 USD"),
        ("Which free slots do you have on Saturday?", "08:00, 09:00, 10:00, 11:00"),
        ("Tem horário livre no domingo?", "Não há horário livre nessa data. Os próximos:"),
        ("What have I had done?", "There is no service on record."),
        ("Tenho algo agendado?", "Você não tem agendamentos futuros."),
    ],
)
async def test_what_only_needs_a_look_is_answered_at_once(question: str, reply: str, ana: Customer) -> None:
    assert reply in await ana.say(question)
    assert ana.answer is not None
    assert [tool.ok for tool in ana.answer.tools] == [True]
    assert ana.answer.confidence >= 0.7


async def test_a_free_time_that_was_listed_can_be_booked_by_naming_it(ana: Customer) -> None:
    await ana.say("Which free slots do you have on Saturday?")
    assert ana.goes_on("the first one")
    assert "Which service" in await ana.say("the first one please")
    assert f"{said(on(3))} at 08:00" in await ana.say("air filter")


async def test_the_service_history_is_that_of_the_customers_own_cars(world: World, ana: Customer) -> None:
    assert ana.scope is not None
    await world.pool.execute(
        """
        WITH car AS (
            INSERT INTO vehicles (customer_id, brand, model) VALUES ($1, 'GenAuto', 'X1') RETURNING id
        )
        INSERT INTO service_history (vehicle_id, service_type, service_date, mileage, cost)
        SELECT id, 'oil_change', '2026-03-02 10:00+00', 12000, 59.90 FROM car
        """,
        ana.scope.customer_id,
    )
    assert "- oil change, Monday 2 March 2026, 12,000 km, 59.90 USD, GenAuto X1" in await ana.say(
        "What have I had done?"
    )
    assert "troca de óleo" in await ana.say("Qual é o histórico de serviços do meu carro?")
    assert "no service on record" in await (await world.customer()).say("show me my service history")


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("How often must the oil be changed?", "every 10,000 km or 12 months"),
        ("Quando devo trocar a correia dentada?", "100,000 km"),
        ("What is done at the 40,000 km service?", "spark plugs"),
    ],
)
async def test_intervals_are_answered_from_the_manuals(question: str, fact: str, ana: Customer) -> None:
    assert fact in await ana.say(question)
    assert ana.answer is not None
    assert ana.answer.sources
    assert (ana.answer.tools, ana.answer.state) == ((), {})


async def test_after_two_replies_that_make_no_sense_a_person_takes_over(ana: Customer) -> None:
    await ana.say("I want to book an appointment")
    assert "I did not understand that. Which service" in await ana.say("the big blue thing")
    await ana.say("lorem ipsum dolor")
    assert ana.answer is not None
    assert ana.answer.handoff_reason == "repeated_failure"
    assert ana.state == {}


@pytest.mark.parametrize("scope", [None, CustomerScope(UUID(int=1))])
async def test_an_account_without_a_customer_is_told(scope: CustomerScope | None, ana: Customer) -> None:
    ana.scope = scope
    assert "no customer record" in await ana.say("book an oil change next Tuesday at 10")
    assert "USD" in await ana.say("How much is an oil change?")


async def test_a_state_of_another_version_begins_anew(ana: Customer) -> None:
    ana.state = {"goal": "fly", "day": "yesterday"}
    assert "Shall I book it?" in await ana.say("book an oil change next Tuesday at 10")
