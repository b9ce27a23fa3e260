#!/usr/bin/env bash
# venv.sh DIRECTORY REQUIREMENTS [VERSION]: makes the environment if need be, of
# the Python that find_python.sh finds, then installs the requirements with the
# pinned versions of tests/constraints.txt.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
directory=$1
requirements=$2
version=${3:-system}

if ! "$directory/bin/python" -m pip --version >/dev/null 2>&1; then
  rm -rf "$directory"
  "$(tests/setup/find_python.sh "$version")" -m venv "$directory"
fi
"$directory/bin/python" -m pip install -q --disable-pip-version-check \
  -c tests/constraints.txt -r "$requirements"
