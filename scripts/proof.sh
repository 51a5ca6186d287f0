#!/usr/bin/env bash
# The proofs at full size, in at most twenty minutes on two cores. Says of each what it counted, in one line, and fails where
# anything is violated, or skipped, or nothing was counted. What a proof said at length is in the folder `proof` of the
# build.
#
#   scripts/proof.sh           all of them
#   scripts/proof.sh NAME..    only these: simulation model tables stores race
#
# HANDFAST_WORLDS says how many worlds are simulated. The bindings must have been built (`make python node`).
set -euo pipefail
cd "$(dirname "$0")/.."

worlds=${HANDFAST_WORLDS:-100000}
logs=${CARGO_TARGET_DIR:-$PWD/target}/proof
wanted=${*:-simulation model tables stores race}
core=(cargo test --locked --quiet --release -p handfast --features testing,rust-crypto)
host=(cargo test --locked --quiet --manifest-path examples/provisioner/Cargo.toml)
# Where nothing says more, the number of tests, none of which failed or was ignored.
passed='[1-9][0-9]* passed; 0 failed; 0 ignored'

main() {
    mkdir -p "$logs"
    rm -f "$logs"/*
    local since=$SECONDS
    build
    echo "built in $((SECONDS - since)) s"
    since=$SECONDS
    # What has one core to itself goes beside something else that has; what uses both comes last.
    ( simulation 0 $((worlds / 2)); stores_of_rust ) &
    ( simulation $((worlds / 2)) $((worlds - worlds / 2)); tables; stores_of_bindings ) &
    wait
    model
    race
    echo "proven in $((SECONDS - since)) s"
    if compgen -G "$logs/*.failed" > /dev/null; then
        echo "FAILED: $(cd "$logs" && ls ./*.failed | sed 's|\./\(.*\)\.failed|\1|' | tr '\n' ' ')" >&2
        exit 1
    fi
}

build() {
    if wants simulation || wants model || wants tables || wants stores; then
        "${core[@]}" --no-run --test simulation --test model --test registrar --test store_kit
    fi
    if wants stores || wants race; then "${host[@]}" --no-run --bin provisioner --test race; fi
}

simulation() {
    wants simulation || return 0
    prove "simulation-$1" 'simulation: [0-9]+ worlds .*' \
        env HANDFAST_SEED="$1" HANDFAST_WORLDS="$2" "${core[@]}" --test simulation
}

model() {
    wants model || return 0
    prove model 'model: [0-9]+ states .*' env HANDFAST_MODEL=full "${core[@]}" --test model
}

tables() {
    wants tables || return 0
    prove tables "$passed" "${core[@]}" --test registrar the_tables
}

stores_of_rust() {
    wants stores || return 0
    prove store-ledger "$passed" "${core[@]}" --test store_kit
    prove store-sqlite "$passed" "${host[@]}" --bin provisioner sqlite_passes_every_story
    prove store-postgresql "$passed" "${host[@]}" --bin provisioner postgresql_passes_every_story
}

stores_of_bindings() {
    wants stores || return 0
    prove store-python '[1-9][0-9]* passed' in_folder bindings-python ../.venv/bin/python -m pytest -q -rs tests/test_testing.py
    prove store-node 'pass [1-9][0-9]*' in_folder bindings-node node --test test/testing.test.mjs
}

race() {
    wants race || return 0
    prove race '(race|kill, [A-Za-z]+): .*' env PROOF=full "${host[@]}" --test race
}

wants() { [[ " $wanted " == *" $1 "* ]]; }

in_folder() { (cd "$1" && "${@:2}"); }

# prove NAME PATTERN COMMAND..: runs it, and shows what of its output matches.
prove() {
    local name=$1 pattern=$2 log=$logs/$1.log since=$SECONDS counted=
    shift 2
    if "$@" > "$log" 2>&1; then
        counted=$(grep -oE "$pattern" "$log") || { echo "nothing was counted" >> "$log"; }
        if grep -iE 'skipped [1-9]|[1-9][0-9]* skipped|^SKIPPED' "$log"; then counted=; fi
    fi
    if [[ -n $counted ]]; then
        sed "s/^/ok      $name ($((SECONDS - since)) s): /" <<< "$counted"
    else
        touch "$logs/$name.failed"
        echo "FAILED  $name ($((SECONDS - since)) s): $log"
        tail -n 40 "$log"
    fi
}

main
