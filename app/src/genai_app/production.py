"""What Production refuses to start with, as an ordered list of pure checks; each says what to do instead."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from genai_contract.config import DEFAULT_JWT_SECRETS, SHORTEST_JWT_SECRET

if TYPE_CHECKING:
    from genai_app.settings import Settings

DEFAULT_POSTGRES_PASSWORD: Final = "genai_secret"  # noqa: S105 - the published default, named so that it can be refused
FEWEST_CHARACTERS: Final = 8
"""Different ones in a signing key; 64 random hexadecimal digits have fewer once in 10 to the 15."""
_PLACEHOLDERS: Final = ("change-me", "changeme", "change_me", "your-", "<")
"""What examples and templates put where a secret belongs."""

Check = Callable[["Settings"], Iterator[str]]


def problems(settings: "Settings") -> tuple[str, ...]:
    """Everything that is wrong, in the order of the list; empty when Production may start."""
    return tuple(problem for check in CHECKS for problem in check(settings))


def signing_keys(settings: "Settings") -> Iterator[str]:
    """No published, short or simple key signs tokens, or did so until a moment ago."""
    keys = [("JWT_SECRET_KEY", settings.jwt_secret_key.get_secret_value())]
    if previous := settings.jwt_previous_secret_key.get_secret_value():
        keys.append(("JWT_PREVIOUS_SECRET_KEY", previous))
    for variable, key in keys:
        if key in DEFAULT_JWT_SECRETS or is_published(key) or len(key) < SHORTEST_JWT_SECRET:
            yield (
                f"{variable} is a published default or shorter than {SHORTEST_JWT_SECRET} characters, which "
                "Production does not accept: set it to the output of `openssl rand -hex 32`"
            )
        elif len(set(key)) < FEWEST_CHARACTERS:
            yield (
                f"{variable} repeats a few characters, which Production does not accept: "
                "set it to the output of `openssl rand -hex 32`"
            )


def database_password(settings: "Settings") -> Iterator[str]:
    """Not the one that every Compose file of the guide has."""
    password = unquote(urlsplit(settings.database_dsn).password or "")
    if password == DEFAULT_POSTGRES_PASSWORD or is_published(password):
        yield (
            "POSTGRES_PASSWORD is the published default, which Production does not accept: "
            "set it to the output of `openssl rand -base64 24` and give the database role the same password"
        )


def origins(settings: "Settings") -> Iterator[str]:
    """Pages of strangers do not call the API from their visitors' browsers."""
    if "*" in settings.cors_origins:
        yield (
            "CORS_ALLOWED_ORIGINS is *, which Production does not accept: "
            "name the origins of your pages, such as https://www.example.com"
        )


def masking(settings: "Settings") -> Iterator[str]:
    """Personal data stays out of logs, traces and caches."""
    if not settings.mask_pii:
        yield "MASK_PII is false, which Production does not accept: leave it true"


def logging(settings: "Settings") -> Iterator[str]:
    """Logs for developers say too much about customers."""
    if settings.debug or settings.log_level == "DEBUG":
        variable = "DEBUG is true" if settings.debug else "LOG_LEVEL is DEBUG"
        yield f"{variable}, which Production does not accept: set LOG_LEVEL=WARNING and DEBUG=false"


def is_published(secret: str) -> bool:
    """Whether it looks like what an example or a template says in place of a secret."""
    lowered = secret.lower()
    return any(word in lowered for word in _PLACEHOLDERS)


CHECKS: Final[tuple[Check, ...]] = (signing_keys, database_password, origins, masking, logging)
