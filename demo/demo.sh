#!/usr/bin/env bash
# Rechunks real and generated data and shows what that gains. Takes the binary
# from RECHUNK_BINARY. Without the project's .venv it makes one of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python="${PYTHON:-.venv/bin/python}"
if ! "$python" -c 'import iris_sample_data, netCDF4, xarray, zarr' 2>/dev/null
then
  python=.venv-demo/bin/python
  [ -x "$python" ] || "${BASE_PYTHON:-python3}" -m venv .venv-demo
  "$python" -m pip install --quiet --disable-pip-version-check \
    -c tests/constraints.txt -r demo/requirements.txt
fi
exec "$python" demo/demo.py "$@"
