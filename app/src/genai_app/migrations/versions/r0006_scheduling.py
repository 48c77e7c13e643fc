"""Appointments that cannot overlap: a bay, an end, a name for the customer and a key against booking twice.

The exclusion constraint makes a double booking impossible, whatever the length of slots is or was. A bay as a range of
one number needs no extension: GiST knows ranges by itself. Time comes first: free slots are looked up by it alone.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    ALTER TABLE appointments
        ADD COLUMN bay integer CHECK (bay > 0),
        ADD COLUMN ends_at timestamptz,
        ADD COLUMN confirmation_number varchar(64) UNIQUE,
        ADD COLUMN idempotency_key varchar(128),
        ADD UNIQUE (customer_id, idempotency_key)
    """,
    # What is there already may overlap and stays: each old row gets a bay of its own for its hour.
    """
    UPDATE appointments SET bay = numbered.bay, ends_at = scheduled_date + interval '1 hour',
        confirmation_number = 'APT-' || upper(left(replace(appointments.id::text, '-', ''), 12))
    FROM (SELECT id, row_number() OVER (ORDER BY scheduled_date, id) AS bay FROM appointments) AS numbered
    WHERE numbered.id = appointments.id
    """,
    # A script that writes with plain SQL and knows only the old columns is bound by the constraint too.
    """
    CREATE FUNCTION appointment_defaults() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.bay := coalesce(NEW.bay, 1);
        NEW.ends_at := coalesce(NEW.ends_at, NEW.scheduled_date + interval '1 hour');
        NEW.confirmation_number := coalesce(
            NEW.confirmation_number, 'APT-' || upper(left(replace(NEW.id::text, '-', ''), 12))
        );
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER appointment_defaults BEFORE INSERT ON appointments
        FOR EACH ROW EXECUTE FUNCTION appointment_defaults()
    """,
    """
    ALTER TABLE appointments
        ALTER COLUMN bay SET NOT NULL,
        ALTER COLUMN ends_at SET NOT NULL,
        ALTER COLUMN confirmation_number SET NOT NULL,
        ADD CHECK (ends_at > scheduled_date),
        ADD CONSTRAINT appointments_one_car_in_a_bay EXCLUDE USING gist (
            tstzrange(scheduled_date, ends_at) WITH &&, int4range(bay, bay, '[]') WITH &&
        ) WHERE (status = 'scheduled')
    """,
)


def upgrade() -> None:
    """Add the columns, fill them for what is there, and put the constraint over all."""
    for statement in _STATEMENTS:
        op.execute(statement)
