#!/usr/bin/env bash
# The Debian packages that some proofs of docs/reliability.md need. Without them these proofs are
# skipped, each with a printed reason; nothing else needs them.
set -u -o pipefail

# strace: kills and errors at chosen system calls. faketime: clocks that jump. iproute2 and iptables:
# hosts in network namespaces. e2fsprogs: file systems for power cuts and full disks.
tools=(strace faketime iproute2 iptables e2fsprogs)

missing=()
for tool in "${tools[@]}"; do
  dpkg-query -W -f='${Status}' "$tool" 2>/dev/null | grep -q 'ok installed' || missing+=("$tool")
done
if [ "${#missing[@]}" -eq 0 ]; then
  echo "all there: ${tools[*]}"
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "missing: ${missing[*]}; install them as root, on Debian with apt-get install" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null || exit 1
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || exit 1
echo "installed: ${missing[*]}"
