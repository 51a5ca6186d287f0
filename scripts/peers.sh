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
spire=1.13.3
kubernetes=1.37.2
etcd=v3.7.0 # the one that this Kubernetes asks for

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
    tell cargo test --locked --quiet -p handfast --features rust-crypto,testing --test peers -- --test-threads 1 --skip choria || failed=1
    tell cargo test --locked --quiet -p handfast --features rust-crypto,testing --test archive_installer || failed=1
    PROGRAMS=$target/debug tell examples/terraform/test.sh || failed=1
    return "$failed"
}

heavy() {
    local failed=0
    if ! command -v go > /dev/null; then
        echo 'SKIPPED: what is not there of choria, SPIRE and Kubernetes, which Go builds (https://go.dev)' >&2
    else
        command -v choria > /dev/null || install_choria
        command -v spire-server > /dev/null || install_spire
        command -v kube-apiserver > /dev/null || install_kubernetes
    fi
    tell cargo test --locked --quiet -p handfast --features rust-crypto,testing --test peers -- --test-threads 1 choria || failed=1
    tell make --no-print-directory test-spire || failed=1
    tell make --no-print-directory test-kubernetes || failed=1
    return "$failed"
}

# Built within its own source, with the versions that it has chosen itself.
install_choria() {
    local source=$HANDFAST_PEERS/choria found
    found=$(go mod download -json "$choria" | jq -r .Dir)
    cp -r --no-preserve=mode "$found" "$source"
    (cd "$source" && go build -o "$HANDFAST_PEERS/go/bin/choria" .)
    rm -rf "$source"
}

# Its programs are commands of a module that is no library: they are tools of one that holds nothing else.
install_spire() (
    enter_a_module
    local at=github.com/spiffe/spire
    go get -tool "$at/cmd/spire-server@v$spire" "$at/cmd/spire-agent@v$spire"
    build "-X $at/pkg/common/version.gittag=$spire" "$at/cmd/spire-server" spire-server
    build "-X $at/pkg/common/version.gittag=$spire" "$at/cmd/spire-agent" spire-agent
)

# Its own module replaces the parts that are published beside it by folders of its repository; here by what was published.
install_kubernetes() (
    enter_a_module
    local file part
    file=$(go mod download -json "k8s.io/kubernetes@v$kubernetes" | jq -r .GoMod)
    awk '$2 == "=>" && $3 ~ "^./staging/" { print $1 }' "$file" | while read -r part; do
        go mod edit -replace "$part=$part@v0.${kubernetes#1.}"
    done
    go get -tool "k8s.io/kubernetes/cmd/kube-apiserver@v$kubernetes" "go.etcd.io/etcd/server/v3@$etcd"
    build "-X k8s.io/component-base/version.gitVersion=v$kubernetes" k8s.io/kubernetes/cmd/kube-apiserver kube-apiserver
    build '' go.etcd.io/etcd/server/v3 etcd
)

enter_a_module() {
    local folder=$HANDFAST_PEERS/module
    rm -rf "$folder"
    mkdir -p "$folder"
    cd "$folder"
    go mod init peers
}

build() {
    go build -ldflags "-s -w $1" -o "$HANDFAST_PEERS/go/bin/$3" "$2"
}

# Shows the lines about peers and what was skipped, and everything where something failed.
tell() {
    local code=0
    "$@" > "$log" 2>&1 || code=$?
    grep -oE '(peer|SKIPPED): .*' "$log" || true
    if [[ $code != 0 ]]; then cat "$log"; fi
    return "$code"
}

case ${1:-} in
    install) install ;;
    test) test_them ;;
    heavy) heavy ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
