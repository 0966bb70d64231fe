#!/bin/sh
# Run a command in an arm64 root: sh enter.sh ROOT CPU COMMAND…
#
# CPU is qemu's name of the processor to be: cortex-a72 (Raspberry Pi 4) or cortex-a76 (5). The
# command has no network and none of this machine's environment. Mounts end with it.
set -eu

if [ "${ENTERED:-}" != yes ]; then
    ENTERED=yes exec unshare --mount --net "$0" "$@"
fi

root=$1 cpu=$2
shift 2
case $cpu in
cortex-a72)
    part=0xd08 features="fp asimd evtstrm crc32 cpuid"
    ;;
cortex-a76)
    part=0xd0b features="fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid"
    features="$features asimdrdm lrcpc dcpop asimddp"
    ;;
*)
    echo "enter.sh: no description of the processor $cpu; known: cortex-a72, cortex-a76" >&2
    exit 2
    ;;
esac

mount -t proc proc "$root/proc"
mount --bind /sys "$root/sys"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
# qemu 7.2 shows this machine's /proc/cpuinfo. ONNX Runtime looks there for the fields of ARM
# processors, and crashes at import where they are missing.
grep '^processor' /proc/cpuinfo | while read -r processor; do
    printf '%s\nFeatures\t: %s\nCPU implementer\t: 0x41\nCPU architecture: 8\n' \
        "$processor" "$features"
    printf 'CPU variant\t: 0x0\nCPU part\t: %s\nCPU revision\t: 3\n\n' $part
done >"$root/run/cpuinfo"
mount --bind "$root/run/cpuinfo" "$root/proc/cpuinfo"
exec env -i HOME=/root LC_ALL=C.UTF-8 QEMU_CPU="$cpu" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"
