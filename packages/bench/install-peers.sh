#!/usr/bin/env bash
# The Debian packages of the brokers that tq is compared with. The comparison starts each of them
# itself, on a free port with fresh data, so none may run as a service of the machine. Peers that
# are missing are left out of a comparison, and named; nothing else needs them.
# WITH_NATS=1 adds nats-server, for comparisons that drive it.
set -u -o pipefail

# Each is the name of its package and of its service.
peers=(beanstalkd redis-server rabbitmq-server)
[ "${WITH_NATS:-0}" = 1 ] && peers+=(nats-server)
policy=/usr/sbin/policy-rc.d

main() {
  local peer missing=()
  for peer in "${peers[@]}"; do is_installed "$peer" || missing+=("$peer"); done
  if [ "${#missing[@]}" -gt 0 ]; then
    install "${missing[@]}" || return 1
  fi
  for peer in "${peers[@]}"; do
    case " ${missing[*]-} " in
      *" $peer "*) echo "$peer $(version_of "$peer"): installed, its service is off" ;;
      *) echo "$peer $(version_of "$peer"): there already, left as it is" ;;
    esac
  done
}

is_installed() {
  dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

version_of() {
  dpkg-query -W -f='${Version}' "$1"
}

install() {
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing: $*; install them as root, on Debian with apt-get install" >&2
    return 1
  fi
  local peer mappers
  mappers=$(port_mappers)
  export DEBIAN_FRONTEND=noninteractive
  forbid_starts
  apt-get update -qq >/dev/null || return 1
  apt-get install -y -qq --no-install-recommends "$@" >/dev/null || return 1
  for peer in "$@"; do stop_service "$peer"; done
  stop_new_port_mappers "$mappers"
}

# Debian starts a service as soon as it is installed, unless this file says no. One that is there
# already is the machine's own, and stays.
forbid_starts() {
  [ -e "$policy" ] && return
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
}

# For a policy that let it start, and for the next boot.
stop_service() {
  if [ -d /run/systemd/system ]; then
    systemctl disable --now --quiet "$1"
  else
    service "$1" stop
    update-rc.d "$1" disable
  fi >/dev/null 2>&1
}

# Setting up RabbitMQ calls its command line, which leaves Erlang's port mapper behind, on all
# addresses. Those that ran before belong to somebody.
stop_new_port_mappers() {
  local pid
  for pid in $(port_mappers); do
    case " $1 " in
      *" $pid "*) ;;
      *) kill "$pid" ;;
    esac
  done
}

port_mappers() {
  local comm pids=()
  for comm in /proc/[0-9]*/comm; do
    [ "$(cat "$comm" 2>/dev/null)" = epmd ] && pids+=("$(basename "$(dirname "$comm")")")
  done
  echo "${pids[*]-}"
}

main
