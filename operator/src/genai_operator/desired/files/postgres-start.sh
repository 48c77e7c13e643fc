#!/bin/sh
# Starts PostgreSQL from any image that has its programs: creates the data files once, sets roles and passwords from the
# mounted Secret at every start, then serves. Killed anywhere, it goes on at the next start.
#
# PGDATA              data files; the parent folder is on the volume
# DATABASE_NAME       database of the app        DATABASE_USER      role that owns it
# CONFIG_DIRECTORY    postgresql.conf, pg_hba.conf
# SECRETS_DIRECTORY   password, superuser-password: one file each
# SOCKET_DIRECTORY    unix socket
set -eu
umask 077

say() {
  echo "start: $*" >&2
}

fail() {
  say "$*"
  exit 1
}

find_programs() {
  for directory in $(echo "$PATH" | tr ':' ' ') /usr/lib/postgresql/*/bin /usr/local/bin /usr/local/pgsql/bin; do
    if [ -x "$directory/postgres" ] && [ -x "$directory/initdb" ]; then
      echo "$directory"
      return
    fi
  done
  fail "the image has no postgres and initdb on PATH or in /usr/lib/postgresql/*/bin: choose a PostgreSQL image" \
    "with pgvector in database.managed.image"
}

# Quote a value for SQL: with standard_conforming_strings only the quote itself is special.
quoted() {
  printf "'%s'" "$(printf '%s' "$1" | sed "s/'/''/g")"
}

create_data_files() {
  say "creating the data files in $PGDATA"
  mkdir -p "$(dirname "$PGDATA")"
  rm -rf "$PGDATA.new"
  "$programs/initdb" --pgdata="$PGDATA.new" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
    --auth=scram-sha-256 --pwfile="$SECRETS_DIRECTORY/superuser-password" --data-checksums >&2
  sync
  mv "$PGDATA.new" "$PGDATA"
}

check_version() {
  have=$(cat "$PGDATA/PG_VERSION")
  want=$("$programs/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
  [ "$have" = "$want" ] || fail "the data files are of PostgreSQL $have, the image has $want: set database.managed.image" \
    "to an image with PostgreSQL $have"
}

# Statements for one database, without a server: no network, no password needed, and done before anyone can connect.
# In single-user mode with -j a statement ends with a semicolon and an empty line.
single_user() {
  "$programs/postgres" --single -j -D "$PGDATA" -c exit_on_error=on -c config_file="$CONFIG_DIRECTORY/postgresql.conf" \
    -c hba_file="$CONFIG_DIRECTORY/pg_hba.conf" -c listen_addresses= -c unix_socket_directories="$SOCKET_DIRECTORY" \
    -c log_checkpoints=off "$1"
}

set_up_roles() {
  single_user postgres >/dev/null <<SQL
DO \$\$BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '$DATABASE_USER') THEN
    CREATE ROLE "$DATABASE_USER" LOGIN;
  END IF;
END\$\$;

ALTER ROLE "$DATABASE_USER" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD $(quoted "$password");

ALTER ROLE postgres PASSWORD $(quoted "$superuser_password");

SQL
}

database_exists() {
  single_user postgres <<SQL | grep -q 'found = "t"'
SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = '$DATABASE_NAME') AS found;

SQL
}

create_database() {
  say "creating the database $DATABASE_NAME"
  single_user postgres >/dev/null <<SQL
CREATE DATABASE "$DATABASE_NAME" OWNER "$DATABASE_USER";

REVOKE ALL ON DATABASE "$DATABASE_NAME" FROM PUBLIC;

SQL
}

set_up_extension() {
  single_user "$DATABASE_NAME" >/dev/null <<SQL || fail "the extension vector cannot be created: choose an image with" \
    "pgvector in database.managed.image"
CREATE EXTENSION IF NOT EXISTS vector;

ALTER EXTENSION vector UPDATE;

SQL
}

# Kubernetes stops with SIGTERM, which for PostgreSQL means: wait for every client to leave. SIGINT closes their
# connections and writes a checkpoint, so that the next start needs no recovery.
serve() {
  "$programs/postgres" -D "$PGDATA" -c config_file="$CONFIG_DIRECTORY/postgresql.conf" \
    -c hba_file="$CONFIG_DIRECTORY/pg_hba.conf" -c unix_socket_directories="$SOCKET_DIRECTORY" &
  server=$!
  trap 'say "stopping"; kill -INT "$server"' TERM INT
  status=0
  wait "$server" || status=$?
  while kill -0 "$server" 2>/dev/null; do # wait returned because of the signal
    status=0
    wait "$server" || status=$?
  done
  return "$status"
}

programs=$(find_programs)
password=$(cat "$SECRETS_DIRECTORY/password")
superuser_password=$(cat "$SECRETS_DIRECTORY/superuser-password")
[ -n "$password" ] && [ -n "$superuser_password" ] || fail "a password in $SECRETS_DIRECTORY is empty: delete the Secret," \
  "the operator makes a new one"

[ -s "$PGDATA/PG_VERSION" ] || create_data_files
chmod 700 "$PGDATA"
check_version
# Locks of a killed server name a process number that by now may be anybody's. Only one pod mounts the volume, and only
# this container the sockets, so there is no other server.
rm -f "$PGDATA/postmaster.pid" "$SOCKET_DIRECTORY"/.s.PGSQL.*
set_up_roles
database_exists || create_database
set_up_extension
unset password superuser_password
say "serving $DATABASE_NAME"
serve
