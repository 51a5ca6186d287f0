#!/bin/sh
# Installs a package that handfast wrote: checks it, unpacks it whole or not at all, fills in an environment file,
# and starts what is to be started. Runs in any POSIX shell with tar and gzip, and prints no secret.
set -eu
umask 077
locale=${LC_ALL-}
export LC_ALL=C
unset CDPATH GZIP TAR_OPTIONS

help() {
  cat <<'END'
usage: sh install.sh --package FILE --into DIR [option ...]

  --package FILE    the package, a tar.gz
  --sha256 HEX      the package's own digest, from where it was issued; needed if no SHA256SUMS is in it
  --into DIR        where its files go. DIR is replaced as a whole; one that was not made by this script must be empty
  --env-file FILE   an environment file to bring up to date; it may lie in DIR. Its mode becomes 0600
  --set KEY=VALUE   set a variable in it; may be repeated. Others can see a command's arguments: use --ask for secrets
  --ask KEY         ask for a variable on the terminal, without showing it; may be repeated
  --then COMMAND    run a command with sh, in DIR, when all is in place
  --help            print this

exit codes: 0 done, 1 refused or failed (nothing is changed), 2 wrong usage, else that of COMMAND
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

# --- what is asked ---------------------------------------------------------------------------------------------------

newline='
'
package='' expected='' into='' env_file='' command='' settings='' asked=''

parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help) help; exit 0 ;;
      --package | --sha256 | --into | --env-file | --set | --ask | --then)
        [ $# -ge 2 ] || misuse "$1 wants a value"
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

# Files of at most 8 MiB, whatever the package claims.
limited() {
  (ulimit -f 16384 && exec "$@")
}

# Whether no line of a file matches. A grep that fails counts nothing, which is not 0.
none() {
  [ "$(grep -Ec "$@" || :)" = 0 ]
}

# A name is parts of plain characters, none of which begins with a hyphen or ends with a full stop; types are files and
# folders; no two names differ in case alone.
check_members() {
  limited tar -tzf "$stage/package" > "$stage/names" 2> "$stage/complaints" || fail 'the package is not a tar.gz'
  limited tar -tvzf "$stage/package" > "$stage/types" 2> /dev/null || fail 'the package is not a tar.gz'
  # Some tars drop the slash before an absolute name, and only mention it here.
  [ ! -s "$stage/complaints" ] || fail 'a member has a name that tar would change'
  count=$(wc -l < "$stage/names")
  [ "$count" -gt 0 ] || fail 'the package is empty'
  [ "$count" -le 1000 ] || fail 'the package has too many members'
  [ "$(wc -l < "$stage/types")" -eq "$count" ] || fail 'a member has no plain name'
  part='[A-Za-z0-9._+@=,][A-Za-z0-9._+@=,-]*'
  none -vx "$part(/$part)*/?" "$stage/names" || fail 'a member has no plain name'
  none '\.(/|$)' "$stage/names" || fail 'a member leads out of the folder, or has a name that ends with a full stop'
  none -v '^[-d]' "$stage/types" || fail 'a member is neither a file nor a folder'
  none ' (->|link to) ' "$stage/types" || fail 'a member is a link'
  [ "$(sed 's,/$,,' "$stage/names" | tr '[:upper:]' '[:lower:]' | sort -u | wc -l)" -eq "$count" ] || fail 'two members have one name'
  grep -v '/$' "$stage/names" | sort > "$stage/files" || fail 'the package has no files'
}

unpack() {
  mkdir "$stage/tree"
  limited tar -xzof "$stage/package" -C "$stage/tree" > /dev/null 2>&1 || fail 'the package cannot be unpacked'
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

# --- in place --------------------------------------------------------------------------------------------------------

mark=.handfast-package

# DIR is ours to replace if it is not there, empty, or made by this script.
check_target() {
  while [ "$into" != "${into%/}" ]; do into=${into%/}; done
  case ${into##*/} in '' | . | ..) misuse '--into is not the name of a folder' ;; esac
  case $into in /*) ;; *) into=$PWD/$into ;; esac
  parent=${into%/*}
  [ -d "${parent:-/}" ] || fail 'the folder above --into does not exist'
  [ ! -L "$into" ] || fail '--into is a symbolic link'
  [ -e "$into" ] || return 0
  [ -d "$into" ] || fail '--into is not a folder'
  [ -f "$into/$mark" ] || [ -z "$(ls -A "$into")" ] || fail '--into holds something else'
}

place() {
  [ ! -e "$stage/tree/$mark" ] || fail "the package has a file $mark"
  printf '%s\n' "$digest" > "$stage/tree/$mark"
  if [ -e "$into" ]; then
    mv "$into" "$stage/old"
    old=$stage/old
  fi
  mv "$stage/tree" "$into"
  old=''
}

# Writes what the environment file is to be beside it; put_env_file puts it in its place. One that lies in DIR is that
# of the package.
prepare_env_file() {
  [ -n "$settings" ] || return 0
  case $env_file in /*) ;; *) env_file=$PWD/$env_file ;; esac
  case $env_file in "$into"/*) env_file=$stage/tree/${env_file#"$into"/} ;; esac
  [ ! -L "$env_file" ] || fail 'the environment file is a symbolic link'
  [ ! -e "$env_file" ] || [ -f "$env_file" ] || fail 'the environment file is not a file'
  [ ! -e "$env_file.new.$$" ] || fail 'the environment file cannot be written'
  printf '' > "$env_file.new.$$" || fail 'the environment file cannot be written'
  new_env=$env_file.new.$$
  written=' '
  if [ -e "$env_file" ]; then change_lines < "$env_file" >> "$new_env"; fi
  printf '%s' "$settings" | add_lines >> "$new_env"
}

# Replaces the first line of each variable, and drops its others.
change_lines() {
  while IFS= read -r line || [ -n "$line" ]; do
    setting=''
    case $line in *=*) setting=$(setting_of "${line%%=*}") ;; esac
    if [ -z "$setting" ]; then printf '%s\n' "$line"; continue; fi
    key=${line%%=*}
    is_one_line "${line#*=}" || fail "the value of $key in the environment file is not understood"
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

# Whether a value ends where its line ends.
is_one_line() {
  inner=${1#?} inner=${inner%?}
  case $1 in
    \'*\') case $inner in *\'*) return 1 ;; esac ;;
    \"*\") case $inner in *[\"\\]*) return 1 ;; esac ;;
    *[\'\"\\]*) return 1 ;;
  esac
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

stage='' old='' new_env='' terminal=''

clean() {
  status=$?
  trap - EXIT
  [ -z "$terminal" ] || stty "$terminal"
  [ -z "$old" ] || [ -e "$into" ] || mv "$old" "$into"
  [ -z "$new_env" ] || rm -f "$new_env"
  [ -z "$stage" ] || rm -rf "$stage"
  exit "$status"
}

trap clean EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

parse "$@"
check_target
ask
mkdir "$parent/.${into##*/}.handfast.$$" || fail 'no folder can be made beside --into'
stage=$parent/.${into##*/}.handfast.$$
take_package
check_members
unpack
check_digests
prepare_env_file
case $env_file in "$stage"/*) put_env_file ;; esac
place
put_env_file
finished=$stage stage=''
rm -rf "$finished"
[ -n "$command" ] || exit 0
trap - EXIT HUP INT TERM
if [ -n "$locale" ]; then LC_ALL=$locale; else unset LC_ALL; fi
cd "$into"
exec sh -c "$command"
