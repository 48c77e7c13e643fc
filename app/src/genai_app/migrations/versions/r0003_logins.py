"""Why a login ended, and one place that says which logins stand.

`active_logins` is what every request is held against: who reads it, or writes through it, cannot forget a condition.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    ALTER TABLE auth_sessions ADD COLUMN ended_by varchar(20)
        CHECK (ended_by IN ('logout', 'reuse', 'password', 'operator'))
    """,
    "UPDATE auth_sessions SET ended_by = 'logout' WHERE revoked_at IS NOT NULL",
    """
    CREATE VIEW active_logins AS
        SELECT s.id AS session_id, u.id AS user_id, u.email, u.name, u.role, u.customer_id
        FROM auth_sessions s JOIN users u ON u.id = s.user_id
        WHERE s.revoked_at IS NULL AND u.is_active
    """,
)


def upgrade() -> None:
    """Add the column and the view; logins that ended before this ended by logging out, as far as anybody knows."""
    for statement in _STATEMENTS:
        op.execute(statement)
