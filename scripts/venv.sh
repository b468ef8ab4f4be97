#!/usr/bin/env bash
# scripts/venv.sh FOLDER PACKAGE…: a Python virtual environment with these packages.
#
# What pip takes, such as `-r FILE` or `.`, is taken here too. The environment is
# made if it is not there; PYTHON chooses its interpreter.
set -euo pipefail

python=${PYTHON:-python3}
folder=$1
shift

if ! command -v "$python" >/dev/null; then
    echo "scripts/venv.sh: no $python: install Python 3.10 or later" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "scripts/venv.sh: $("$python" --version) is too old: Python 3.10 or later is needed (set PYTHON)" >&2
    exit 1
fi
# Debian has the module that puts pip into an environment in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        apt-get install -qq -y python3-venv >/dev/null
    else
        echo "scripts/venv.sh: $python has no venv module: install python3-venv" >&2
        exit 1
    fi
fi

[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
