#!/bin/sh
# Run a command in an arm64 root: sh enter.sh ROOT CPU COMMAND…
#
# CPU is qemu's name of the processor to be (cortex-a72: Raspberry Pi 4, cortex-a76: Raspberry Pi 5).
# The command has no network and none of this machine's environment. Mounts end with it.
set -eu

root=$1 cpu=$2
shift 2
# The variables are for sh -c, not for this shell.
# shellcheck disable=SC2016
exec nice -n 10 unshare --mount --net sh -c '
    root=$0 cpu=$1
    shift
    mount -t proc proc "$root/proc"
    mount --bind /sys "$root/sys"
    mount --bind /dev "$root/dev"
    exec env -i HOME=/root LC_ALL=C.UTF-8 QEMU_CPU="$cpu" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"
' "$root" "$cpu" "$@"
