#!/usr/bin/env bash
# newest.sh VENV: runs the tests that need a newer zarr-python than Python 3.11 can
# have (marked newest_zarr). VENV has run them if its Python is newer; else they
# run in .venv-newest, with the newest Python of this machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

is_newer() {
  "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 12))'
}

is_newer "$1/bin/python" && exit 0
if ! is_newer "$(tests/setup/find_python.sh newest)"; then
  echo "skipped: the tests marked newest_zarr, as no Python from 3.12 was found" >&2
  exit 0
fi
tests/setup/venv.sh .venv-newest tests/requirements.txt newest
.venv-newest/bin/python -m pytest -q -m newest_zarr tests --ignore tests/python
