#!/usr/bin/env bash
# Compares rechunk with other tools; see README.md. Any Python from 3.11 does.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$here/.."
python="${PYTHON:-.venv/bin/python}"
command -v "$python" >/dev/null || python=python3
exec "$python" benchmarks/bench.py "$@"
