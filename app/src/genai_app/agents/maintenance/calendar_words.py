"""Names of weekdays, months and small numbers in English and Portuguese, lower case and without accents; data."""

from typing import Final

_WEEKDAY_NAMES: Final = (
    ("mon", "monday", "segunda"),
    ("tue", "tues", "tuesday", "terca"),
    ("wed", "wednesday", "quarta"),
    ("thu", "thur", "thurs", "thursday", "quinta"),
    ("fri", "friday", "sexta"),
    ("sat", "saturday", "sabado"),
    ("sun", "sunday", "domingo"),
)
_MONTH_NAMES: Final = (
    ("jan", "january", "janeiro"),
    ("feb", "february", "fev", "fevereiro"),
    ("mar", "march", "marco"),
    ("apr", "april", "abr", "abril"),
    ("may", "mai", "maio"),
    ("jun", "june", "junho"),
    ("jul", "july", "julho"),
    ("aug", "august", "ago", "agosto"),
    ("sep", "sept", "september", "set", "setembro"),
    ("oct", "october", "out", "outubro"),
    ("nov", "november", "novembro"),
    ("dec", "december", "dez", "dezembro"),
)
NUMBERS: Final = {
    name: number
    for number, names in enumerate(
        ("a one um uma", "two dois duas", "three tres", "four quatro", "five cinco", "six seis", "seven sete"), start=1
    )
    for name in names.split()
}
WEEKDAYS: Final = {name: number for number, names in enumerate(_WEEKDAY_NAMES) for name in names}
MONTHS: Final = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names}
"""From a name to its number: Monday is 0, January is 1."""
