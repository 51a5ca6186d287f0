#!/usr/bin/env bash
# Ten nodes under a quota of ten: applied, replaced, cut short and destroyed by Terraform, with a real provisioner and real
# first boots. After each step the provisioner is asked what is there, a plan must want nothing, and no secret may be in the
# state, its backup, the plan or the log; at the end there must be nothing.
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
config=$work/config
export PROGRAMS=$programs FAULTS=$work/faults PATH=$work/cut-short:$programs:$PATH
export HANDFAST_URL=http://127.0.0.1:$port/api HANDFAST_OPERATOR_TOKEN_FILE=$work/operator.token
export TF_VAR_url=$HANDFAST_URL TF_VAR_operator_token_file=$HANDFAST_OPERATOR_TOKEN_FILE
export TF_VAR_folder=$work/nodes TF_VAR_scope=lab TF_IN_AUTOMATION=1
umask 077

main() {
    mkdir "$TF_VAR_folder" "$FAULTS" "$config" "$work/cut-short"
    programs_that_are_cut_short
    start
    cp main.tf "$config"
    handfast scope configure lab --max-active 10 > /dev/null
    the_search_finds_a_token
    terraform -chdir="$config" init -input=false -no-color > "$work/init.log"

    nodes=$(jq -nc '[range(10) | {key: "node-\(.)", value: "a"}] | from_entries')
    applied 'ten are made'
    change '.[] = "b"'
    applied 'all are replaced'
    change '."node-0" = "c" | ."node-1" = "c" | ."node-2" = "c"'
    applied 'three are replaced'
    change '."node-10" = "b"'
    failed 'an eleventh is refused'
    grep -q quota_exceeded "$work/terraform.log" || fail 'the eleventh was refused, but not for the quota'
    change 'del(."node-10")'
    applied 'ten are ten again'

    replaced node
    replaced package
    replaced lease
    cut_short issue 3 'the reply to an issue is lost'
    cut_short reissue 3 'the reply to a reissue is lost'
    cut_short first-boot 3 'the reply to a redemption is lost, and the host does not come back'
    cut_short first-boot 137 'a first boot is killed'
    cut_short check-in 3 'a node is enrolled and cannot check in'
    all_that_was_cut_short_is_revoked

    destroyed
    applied 'ten are made after a destroy'
    destroyed
    echo "peer: terraform, $version, passed: 10 made, all replaced, 3 replaced on purpose, 7 cut short, an eleventh refused, all destroyed twice, 0 left"
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

# The same programs, whose outcome is lost once where a file of that name is in FAULTS; the exit code is in it.
programs_that_are_cut_short() {
    cat > "$work/cut-short/handfast" << 'EOF'
#!/usr/bin/env bash
"$PROGRAMS/handfast" "$@" || exit
if [[ $1 = package && -e $FAULTS/$2 ]]; then
    [[ $2 != reissue ]] || rm "${@: -1}"
    code=$(cat "$FAULTS/$2")
    rm "$FAULTS/$2"
    exit "$code"
fi
EOF
    cat > "$work/cut-short/first-boot" << 'EOF'
#!/usr/bin/env bash
if [[ -e $FAULTS/first-boot ]]; then # redeemed, and nothing of it can be written down
    code=$(cat "$FAULTS/first-boot")
    rm "$FAULTS/first-boot"
    mkdir -p "$4/.state.json.new"
    "$PROGRAMS/first-boot" "$@"
    [[ -e $4/credential.jwt ]] || touch "$FAULTS/not-redeemed"
    rmdir "$4/.state.json.new" && exit "$code"
fi
"$PROGRAMS/first-boot" "$@" || exit
[[ ! -e $FAULTS/check-in ]] || { code=$(cat "$FAULTS/check-in"); rm "$FAULTS/check-in"; exit "$code"; }
EOF
    chmod +x "$work"/cut-short/*
}

change() { nodes=$(jq -c "$1" <<< "$nodes"); }

# applied WHAT [OPTION..]: the apply is done, every node is there, nothing more is wanted, and no secret was left.
applied() {
    apply "${@:2}" || { tail -50 "$work/terraform.log"; fail "$1"; }
    is_clean "$1"
    expect '[.active, .reserved]' "$(jq -c '[length, length]' <<< "$nodes")" "$1"
    terra plan -detailed-exitcode || fail "$1: and then it drifts"
}

# failed WHAT: the apply is not done.
failed() {
    ! apply || fail "$1: and nothing was said"
    is_clean "$1"
}

apply() {
    terra plan -out="$work/plan" "$@" || return
    terraform -chdir="$config" show -json "$work/plan" > "$work/plan.json"
    TF_VAR_nodes=$nodes terraform -chdir="$config" apply -no-color -input=false -parallelism=4 "$work/plan" >> "$work/terraform.log" 2>&1
}

terra() { TF_VAR_nodes=$nodes terraform -chdir="$config" "$1" -no-color -input=false "${@:2}" >> "$work/terraform.log" 2>&1; }

# replaced RESOURCE: on purpose, with nothing else changed. It is another node then, with another key.
replaced() {
    local key
    key=$(key_of node-4)
    applied "a $1 is replaced" -replace="terraform_data.$1[\"node-4\"]"
    [[ $(key_of node-4) != "$key" ]] || fail "a $1 is replaced: by nothing"
}

key_of() { sha256sum < "$TF_VAR_folder/$1/state/key.pem"; }

# cut_short PROGRAM CODE WHAT: the second apply goes on where the first one was ended, with the key that a first boot has made;
# with its token too, unless the host could not be reached.
cut_short() {
    local node=$TF_VAR_folder/node-5 before=none
    change '."node-5" += "+"'
    echo "$2" > "$FAULTS/$1"
    failed "$3"
    is_empty "$FAULTS" || fail "$3: it was not tried"
    [[ ! -e $node/token ]] || [[ $2 != 3 ]] || fail "$3: its token stays"
    [[ -e $node/token ]] || [[ $2 = 3 ]] || fail "$3: its token is gone"
    [[ ! -e $node/state ]] || before=$(key_of node-5)
    applied "$3, and asked for again"
    [[ $before = none || $(key_of node-5) = "$before" ]] || fail "$3: its key was thrown away"
}

# Also where what failed is not wanted any more: first a package that Terraform has not seen, then a node that it has not.
all_that_was_cut_short_is_revoked() {
    local fault
    for fault in issue first-boot; do
        change '."node-9" += "+"'
        echo 3 > "$FAULTS/$fault"
        failed "$fault is lost"
        is_empty "$FAULTS" || fail "$fault is lost: it was not tried"
        change 'del(."node-9")'
        applied "what $fault has begun is not wanted any more"
        change '."node-9" = "d"'
        applied 'ten are ten again'
    done
}

destroyed() {
    terra destroy -auto-approve || { tail -50 "$work/terraform.log"; fail 'destroy'; }
    is_clean 'destroy'
    expect '[.active, .reserved, .outstanding]' '[0,0,0]' 'destroy'
    is_empty "$TF_VAR_folder" || fail 'something of a node is left'
}

is_empty() { [[ -z $(ls -A "$1") ]]; }

# No secret outside the files of the nodes and the operator: neither a token nor a key nor a credential.
is_clean() {
    local found
    found=$(grep -rlE "$secrets" "$work" --include='*.log' --include='plan.json' --include='*.tfstate*' || true)
    [[ -z $found ]] || fail "$1: a secret is in $found"
}
secrets='hf[1o]_[A-Za-z0-9]|PRIVATE KEY|eyJ[A-Za-z0-9_-]+\.'

the_search_finds_a_token() {
    handfast package issue --scope other --name probe --out "$work/probe.log" > /dev/null
    ! (is_clean 'a token' 2> /dev/null) || fail 'a token in a log would not be found'
    rm "$work/probe.log"
}

# expect FILTER VALUE WHAT: what the provisioner says of the scope.
expect() {
    local found
    for _ in $(seq 50); do
        found=$(handfast scope show lab | jq -c "$1")
        [[ $found = "$2" ]] && return
        sleep 0.1
    done
    handfast scope show lab
    fail "$3: $1 is $found, expected $2"
}

fail() { echo "peer: terraform, $version, failed: $1" >&2; exit 1; }

main
