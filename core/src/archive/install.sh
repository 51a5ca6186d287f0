#!/bin/sh
# Installs a package that handfast wrote: checks it, unpacks it whole or not at all, fills in an environment file,
# and starts what is to be started. Runs in any POSIX shell with tar and gzip, and prints no secret.
set -eu
umask 077
locale=${LC_ALL-}
export LC_ALL=C
set +a
unset CDPATH GZIP TAR_OPTIONS GREP_OPTIONS
# A variable that the caller exports would hand what is put into it here, a secret perhaps, to every command.
unset settings value line setting found candidate

help() {
  cat <<'END'
usage: sh install.sh --package FILE --into DIR [option ...]

  --package FILE    the package, a tar.gz
  --sha256 HEX      the package's own digest, from where it was issued; needed if no SHA256SUMS is in it
  --into DIR        where its files go. DIR is replaced as a whole; one that was not made by this script must be empty
  --env-file FILE   an environment file to bring up to date, made if it is not there; it may lie in DIR. It becomes a
                    file of the user who runs this, with mode 0600. Each of its lines must stand for itself
  --set KEY=VALUE   set a variable in it; may be repeated. Others can see a command's arguments: use --ask for secrets
  --ask KEY         ask for a variable on the terminal, without showing it; may be repeated
  --then COMMAND    run a command with sh, in DIR, when all is in place
  --help            print this

exit codes: 0 done, 1 refused or failed (nothing is changed), 2 wrong usage, 128 + N ended by signal N (nothing is
changed), else that of COMMAND

DIR is replaced by two renames. If the run is killed, or the machine loses its power, between them, DIR is missing:
what was there is in .NAME.handfast beside it, and the next run begins with putting it back. Whatever else a killed run
left in such folders, beside DIR and beside an environment file elsewhere, the next run for the same paths removes; until
then secrets lie there, for this user alone. The folders .NAME.handfast.lock keep other runs away meanwhile.
END
}

fail() {
  printf 'install: %s\n' "$1" >&2
  exit 1
}

misuse() {
  printf 'install: %s (see --help)\n' "$1" >&2
  exit 2
}

# No package of handfast comes near these, but for those of names, which are its own.
most_bytes=8388608
most_members=1000
most_name_bytes=100
most_parts=8

# --- what is asked ---------------------------------------------------------------------------------------------------

newline='
'
package='' expected='' into='' env_file='' command='' settings='' asked=''

parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help) help; exit 0 ;;
      --package | --sha256 | --into | --env-file | --set | --ask | --then)
        # An empty one is a variable that was not set, and no wish to go without.
        [ -n "${2-}" ] || misuse "$1 wants a value"
        case $1 in
          --package) package=$2 ;;
          --sha256) expected=$2 ;;
          --into) into=$2 ;;
          --env-file) env_file=$2 ;;
          --set) add_setting "$2" ;;
          --ask) check_key "$2"; asked="$asked $2" ;;
          --then) command=$2 ;;
        esac
        shift 2 ;;
      *) misuse 'there is an argument that means nothing' ;;
    esac
  done
  [ -n "$package" ] || misuse 'no --package'
  [ -n "$into" ] || misuse 'no --into'
  case $expected in *[!0-9a-f]*) misuse '--sha256 is not 64 lower-case hexadecimal digits' ;; esac
  [ ${#expected} -eq 0 ] || [ ${#expected} -eq 64 ] || misuse '--sha256 is not 64 lower-case hexadecimal digits'
  [ -z "$settings$asked" ] || [ -n "$env_file" ] || misuse '--set and --ask want an --env-file'
}

check_key() {
  case $1 in '' | [0-9]* | *[!A-Za-z0-9_]*) misuse 'a key is not of letters, digits and _' ;; esac
}

# Only what every reader of such files understands alike; the value itself is never part of a message.
add_setting() {
  case $1 in *=*) ;; *) misuse '--set wants KEY=VALUE' ;; esac
  key=${1%%=*} value=${1#*=}
  check_key "$key"
  case $value in *\'* | *\\*) misuse "the value of $key has a quote or a backslash in it" ;; esac
  [ "$(printf '%s' "$value" | tr -d '[:cntrl:]')" = "$value" ] || misuse "the value of $key has a control character in it"
  settings="$settings$key='$value'$newline"
}

ask() {
  [ -z "$asked" ] && return
  [ -t 0 ] || fail '--ask wants a terminal'
  for key in $asked; do
    printf '%s: ' "$key" >&2
    terminal=$(stty -g)
    stty -echo
    IFS= read -r value || fail 'nothing was entered'
    stty "$terminal"
    terminal=''
    printf '\n' >&2
    add_setting "$key=$value"
  done
}

# --- the package -----------------------------------------------------------------------------------------------------

sha256() {
  if command -v sha256sum > /dev/null; then sha256sum < "$1"
  elif command -v shasum > /dev/null; then shasum -a 256 < "$1"
  else openssl dgst -sha256 -r < "$1"
  fi | cut -c 1-64
}

# Works on a copy of its own, so that nobody changes the package between the check and the unpacking.
take_package() {
  [ -f "$package" ] || fail 'the package is not a file'
  cp -- "$package" "$stage/package" || fail 'the package cannot be read'
  digest=$(sha256 "$stage/package")
  [ ${#digest} -eq 64 ] || fail 'no way to compute SHA-256 here'
  [ -z "$expected" ] || [ "$digest" = "$expected" ] || fail 'the package does not have the expected digest'
}

# Ends what writes a file larger than the whole package may be (some shells count in 1024 bytes, and allow twice that).
limited() {
  (ulimit -f $((most_bytes / 512)) && exec "$@")
}

# Whether no line of a file matches. A grep that fails counts nothing, which is not 0.
none() {
  [ "$(grep -Ec "$@" || :)" = 0 ]
}

# The names of FileName, in Rust: parts of plain characters, none of which begins with a hyphen, ends with a full stop or
# is a device of Windows; no two of them, nor of their folders, differ in case alone. Types are files and folders.
check_members() {
  limited gzip -dc < "$stage/package" > "$stage/tar" 2> /dev/null || fail 'the package is damaged, no gzip, or too large'
  [ "$(wc -c < "$stage/tar")" -le "$most_bytes" ] || fail 'the package is too large'
  limited tar -tf "$stage/tar" > "$stage/names" 2> "$stage/complaints" || fail 'the package is not a tar.gz'
  limited tar -tvf "$stage/tar" > "$stage/types" 2> /dev/null || fail 'the package is not a tar.gz'
  # Some tars drop the slash before an absolute name, and only mention it here.
  [ ! -s "$stage/complaints" ] || fail 'a member has a name that tar would change'
  count=$(wc -l < "$stage/names")
  [ "$count" -gt 0 ] || fail 'the package is empty'
  [ "$count" -le "$most_members" ] || fail 'the package has too many members'
  [ "$(wc -l < "$stage/types")" -eq "$count" ] || fail 'a member has no plain name'
  part='[A-Za-z0-9._+@=,][A-Za-z0-9._+@=,-]*'
  none -vx "$part(/$part)*/?" "$stage/names" || fail 'a member has no plain name'
  none '\.(/|$)' "$stage/names" || fail 'a member leads out of the folder, or has a name that ends with a full stop'
  sed 's,/$,,' "$stage/names" > "$stage/paths"
  none ".{$((most_name_bytes + 1))}" "$stage/paths" || fail 'a member has too long a name'
  none "(/[^/]*){$most_parts}" "$stage/paths" || fail 'a member lies too deep'
  none -i '(^|/)(con|prn|aux|nul|(com|lpt)[0-9])(\.[^/]*)?(/|$)' "$stage/paths" || fail 'a member is a device of Windows'
  none -v '^[-d]' "$stage/types" || fail 'a member is neither a file nor a folder'
  none ' (->|link to) ' "$stage/types" || fail 'a member is a link'
  [ "$(sort -u "$stage/paths" | wc -l)" -eq "$count" ] || fail 'two members have one name'
  awk -F/ '{ path = $1; print path; for (i = 2; i <= NF; i++) { path = path "/" $i; print path } }' "$stage/paths" |
    sort -u > "$stage/all"
  [ "$(tr '[:upper:]' '[:lower:]' < "$stage/all" | sort -u | wc -l)" -eq "$(wc -l < "$stage/all")" ] ||
    fail 'two members have one name'
  grep -v '/$' "$stage/names" | sort > "$stage/files" || fail 'the package has no files'
}

unpack() {
  mkdir "$stage/tree"
  limited tar -xof "$stage/tar" -C "$stage/tree" > /dev/null 2>&1 || fail 'the package cannot be unpacked'
  [ -z "$(find "$stage/tree" ! -type f ! -type d)" ] || fail 'a member is neither a file nor a folder'
  [ -z "$(find "$stage/tree" -type f -links +1)" ] || fail 'a member is a link'
  (cd "$stage/tree" && find . -type f | sed 's,^\./,,' | sort) | cmp -s - "$stage/files" || fail 'the package is not what it lists'
  find "$stage/tree" -type d -exec chmod ug-s,-t,u=rwx,go= {} +
  find "$stage/tree" -type f ! -perm -0100 -exec chmod 0600 {} +
  find "$stage/tree" -type f -perm -0100 -exec chmod 0700 {} +
}

# The list names every file but itself, once.
check_digests() {
  list=$stage/tree/SHA256SUMS
  if [ ! -f "$list" ]; then
    [ -n "$expected" ] || fail 'the package has no SHA256SUMS: give its own digest with --sha256'
    return
  fi
  none -v '^[0-9a-f]{64}  [^ ]+$' "$list" || fail 'SHA256SUMS is malformed'
  cut -c 67- "$list" | sort > "$stage/listed"
  grep -Fvx SHA256SUMS "$stage/files" | cmp -s - "$stage/listed" || fail 'SHA256SUMS does not list exactly the files'
  while read -r wanted name; do
    [ "$(sha256 "$stage/tree/$name")" = "$wanted" ] || fail "a file is damaged: $name"
  done < "$list"
}

# --- one run at a time -----------------------------------------------------------------------------------------------

# Whether this is a folder of the user's own, in which nobody else can have put anything.
is_ours() {
  [ -n "$(find "$1" -prune -type d -user "$(id -u)" 2> /dev/null)" ]
}

# Keeps other runs away from what has this name in this folder, by the folder $claimed, which says who holds it.
claim() {
  claimed=$1/.$2.handfast.lock
  if mkdir "$claimed" 2> /dev/null || inherit; then
    printf '%s\n' "$$ $(uname -n)" > "$claimed/holder" || { rm -rf "$claimed"; fail "nothing can be written in $1"; }
    return
  fi
  [ -d "$claimed" ] || fail "no folder can be made in $1"
  fail "another run is at work, or was killed: if there is none, remove $claimed and run again"
}

# Takes what a dead process of this machine holds: whoever makes the folder named after it is its heir.
inherit() {
  is_ours "$claimed" || return 1
  holder=$(cat "$claimed/holder" 2> /dev/null) || return 1
  process=${holder%% *}
  case $process in '' | *[!0-9]*) return 1 ;; esac
  [ "$holder" = "$process $(uname -n)" ] || return 1
  if [ "$process" -ne $$ ] && kill -0 "$process" 2> /dev/null; then return 1; fi
  mkdir "$claimed/after.$process" 2> /dev/null || return 1
  [ "$(cat "$claimed/holder" 2> /dev/null)" = "$holder" ]
}

# Makes $work, the private folder for what is claimed. One that is there is what a killed run left.
make_work() {
  work=$1/.$2.handfast
  if [ -e "$work" ] || [ -L "$work" ]; then
    is_ours "$work" || fail "there is $work, which is of somebody else"
    rm -rf "$work"
  fi
  mkdir "$work" || fail "no folder can be made in $1"
}

# --- in place --------------------------------------------------------------------------------------------------------

mark=.handfast-package

# The path of a folder that is there, without links and without a final slash.
real() {
  (cd -P -- "$1" 2> /dev/null && pwd -P | sed 's,^//*,/,; s,/$,,')
}

locate_target() {
  while [ "$into" != "${into%/}" ]; do into=${into%/}; done
  name=${into##*/}
  case $name in '' | . | ..) misuse '--into is not the name of a folder' ;; esac
  case $into in /*) ;; *) into=./$into ;; esac
  [ -d "${into%/*}/" ] || fail 'the folder above --into does not exist'
  parent=$(real "${into%/*}/")
  into=$parent/$name
}

# Puts back what a run that was killed had put away.
recover() {
  if [ ! -e "$into" ] && is_ours "$parent/.$name.handfast" && [ -e "$parent/.$name.handfast/old" ]; then
    mv "$parent/.$name.handfast/old" "$into"
  fi
}

# DIR is ours to replace if it is not there, empty, or made by this script.
check_target() {
  [ ! -L "$into" ] || fail '--into is a symbolic link'
  [ -e "$into" ] || return 0
  [ -d "$into" ] || fail '--into is not a folder'
  [ -f "$into/$mark" ] || [ -z "$(ls -A "$into")" ] || fail '--into holds something else'
}

# All or nothing, as far as no signal but KILL can tell; `clean` undoes what could not be finished.
place() {
  [ ! -e "$stage/tree/$mark" ] || fail "the package has a file $mark"
  printf '%s\n' "$digest" > "$stage/tree/$mark"
  # Some systems can write these alone to their disk, some write everything, some cannot.
  find "$stage/tree" -exec sync {} + 2> /dev/null || :
  ignore_signals
  check_target
  swapping=yes
  if [ -e "$into" ]; then mv "$into" "$stage/old"; fi
  [ ! -e "$into" ] || fail 'somebody else makes --into'
  mv "$stage/tree" "$into"
  put_env_file
  swapping=''
}

# --- the environment file --------------------------------------------------------------------------------------------

# Whether a path, be there something or not, is DIR.
is_target() {
  if [ -d "$1" ]; then [ "$(real "$1")" = "$into" ]; else [ "$(real "${1%/*}/")/${1##*/}" = "$into" ]; fi
}

# Sets $inner if the environment file lies in DIR, and is that of the package; else its $folder and $env_name.
locate_env_file() {
  case $env_file in /*) ;; *) env_file=$(pwd -P)/$env_file ;; esac
  env_name=${env_file##*/}
  case $env_name in '' | . | ..) misuse '--env-file is not the name of a file' ;; esac
  ! is_target "$env_file" || misuse '--env-file is --into'
  above=$env_file inner='' rest=''
  while [ -n "$above" ]; do
    rest=/${above##*/}$rest above=${above%/*}
    ! is_target "$above" || inner=$rest
  done
  case $inner/ in
    */./* | */../*) misuse '--env-file leads through --into with . or ..' ;;
    "/$mark/") misuse '--env-file is the mark of this script' ;;
    /) ;;
    *) return ;;
  esac
  folder=$(real "${env_file%/*}/") || fail 'the folder of the environment file does not exist'
  case $folder/ in "$into"/*) inner=${folder#"$into"}/$env_name ;; esac
}

# Writes what the environment file is to be into a private folder; put_env_file puts it in its place.
prepare_env_file() {
  if [ -n "$inner" ]; then
    env_file=$stage/tree$inner new_env=$stage/env
    [ -d "${env_file%/*}" ] || fail 'the folder of the environment file is not in the package'
  else
    env_file=$folder/$env_name new_env=$env_work/env
  fi
  [ ! -L "$env_file" ] || fail 'the environment file is a symbolic link'
  [ ! -e "$env_file" ] || [ -f "$env_file" ] || fail 'the environment file is not a file'
  written=' '
  : > "$new_env"
  if [ -e "$env_file" ]; then
    check_lines "$env_file"
    change_lines < "$env_file" >> "$new_env"
  fi
  printf '%s' "$settings" | add_lines >> "$new_env"
}

# Every line must stand for itself, for a shell and for all releases of systemd: quotes are closed, no backslash is at an
# end, not even that of a comment.
check_lines() {
  cp -- "$1" "$new_env.old"
  none -vx "[[:space:]]*[#;](.*[^\\])?|([^'\"\\]|\\\\.|'([^'\\]|\\\\[^'])*'|\"([^\"\\]|\\\\.)*\")*" "$new_env.old" ||
    fail 'the environment file has a value of several lines, an open quote, or a line that ends with a backslash'
}

# Replaces the first line of each variable, and drops its others.
change_lines() {
  while IFS= read -r line || [ -n "$line" ]; do
    setting=''
    case $line in *=*) setting=$(setting_of "${line%%=*}") ;; esac
    if [ -z "$setting" ]; then printf '%s\n' "$line"; continue; fi
    key=${line%%=*}
    case $written in *" $key "*) continue ;; esac
    printf '%s\n' "$setting"
    written="$written$key "
  done
}

add_lines() {
  while IFS= read -r line; do
    key=${line%%=*}
    case $written in *" $key "*) continue ;; esac
    setting_of "$key"
    written="$written$key "
  done
}

put_env_file() {
  [ -z "$new_env" ] || mv -f "$new_env" "$env_file"
  new_env=''
}

# The last setting of a variable, or nothing.
setting_of() {
  found=''
  while IFS= read -r candidate; do
    case $candidate in "$1="*) found=$candidate ;; esac
  done <<END
$settings
END
  [ -z "$found" ] || printf '%s\n' "$found"
}

# --- the end ---------------------------------------------------------------------------------------------------------

stage='' swapping='' new_env='' terminal='' lock='' env_lock='' env_work='' inner=''

clean() {
  status=$?
  trap - EXIT
  ignore_signals
  set +e
  [ -z "$terminal" ] || stty "$terminal"
  if [ -n "$swapping" ]; then
    [ -e "$stage/tree" ] || mv "$into" "$stage/tree"
    if [ -e "$stage/old" ] && ! { [ ! -e "$into" ] && mv "$stage/old" "$into"; }; then
      printf 'install: what was in --into is now %s\n' "$stage/old" >&2
      stage=''
    fi
  fi
  tidy
  exit "$status"
}

tidy() {
  [ -z "$stage" ] || rm -rf "$stage"
  [ -z "$env_work" ] || rm -rf "$env_work"
  [ -z "$env_lock" ] || rm -rf "$env_lock"
  [ -z "$lock" ] || rm -rf "$lock"
}

ignore_signals() {
  trap '' HUP INT QUIT PIPE TERM
}

heed_signals() {
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 131' QUIT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
}

trap clean EXIT
parse "$@"
locate_target
# What is made here must not be forgotten.
ignore_signals
claim "$parent" "$name"
lock=$claimed
recover
check_target
make_work "$parent" "$name"
stage=$work
if [ -n "$env_file" ]; then
  locate_env_file
  if [ -z "$inner" ]; then
    claim "$folder" "$env_name"
    env_lock=$claimed
    make_work "$folder" "$env_name"
    env_work=$work
  fi
fi
heed_signals
ask
take_package
check_members
unpack
check_digests
if [ -n "$env_file" ]; then prepare_env_file; fi
if [ -n "$inner" ]; then put_env_file; fi
place
tidy
[ -n "$command" ] || { trap - EXIT; exit 0; }
trap - EXIT HUP INT QUIT PIPE TERM
if [ -n "$locale" ]; then LC_ALL=$locale; else unset LC_ALL; fi
cd "$into"
exec sh -c "$command"
