"""What models have cost, by hour, month and user, and what turns that are running may still cost.

Reserving is one function, so that it is one statement: it takes the lock of the budget, and what it then reads is what
every replica has committed. A reservation of a process that died expires. Losing the last half second of either table
with a crash of the database is cheaper than a disk flush in every turn: both functions commit without waiting for it.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # `user_id` is no foreign key: rows of a user are gone after an hour, and a deleted account must not fail a turn.
    """
    CREATE TABLE llm_spend (
        period varchar(5) NOT NULL CHECK (period IN ('hour', 'month')),
        begins timestamptz NOT NULL,
        user_id uuid,
        usd numeric(14, 6) NOT NULL,
        UNIQUE NULLS NOT DISTINCT (begins, period, user_id)
    )
    """,
    "CREATE INDEX idx_llm_spend_of_users ON llm_spend (begins) WHERE user_id IS NOT NULL",
    """
    CREATE TABLE llm_reservations (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL,
        usd numeric(14, 6) NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX idx_llm_reservations_expiry ON llm_reservations (expires_at)",
    """
    CREATE FUNCTION llm_reserve(
        who uuid, at_most numeric, hour_limit numeric, month_limit numeric, user_limit numeric, enforced boolean,
        seconds integer,
        OUT reservation uuid, OUT spent_up varchar, OUT hour_usd numeric, OUT month_usd numeric
    ) LANGUAGE plpgsql AS $$
    DECLARE
        this_hour CONSTANT timestamptz := date_trunc('hour', clock_timestamp(), 'UTC');
        this_month CONSTANT timestamptz := date_trunc('month', clock_timestamp(), 'UTC');
        user_usd numeric;
        running_usd numeric;
        running_user_usd numeric;
    BEGIN
        PERFORM set_config('synchronous_commit', 'off', true);
        PERFORM pg_advisory_xact_lock(hashtext('genai-auto budget'));
        DELETE FROM llm_reservations WHERE expires_at <= clock_timestamp();
        SELECT coalesce(sum(usd) FILTER (WHERE period = 'hour' AND user_id IS NULL), 0),
               coalesce(sum(usd) FILTER (WHERE period = 'month' AND user_id IS NULL), 0),
               coalesce(sum(usd) FILTER (WHERE user_id = who), 0),
               (SELECT coalesce(sum(usd), 0) FROM llm_reservations),
               (SELECT coalesce(sum(usd), 0) FROM llm_reservations WHERE user_id = who)
          INTO hour_usd, month_usd, user_usd, running_usd, running_user_usd
          FROM llm_spend
         WHERE (begins, period) IN ((this_hour, 'hour'), (this_month, 'month')) AND (user_id IS NULL OR user_id = who);
        spent_up := CASE
            WHEN month_usd + running_usd >= month_limit THEN 'month'
            WHEN hour_usd + running_usd >= hour_limit THEN 'hour'
            WHEN user_usd + running_user_usd >= user_limit THEN 'user'
        END;
        IF spent_up IS NULL OR NOT enforced THEN
            INSERT INTO llm_reservations (user_id, usd, expires_at)
            VALUES (who, at_most, clock_timestamp() + make_interval(secs => seconds))
            RETURNING id INTO reservation;
        END IF;
    END $$
    """,
    # Rows are always written in this order, so that settling turns wait for each other but never deadlock.
    """
    CREATE FUNCTION llm_settle(reservation uuid, who uuid, actual numeric) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        this_hour CONSTANT timestamptz := date_trunc('hour', clock_timestamp(), 'UTC');
        this_month CONSTANT timestamptz := date_trunc('month', clock_timestamp(), 'UTC');
    BEGIN
        PERFORM set_config('synchronous_commit', 'off', true);
        DELETE FROM llm_reservations WHERE id = reservation;
        IF actual > 0 THEN
            INSERT INTO llm_spend (period, begins, user_id, usd)
            VALUES ('hour', this_hour, NULL, actual), ('month', this_month, NULL, actual),
                   ('hour', this_hour, who, actual)
            ON CONFLICT (begins, period, user_id) DO UPDATE SET usd = llm_spend.usd + excluded.usd;
            DELETE FROM llm_spend WHERE begins < this_hour AND user_id IS NOT NULL;
        END IF;
    END $$
    """,
)


def upgrade() -> None:
    """Add both tables and both functions."""
    for statement in _STATEMENTS:
        op.execute(statement)
