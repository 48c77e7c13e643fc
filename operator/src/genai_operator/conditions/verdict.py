"""The answer of one check."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from genai_operator.api.genaiauto import GenAIAuto
from genai_operator.diagnosis import Problem
from genai_operator.observed import Observed

Truth = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Verdict:
    """The answer of one check. `failed`: it needs a person; otherwise it only needs time."""

    status: Truth
    reason: str
    message: str
    failed: bool = False

    @classmethod
    def yes(cls, reason: str, message: str) -> "Verdict":
        """It holds."""
        return cls("True", reason, message)

    @classmethod
    def wait(cls, reason: str, message: str) -> "Verdict":
        """It does not hold yet."""
        return cls("False", reason, message)

    @classmethod
    def no(cls, problem: Problem) -> "Verdict":
        """It does not hold, and will not by itself."""
        return cls("False", problem.reason, problem.message, failed=True)

    @classmethod
    def unknown(cls, reason: str, message: str) -> "Verdict":
        """Nothing can be said."""
        return cls("Unknown", reason, message)


Check = Callable[[Observed, GenAIAuto], Verdict]

STOPPED: Final = ("Hibernated", "state is Hibernated: nothing runs")
"""Reason and message of what cannot be said while every pod is stopped."""
