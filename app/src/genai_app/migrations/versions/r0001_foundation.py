"""The first schema: accounts, customers and their cars, conversations, the knowledge base.

Table and column names are those that existing scripts know; what differs from them says why.
"""

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS vector SCHEMA public",
    """
    CREATE TABLE customers (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name varchar(255) NOT NULL,
        email varchar(255) UNIQUE,
        phone varchar(50),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # E-mail addresses are stored in lower case: the plain unique constraint then compares as people do.
    """
    CREATE TABLE users (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        email varchar(255) NOT NULL UNIQUE CHECK (email = lower(email)),
        name varchar(255) NOT NULL,
        password_hash varchar(255) NOT NULL,
        role varchar(20) NOT NULL DEFAULT 'customer' CHECK (role IN ('customer', 'agent', 'admin')),
        is_active boolean NOT NULL DEFAULT true,
        is_admin boolean NOT NULL GENERATED ALWAYS AS (role = 'admin') STORED,
        customer_id uuid UNIQUE REFERENCES customers ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # One row per login: `refresh_jti` is the only refresh token of this family that has not been spent.
    """
    CREATE TABLE auth_sessions (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        refresh_jti uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX idx_auth_sessions_user ON auth_sessions (user_id)",
    "CREATE INDEX idx_auth_sessions_expiry ON auth_sessions (expires_at)",
    """
    CREATE TABLE vehicles (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        customer_id uuid NOT NULL REFERENCES customers ON DELETE CASCADE,
        brand varchar(100) NOT NULL,
        model varchar(100) NOT NULL,
        year integer,
        vin varchar(50) UNIQUE,
        license_plate varchar(20),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX idx_vehicles_customer ON vehicles (customer_id)",
    """
    CREATE TABLE service_history (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        vehicle_id uuid NOT NULL REFERENCES vehicles ON DELETE CASCADE,
        service_type varchar(100) NOT NULL,
        description text,
        service_date timestamptz,
        mileage integer,
        cost numeric(10, 2),
        status varchar(50) NOT NULL DEFAULT 'completed',
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX idx_service_history_vehicle ON service_history (vehicle_id)",
    """
    CREATE TABLE appointments (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        customer_id uuid NOT NULL REFERENCES customers ON DELETE CASCADE,
        vehicle_id uuid REFERENCES vehicles ON DELETE SET NULL,
        service_type varchar(100) NOT NULL,
        scheduled_date timestamptz NOT NULL,
        notes text,
        status varchar(50) NOT NULL DEFAULT 'scheduled',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX idx_appointments_customer ON appointments (customer_id)",
    "CREATE INDEX idx_appointments_vehicle ON appointments (vehicle_id)",
    "CREATE INDEX idx_appointments_date ON appointments (scheduled_date)",
    # `session_id` is the caller's name for a conversation: unique per owner, so nobody can take another's name.
    """
    CREATE TABLE conversations (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        session_id varchar(255) NOT NULL,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        customer_id uuid REFERENCES customers ON DELETE SET NULL,
        metadata jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (session_id, user_id)
    )
    """,
    "CREATE INDEX idx_conversations_owner ON conversations (user_id, updated_at DESC, id DESC)",
    "CREATE INDEX idx_conversations_customer ON conversations (customer_id)",
    # Messages are rows that are only ever added: a growing JSON array is rewritten whole at every turn.
    # `position` orders them strictly; times of one transaction are equal.
    """
    CREATE TABLE messages (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
        position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
        role varchar(20) NOT NULL CHECK (role IN ('user', 'assistant')),
        content text NOT NULL,
        agent varchar(50),
        confidence real CHECK (confidence BETWEEN 0 AND 1),
        sources jsonb NOT NULL DEFAULT '[]',
        client_message_id varchar(128),
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (conversation_id, position),
        UNIQUE (conversation_id, client_message_id)
    )
    """,
    # Provider and model stand beside each vector: vectors of different models must never be compared.
    # `content_hash` is the SHA-256 of `content` in hex; `position` is the chunk's place in its source.
    """
    CREATE TABLE document_embeddings (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        content text NOT NULL,
        metadata jsonb NOT NULL DEFAULT '{{}}',
        embedding vector({dimension}) NOT NULL,
        source varchar(255) NOT NULL,
        document_type varchar(100) NOT NULL DEFAULT 'manual',
        heading text NOT NULL DEFAULT '',
        position integer NOT NULL,
        content_hash char(64) NOT NULL,
        embedding_provider varchar(50) NOT NULL,
        embedding_model varchar(255) NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (source, position)
    )
    """,
    "CREATE INDEX idx_document_embeddings_vector ON document_embeddings USING hnsw (embedding vector_cosine_ops)",
    "CREATE INDEX idx_document_embeddings_type ON document_embeddings (document_type)",
    "CREATE INDEX idx_document_metadata ON document_embeddings USING gin (metadata)",
)
"""The unique constraints are also the indexes on their first column: source, session_id, email, VIN."""


def upgrade() -> None:
    """Create everything; the vectors get the length that `EMBEDDING_DIMENSION` has at this moment."""
    dimension = int(context.config.attributes["embedding_dimension"])
    for statement in _STATEMENTS:
        op.execute(statement.format(dimension=dimension) if "{dimension}" in statement else statement)
