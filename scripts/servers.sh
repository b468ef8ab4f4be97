#!/usr/bin/env bash
# scripts/servers.sh postgres|nginx|s3: where a server that tests need is; installs it if it is not there.
#
# Prints the folder of PostgreSQL's programs, or the path of nginx or of an S3-compatible server. Several may
# run at the same time.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec 9>"${TMPDIR:-/tmp}/classifier-servers.lock"
flock 9

if [ "$1" = s3 ]; then
    venv=$here/../.venv-s3
    [ -x "$venv/bin/moto_server" ] || "$here/venv.sh" "$venv" 'moto[s3]>=5' 'flask>=3' 'flask-cors>=5' >&2
    exec echo "$venv/bin/moto_server"
fi

find_it() {
    case $1 in
    postgres)
        # Debian keeps them apart from other programs.
        local found
        found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
        [ -n "$found" ] || found=$(dirname "$(command -v initdb 2>/dev/null)" 2>/dev/null)
        [ -x "$found/initdb" ] && echo "$found"
        ;;
    nginx) PATH=$PATH:/usr/sbin command -v nginx ;;
    *) echo "scripts/servers.sh: expected postgres or nginx, found $1" >&2 && exit 2 ;;
    esac
}

if ! find_it "$1" >/dev/null; then
    package=$1
    [ "$1" = postgres ] && package=postgresql
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "scripts/servers.sh: there is no $1: install it" >&2
        exit 1
    fi
    apt-get update -qq >&2
    # What is installed for tests starts no server of its own.
    policy=/usr/sbin/policy-rc.d
    [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && trap "rm -f $policy" EXIT; }
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" >&2
fi
find_it "$1"
