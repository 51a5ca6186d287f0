#!/usr/bin/env bash
# A PostgreSQL of one's own, for tests and measurements: in a folder, on a Unix socket, durable, and gone when stopped.
#
#   scripts/postgres.sh start DIR    makes and starts one in DIR, and prints its URL
#   scripts/postgres.sh stop DIR     stops it; its files stay
#   scripts/postgres.sh url DIR      prints its URL
#   scripts/postgres.sh find         prints the folder of the programs, or fails
#   scripts/postgres.sh install      installs PostgreSQL (Debian, Ubuntu; as root)
#
# PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where there is no such account.
# Nothing listens on the network: whoever may enter DIR (its owner and root) may connect, nobody else.
set -euo pipefail

fail() { echo "postgres.sh: $*" >&2; exit 1; }

# The newest programs that are installed; all of them come from one folder.
find_programs() {
    local folder
    for folder in ${POSTGRES_BIN:-} "$(pg_config --bindir 2> /dev/null || true)" \
        $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin /opt/homebrew/opt/postgresql*/bin 2> /dev/null | sort -Vr) \
        ${PATH//:/ }; do
        if [[ -x $folder/initdb && -x $folder/postgres && -x $folder/pg_ctl ]]; then
            echo "$folder"
            return
        fi
    done
    return 1
}

account() {
    if id postgres > /dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# Runs a program as somebody whom PostgreSQL accepts, from a folder which that account can see.
unprivileged() {
    if [[ $(id -u) -ne 0 ]]; then
        "$@"
    elif command -v setpriv > /dev/null; then
        (cd / && setpriv --reuid="$(account)" --regid="$(id -g "$(account)")" --init-groups env HOME="$dir" "$@")
    else
        (cd / && runuser -u "$(account)" -- env HOME="$dir" "$@")
    fi
}

url() { echo "postgres:///postgres?host=$dir&user=handfast"; }

running() { [[ -f $dir/data/postmaster.pid ]] && unprivileged "$programs/pg_ctl" status -D "$dir/data" > /dev/null 2>&1; }

start() {
    mkdir -p "$dir"
    if [[ $(id -u) -eq 0 ]]; then chown "$(account)" "$dir"; fi
    unprivileged chmod 700 "$dir" || fail "the account $(account) cannot reach $dir"
    [[ ${#dir} -le 90 ]] || fail "$dir is too long for the path of a socket"
    if [[ ! -f $dir/data/PG_VERSION ]]; then
        unprivileged "$programs/initdb" --no-sync --pgdata="$dir/data" --username=handfast --auth=trust --encoding=UTF8 --locale=C \
            > "$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; fail "initdb failed"; }
        # What counts must survive a power cut here as it must elsewhere: the defaults that say so are spelled out.
        unprivileged tee -a "$dir/data/postgresql.conf" > /dev/null <<- CONF
			listen_addresses = ''
			unix_socket_directories = '$dir'
			unix_socket_permissions = 0700
			max_connections = 200
			fsync = on
			synchronous_commit = on
			full_page_writes = on
		CONF
        # One account needs its password, so that passwords can be tested.
        unprivileged tee "$dir/data/pg_hba.conf" > /dev/null <<- HBA
			local all guarded scram-sha-256
			local all all trust
		HBA
    fi
    running || unprivileged "$programs/pg_ctl" start -w -t 60 -s -D "$dir/data" -l "$dir/log" \
        || { tail -20 "$dir/log" >&2; fail "it does not start"; }
    url
}

stop() {
    if running; then unprivileged "$programs/pg_ctl" stop -w -t 60 -s -m fast -D "$dir/data"; fi
}

install() {
    find_programs && return
    [[ $(id -u) -eq 0 ]] || fail "not installed; as root: apt-get install postgresql"
    command -v apt-get > /dev/null || fail "not installed, and there is no apt-get here"
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends postgresql
    find_programs
}

case ${1:-} in
    find) find_programs || fail "PostgreSQL is not installed (scripts/postgres.sh install)" ;;
    install) install ;;
    start | stop | url)
        [[ $# -eq 2 ]] || fail "usage: $0 $1 DIR"
        dir=$(realpath -m "$2")
        programs=$(find_programs) || fail "PostgreSQL is not installed (scripts/postgres.sh install)"
        "$1"
        ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
