#!/bin/sh
# ntpsd as a self-extracting executable: this script, then deno (gzip), then the program.
#
# At the first start both are unpacked into a folder that only the user can write to, and only root's is open to others,
# because the daemon that root starts goes on as another user; at every start both are verified, and
# deno is run with the permissions net and ffi. SHA-256 over deno's 96 MB takes longer than a start may, so it is computed
# when deno is unpacked and whenever its inode, size, owner, mode or times are not those noted then; at every start a
# CRC-32 over all its octets must match as well. The program itself is hashed with SHA-256 at every start.
set -eu

# A daemon that is told to end in its first moments ends by that signal, as process 1, which no signal ends, with its status;
# one that is told to reload has read nothing yet. Commands end by signals as any program does.
end() {
  trap - "$1"
  kill -s "$1" $$
  exit "$2"
}
ending='HUP INT QUIT TERM USR1 USR2 ALRM'
case ${1:-run} in
  run | -*)
    ending='INT QUIT TERM'
    trap 'end TERM 143' TERM
    trap 'end INT 130' INT
    trap 'exit 131' QUIT
    trap '' USR1 USR2 ALRM HUP
    ;;
esac

id=@ID@
runtime_sha256=@RUNTIME_SHA256@
runtime_cksum='@RUNTIME_CKSUM@'
program_sha256='@PROGRAM_SHA256@'
payload=@PAYLOAD@
packed_octets=@PACKED_OCTETS@
program_octets=@PROGRAM_OCTETS@
status_format='%d %i %f %u %g %s %y %z'

self=$0
case $self in
  */*) ;;
  *) self=./$self ;;
esac
user=$(id -u)

fail() {
  printf 'ntpsd: %s\n' "$1" >&2
  exit "$2"
}

# The modes of what is unpacked: 41c0 is drwx------, 41ed is drwxr-xr-x.
case $user in
  0) closed=022 folder_mode=755 folder_hex=41ed runtime_mode=555 program_mode=644 ;;
  *) closed=077 folder_mode=700 folder_hex=41c0 runtime_mode=500 program_mode=600 ;;
esac

# A folder is used only if it is a real folder (no link), ours, and no other user can write to it.
is_ours() {
  [ "$(stat -c '%f %u' -- "$1" 2>/dev/null)" = "$folder_hex $user" ]
}

# Whether nobody but root can rename $1 or a folder above it: each is root's, and writable for root alone or sticky.
is_roots() {
  place=$1
  while :; do
    [ ! -L "$place" ] || return 1
    case $(stat -c '%u %A' -- "$place" 2>/dev/null) in '0 '?????-??-?) ;; '0 '?????????[tT]) ;; *) return 1 ;; esac
    [ "$place" != / ] || return 0
    place=${place%/*}
    place=${place:-/}
  done
}

sha256_of() {
  sum=$(sha256sum <"$1") && printf '%s' "${sum%% *}"
}

program_is_good() {
  printf '%s\n' "$program_sha256" | (cd -- "$home/program" && sha256sum -c) >/dev/null 2>&1
}

# Fast: nothing about the file has changed since its SHA-256 was found right, and its CRC is right now.
runtime_is_unchanged() {
  status=
  [ -r "$home/verified" ] && read -r status <"$home/verified" || return 1
  [ "$(stat -c "$status_format" -- "$home/ntpsd")" = "$status" ] &&
    [ "$(cksum <"$home/ntpsd")" = "$runtime_cksum" ]
}

# Slow: the whole truth, noted for the next start. The status is taken before the hash, so a change meanwhile is seen.
runtime_is_good() {
  status=$(stat -c "$status_format" -- "$home/ntpsd")
  [ "$(sha256_of "$home/ntpsd")" = "$runtime_sha256" ] || return 1
  (umask 077 && printf '%s\n' "$status" >"$home/verified.$$" && mv -f -- "$home/verified.$$" "$home/verified") || true
}

is_ready() {
  [ -f "$home/ntpsd" ] && program_is_good || return 1
  runtime_is_unchanged || runtime_is_good
}

need_tools() {
  for tool in head tail tar gzip stat sha256sum cksum mktemp; do
    command -v "$tool" >/dev/null || fail "The program $tool is needed to unpack and verify, and is missing" 69
  done
}

# Unpacks beside the place of use and renames, so that a file is there whole or not at all, also when two start at once.
unpack() {
  (
    umask 077
    work=$(mktemp -d "$home/new.XXXXXX") || exit 74
    trap 'rm -rf -- "$work"' EXIT
    trap 'exit 75' $ending
    tail -c "+$payload" -- "$self" | head -c "$packed_octets" | gzip -dc >"$work/ntpsd" &&
      mkdir -p -- "$work/program" "$home/program" &&
      tail -c "$program_octets" -- "$self" | tar -xf - -C "$work/program" &&
      chmod "$runtime_mode" "$work/ntpsd" &&
      chmod "$folder_mode" "$home/program" &&
      chmod "$program_mode" "$work/program"/* &&
      mv -f -- "$work/ntpsd" "$home/ntpsd" &&
      mv -f -- "$work/program"/* "$home/program/" || exit 74
    # What was killed while it unpacked, and what other versions left, unless it was made in the last hour or week.
    find "$home" -mindepth 1 -maxdepth 1 -name '*.*' -mmin +60 -exec rm -rf -- {} + 2>/dev/null || true
    find "$cache" -mindepth 1 -maxdepth 1 -type d ! -name "$id" -mtime +7 -exec rm -rf -- {} + 2>/dev/null || true
  )
}

is_whole() {
  [ "$(stat -L -c %s -- "$self")" = $((payload - 1 + packed_octets + program_octets)) ]
}

make_folder() {
  (umask "$closed" && mkdir -p -- "$1") 2>/dev/null || return 1
  # Root's own from before may be closed.
  [ "$(stat -c '%f %u' -- "$1" 2>/dev/null)" != "41c0 $user" ] || chmod "$folder_mode" -- "$1"
  is_ours "$1"
}

# Makes $1 the place of work if it can be one; if not, says nothing, for the next place is tried.
use_folder() {
  cache=$1
  home=$cache/$id
  if [ "$user" = 0 ]; then
    make_folder "$cache" && is_roots "$cache" || return 1
  fi
  if ! is_ours "$cache" || ! is_ours "$home" || ! is_ready; then
    is_whole || fail "This file is damaged, it has not the length that it names: $self" 74
    make_folder "$cache" && make_folder "$home" && unpack 2>/dev/null || return 1
    is_ready || fail "This file is damaged, what it holds has not the hashes that it names: $self" 74
  fi
  [ -x "$home/ntpsd" ] && return
  rm -rf -- "$home"
  return 1
}

# CACHE_DIRECTORY comes from systemd. Root uses no folder whose name or whose folders above another user can change, so
# none under /tmp that others could have made before.
find_folder() {
  case ${CACHE_DIRECTORY:-} in /*) use_folder "$CACHE_DIRECTORY/runtime" && return ;; esac
  if [ "$user" = 0 ]; then
    use_folder /var/cache/ntpsd-runtime && return
    use_folder /var/lib/ntpsd-runtime && return
    use_folder /run/ntpsd-runtime && return
    return 1
  else
    case ${XDG_CACHE_HOME:-} in /*) use_folder "$XDG_CACHE_HOME/ntpsd" && return ;; esac
    case ${HOME:-} in /*) use_folder "$HOME/.cache/ntpsd" && return ;; esac
  fi
  use_folder "/tmp/ntpsd-$user"
}

# Under smaller limits the runtime ends in a crash, before it can say why.
memory=$(ulimit -v)
[ "$memory" = unlimited ] || [ "$memory" -ge 36000000 ] ||
  fail "The limit on address space (ulimit -v, LimitAS=) is $memory kB; the runtime reserves, and does not use, more than 36000000 kB. Limit memory by MemoryMax= instead" 69
data=$(ulimit -d)
[ "$data" = unlimited ] || [ "$data" -ge 600000 ] ||
  fail "The limit on data (ulimit -d, LimitDATA=) is $data kB, and the runtime needs 600000. Limit memory by MemoryMax= instead" 69
stack=$(ulimit -s)
[ "$stack" = unlimited ] || [ "$stack" -ge 2048 ] ||
  fail "The limit on the stack (ulimit -s, LimitSTACK=) is $stack kB, and the runtime needs 2048" 69
files=$(ulimit -n)
[ "$files" = unlimited ] || [ "$files" -ge 32 ] ||
  fail "The limit on open files (ulimit -n, LimitNOFILE=) is $files, and ntpsd needs 32" 69

# What comes while the runtime loads is blocked until the program listens.
hold=
case ${1:-run} in
  run | -*)
    signals=TERM,INT,QUIT,HUP,USR1,USR2,ALRM
    env "--block-signal=$signals" true 2>/dev/null && hold="env --block-signal=$signals"
    ;;
esac

need_tools
[ -r "$self" ] || fail "This file must be readable to unpack itself: $self" 77
case $user in
  0) places='CACHE_DIRECTORY, /var/cache, /var/lib or /run, writable for root alone' ;;
  *) places='CACHE_DIRECTORY, XDG_CACHE_HOME, ~/.cache or /tmp' ;;
esac
find_folder || fail "A folder of its own to unpack into was wanted ($places, mounted without noexec, with 100 MB free), found none that passes" 74

# What is set for other programs that run on deno or like Node must not change this one.
unset DENO_V8_FLAGS DENO_LOG RUST_LOG DENO_COVERAGE_DIR DENO_TRACE_PERMISSIONS DENO_AUDIT_PERMISSIONS DENO_CERT DENO_TLS_CA_STORE \
  DENO_SERVE_ADDRESS DENO_AUTH_TOKENS OTEL_DENO NODE_OPTIONS NODE_CHANNEL_FD NODE_EXTRA_CA_CERTS NODE_V8_COVERAGE
DENO_DIR=$home/deno
DENO_NO_UPDATE_CHECK=1
DENO_NO_PACKAGE_JSON=1
export DENO_DIR DENO_NO_UPDATE_CHECK DENO_NO_PACKAGE_JSON
# $hold is two words or none.
exec $hold "$home/ntpsd" run --quiet @RUNTIME_FLAGS@ --no-config --no-lock --no-remote --no-npm --cached-only --no-check "$home/program/main.js" "$@"
exit 70
