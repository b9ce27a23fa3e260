#!/usr/bin/env bash
# python.sh VENV: builds the wheel into build/wheel-dist and installs it into the
# environment with all its extras, in the versions of tests/constraints.txt.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
venv=$1
install=("$venv/bin/python" -m pip install -q --disable-pip-version-check)

tests/setup/venv.sh "$venv" tests/requirements-python.txt
tests/setup/wheel.sh "$venv/bin/python" build/wheel-dist
wheel=$(echo build/wheel-dist/rechunk-*.whl)
"${install[@]}" -c tests/constraints.txt "$wheel[all]"
# The one that stood there may have had the same version.
"${install[@]}" --no-deps --force-reinstall "$wheel"
