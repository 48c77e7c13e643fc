#!/bin/sh
# Starts Redis or Valkey from any image that has either. The password goes from the mounted Secret into a file in memory:
# never into the process list or the pod's specification.
#
# CONFIG_DIRECTORY    redis.conf          SECRETS_DIRECTORY   password: a file
# SCRATCH_DIRECTORY   an empty directory in memory
set -eu
umask 077
for program in redis-server valkey-server; do
  if command -v "$program" >/dev/null; then
    password=$(cat "$SECRETS_DIRECTORY/password")
    if [ -z "$password" ]; then
      echo "start: the password is empty: delete the Secret, the operator makes a new one" >&2
      exit 1
    fi
    cat "$CONFIG_DIRECTORY/redis.conf" - >"$SCRATCH_DIRECTORY/redis.conf" <<CONF
requirepass "$(printf '%s' "$password" | sed 's/[\\"]/\\&/g')"
CONF
    unset password
    exec "$program" "$SCRATCH_DIRECTORY/redis.conf"
  fi
done
echo "start: the image has neither redis-server nor valkey-server: choose another in redis.managed.image" >&2
exit 1
