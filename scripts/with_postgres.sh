#!/usr/bin/env bash
# scripts/with_postgres.sh COMMAND…: runs it beside a new PostgreSQL, which ends with it.
#
# CLASSIFIER_TEST_DATABASE is its address. The server listens on a socket in a temporary
# folder alone, and is installed if it is not there.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

bin=$("$here/servers.sh" postgres)
folder=$(mktemp -d /tmp/classifier-postgres-XXXXXX)
as_owner=()
if [ "$(id -u)" = 0 ]; then
    # The server refuses to run as root.
    chown postgres "$folder"
    as_owner=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
end() {
    "${as_owner[@]}" "$bin/pg_ctl" --pgdata="$folder/data" --mode=immediate --wait stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap end EXIT

cd "$folder"
# No test of ours needs these files to survive a power cut.
"${as_owner[@]}" "$bin/initdb" --pgdata=data --auth=trust --username=classifier --no-sync --encoding=UTF8 >/dev/null
"${as_owner[@]}" "$bin/pg_ctl" --pgdata=data --log=log --wait start \
    --options="-c listen_addresses= -c unix_socket_directories=$folder -c fsync=off" >/dev/null
cd "$OLDPWD"
CLASSIFIER_TEST_DATABASE="postgresql:///postgres?host=$folder&user=classifier"
export CLASSIFIER_TEST_DATABASE
"$@"
