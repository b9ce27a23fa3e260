#!/usr/bin/env bash
# find_python.sh [VERSION|newest]: prints the path of a Python that can make a
# venv: of that version, or the newest from 3.11 to 3.13. By default it is the one
# that the system came with, so that what passes here passes for whoever has no
# other. A name on PATH may be a shim that does not run, so each one is tried.
set -euo pipefail

works() {
  "$1" -c 'import sys, ensurepip, venv
raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
}

wanted=${1:-system}
versions=$wanted
case $wanted in
  system)
    if works /usr/bin/python3; then
      echo /usr/bin/python3
      exit 0
    fi
    ;&
  newest) versions="3.13 3.12 3.11 3" ;;
esac
for version in $versions; do
  for candidate in "$(command -v "python$version" || true)" \
    "$HOME"/.pyenv/versions/"$version".*/bin/"python$version" \
    /usr/bin/"python$version"; do
    if [[ -x $candidate ]] && works "$candidate"; then
      echo "$candidate"
      exit 0
    fi
  done
done
echo "no Python ($wanted, from 3.11 to 3.13) with the venv module was found" >&2
exit 1
