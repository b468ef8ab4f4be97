#!/usr/bin/env bash
# The web pages in headless Chromium. ACRIDA and CLASSIFIER are the commands under test; Chromium and
# the one package that the test needs are installed if they are not there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../tests/browser"

install() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        apt-get install -qq -y "$1" >/dev/null
    else
        echo "scripts/browser.sh: there is no $1: install it, or set CHROMIUM to a browser" >&2
        exit 1
    fi
}

command -v npm >/dev/null || install npm
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || install chromium
npm ci --silent --no-audit --no-fund
npm run --silent check
npm test
