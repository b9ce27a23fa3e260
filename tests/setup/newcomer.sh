#!/usr/bin/env bash
# newcomer.sh FOLDER SUITE COMMAND...: runs the commands, one after the other, in a
# fresh clone of what is committed, on a bare Debian of that suite (bookworm,
# trixie) with git and make. FOLDER keeps the bare system and what was downloaded,
# so that a second run is quick, and the root (FOLDER/SUITE) to look at afterwards.
# Needs root and debootstrap. All mounts and processes are in namespaces of their
# own: they end with this script, however it ends.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[[ ${NEWCOMER_NAMESPACE:-} ]] || NEWCOMER_NAMESPACE=1 exec unshare --mount \
  --propagation private --pid --fork --kill-child "${BASH_SOURCE[0]}" "$@"

mkdir -p "$1"
folder=$(realpath "$1") suite=$2 root=$(realpath "$1")/$2
shift 2
base=$root.tar

# Written under another name first: one that is there is whole.
if [[ ! -e $base ]]; then
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates,git,make \
    "$suite" "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
  tar -C "$root" -cf "$base.new" .
  mv "$base.new" "$base"
fi
rm -rf "$root"
mkdir "$root"
tar -C "$root" -xf "$base"

# What leads to the network here: names, certificates, sources, settings of pip.
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp -rL /usr/local/share/ca-certificates "$root/usr/local/share/"
[[ ! -e /etc/pip.conf ]] || cp -L /etc/pip.conf "$root/etc/"
sources=etc/apt/sources.list.d/debian.sources
if [[ -e /$sources ]]; then
  own=$(. /etc/os-release && echo "$VERSION_CODENAME")
  sed "s/\b$own\b/$suite/g" "/$sources" >"$root/$sources"
  rm -f "$root/etc/apt/sources.list"
fi
environment=(HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin)
while IFS= read -r setting; do
  environment+=("$setting")
done < <(env | grep -E \
  '^(PIP_[A-Z_]*|GO(PROXY|FLAGS|(NO)?SUMDB)|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY)=')

git clone -q --no-local . "$root/root/rechunk"
mkdir -p "$folder/$suite.debs/partial" "$folder/$suite".{pip,servers} \
  "$root"/root/.cache/{pip,rechunk-servers}
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount --bind "$folder/$suite.debs" "$root/var/cache/apt/archives"
mount --bind "$folder/$suite.pip" "$root/root/.cache/pip"
mount --bind "$folder/$suite.servers" "$root/root/.cache/rechunk-servers"
for command in "$@"; do
  echo "$suite: $command"
  start=$SECONDS
  chroot "$root" env -i "${environment[@]}" \
    bash -c "cd /root/rechunk && $command" </dev/null || {
    echo "$suite: $command: failed" >&2
    exit 1
  }
  echo "$suite: $command: passed in $((SECONDS - start)) s"
done
