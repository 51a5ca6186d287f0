#!/usr/bin/env bash
# Installs the programs that `make peers-test` runs (Debian, Ubuntu; as root). What is missing then is skipped there, loudly.
set -euo pipefail

# program:package
wanted=(ignition-validate:ignition cloud-init:cloud-init wg:wireguard-tools wireguard-go:wireguard-go ip:iproute2 ping:iputils-ping)

missing=()
for pair in "${wanted[@]}"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" > /dev/null || missing+=("${pair##*:}")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0
if [[ $(id -u) -ne 0 ]] || ! command -v apt-get > /dev/null; then
    echo "SKIPPED: as root: apt-get install ${missing[*]}" >&2
    exit 0
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
