"""What can go wrong, by what the caller does about it.

GenAIError
├── ConfigurationError      whoever starts the process mends it: one line on stderr, exit status 2
├── Refused                 the caller is wrong and is told how to mend it
│   ├── Invalid             422  the request is well formed but says something impossible
│   ├── NotAuthenticated    401  no token, or one that is not valid (any more)
│   ├── NotAllowed          403  known, but the role does not suffice
│   ├── NotFound            404  also for what belongs to somebody else: existence is private
│   ├── Conflict            409  the state of the data is against it
│   ├── TooMany             429  with Retry-After
│   └── Cancelled           499  the caller gave up before the answer was stored
└── Unavailable             503  we are wrong or waiting; with Retry-After
    ├── DatabaseDown        PostgreSQL cannot be reached or is shutting down
    ├── Overloaded          a bounded queue is full
    ├── BudgetSpent         what models may cost in this hour or month is spent, and the settings say Block
    └── ModelDown           never reaches a person: a fallback or a handoff answers instead

The text of a `Refused` or `Unavailable` is shown to the caller: it never holds SQL, a stack or a library's words.
"""

from typing import ClassVar


class GenAIError(Exception):
    """Root of every error that this application raises on purpose."""


class ConfigurationError(GenAIError):
    """The settings or the surroundings do not allow a start; the text names the variable and what to do."""


class Refused(GenAIError):
    """A 4xx: `code` identifies the problem type, `title` is its fixed short text, `str(error)` the detail."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be answered"


class Invalid(Refused):
    """422: `field` is the JSON pointer of what is wrong."""

    status = 422
    code = "invalid-request"
    title = "The request does not pass validation"

    def __init__(self, detail: str, *, field: str) -> None:
        super().__init__(detail)
        self.field = field


class NotAuthenticated(Refused):
    """401."""

    status = 401
    code = "not-authenticated"
    title = "Valid credentials are required"


class NotAllowed(Refused):
    """403."""

    status = 403
    code = "not-allowed"
    title = "Your role does not allow this"


class NotFound(Refused):
    """404."""

    status = 404
    code = "not-found"
    title = "There is nothing here"


class Conflict(Refused):
    """409."""

    status = 409
    code = "conflict"
    title = "The request conflicts with what is stored"


class TooMany(Refused):
    """429: try again after `retry_after` seconds; `headers` tell the limit."""

    status = 429
    code = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.headers = headers or {}


class Cancelled(Refused):
    """499, as proxies know it: the client asked to stop, or left. Nothing is stored."""

    status = 499
    code = "cancelled"
    title = "The turn was stopped"


class Unavailable(GenAIError):
    """A 503: trying again after `retry_after` seconds is worth it."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "unavailable"
    title: ClassVar[str] = "The service cannot answer at the moment"
    retry_after: int = 2


class DatabaseDown(Unavailable):
    """PostgreSQL does not answer. Nothing was lost: what was acknowledged is stored."""

    code = "database-unreachable"

    def __init__(self) -> None:
        super().__init__("The database cannot be reached. Try again in a moment.")


class Overloaded(Unavailable):
    """A bounded queue is full; `what` names it."""

    code = "overloaded"

    def __init__(self, what: str) -> None:
        super().__init__(f"Too many {what} are waiting. Try again in a moment.")


class BudgetSpent(Unavailable):
    """No money is left for models until the next hour or month begins, in `retry_after` seconds."""

    code = "budget-spent"

    def __init__(self, *, retry_after: int) -> None:
        super().__init__("New questions cannot be answered at the moment. Try again later.")
        self.retry_after = retry_after


class ModelDown(Unavailable):
    """No model answered within the time that a turn has."""

    code = "model-unreachable"
