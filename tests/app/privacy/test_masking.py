"""What is masked, what is not, and what the masked text looks like."""

import subprocess
import sys

import pytest

from genai_app.privacy import Entity, Finding, find, mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Escreva para ana.lima@exemplo.com.br, por favor", "Escreva para [EMAIL], por favor"),
        ("joao arroba gmail ponto com", "[EMAIL]"),
        ("ligue (11) 98765-4321", "ligue [PHONE]"),
        ("call +44 20 7946 0958 or 415-555-2671 ext. 12", "call [PHONE] or [PHONE]"),
        ("fones 3456-7890, 3456-7891 e 3456-7892", "fones [PHONE], [PHONE] e [PHONE]"),
        ("CPF 529.982.247-25", "CPF [CPF]"),
        ("52998224725 52998224725", "[CPF] [CPF]"),
        ("CNPJ 12.ABC.345/01DE-35", "CNPJ [CNPJ]"),
        ("ssn 123 45 6789", "ssn [SSN]"),
        ("2 4111 1111 1111 1111", "2 [CREDIT_CARD]"),
        ("DE89 3704 0044 0532 0130 00 e obrigado", "[IBAN] e obrigado"),
        ("1hgcm82633a004352", "[VIN]"),
        ("chassi 9BWZZZ377VT004251", "chassi [VIN]"),
        ("Which brake pads fit WVWZZZ1KZAW000123?", "Which brake pads fit [VIN]?"),
        ("o ABC1D23 e o ABC-1234", "o [LICENSE_PLATE] e o [LICENSE_PLATE]"),
        ("license plate 7ABC123", "license plate [LICENSE_PLATE]"),
        ("mandem as peças para 01310-100", "mandem as peças para [CEP]"),
        ("o CEP da entrega das peças: 01310100", "o CEP da entrega das peças: [CEP]"),
        ("CNH 62472927637", "CNH [CNH]"),
        ("renavam 00639884962", "renavam [RENAVAM]"),
        ("order confirmation to 1-305-247-4956 please", "order confirmation to [PHONE] please"),
        ("CPF ５２９.９８２.２４７-２５", "CPF [CPF]"),
        ("CPF 529\u200b982\u200b24725", "CPF [CPF]"),
    ],
)
def test_personal_data_is_replaced_by_its_kind(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Tire 205/60 R16 92H, oil 5W-30, 62,500 miles, $1,249.90",
        "Revisão em 14/03/2025 às 9h30, R$ 1.234,56, 85.000 km",
        "peça ABC1234 e pastilha TRW GDB1330",
        "placa de vídeo RTX3080, placa final 7, meu UNO 2012",
        "Order number 4155550199, part 90915-10003, SKU 1002003004",
        "RAM 1500, ISO 9001, version 10.0.19045, IP 192.168.0.10",
        "https://example.com/manuals/x1/2024?id=15208-65F0C",
        "request 3f2b8c1e-9a4d-4f6b-8e2a-7c5d9e0f1a2b at 2025-03-14T09:30:00Z",
        "call before 5 pm on 12/05/2025",
        "follow @dealer.com and react@18.2.0",
        "4111 1111 1111 1112 fails its check digit",
    ],
)
def test_the_rest_stays_as_it_is(text: str) -> None:
    assert mask(text) == text
    assert find(text) == ()


def test_spans_point_into_the_text_that_was_given_although_invisible_characters_are_skipped() -> None:
    text = "\u200bCPF\u200b 529\u200b982\u200b24725!"
    (finding,) = find(text)
    assert finding == Finding(6, 19, Entity.CPF)
    assert text[finding.start : finding.end] == "529\u200b982\u200b24725"


def test_the_words_decide_between_two_kinds_that_a_number_could_be() -> None:
    both = "11987654374"  # the check digits of a CPF and the form of a mobile number
    assert mask(f"cpf {both}") == "cpf [CPF]"
    assert mask(f"celular {both}") == "celular [PHONE]"


def test_every_kind_has_a_readable_replacement() -> None:
    assert {f"[{entity}]" for entity in Entity} >= {"[EMAIL]", "[CPF]", "[LICENSE_PLATE]", "[CREDIT_CARD]"}
    assert all(mask(f"x [{entity}] y") == f"x [{entity}] y" for entity in Entity)


def test_importing_it_brings_neither_a_web_framework_nor_a_client() -> None:
    """Logs are set up first of all: what they import must be small."""
    program = "import sys, genai_app.privacy; print(*{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(result.stdout.split()) & {
        "fastapi",
        "pydantic",
        "sqlalchemy",
        "asyncpg",
        "redis",
        "httpx2",
        "asyncio",
    }
