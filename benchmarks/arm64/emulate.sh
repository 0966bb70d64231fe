#!/usr/bin/env bash
# Install asr-runtime from wheels alone on an emulated 64-bit ARM Debian, transcribe the demo clip
# there and on this machine, and fail if the results differ. Prints a report in Markdown.
#
#   sudo benchmarks/arm64/emulate.sh FOLDER > report.md
#
# FOLDER gets the Debian root, the wheels and the measurements; a root that is there is used again.
# Variables: SUITE (bookworm), MIRROR (the one apt uses), CPUS (qemu's names of the processors to
# be), PYTHON (python3, with pip). Emulation shows that it works, not how fast a device is.
set -euo pipefail
renice -n 10 -p $$ >/dev/null  # this is long and heavy, and nobody waits for it

suite=${SUITE:-bookworm}
python=${PYTHON:-python3}
read -r -a cpus <<<"${CPUS:-cortex-a72 cortex-a76}"  # Raspberry Pi 4 and 5
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
clip=demo.flac

say() { echo "emulate.sh: $*" >&2; }
fail() { say "$*"; exit 1; }

[ $# = 1 ] || fail "usage: emulate.sh FOLDER"
[ "$(id -u)" = 0 ] || fail "needs root, for chroot and mounts; run it with sudo"
mkdir -p "$1"
folder=$(cd "$1" && pwd)
root=$folder/$suite
venv=/opt/asr  # in the root

need() {  # COMMAND PACKAGE
    command -v "$1" >/dev/null || fail "needs $1; apt-get install $2"
}
need debootstrap debootstrap
need qemu-aarch64-static qemu-user-static
need unshare util-linux
"$python" -m pip --version >/dev/null 2>&1 || fail "$python has no pip; set PYTHON to one that has"

inside() { "$here/enter.sh" "$root" "${cpu:-${cpus[0]}}" "$@"; }

# The kernel must know that arm64 programs are qemu's: what runs in the root starts others.
register_emulator() {
    local registry=/proc/sys/fs/binfmt_misc
    if [ ! -e $registry/register ]; then
        mount -t binfmt_misc binfmt_misc $registry || fail "this kernel has no binfmt_misc"
    fi
    if grep -qs '^enabled' $registry/qemu-aarch64; then return; fi
    # F: the kernel opens qemu now, so the root needs no copy of it. P: keep the program's argv[0].
    printf '%s' ':qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:'"$(command -v qemu-aarch64-static)"':PF' >$registry/register
    trap 'echo -1 > /proc/sys/fs/binfmt_misc/qemu-aarch64' EXIT
}

make_root() {
    [ ! -e "$root/complete" ] || return 0
    local mirror=${MIRROR:-}
    if [ -z "$mirror" ]; then
        # shellcheck disable=SC2016  # the dollar is for apt-get
        mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' |
            sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')
    fi
    [ -n "$mirror" ] || fail "apt has no Debian mirror; run apt-get update, or set MIRROR"
    say "making a Debian root ($suite, arm64) in $root"
    rm -rf --one-file-system "$root"
    debootstrap --foreign --arch=arm64 --variant=minbase --include=python3,python3-venv \
        "$suite" "$root" "$mirror" >&2
    # Unpacking is enough for Python; configuring every package takes emulation many minutes.
    local package
    for package in "$root"/var/cache/apt/archives/*.deb; do
        dpkg-deb --extract "$package" "$root"
    done
    cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
    rm -rf "$root/debootstrap" "$root"/var/cache/apt/archives/*.deb
    touch "$root/complete"
}

fetch_wheels() {
    local version glibc minor platforms=(--platform manylinux2014_aarch64)
    version=$(inside python3 -c 'import platform; print(platform.python_version())')
    glibc=$(inside python3 -c 'import platform; print(platform.libc_ver()[1])')
    for ((minor = 17; minor <= ${glibc#2.}; minor++)); do
        platforms+=(--platform "manylinux_2_${minor}_aarch64")
    done
    say "fetching wheels for Python $version, glibc $glibc"
    rm -rf "$folder/wheels" && mkdir "$folder/wheels"
    "$python" -m pip wheel --quiet --no-deps --wheel-dir "$folder/wheels" \
        "$checkout/runtime" >&2
    own=$(basename "$folder"/wheels/asr_runtime-*.whl)
    "$python" -m pip download --quiet --dest "$folder/wheels" --only-binary=:all: \
        --implementation cp --python-version "$version" "${platforms[@]}" \
        "$folder/wheels/${own}[cpu]" >&2
}

install_inside() {
    say "installing in the root, from these wheels alone"
    rm -rf "$root/wheels" "${root:?}$venv"
    cp -r "$folder/wheels" "$root/wheels"
    cp "$checkout/runtime/demo/$clip" "$root/"
    inside sh -c '! command -v cc gcc g++ clang' || fail "the root has a compiler"
    # pip in the root checks tags and markers again, and it cannot reach anything else. It runs from
    # Debian's wheel of itself, and compiles nothing in advance: that is slow under emulation.
    inside python3 -m venv --without-pip $venv
    pip=$(cd "$root" && echo usr/share/python-wheels/pip-*.whl)
    inside $venv/bin/python "/$pip/pip" install --quiet --no-compile --no-index \
        --find-links /wheels "/wheels/${own}[cpu]" >&2
}

install_here() {
    say "installing on this machine, for comparison"
    rm -rf "$folder/host" && "$python" -m venv "$folder/host"
    "$folder/host/bin/python" -m pip install --quiet "$folder/wheels/${own}[cpu]" >&2
}

transcribe() {  # NAME COMMAND…, for both output formats
    local name=$1 form
    shift
    say "transcribing: $name"
    for form in text json; do
        "$python" "$here/measure.py" "$folder/measured/$name-$form.json" "$@" --format $form
    done
}

register_emulator
make_root
fetch_wheels
install_inside
install_here
rm -rf "$folder/measured" && mkdir "$folder/measured"
transcribe host "$folder/host/bin/asr-run" "$checkout/runtime/demo/$clip"
for cpu in "${cpus[@]}"; do
    transcribe "$cpu" "$here/enter.sh" "$root" "$cpu" $venv/bin/asr-run /$clip
done

echo "$(date -u +%F). Debian $(cat "$root/etc/debian_version") arm64," \
    "$(inside python3 --version), $(qemu-aarch64-static --version | head -n 1);" \
    "this machine: $(uname -m), $("$folder/host/bin/python" --version)."
echo
"$python" "$here/report.py" "$folder" "$(echo "$root$venv"/lib/python3*/site-packages)" "${cpus[@]}"
