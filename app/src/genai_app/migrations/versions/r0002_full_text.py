"""Full-text search over the knowledge base, the second half of hybrid retrieval.

The lexemes of a passage's heading weigh more than those of its text: a heading says what the passage is about.
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
)


def upgrade() -> None:
    """Add the generated column and its index; existing passages are filled at once."""
    for statement in _STATEMENTS:
        op.execute(statement)
