"""Who makes a request, as the database knows them at this moment."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What somebody may do. `agent` is a person of the service team, not one of the software's agents."""

    CUSTOMER = "customer"
    AGENT = "agent"
    ADMIN = "admin"


@dataclass(frozen=True)
class Identity:
    """An active account; `session_id` is the login (token family) that the request belongs to."""

    user_id: UUID
    email: str
    name: str
    role: Role
    customer_id: UUID | None
    session_id: UUID

    @property
    def sees_every_customer(self) -> bool:
        """Staff work on other people's records; customers on their own."""
        return self.role is not Role.CUSTOMER
