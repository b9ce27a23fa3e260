#!/usr/bin/env bash
# packages.sh [LIST]: installs those Debian packages of the list (packages.txt)
# that are missing, and no more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
list=${1:-packages.txt}

if ! command -v dpkg >/dev/null; then
  echo "not a Debian system: see $list for what the build needs" >&2
  exit 0
fi
missing=()
while read -r package; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done < <(grep -v '^#' "$list")
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "missing packages: ${missing[*]} (install them as root)" >&2
    exit 1
  fi
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
