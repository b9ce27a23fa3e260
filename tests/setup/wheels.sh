#!/usr/bin/env bash
# wheels.sh: builds a wheel for each Python from 3.11 to 3.13 that this machine
# has, and tests it in an environment that has nothing else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for version in 3.11 3.12 3.13; do
  if ! base=$(tests/setup/find_python.sh "$version" 2>/dev/null); then
    echo "skipped: this machine has no Python $version" >&2
    continue
  fi
  folder=build/wheels/$version
  "$base" -m venv "$folder/build"
  "$folder/build/bin/python" -m pip install -q --disable-pip-version-check \
    -c tests/constraints.txt nanobind scikit-build-core pytest-xdist
  tests/setup/wheel.sh "$folder/build/bin/python" "$folder/dist"
  RECHUNK_WHEEL=$(echo "$folder"/dist/rechunk-*.whl) \
    "$folder/build/bin/python" -m pytest -q --noconftest \
    tests/python/test_wheel.py
done
