"""`genai-auto check-database`: whether a database that somebody else runs can hold this service, and if not, why."""

import socket
import ssl
from collections.abc import Callable
from typing import Final

import asyncpg

from genai_app import db
from genai_app.errors import ConfigurationError
from genai_app.settings import Settings

OLDEST_SERVER: Final = 140_000
"""As server_version_num: pgvector 0.8 and our statements need PostgreSQL 14."""


async def check_database(settings: Settings, report: Callable[[str], None]) -> None:
    """Connect, and look at version, pgvector and rights.

    Raises ConfigurationError whose message begins with a reason in one word and a colon.
    """
    connection = await _connected(settings)
    try:
        report(await _suitable(connection))
    finally:
        await connection.close()


async def _connected(settings: Settings) -> asyncpg.Connection:
    where = f"{settings.postgres_host}:{settings.postgres_port}"
    try:
        return await db.connect(settings)
    except socket.gaierror:
        raise ConfigurationError(f"HostUnknown: the name {settings.postgres_host} cannot be resolved") from None
    except ssl.SSLCertVerificationError as error:
        raise ConfigurationError(
            f"CertificateInvalid: the certificate of {where} is not accepted: {error.verify_message}; check the "
            "authority (caSecretRef) and that the certificate names this host"
        ) from None
    except (ssl.SSLError, ConnectionError) as error:
        if isinstance(error, ssl.SSLError) or "rejected SSL" in str(error):
            raise ConfigurationError(f"EncryptionRefused: {where} offers no TLS as asked for: check sslMode") from None
        raise ConfigurationError(f"Unreachable: nothing accepts connections at {where}") from None
    except (OSError, TimeoutError):
        raise ConfigurationError(
            f"Unreachable: {where} does not answer: check host, port and what is between"
        ) from None
    except asyncpg.InvalidAuthorizationSpecificationError:
        raise ConfigurationError(
            f"AuthenticationFailed: {where} refuses the user with this password: check the credentials Secret"
        ) from None
    except asyncpg.InvalidCatalogNameError:
        raise ConfigurationError(f"DatabaseMissing: {where} has no database {settings.postgres_db}") from None
    except asyncpg.PostgresError as error:
        raise ConfigurationError(f"Refused: {where} says: {error}") from None


async def _suitable(connection: asyncpg.Connection) -> str:
    row = await connection.fetchrow(
        """
        SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
               (SELECT max(default_version) FROM pg_available_extensions WHERE name = 'vector') AS vector,
               EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') AS is_there,
               has_database_privilege(current_database(), 'CREATE') AS may_create,
               has_schema_privilege('public', 'CREATE') AS may_write, pg_is_in_recovery() AS is_standby
        """
    )
    if row["number"] < OLDEST_SERVER:
        raise ConfigurationError(f"ServerTooOld: the server is PostgreSQL {row['version']}: it takes 14 or newer")
    if row["is_standby"]:
        raise ConfigurationError("ReadOnly: the server is a standby: give the address of the primary")
    if row["vector"] is None:
        raise ConfigurationError("VectorMissing: the server has no pgvector: install the extension vector")
    if not row["may_write"] or not (row["is_there"] or row["may_create"]):
        raise ConfigurationError(
            "NotAllowed: the user may not create tables in public, or the extension vector: make it the owner of the "
            "database"
        )
    return f"PostgreSQL {row['version']} with pgvector {row['vector']} is ready to hold the schema"
