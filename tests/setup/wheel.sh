#!/usr/bin/env bash
# wheel.sh PYTHON FOLDER: builds the wheel of this tree for an environment that
# has nanobind and scikit-build-core, and leaves it alone in the folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=$1 folder=$2

# With the flags of the release build, whose objects ccache then has.
rm -rf "$folder"
CMAKE_GENERATOR=Ninja "$python" -m pip wheel -q --disable-pip-version-check \
  --no-deps --no-build-isolation \
  --config-settings "cmake.define.RECHUNK_WERROR=${CI:-OFF}" \
  -w "$folder" .
