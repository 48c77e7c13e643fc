"""Logging: one JSON object a line on standard output, with the request's id, never with a secret or personal data."""

import json
import logging
import re
import sys
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from genai_app.privacy import mask, mask_json

SECRET_WORDS = ("password", "secret", "token", "authorization", "api_key")

OURS: Final = frozenset({"timestamp", "level", "logger"})
"""Fields that this module writes itself: nothing of a customer gets into them."""
_RANDOM_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHORT: Final = 200
"""Characters. Endpoints, methods and messages come again and again: what is masked in them is remembered."""
_FEW_DIGITS: Final = 10_000
"""No number below this is personal data."""


def configure_logging(level: str, output: TextIO | None = None, *, mask_personal_data: bool = True) -> None:
    """Send structlog's and the standard library's records as JSON to `output` (standard output). Once per process.

    With `mask_personal_data` nothing leaves the process as it came: messages, fields and stack traces are masked.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    masking: list[Processor] = [mask_personal] if mask_personal_data else []
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(output or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *masking,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    _collect_nothing_unused()
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # Below WARNING they say what our own lines say, without the request's id.
    for chatty in (
        "httpx2",
        "httpcore2",
        "uvicorn.error",
        "alembic",
    ):
        logging.getLogger(chatty).setLevel(max(logging.getLevelName(level), logging.WARNING))


def _collect_nothing_unused() -> None:
    """No caller, thread or process is looked up for a line, since none shows them: a quarter of what a line takes.

    These are the switches that the standard library's "Optimization" names for it.
    """
    logging._srcfile = None  # noqa: SLF001 - documented, in spite of its name
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace the value of every field whose name says that it is secret."""
    for name in event:
        if any(word in name.lower() for word in SECRET_WORDS):
            event[name] = "***"
    return event


def mask_personal(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Mask personal data in every field, whatever its type; a number that is personal becomes its mask."""
    for name, value in event.items():
        if name not in OURS:
            event[name] = _masked(name, value)
    return event


def _masked(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -_FEW_DIGITS < value < _FEW_DIGITS else mask_json({name: value})[name]
    if isinstance(value, str):
        if _RANDOM_ID.fullmatch(value):
            return value
        return _masked_short(name, value) if len(value) <= _SHORT else mask_json({name: value})[name]
    rendered = json.loads(json.dumps(value, default=str))
    return _with_masked_keys(mask_json({name: rendered})[name])


@lru_cache(maxsize=2048)
def _masked_short(name: str, text: str) -> str:
    masked: str = mask_json({name: text})[name]
    return masked


def _with_masked_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {mask(key): _with_masked_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_masked_keys(item) for item in value]
    return value


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody caught, as a line like every other one: Python's own report would show it unmasked."""
    if not issubclass(kind, Exception):
        sys.__excepthook__(kind, error, trace)
        return
    get_logger(__name__).critical("uncaught error", exc_info=(kind, error, trace))


def get_logger(name: str) -> Any:
    """The logger of a module; structlog's proxies are not worth naming their type."""
    return structlog.stdlib.get_logger(name)
