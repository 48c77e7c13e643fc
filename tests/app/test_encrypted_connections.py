"""Databases and caches that somebody else runs: TLS as strict as the settings say, and a reason for each refusal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from tests.app.conftest import Servers, running_api
from tests.app.tls_front import make_certificate, tls_front

from genai_app.database_check import check_database
from genai_app.errors import ConfigurationError
from genai_app.metrics import Metrics
from genai_app.redis_client import open_redis
from genai_app.settings import Settings

pytestmark = pytest.mark.service


@asynccontextmanager
async def encrypted(servers: Servers, folder: Path, name: str = "localhost") -> AsyncIterator[dict[str, str]]:
    """Variables of the shared database behind TLS, whose certificate is for `name`."""
    plain = servers.settings("postgres")
    certificate = make_certificate(folder, name)
    async with tls_front(f"{plain.postgres_host}/.s.PGSQL.{plain.postgres_port}", certificate, postgres=True) as port:
        yield {"POSTGRES_HOST": "localhost", "POSTGRES_PORT": str(port), "POSTGRES_SSLROOTCERT": str(certificate[0])}


async def checked(settings: Settings) -> str:
    """What the check reports; its reason when it refuses."""
    lines: list[str] = []
    try:
        await check_database(settings, lines.append)
    except ConfigurationError as error:
        return str(error).partition(":")[0]
    (line,) = lines
    return line


@pytest.mark.parametrize(
    ("mode", "names", "trusts", "result"),
    [
        ("verify-full", "localhost", True, "PostgreSQL"),
        ("verify-full", "other.example", True, "CertificateInvalid"),
        ("verify-full", "localhost", False, "CertificateInvalid"),
        ("verify-ca", "other.example", True, "PostgreSQL"),
        ("verify-ca", "localhost", False, "CertificateInvalid"),
        ("require", "other.example", False, "PostgreSQL"),
    ],
)
async def test_the_certificate_is_checked_as_strictly_as_asked(
    servers: Servers, tmp_path: Path, mode: str, names: str, trusts: bool, result: str
) -> None:
    async with encrypted(servers, tmp_path, names) as variables:
        if not trusts:
            variables["POSTGRES_SSLROOTCERT"] = ""
        settings = servers.settings("postgres", **variables, POSTGRES_SSLMODE=mode)
        assert (await checked(settings)).startswith(result)


async def test_the_api_serves_over_an_encrypted_connection(servers: Servers, database: str, tmp_path: Path) -> None:
    async with encrypted(servers, tmp_path) as variables:
        settings = servers.settings(database, **variables, POSTGRES_SSLMODE="verify-full")
        async with running_api(settings) as api:
            assert (await api.chat(await api.register())).status_code == 200


async def test_a_server_without_tls_is_not_talked_to_in_the_open(servers: Servers) -> None:
    plain = servers.settings("postgres")
    async with tls_front(f"{plain.postgres_host}/.s.PGSQL.{plain.postgres_port}", None, postgres=True) as port:
        address = {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": str(port)}
        strict = servers.settings("postgres", **address, POSTGRES_SSLMODE="verify-full")
        assert await checked(strict) == "EncryptionRefused"
        lax = servers.settings("postgres", **address, POSTGRES_SSLMODE="disable")
        assert (await checked(lax)).startswith("PostgreSQL")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"POSTGRES_HOST": "no-such-host.invalid"}, "HostUnknown"),
        ({"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": "1"}, "Unreachable"),
        ({"POSTGRES_DB": "no_such_database"}, "DatabaseMissing"),
        ({"POSTGRES_USER": "nobody_at_all"}, "AuthenticationFailed"),
    ],
)
async def test_each_refusal_has_its_reason(servers: Servers, variables: dict[str, str], reason: str) -> None:
    assert (
        await checked(Settings.from_environment({**servers.variables, "POSTGRES_DB": "postgres", **variables}))
        == reason
    )


async def test_a_user_without_rights_is_told_before_the_migration(servers: Servers, empty_database: str) -> None:
    await servers.administer("DROP ROLE IF EXISTS powerless", "CREATE ROLE powerless LOGIN PASSWORD 'powerless'")
    mine = {"POSTGRES_USER": "powerless", "POSTGRES_PASSWORD": "powerless"}
    assert await checked(servers.settings(empty_database, **mine)) == "NotAllowed"


@pytest.mark.parametrize("trusts", [True, False])
async def test_redis_is_reached_by_tls_with_the_authority_of_the_settings(
    servers: Servers, redis: Redis, tmp_path: Path, trusts: bool
) -> None:
    behind = servers.variables["REDIS_URL"].removeprefix("unix://")
    certificate = make_certificate(tmp_path, "localhost")
    async with tls_front(behind, certificate, postgres=False) as port:
        address = {"REDIS_URL": f"rediss://localhost:{port}/0", "REDIS_CA_FILE": str(certificate[0]) if trusts else ""}
        async with open_redis(servers.settings("postgres", **address), Metrics("test")) as (client, _):
            assert client is not None
            if trusts:
                await client.set("encrypted", "yes")
                assert await redis.get("encrypted") == b"yes"
            else:
                with pytest.raises(RedisConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
                    await client.ping()


async def test_connections_to_redis_share_one_tls_context(servers: Servers, tmp_path: Path) -> None:
    certificate, _ = make_certificate(tmp_path, "localhost")
    settings = servers.settings("postgres", REDIS_URL="rediss://localhost:1/0", REDIS_CA_FILE=str(certificate))
    async with open_redis(settings, Metrics("test")) as (client, _):
        assert client is not None
        pool = client.connection_pool
        one, other = (pool.connection_class(**pool.connection_kwargs) for _ in range(2))
        assert isinstance(one, SSLConnection)
        assert isinstance(other, SSLConnection)
        context = one.ssl_context.get()
        assert context is other.ssl_context.get()
        assert any("localhost" in str(authority["subject"]) for authority in context.get_ca_certs())


def test_an_authority_without_tls_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="rediss://"):
        Settings.from_environment({"REDIS_URL": "redis://r:6379", "REDIS_CA_FILE": "/ca.crt"})
