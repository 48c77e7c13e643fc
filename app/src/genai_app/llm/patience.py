"""How long and how often a model is asked: deadlines, and tries with pauses between them."""

import asyncio
import email.utils
import math
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from genai_app.llm.failures import ModelFailed

ATTEMPTS: Final = 3

_PAUSE: Final = wait_random_exponential(multiplier=0.25, max=4)

Result = TypeVar("Result")


async def retrying(action: Callable[[], Awaitable[Result]], deadline: float, *, attempts: int = ATTEMPTS) -> Result:
    """What `action` gives, tried again after passing failures while there is time. Raises ModelFailed."""
    tries = AsyncRetrying(
        stop=stop_after_attempt(attempts),
        retry=retry_if_exception(lambda error: _worth_another(error, deadline)),
        wait=_pause,
        reraise=True,
    )
    return await tries(action)


async def within(deadline: float, model: str, action: Callable[[], Awaitable[Result]]) -> Result:
    """What `action` gives before `deadline`. Raises ModelFailed of kind timeout after it."""
    try:
        async with asyncio.timeout_at(deadline):
            return await action()
    except TimeoutError:
        raise ModelFailed("timeout", f"{model} gave no answer in time.") from None


async def before(deadline: float, source: AsyncIterable[Result]) -> AsyncGenerator[Result, None]:
    """What comes before `deadline`; the time that the reader takes counts, but never interrupts the reader."""
    items = aiter(source)
    while True:
        async with asyncio.timeout_at(deadline):
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return
        yield item


def retry_after_seconds(value: str | None) -> float | None:
    """A Retry-After header, seconds or a date, as seconds from now; None when there is none that makes sense."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _worth_another(error: BaseException, deadline: float) -> bool:
    """A wait beyond the deadline is not begun: the fallback answers sooner."""
    now = asyncio.get_running_loop().time()
    return isinstance(error, ModelFailed) and not error.final and now + (error.wait or 0) < deadline


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, ModelFailed) else None
    jitter = _PAUSE(state)
    return jitter if asked is None else asked + jitter / 4
