#!/usr/bin/env bash
# run.sh bench|floor|report ARGUMENTS...; see README.md. Any Python from 3.11 does.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$here/.."
python="${PYTHON:-.venv/bin/python}"
command -v "$python" >/dev/null || python=python3
script="$1"
shift
exec "$python" "benchmarks/$script.py" "$@"
