#!/usr/bin/env bash
# The real programs that handfast's output is tried against.
#
#   scripts/peers.sh install     installs them: with apt what needs root, the rest into the folder `peers` of the build
#   scripts/peers.sh test        tries them, and says of each in one line how it went
#   scripts/peers.sh heavy       the same for those that take minutes to install: choria, SPIRE, Kubernetes
#
# What is not there is skipped, which is said; with PEERS=required in the environment that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
export HANDFAST_PEERS=$target/peers
export PATH=$HANDFAST_PEERS/go/bin:$PATH
log=$HANDFAST_PEERS/log
mkdir -p "$HANDFAST_PEERS"
packages=(bsdutils busybox cloud-init dash ignition iproute2 iputils-ping jq ksh libarchive-tools shellcheck unzip wireguard-go wireguard-tools)
choria=github.com/choria-io/go-choria@v0.29.4

install() {
    if command -v apt-get > /dev/null && [[ $(id -u) = 0 ]]; then
        dpkg -s "${packages[@]}" > /dev/null 2>&1 || {
            apt-get update -qq
            DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" > "$log.apt"
        }
    else
        echo "SKIPPED: as root on Debian or Ubuntu this would install ${packages[*]}" >&2
    fi
    scripts/postgres.sh find > /dev/null || scripts/postgres.sh install
    python3 -m venv "$HANDFAST_PEERS/python"
    "$HANDFAST_PEERS/python/bin/pip" install --quiet --disable-pip-version-check -r core/tests/peers/requirements.txt
    mkdir -p "$HANDFAST_PEERS/node"
    cp core/tests/peers/node/package*.json "$HANDFAST_PEERS/node"
    (cd "$HANDFAST_PEERS/node" && npm ci --no-audit --no-fund --loglevel=error)
    command -v terraform > /dev/null ||
        echo 'SKIPPED: terraform has no package here (https://developer.hashicorp.com/terraform/install)' >&2
}

test_them() {
    cargo build --locked --quiet -p handfast-cli -p first-boot
    cargo build --locked --quiet --manifest-path examples/provisioner/Cargo.toml --bin provisioner
    local failed=0
    tell cargo test --locked --quiet -p handfast --features rust-crypto,testing --test peers -- --test-threads 1 || failed=1
    tell cargo test --locked --quiet -p handfast --features rust-crypto,testing --test archive_installer || failed=1
    PROGRAMS=$target/debug tell examples/terraform/test.sh || failed=1
    return "$failed"
}

heavy() {
    if ! command -v choria > /dev/null; then install_choria; fi
    tell cargo test --locked --quiet -p handfast --features rust-crypto,testing --test peers -- --test-threads 1 choria
}

# Built within its own source, with the versions that it has chosen itself.
install_choria() {
    if ! command -v go > /dev/null; then
        echo 'SKIPPED: choria, which Go builds (https://go.dev)' >&2
        return
    fi
    local source=$HANDFAST_PEERS/choria found
    found=$(go mod download -json "$choria" | jq -r .Dir)
    cp -r --no-preserve=mode "$found" "$source"
    (cd "$source" && go build -o "$HANDFAST_PEERS/go/bin/choria" .)
    rm -rf "$source"
}

# Shows the lines about peers, and everything where something failed.
tell() {
    local code=0
    "$@" > "$log" 2>&1 || code=$?
    grep -oE 'peer: .*' "$log" || true
    if [[ $code != 0 ]]; then cat "$log"; fi
    return "$code"
}

case ${1:-} in
    install) install ;;
    test) test_them ;;
    heavy) heavy ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
