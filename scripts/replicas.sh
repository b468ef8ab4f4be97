#!/usr/bin/env bash
# scripts/replicas.sh [COUNT]: what deploy/compose.yaml runs, on this machine and without containers.
#
# COUNT services (1 to 20, default 3) behind nginx at http://127.0.0.1:8080, until Ctrl-C or SIGTERM. One
# that dies is started again at its address.
# They share the folder STORE (default data). PORT is nginx's port, CLASSIFIER the program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

count=${1:-3}
port=${PORT:-8080}
store=${STORE:-data}
classifier=${CLASSIFIER:-${CARGO_TARGET_DIR:-target}/release/classifier}
if ! [[ $count =~ ^[0-9]+$ ]] || ((count < 1 || count > 20)); then
    echo "scripts/replicas.sh: expected a number of replicas from 1 to 20, found '$count'" >&2
    exit 2
fi
if [ ! -x "$classifier" ]; then
    echo "scripts/replicas.sh: there is no $classifier: cargo build --release --package classifier-service" >&2
    exit 1
fi
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "scripts/replicas.sh: another program listens on port $port: end it, or set PORT" >&2
    exit 1
fi
nginx=$(scripts/servers.sh nginx)

folder=$(mktemp -d /tmp/classifier-replicas-XXXXXX)
gateway=
replicas=()
ports=()
end() {
    trap '' INT TERM
    # Services finish what has begun.
    kill -TERM $(jobs -p) 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap end EXIT
trap exit INT TERM

# start N: replica N, at the port that it had before, if any.
start() {
    local line output
    rm -f "$folder/$1"
    mkfifo "$folder/$1"
    "$classifier" serve --host 127.0.0.1 --port "${ports[$1]:-0}" --store "$store" >"$folder/$1" &
    replicas[$1]=$!
    exec {output}<"$folder/$1"
    # Printed once it listens, such as: serving FILE (v1) at http://127.0.0.1:40123 on 2 threads
    read -r line <&"$output" || return 1
    line=${line##*http://127.0.0.1:}
    ports[$1]=${line%% *}
}

services=
for ((i = 1; i <= count; i++)); do
    start "$i" || exit 1
    services+="server 127.0.0.1:${ports[$i]} max_fails=1 fail_timeout=1s; "
done

# The shipped configuration; only where services are is known, instead of asked for.
sed -e "s|listen 8080;|listen 127.0.0.1:$port;|" -e "s|http://api:8000;|http://replicas;|" \
    -e "s|^    server {|    upstream replicas { $services }\n    server {|" \
    -e "s| /tmp/| $folder/|" deploy/nginx.conf >"$folder/nginx.conf"
user=$(id -un)
"$nginx" -c "$folder/nginx.conf" -g "daemon off; $([ "$user" = root ] && echo 'user root;')" &
gateway=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "$gateway" 2>/dev/null || exit 1
    sleep 0.05
done
echo "$count replicas at http://127.0.0.1:$port; Ctrl-C ends them"

# What bash itself says of a killed process is of no use.
while wait -n -p ended 2>/dev/null || [ -n "${ended:-}" ]; do
    [ "$ended" != "$gateway" ] || exit 1
    for ((i = 1; i <= count; i++)); do
        if [ "${replicas[$i]}" = "$ended" ]; then
            echo "replica $i (process $ended) ended; it is started again" >&2
            start "$i" || sleep 1
        fi
    done
done
