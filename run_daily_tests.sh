#!/usr/bin/env bash
# The load-testing guide's daily test: one run, with its results in a folder of its own
# under logs/locust_results, compared with the one before.
#
#     ./run_daily_tests.sh                             50 users, 10 minutes, http://localhost
#     HOST=http://127.0.0.1:8000 RUN_TIME=1m ./run_daily_tests.sh --tags predict
#
# HOST, USERS, SPAWN_RATE and RUN_TIME change the run, KEEP how many results stay, WEBHOOK
# is told of a run that is not as it should be, ACRIDA is the command. Further arguments
# are flags of the run. examples/daily has it in a crontab and in a timer of systemd.
#
# The exit code is the run's: 3 if it is certainly worse than the one before. A second one
# at the same time is refused.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

results=logs/locust_results
acrida=${ACRIDA:-.venv/bin/acrida}
command -v "$acrida" >/dev/null || acrida=acrida
webhook=()
[ -z "${WEBHOOK:-}" ] || webhook=(--webhook "$WEBHOOK")

exec "$acrida" schedule --now --runs 1 --results "$results" --keep "${KEEP:-30}" "${webhook[@]}" -- \
    -f locustfile.py \
    --host="${HOST:-http://localhost}" \
    --users="${USERS:-50}" \
    --spawn-rate="${SPAWN_RATE:-5}" \
    --run-time="${RUN_TIME:-10m}" \
    --only-summary \
    --history="$results/daily.db" \
    --baseline=last-if-any \
    "$@"
