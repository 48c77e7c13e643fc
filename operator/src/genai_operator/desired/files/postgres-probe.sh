#!/bin/sh
# Answers a probe: `ready` when connections are accepted; `live` also while the server starts, stops or recovers.
set -u
for directory in $(echo "$PATH" | tr ':' ' ') /usr/lib/postgresql/*/bin /usr/local/bin /usr/local/pgsql/bin; do
  if [ -x "$directory/pg_isready" ]; then
    "$directory/pg_isready" --quiet --host="$SOCKET_DIRECTORY" --timeout=3
    answer=$?
    [ "$answer" -eq 0 ] && exit 0
    [ "$1" = live ] && [ "$answer" -eq 1 ] && exit 0 # 1: it rejects connections for now
    exit 1
  fi
done
echo "probe: the image has no pg_isready" >&2
exit 1
