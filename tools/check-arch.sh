#!/bin/sh
# Runs the tests of the core, the client, logging in and the command on other processors, each in a fresh
# Debian system of its own. What this processor cannot run, qemu-user-static emulates.
#     check-arch.sh [--release RELEASE] [ARCHITECTURE...]     default: 12, i386 arm64 s390x
#     check-arch.sh --here                                    on this machine, as it is
#
# Needs root. The last lines are rows of docs/platforms.md; the exit status is 0 when no test failed.
set -eu
cd "$(dirname "$0")/.."

# The row of this machine: release, processor, compiler, TLS library; passed, failed, skipped.
row() {
    # shellcheck disable=SC1091
    printf '| %s | %s | GCC %s | OpenSSL %s | - | - | %s |\n' \
        "$(. /etc/os-release && echo "$NAME $VERSION_ID" | sed 's/ GNU.Linux//')" \
        "$(dpkg --print-architecture)" "$(gcc -dumpfullversion)" "$(openssl version | cut -d ' ' -f 2)" \
        "$(echo "$1" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed\(, \([0-9]*\) skipped\)*$/\1 | \2 | \4/p')"
}

here() {
    tools/dependencies.sh processor
    status=0
    tools/check.py --only processor >check-arch.log 2>&1 || status=$?
    grep -E '^ *(failed|skipped): |^(FAILED|.* error: )|warning: ' check-arch.log || true
    [ "$status" = 0 ] || tail -n 60 check-arch.log
    row "$(tail -n 1 check-arch.log)"
    exit "$status"
}

# Lets the kernel run the programs of another processor.
emulate() {
    name=$(echo "$1" | sed 's/^arm64$/aarch64/; s/^armhf$/arm/; s/^ppc64el$/ppc64le/')
    [ -e "/usr/lib/binfmt.d/qemu-$name.conf" ] || {
        echo "check-arch.sh: $1 is emulated here; install qemu-user-static" >&2
        exit 1
    }
    formats=/proc/sys/fs/binfmt_misc
    [ -e $formats/register ] || mount -t binfmt_misc binfmt_misc $formats
    [ -e "$formats/qemu-$name" ] || cat "/usr/lib/binfmt.d/qemu-$name.conf" >$formats/register
}

release=12
case ${1:-} in
--here) here ;;
--release) release=$2 && shift 2 ;;
esac
[ $# -gt 0 ] || set -- i386 arm64 s390x

work=$(mktemp -d "${TMPDIR:-/var/tmp}/check-arch.XXXXXX")
trap 'rm -rf "$work"' EXIT
status=0
for architecture; do
    began=$(date +%s)
    echo "== Debian $release, $architecture"
    case $(dpkg --print-architecture)/$architecture in
    "$architecture/$architecture" | amd64/i386) ;;
    *) emulate "$architecture" ;;
    esac
    { tools/fresh-machine.sh "$release" "$architecture" -- tools/check-arch.sh --here && echo 0 || echo $?; } |
        tee "$work/log"
    [ "$(tail -n 1 "$work/log")" = 0 ] || status=1
    sed -n '$!h; ${x; p;}' "$work/log" >>"$work/rows"
    echo "in $(($(date +%s) - began)) seconds"
done
echo
cat "$work/rows"
exit $status
