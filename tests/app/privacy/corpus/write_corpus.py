"""Writes the labelled texts of `genai_app.privacy.data` from the sentences beside this file and synthetic identifiers.

`write_corpus.py` writes, `write_corpus.py --check` fails when the committed files differ. Knows nothing of the
detectors: check digits are computed here on purpose, because a fault in them must not hide itself in its own labels.
A sentence belongs to one split with all of its fillings: while tuning, only the totals of `held_out` were seen.
"""

import hashlib
import json
import re
import string
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

import phonenumbers

HERE: Final = Path(__file__).parent
DATA: Final = HERE.parents[3] / "app/src/genai_app/privacy/data"
Make = Callable[[Random], str]
Write = Callable[[str, Random], str]

FIRST: Final = ("ana", "joao", "maria.clara", "p.silva", "carlos_a", "marina-r", "sam", "j.porter", "dana99", "li.wei")
LAST: Final = ("souza", "andrade", "lima", "oconnor", "smith", "reis", "garcia", "becker", "tanaka", "2024")
HOSTS: Final = (
    "gmail.com",
    "hotmail.com",
    "uol.com.br",
    "exemplo.com.br",
    "example.org",
    "mail.example.co.uk",
    "x1.io",
)
BR_AREAS: Final = ("11", "19", "21", "31", "41", "47", "51", "61", "71", "81", "85", "91", "98")
US_AREAS: Final = ("212", "305", "312", "415", "503", "617", "713", "818", "917", "206", "404", "702")
INTERNATIONAL: Final = (
    "+44 79## ######", "+49 151 ########", "+351 91# ### ###", "+33 6 ## ## ## ##", "+34 6## ### ###",
    "+39 347 ### ####",
    "+598 94 ### ###", "+61 41# ### ###", "+81 90-####-####", "+54 9 11 ####-####", "+52 55 #### ####",
    "+1 604 5## ####",
    "+44 20 7### ####", "+49 (0)30 ######", "+351 21# ### ###", "+33 1 4# ## ## ##", "+4479########", "+35191#######",
)  # fmt: skip
IBANS: Final = (
    "DE 18", "FR 23", "ES 20", "PT 21", "CH 17", "BE 12", "AT 16", "GB 4 14", "NL 4 10", "IE 4 14", "IT 1 22",
)  # fmt: skip
VIN_ALPHABET: Final = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
VIN_VALUES: Final = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True))
VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def digits(random: Random, count: int) -> str:
    return "".join(random.choices(string.digits, k=count))


def letters(random: Random, count: int) -> str:
    return "".join(random.choices(string.ascii_uppercase, k=count))


def pattern(random: Random, shape: str) -> str:
    """`#` becomes a digit, `@` a capital letter."""
    kinds = {"#": string.digits, "@": string.ascii_uppercase}
    return "".join(random.choice(kinds.get(character, character)) for character in shape)


def grouped(value: str, shape: str) -> str:
    """`grouped("12345678901", "###.###.###-##")` is `123.456.789-01`."""
    rest = iter(value)
    return "".join(next(rest) if character == "#" else character for character in shape)


def weighted(value: str, weights: range | tuple[int, ...]) -> int:
    """Sum of value times weight; a letter counts as its ASCII code minus 48, as in the alphanumeric CNPJ."""
    return sum((ord(character) - 48) * weight for character, weight in zip(value, weights, strict=True))


def cpf(random: Random) -> str:
    body = digits(random, 9)
    for heaviest in (10, 11):
        body += str(weighted(body, range(heaviest, 1, -1)) * 10 % 11 % 10)
    return body


def cnpj_of(alphabet: str, *branches: str) -> Make:
    def make(random: Random) -> str:
        body = "".join(random.choices(alphabet, k=8)) + random.choice(branches)
        for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
            body += str(-weighted(body, weights) % 11 % 10)
        return body

    return make


def cnh(random: Random) -> str:
    while True:
        body = digits(random, 9)
        first, second = weighted(body, range(9, 0, -1)) % 11, weighted(body, range(1, 10)) % 11
        if first < 10:  # published descriptions differ on what follows a first remainder of 10
            return f"{body}{first}{second % 10}"


def renavam(random: Random) -> str:
    body = "00" + digits(random, 8)
    return body + str(weighted(body, (3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) * 10 % 11 % 10)


def ssn(random: Random) -> str:
    area = random.choice([number for number in range(1, 900) if number != 666])
    return f"{area:03}{random.randrange(1, 100):02}{random.randrange(1, 10000):04}"


def card(random: Random) -> str:
    prefix, length = random.choice((("4", 16), ("51", 16), ("5500", 16), ("2221", 16), ("37", 15), ("6011", 16)))
    body = prefix + digits(random, length - len(prefix) - 1)
    odd, even = body[::-1][::2], body[::-1][1::2]
    return body + str(-(sum(sum(divmod(2 * int(digit), 10)) for digit in odd) + sum(map(int, even))) % 10)


def iban(random: Random) -> str:
    country, *parts = random.choice(IBANS).split()
    account = (letters(random, int(parts[0])) if len(parts) == 2 else "") + digits(random, int(parts[-1]))
    checked = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{country}{98 - int(checked) % 97:02}{account}"


def vin(random: Random) -> str:
    """A North American one: position 9 is a check digit."""
    body = random.choice("12345") + "".join(random.choices(VIN_ALPHABET, k=10)) + digits(random, 6)
    total = sum(VIN_VALUES.get(c, ord(c) - 48) * weight for c, weight in zip(body, VIN_WEIGHTS, strict=True))
    return f"{body[:8]}{'0123456789X'[total % 11]}{body[9:]}"


def vin_of(*makers: str) -> Make:
    """VINs from outside North America: without check digit."""
    return lambda random: random.choice(makers) + "".join(random.choices(VIN_ALPHABET, k=8)) + digits(random, 6)


def phone_br(random: Random) -> str:
    start = random.choice(("96", "97", "98", "99", "3", "2"))
    return random.choice(BR_AREAS) + start + digits(random, 7)


def phone_us(random: Random) -> str:
    return f"{random.choice(US_AREAS)}{random.choice('23456789')}{random.choice('02345678')}{digits(random, 5)}"


def phone_international(random: Random) -> str:
    """Drawn again until the numbering plan allows it."""
    while True:
        number = pattern(random, random.choice(INTERNATIONAL))
        if phonenumbers.is_valid_number(phonenumbers.parse(number)):
            return number


def email(random: Random) -> str:
    name = random.choice(("{}", "{}.{}", "{}_{}", "{}+carro")).format(random.choice(FIRST), random.choice(LAST))
    address = f"{name}@{random.choice(HOSTS)}"
    return random.choice((address, address, address, address.upper(), address.title()))


def shapes(*choices: str) -> Write:
    """The written form: one of the shapes; a lower-case `x` in front lowers the letters."""

    def write(value: str, random: Random) -> str:
        fitting = [shape for shape in choices if shape.count("#") in {0, len(value)}]
        shape = random.choice(fitting)
        text = grouped(value, shape.removeprefix("x")) if "#" in shape else value
        return text.lower() if shape.startswith("x") else text

    return write


def in_fours(value: str, random: Random) -> str:
    return random.choice((value, " ".join(re.findall(".{1,4}", value))))


def as_is(value: str, _random: Random) -> str:
    return value


BR_SHAPES: Final = (
    "(##) #####-####", "(##) #####-####", "## #####-####", "##########", "###########", "+55 ## #####-####",
    "+55 (##) #####-####",
    "(##)#####-####", "0## #####-####", "## ##### ####", "(##) # ####-####", "+55###########", "55###########",
    "(##) ####-####", "## ####-####", "+55 ## ####-####", "## #####.####", "(0##) ####-####", "##-#####-####",
)  # fmt: skip
US_SHAPES: Final = (
    "(###) ###-####", "###-###-####", "###.###.####", "+1 ### ### ####", "1-###-###-####", "+1##########",
    "### ### ####",
    "(###)###-####", "+1 (###) ###-####", "###-###-#### ext. 12", "+1-###-###-####", "1 (###) ###-####",
    "(###) ###-#### x304",
)  # fmt: skip

CNPJ_SHAPE: Final = "##.###.###/####-##"
SLOTS: Final[dict[str, tuple[str, Make, Write]]] = {
    "EMAIL": ("EMAIL", email, as_is),
    "PHONE_BR": ("PHONE", phone_br, shapes(*(shape for shape in BR_SHAPES if shape != "##########"))),
    "PHONE_US": ("PHONE", phone_us, shapes(*US_SHAPES)),
    "PHONE_INTL": ("PHONE", phone_international, as_is),
    "PHONE_LOCAL": ("PHONE", lambda r: pattern(r, r.choice(("9########", "3#######"))),
                    shapes("#####-####", "####-####", "##### ####", "#########", "####-####")),
    "CPF": ("CPF", cpf, shapes("###.###.###-##", "###.###.###-##", "###########", "#########-##")),
    "CNPJ": ("CNPJ", cnpj_of(string.digits, "0001", "0002"), shapes(CNPJ_SHAPE, CNPJ_SHAPE, "##############")),
    "CNPJ_ALNUM": ("CNPJ", cnpj_of(string.ascii_uppercase + string.digits, "01DE", "0001", "A1B2"),
                   shapes(CNPJ_SHAPE, CNPJ_SHAPE, "##############")),
    "SSN": ("SSN", ssn, shapes("###-##-####")),
    "SSN_BARE": ("SSN", ssn, shapes("#########", "### ## ####", "###.##.####")),
    "CARD": ("CREDIT_CARD", card, shapes("#### #### #### ####", "####-####-####-####", "################",
                                         "#### ###### #####", "###############", "####-######-#####")),
    "IBAN": ("IBAN", iban, in_fours),
    "VIN": ("VIN", vin, shapes("#################", "#################", "x#################")),
    "VIN_BR": ("VIN", vin_of("9BW", "9BD", "93H", "8AP", "XTA", "MA3", "9BR"), as_is),
    "VIN_WMI": ("VIN", vin_of("9BW", "9BD", "93H", "WVW", "WBA", "VF1", "ZFA"), as_is),
    "PLATE": ("LICENSE_PLATE", lambda r: pattern(r, r.choice(("@@@-####", "@@@#@##", "@@@#@##"))), as_is),
    "PLATE_LOOSE": ("LICENSE_PLATE", lambda r: pattern(r, r.choice(("@@@####", "@@@#@##"))),
                    shapes("#######", "### ####", "x#######", "x###-####", "###-####")),
    "PLATE_US": ("LICENSE_PLATE", lambda r: pattern(r, r.choice(("#@@@###", "@@@ ####", "@@@-####", "@@#-####",
    "###-@@@",
                                                                 "@@## @@@", "#@@ ##@", "@######"))), as_is),
    "CEP": ("CEP", lambda r: f"{r.choice('123456789')}{digits(r, 7)}", shapes("#####-###")),
    "CEP_LOOSE": ("CEP", lambda r: f"{r.choice('123456789')}{digits(r, 7)}", shapes("########", "##.###-###",
    "##### ###")),
    "CNH": ("CNH", cnh, shapes("###########")),
    "RENAVAM": ("RENAVAM", renavam, shapes("###########", "##########-#")),
}  # fmt: skip


def pieces(value: str) -> list[str]:
    """`123.456-7` is `["123", "456", "7"]`; a value without separators is cut in threes."""
    parts = re.findall(r"[A-Za-z0-9+]+", value)
    return parts if len(parts) > 1 else re.findall(".{1,3}", value)


def joined_by(separator: str) -> Write:
    return lambda value, _random: separator.join(pieces(value))


def each_apart(separator: str) -> Write:
    return lambda value, _random: separator.join("".join(pieces(value)))


def full_width(value: str, _random: Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in value)


def arabic_digits(value: str, _random: Random) -> str:
    return "".join(chr(0x660 + int(c)) if c in string.digits else c for c in value)


def invisible(value: str, random: Random) -> str:
    position = random.randrange(1, len(value))
    return value[:position] + random.choice("\u200b\u200d\u2060\ufeff\u00ad") + value[position:]


def exotic_separators(value: str, random: Random) -> str:
    return random.choice(("\u00a0", "\u2009", "\u2013", "\u2011", "\u00b7", "\u2212")).join(pieces(value))


def address_in_words(at: str, dot: str) -> Write:
    return lambda value, _random: value.replace("@", at).replace(".", dot)


SEPARATED: Final[tuple[Write, ...]] = (
    *(joined_by(separator) for separator in (" ", ".", "-", "_", "  ", " - ", " . ", "/")),
    each_apart(" "), each_apart("."), each_apart("-"), full_width, invisible, invisible, exotic_separators,
    exotic_separators,
)  # fmt: skip
DISGUISES: Final[dict[str, tuple[Write, ...]]] = {
    "EMAIL": (
        *(address_in_words(at, dot) for at, dot in ((" at ", " dot "), ("[at]", "[dot]"), (" [at] ", " [dot] "),
        ("(at)", "."),
          (" (at) ", " (dot) "), (" arroba ", " ponto "), (" @ ", " . "), (" @ ", "."), ("%40", "."), ("{at}", "{dot}"),
          ("(arroba)", "."), ("[arroba]", "[ponto]"), (" AT ", " DOT "), ("\uff20", "."))),
        full_width, invisible,
    ),
    "CPF": (*SEPARATED, arabic_digits),
    "PHONE_BR": (*SEPARATED, arabic_digits),
    "IBAN": (*SEPARATED, lambda value, random: in_fours(value, random).lower()),
    "PLATE": (*SEPARATED, lambda value, _random: value.lower()),
}  # fmt: skip


def disguise(slot: str, value: str, random: Random) -> str:
    return random.choice(DISGUISES.get(slot, SEPARATED))(value, random)


FILLERS: Final[dict[str, Make]] = {
    "PRICE_EN": lambda r: f"${r.randrange(9):d},{digits(r, 3)}.{digits(r, 2)}",
    "PRICE_PT": lambda r: f"R$ {r.randrange(1, 90)}.{digits(r, 3)},{digits(r, 2)}",
    "DATE_EN": lambda r: pattern(r, r.choice(("2025-0#-1#", "0#/1#/2025", "March 1#, 2025", "202#-11-2#"))),
    "DATE_PT": lambda r: pattern(r, r.choice(("1#/0#/2025", "2#/11/202#", "1# de março de 2025", "1#.0#.2024"))),
    "TIME": lambda r: pattern(r, r.choice(("1#:3#", "9h#5", "0#:00", "1#h"))),
    "MILEAGE_EN": lambda r: pattern(r, r.choice(("4#,### miles", "1##,### km", "8#### miles", "6#k miles"))),
    "MILEAGE_PT": lambda r: pattern(r, r.choice(("4#.### km", "1##.### km", "8#### km", "6# mil km"))),
    "TIRE": lambda r: pattern(r, r.choice(("2#5/45 R17", "2#5/60R16 92H", "1#5/65 R15", "2#5/40ZR18 95Y"))),
    "OIL": lambda r: r.choice(("5W-30", "0W20", "10W-40", "15W40", "75W-90")),
    "LITRES": lambda r: pattern(r, r.choice(("4.#", "4,#", "5"))),
    "PRESSURE": lambda r: pattern(r, "3#"),
    "SMALL": lambda r: str(r.randrange(2, 30)),
    "YEAR": lambda r: str(r.randrange(1995, 2027)),
    "DTC": lambda r: pattern(r, r.choice(("P0###", "U0###", "C1###", "B1###", "P0###-00"))),
    "PART": lambda r: pattern(r, r.choice(("#####-#####", "#####-@@@-@##", "0 ### ### ###", "#@#-###-###",
    "@@ #### @", "#@#######@",
                                           "@@@####", "########@@", "#####-##@#@", "## ## # ### ###"))),
    "ORDER": lambda r: pattern(r, r.choice(("20240#####", "4500######", "00012####", "WO-2025-00###", "2025-000###",
    "########"))),
    "VERSION": lambda r: pattern(r, r.choice(("#.##.#", "v#.#.#-beta", "20##.#.##", "10.0.1####"))),
    "IP": lambda r: pattern(r, r.choice(("192.168.#.1##", "10.#.#.2#", "172.16.2##.1"))),
    "UUID": lambda r: "-".join("".join(r.choices("0123456789abcdef", k=k)) for k in (8, 4, 4, 4, 12)),
    "STAMP": lambda r: pattern(r, r.choice(("202501##_1#3000", "2025-01-1#T0#:30:00Z", "202501##1#3000"))),
    "MODEL": lambda r: r.choice(("Civic", "Corolla", "HB20", "CR-V", "HRV", "UNO", "FIT", "RAM 1500", "Onix", "X5",
    "C180", "T-Cross", "S10")),
}  # fmt: skip


def filled(sentence: str, random: Random) -> str:
    """The sentence with `⟦ENTITY:value⟧` for each personal slot and plain text for the others."""

    def fill(slot: re.Match[str]) -> str:
        name, disguised = slot[1], slot[2] == "!"
        if name in FILLERS:
            return FILLERS[name](random)
        entity, make, write = SLOTS[name]
        value = write(make(random), random)
        return f"⟦{entity}:{disguise(name, value, random) if disguised else value}⟧"

    return re.sub(r"\{([A-Z_]+)(!?)\}", fill, sentence)


def texts(source: str, fillings: int) -> Iterator[dict[str, str]]:
    """Each sentence `fillings` times, or once when it has no slot; always the same for the same sentences."""
    for line in (HERE / source).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            language, sentence = line.split(" | ", maxsplit=1)
            fingerprint = hashlib.sha256(sentence.encode()).digest()
            random = Random(fingerprint)  # noqa: S311 - reproducible texts, no secrets
            for marked in dict.fromkeys(filled(sentence, random) for _ in range(fillings)):
                yield {"split": ("tuning", "held_out")[fingerprint[0] % 2], "language": language, "marked": marked}


def escaped(line: str) -> str:
    """Invisible and look-alike separators as JSON escapes, so that a reader sees them."""
    return "".join(
        f"\\u{ord(c):04x}" if not c.isascii() and unicodedata.category(c) in {"Cf", "Zs", "Pd", "Sm"} else c
        for c in line
    )


FILES: Final = {
    "labelled.jsonl": (("positive.txt", 7), ("negative.txt", 1), ("negative_slots.txt", 10)),
    "obfuscated.jsonl": (("obfuscated.txt", 12),),
}


def main() -> None:
    stale = []
    for name, sources in FILES.items():
        rows = [row for source, fillings in sources for row in texts(source, fillings)]
        content = "".join(escaped(json.dumps(row, ensure_ascii=False)) + "\n" for row in rows)
        path = DATA / name
        if "--check" not in sys.argv:
            path.write_text(content, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != content:
            stale.append(name)
    if stale:
        sys.exit(f"stale: {', '.join(stale)}; run python {Path(__file__).name} and commit the result")


if __name__ == "__main__":
    main()
