"""The sentences that customers read, in English and Portuguese, as tables; `phrases` puts the values in."""

from collections.abc import Mapping
from typing import Final

from genai_app.llm.vocabulary import Language

Texts = Mapping[Language, str]

WEEKDAYS: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "pt": ("segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"),
}
MONTHS: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": (
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    ),
    "pt": (
        *("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho"),
        *("agosto", "setembro", "outubro", "novembro", "dezembro"),
    ),
}
TEXTS: Final[Mapping[str, Texts]] = {
    "day": {"en": "{weekday} {day} {month} {year}", "pt": "{weekday}, {day} de {month} de {year}"},
    "moment": {"en": "{day} at {clock}", "pt": "{day}, às {clock}"},
    "propose_book": {
        "en": "{service} on {moment}, {price}. Shall I book it?",
        "pt": "{service}: {moment}, {price}. Posso agendar?",
    },
    "propose_reschedule": {
        "en": "{service}, {confirmation}: from {was} to {moment}. Shall I move it?",
        "pt": "{service}, {confirmation}: de {was} para {moment}. Posso remarcar?",
    },
    "propose_cancel": {
        "en": "{service} on {moment}, {confirmation}. Shall I cancel it?",
        "pt": "{service}: {moment}, {confirmation}. Posso cancelar?",
    },
    "yes_or_no": {
        "en": "Please answer yes or no, or name another day or time.",
        "pt": "Responda sim ou não, ou diga outro dia ou horário.",
    },
    "nearer": {
        "en": "If you mean {day}, say “this {weekday}”.",
        "pt": "Se for {day}, diga “esta {weekday}”.",
    },
    "done_book": {
        "en": "Booked: {service} on {moment}. Your confirmation number is {confirmation}.",
        "pt": "Agendado: {service}, {moment}. O número da confirmação é {confirmation}.",
    },
    "done_reschedule": {
        "en": "Moved: {service} is now on {moment}. The confirmation number is still {confirmation}.",
        "pt": "Remarcado: {service} agora é {moment}. O número da confirmação continua {confirmation}.",
    },
    "done_cancel": {
        "en": "Cancelled: {service} on {moment} ({confirmation}).",
        "pt": "Cancelado: {service}, {moment} ({confirmation}).",
    },
    "done_already": {"en": "That is already done. {again}", "pt": "Isso já está feito. {again}"},
    "dropped": {"en": "All right, nothing was changed.", "pt": "Tudo bem, nada foi alterado."},
    "give_up": {
        "en": "I am sorry, I do not understand. Nothing was changed; a person can go on with this.",
        "pt": "Desculpe, não entendi. Nada foi alterado; uma pessoa pode continuar o atendimento.",
    },
    "scheduler_down": {
        "en": "The calendar cannot be reached at the moment, so I cannot confirm anything. Please try again shortly.",
        "pt": "A agenda está fora do ar no momento, então não posso confirmar nada. Repita daqui a pouco.",
    },
    "not_free": {"en": "{moment} is not free.", "pt": "{moment} não está livre."},
    "passed": {"en": "{moment} has passed.", "pt": "{moment} já passou."},
    "near_it": {"en": "Free near it: {times}. Which one?", "pt": "Livre perto disso: {times}. Qual?"},
    "nothing_near": {
        "en": "Nothing near it is free. Which other day?",
        "pt": "Nada perto disso está livre. Qual outro dia?",
    },
    "free": {"en": "Free times: {times}.", "pt": "Horários livres: {times}."},
    "free_none": {"en": "Nothing is free then.", "pt": "Não há horário livre nessa data."},
    "free_later": {
        "en": "Nothing is free then. The next free times: {times}.",
        "pt": "Não há horário livre nessa data. Os próximos: {times}.",
    },
    "which_time": {"en": "Which one?", "pt": "Qual?"},
    "which_day_at_all": {"en": "Which other day?", "pt": "Qual outro dia?"},
    "on_day": {"en": "{day}: {times}", "pt": "{day}: {times}"},
    "own": {"en": "Your appointments:\n{lines}", "pt": "Seus agendamentos:\n{lines}"},
    "own_none": {"en": "You have no upcoming appointments.", "pt": "Você não tem agendamentos futuros."},
    "own_line": {"en": "- {service} on {moment}, {confirmation}", "pt": "- {service}: {moment}, {confirmation}"},
    "unknown": {
        "en": "You have no upcoming appointment with the number {confirmation}.",
        "pt": "Você não tem agendamento futuro com o número {confirmation}.",
    },
    "no_customer": {
        "en": "Your account has no customer record, so I have no calendar for it. Please ask for a person.",
        "pt": "Sua conta não tem cadastro de cliente, então não tenho agenda para ela. Peça uma pessoa.",
    },
    "history": {"en": "Done so far, newest first:\n{lines}", "pt": "Feito até agora, do mais recente:\n{lines}"},
    "history_none": {"en": "There is no service on record.", "pt": "Não há nenhum serviço registrado."},
    "price": {"en": "{service}: {price}.", "pt": "{service}: {price}."},
    "prices": {"en": "Prices:\n{lines}", "pt": "Preços:\n{lines}"},
    "price_range": {"en": "{low} to {high} USD", "pt": "de {low} a {high} USD"},
    "price_one": {"en": "{low} USD", "pt": "{low} USD"},
    "again": {"en": "I did not understand that. {question}", "pt": "Não entendi. {question}"},
}
QUESTIONS: Final[Mapping[str, Texts]] = {
    "service": {"en": "Which service: {services}?", "pt": "Qual serviço: {services}?"},
    "one_service": {
        "en": "One appointment is for one service. Which one first?",
        "pt": "Um agendamento é para um serviço. Qual primeiro?",
    },
    "day": {"en": "On which day, and at what time?", "pt": "Em que dia, e a que horas?"},
    "which_day": {"en": "Do you mean {days}?", "pt": "Você quer dizer {days}?"},
    "time": {"en": "At what time?", "pt": "A que horas?"},
    "which_appointment": {"en": "Which one?\n{lines}", "pt": "Qual deles?\n{lines}"},
    "confirm": {"en": "Please answer yes or no.", "pt": "Responda sim ou não."},
}
OR: Final[Texts] = {"en": " or ", "pt": " ou "}
