"""What retrieval needs beside the vectors: lexemes for the full-text half, and a version that any change moves.

The lexemes of a passage's heading weigh more than those of its text: a heading says what the passage is about.
The version is a random value, not a counter: after a restore it must differ from every version that a cache has seen
since the backup.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    ALTER TABLE document_embeddings ADD COLUMN lexemes tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', heading), 'A') || setweight(to_tsvector('english', content), 'B')
    ) STORED
    """,
    "CREATE INDEX idx_document_embeddings_lexemes ON document_embeddings USING gin (lexemes)",
    """
    CREATE TABLE knowledge_base (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        version uuid NOT NULL DEFAULT gen_random_uuid()
    )
    """,
    "INSERT INTO knowledge_base DEFAULT VALUES",
    # A trigger, so that a script that writes with plain SQL moves the version too.
    """
    CREATE FUNCTION knowledge_base_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE knowledge_base SET version = gen_random_uuid();
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER knowledge_base_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON document_embeddings
        FOR EACH STATEMENT EXECUTE FUNCTION knowledge_base_changed()
    """,
)


def upgrade() -> None:
    """Add the column, the version, and what keeps both true; existing passages are filled at once."""
    for statement in _STATEMENTS:
        op.execute(statement)
