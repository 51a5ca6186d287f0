#!/usr/bin/env bash
# Ten nodes under a quota of ten: applied, replaced and destroyed by Terraform, with a real provisioner and real first boots.
# After each step the provisioner is asked what is there; at the end there must be nothing.
#
# Wants `terraform`, and the programs `provisioner`, `first-boot` and `handfast` in the folder PROGRAMS.
set -euo pipefail
cd "$(dirname "$0")"
programs=$(realpath "${PROGRAMS:-../../target/debug}")
if ! command -v terraform > /dev/null; then
    echo 'peer: terraform, absent, skipped: install it (https://developer.hashicorp.com/terraform/install)'
    [[ ${PEERS:-} != required ]]
    exit
fi

work=$(mktemp -d)
trap 'kill "$host" 2> /dev/null || true; wait 2> /dev/null; rm -rf "$work"' EXIT
host=
version=$(terraform version -json 2> /dev/null | jq -r .terraform_version)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export PATH=$programs:$PATH
export HANDFAST_URL=http://127.0.0.1:$port/api HANDFAST_OPERATOR_TOKEN_FILE=$work/operator.token
export TF_VAR_url=$HANDFAST_URL TF_VAR_operator_token_file=$HANDFAST_OPERATOR_TOKEN_FILE
export TF_VAR_folder=$work/nodes TF_VAR_scope=lab TF_IN_AUTOMATION=1 TF_DATA_DIR=$work/terraform
umask 077

main() {
    start
    mkdir "$TF_VAR_folder"
    handfast scope configure lab --max-active 10 > /dev/null
    terraform init -input=false -no-color > "$work/init.log"

    apply 'ten are made' "$(nodes a)"
    expect '.active' 10
    unchanged "$(nodes a)" 'spent tokens are no drift'
    apply 'all are replaced' "$(nodes b)"
    expect '.active' 10
    apply 'three are replaced' "$(nodes b | sed 's/"node-[0-2]":"b"/&c/g; s/"b"c/"c"/g')"
    expect '.active' 10
    refused 'an eleventh is refused' "$(nodes b | sed 's/}$/,"node-10":"b"}/')"
    destroy
    expect '.reserved' 0
    expect '.outstanding' 0
    ls "$TF_VAR_folder" | grep . && fail 'something of a node is left'
    grep -rE 'hf1_[A-Z2-7]+_' "$work/state" "$work"/*.log && fail 'a token is in the state or in a log'
    echo "peer: terraform, $version, passed: 10 made, 13 replaced, an eleventh refused, all destroyed, 0 left"
}

start() {
    sed -e "s|^listen = .*|listen = \"127.0.0.1:$port\"|" -e "s|^base_url = .*|base_url = \"$HANDFAST_URL\"|" \
        -e "s|\"state/|\"$work/|" -e "s|^\(.*\)= \"\([a-z-]*\.[a-z]*\)\"$|\1= \"$(realpath ../provisioner/development)/\2\"|" \
        -e "s|^certificate_dir = .*|certificate_dir = \"$(realpath ../provisioner/development/certificates)\"|" \
        ../provisioner/development/provisioner.toml > "$work/provisioner.toml"
    provisioner serve --config "$work/provisioner.toml" > "$work/host.out" 2> "$work/host.log" &
    host=$!
    for _ in $(seq 100); do
        grep -q '^listening' "$work/host.out" && break
        kill -0 "$host" 2> /dev/null || { cat "$work/host.log"; fail 'the provisioner did not start'; }
        sleep 0.1
    done
    grep -oE 'hfo_[^[:space:]]+' "$work/host.out" > "$HANDFAST_OPERATOR_TOKEN_FILE"
    rm "$work/host.out"
}

nodes() { printf '{'; for n in $(seq 0 9); do printf '%s"node-%s":"%s"' "$([[ $n = 0 ]] || echo ,)" "$n" "$1"; done; printf '}'; }

run() { terraform "$@" -no-color -input=false -state="$work/state" >> "$work/terraform.log" 2>&1; }

apply() {
    TF_VAR_nodes=$2 run apply -auto-approve -parallelism=4 || { tail -50 "$work/terraform.log"; fail "$1"; }
    last=$2
}

unchanged() { TF_VAR_nodes=$1 run plan -detailed-exitcode || { tail -50 "$work/terraform.log"; fail "$2"; }; }

refused() {
    ! TF_VAR_nodes=$2 run apply -auto-approve || fail "$1"
    grep -q quota_exceeded "$work/terraform.log" || fail "$1, but not for the quota"
}

destroy() { TF_VAR_nodes=$last run destroy -auto-approve || { tail -50 "$work/terraform.log"; fail 'destroy'; }; }

# expect FILTER VALUE: what the provisioner says of the scope.
expect() {
    local found
    for _ in $(seq 50); do
        found=$(handfast scope show lab | jq "$1")
        [[ $found = "$2" ]] && return
        sleep 0.1
    done
    handfast scope show lab
    fail "$1 is $found, expected $2"
}

fail() { echo "peer: terraform, $version, failed: $1" >&2; exit 1; }

main
