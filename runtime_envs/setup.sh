#!/bin/sh
# Set up .venv from the lock with uv, which is fetched from PyPI into .uv when it is missing.
# Usage: sh runtime_envs/setup.sh [python3]
set -eu
python=${1:-python3}

"$python" - <<'CHECK' || exit 2
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(f"Levelfield needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")
CHECK

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv=.uv/bin/uv
    if [ ! -x "$uv" ]; then
        echo "Setting up: fetching uv into .uv"
        "$python" -m venv .uv 2>/dev/null || {
            echo "Python has no venv module. On Debian: apt-get install python3-venv. Or install uv yourself." >&2
            exit 2
        }
        .uv/bin/python -m pip install --quiet --disable-pip-version-check uv
    fi
fi

echo "Setting up: .venv"
[ -x .venv/bin/python ] || "$uv" venv --quiet --python "$python" .venv
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode runtime_envs/locks/project.txt
"$uv" pip install --quiet --python .venv/bin/python --no-deps --editable .
