"""Hashing passwords: bounded, beside the event loop, and alike for accounts that do not exist."""

import asyncio
import re

import pytest

from genai_app.auth.passwords import Passwords
from genai_app.errors import Overloaded


async def test_hashes_are_argon2id_at_the_recommended_minimum_and_salted() -> None:
    passwords = Passwords()
    one, other = await passwords.hashed("correct horse"), await passwords.hashed("correct horse")
    assert re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", one)
    assert one != other
    assert await passwords.matches("correct horse", one)
    assert not await passwords.matches("wrong horse", one)


@pytest.mark.parametrize("password", ["", "correct horse", "o6S8mHfYmgS16yHn6IZ5jw"])
async def test_no_password_fits_an_account_that_does_not_exist(password: str) -> None:
    assert not await Passwords().matches(password, None)


async def test_a_full_queue_refuses_and_is_free_again_afterwards() -> None:
    passwords = Passwords(waiting_at_most=3)
    results = await asyncio.gather(*(passwords.hashed(str(n)) for n in range(10)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert [type(error) for error in refused] == [Overloaded] * 7
    assert await passwords.hashed("again")


async def test_whoever_stops_waiting_makes_room() -> None:
    passwords = Passwords(waiting_at_most=2)
    waiting = [asyncio.create_task(passwords.hashed(str(n))) for n in range(2)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await passwords.hashed("again")


async def test_the_event_loop_turns_while_passwords_are_hashed() -> None:
    passwords = Passwords()
    storm = [asyncio.create_task(passwords.hashed(str(n))) for n in range(6)]
    turns = 0
    while not all(task.done() for task in storm):
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100
