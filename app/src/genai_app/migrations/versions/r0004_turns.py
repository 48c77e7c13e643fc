"""What a turn keeps beside its messages: the session's state, the answer's details, who answers now, what people think.

`running_turns` holds the right to answer a message that the client may send again. It is unlogged: after a crash of
PostgreSQL there are no running turns, and the unique constraint on `messages` still lets one answer win.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # Not inside `metadata`: that is the client's to write, and a forged state could skip a confirmation.
    "ALTER TABLE conversations ADD COLUMN state jsonb NOT NULL DEFAULT '{}'",
    "ALTER TABLE messages ADD COLUMN details jsonb NOT NULL DEFAULT '{}'",
    """
    CREATE UNLOGGED TABLE running_turns (
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        session_id varchar(255) NOT NULL,
        client_message_id varchar(128) NOT NULL,
        holder uuid NOT NULL UNIQUE,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, session_id, client_message_id)
    )
    """,
    """
    CREATE TABLE feedback (
        message_id uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        sentiment varchar(20) NOT NULL CHECK (sentiment IN ('positive', 'negative')),
        comment text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (message_id, user_id)
    )
    """,
    "CREATE INDEX idx_feedback_user ON feedback (user_id)",
)


def upgrade() -> None:
    """Add the columns and tables; what is stored already gets empty ones."""
    for statement in _STATEMENTS:
        op.execute(statement)
