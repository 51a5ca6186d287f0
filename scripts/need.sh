#!/usr/bin/env bash
# Says in one line what is missing: need.sh COMMAND WHAT-IT-IS [MINIMUM-MAJOR.MINOR]
set -euo pipefail
command=$1 what=$2 minimum=${3:-0.0}
if ! path=$(command -v "$command"); then
    echo "missing: $command ($what${3:+, $minimum or newer})" >&2
    exit 1
fi
version=$("$path" --version 2>&1 | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
if [ "$(printf '%s\n%s\n' "$minimum" "$version" | sort -V | head -n 1)" != "$minimum" ]; then
    echo "too old: $command $version ($what, $minimum or newer)" >&2
    exit 1
fi
