"""On whose behalf a turn is: the caller's, or for staff that of the customer whom they name."""

import asyncpg

from genai_app import db
from genai_app.agents.conversation import CustomerScope
from genai_app.auth.identity import Identity
from genai_app.chat import repository
from genai_app.chat.ask import Ask
from genai_app.errors import NotFound

NO_CUSTOMER = "There is no such customer."
NO_VEHICLE = "There is no such vehicle."


async def behalf(pool: asyncpg.Pool, who: Identity, ask: Ask) -> CustomerScope:
    """Whose records the agents may work on. Anybody else's do not exist for the caller: raises NotFound.

    No statement for what the token says alone: the caller's own customer record, and no vehicle.
    """
    customer_id = ask.customer_id or who.customer_id
    if customer_id != who.customer_id and not who.sees_every_customer:
        raise NotFound(NO_CUSTOMER)
    if customer_id == who.customer_id and ask.vehicle_id is None:
        return CustomerScope(who.user_id, customer_id)
    async with db.connection(pool) as connection:
        if ask.customer_id is not None and not await repository.customer_exists(connection, ask.customer_id):
            raise NotFound(NO_CUSTOMER)
        if ask.vehicle_id is not None:
            owner = await repository.owner_of_vehicle(connection, ask.vehicle_id)
            if owner is None or owner != customer_id:
                raise NotFound(NO_VEHICLE)
    return CustomerScope(who.user_id, customer_id, ask.vehicle_id)
