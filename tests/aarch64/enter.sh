#!/bin/sh
# Runs a command where programs for aarch64 start by way of QEMU: enter.sh FOLDER COMMAND...
# FOLDER is what emulated_machine.ts made. The kernel is told in a namespace of its own, so that
# nothing else on this machine starts otherwise than before; that needs Linux 6.7 or later.
set -eu
FOLDER=$1
shift
if [ "${NTPSD_ENTERED-}" != "$FOLDER" ]; then
  NTPSD_ENTERED=$FOLDER
  export NTPSD_ENTERED
  exec unshare --user --map-root-user --mount "$0" "$FOLDER" "$@"
fi
unset NTPSD_ENTERED
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
# The head of an executable of ELF, 64 bits, little-endian, for aarch64; F: QEMU is opened now.
MAGIC='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
MASK='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
printf '%s' ":aarch64:M::$MAGIC:$MASK:$FOLDER/qemu:F" \
  >/proc/sys/fs/binfmt_misc/register
QEMU_LD_PREFIX=$FOLDER/root
DENO_DIR=$FOLDER/deno_dir
PATH=$FOLDER/bin:$PATH
export QEMU_LD_PREFIX DENO_DIR PATH
exec "$@"
