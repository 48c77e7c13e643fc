"""No text can make the search expensive: sixteen times the text costs about sixteen times the work."""

import time

import pytest

from genai_app.privacy import find

SHORT, LONG = 500, 8_000
SQUARE = (LONG / SHORT) ** 2

HOSTILE = [
    "1", "1 ", "22 ", "4 ", "4444 ", "1-", "9.", "a", "a@", "@", " @ ", "a.", "a.a.", "@a.a.a.a.a.a.a.a", " at ",
    "a at b dot c ", "DE12 ",
    "de12", "D E 1 2 ", "A1", "A 1 ", "VIN ", "vin is ", "placa ", "plate number A1 ", "placa do carro ",
    "cnpj é ", "[CPF] 1 ", "+", "+1 ",
    "+1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 ", "00 123 4567 ", "(11) 98765-4321 ", "11 98765 4321, ", "555 555 5555 ",
    "tel 3456-7890 e ",
    "52998224725 ", "4111 1111 1111 1111 ", "12345-678 ", "ABC1D23 ", "1HGCM82633A004352 ", "5\u200b", "５", "🚗",
    "ext ", "(", "((1",
]  # fmt: skip


def seconds(text: str, times: int) -> float:
    """The least of several runs, in processor time: other work on the machine does not count."""
    durations = []
    for _ in range(times):
        started = time.process_time()
        find(text)
        durations.append(time.process_time() - started)
    return min(durations)


@pytest.mark.parametrize("piece", HOSTILE)
def test_work_grows_with_the_text_and_not_with_its_square(piece: str) -> None:
    text = piece * LONG
    find(text[:SHORT])
    floor = 1e-4  # below it the clock and the start of the search are what is measured
    assert seconds(text[:LONG], 2) < SQUARE / 4 * max(seconds(text[:SHORT], 5), floor)
