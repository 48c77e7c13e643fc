"""Tickets of handoffs, at the same time the outbox of the support desk: written with the messages, sent later.

A pending row is due at `next_attempt_at`; whoever claims it moves that time ahead, so a claim that a crash left behind
ends by itself. `payload` is emptied once an external desk has it. Tickets go with the account, not with the
conversation: a desk that works on one keeps its reference.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE handoffs (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        ticket varchar(32) NOT NULL UNIQUE,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        session_id varchar(255) NOT NULL,
        reason varchar(32) NOT NULL,
        payload jsonb,
        status varchar(20) NOT NULL DEFAULT 'queued'
            CHECK (status IN ('queued', 'assigned', 'in_progress', 'resolved')),
        estimated_wait_minutes integer CHECK (estimated_wait_minutes >= 0),
        desk varchar(20),
        desk_ticket varchar(200),
        desk_agent varchar(200),
        delivery varchar(20) NOT NULL DEFAULT 'pending' CHECK (delivery IN ('pending', 'delivered', 'dead')),
        attempts integer NOT NULL DEFAULT 0,
        last_failure varchar(50),
        next_attempt_at timestamptz NOT NULL DEFAULT now(),
        give_up_at timestamptz NOT NULL,
        delivered_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX idx_handoffs_session ON handoffs (user_id, session_id, reason, created_at DESC)",
    "CREATE INDEX idx_handoffs_due ON handoffs (next_attempt_at) WHERE delivery = 'pending'",
)


def upgrade() -> None:
    """Create the table and its two indexes: one for a conversation's open ticket, one for what is due."""
    for statement in _STATEMENTS:
        op.execute(statement)
