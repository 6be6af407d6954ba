#!/bin/sh
# Runs the tests of the core, the client, logging in and the command on other processors, each in a fresh
# Debian system of its own. What this processor cannot run, qemu-user-static emulates.
#     check-arch.sh [--release RELEASE] [ARCHITECTURE...]     default: 12, i386 arm64 s390x
#     check-arch.sh --here                                    on this machine, as it is
#
# Needs root. The last lines are rows of docs/records/platforms.md; the exit status is 0 when no test failed.
set -eu
cd "$(dirname "$0")/.."

# The row of this machine: what it is, and "N passed, N failed, N skipped".
row() {
    echo "| Debian $(cat /etc/debian_version)" \
        "| $(dpkg --print-architecture)${EMULATED:+ (qemu-user)}" \
        "| GCC $(gcc -dumpfullversion)" \
        "| OpenSSL $(openssl version | cut -d ' ' -f 2)" \
        "| $(dovecot --version | cut -d ' ' -f 1)" \
        "| $(python3 -c 'import platform; print(platform.python_version())')" \
        "| \`make check-arch\`, at commit $(git rev-parse --short HEAD)" \
        "| $(echo "$1" | sed 's/ [a-z]*, / | /g; s/ [a-z]*$//; s/^[0-9]* | [0-9]*$/& | 0/') |"
}

here() {
    tools/dependencies.sh processor
    [ "$(getconf LONG_BIT)" = 64 ] || set -- --only 'processor in 2040'
    status=0
    tools/check.py --only processor "$@" >check-arch.log 2>&1 || status=$?
    grep -E '^ *(failed|skipped): |^(FAILED|.* error: )|warning: | passed, .* seconds$' check-arch.log || true
    [ "$status" = 0 ] || tail -n 200 check-arch.log
    row "$(tail -n 1 check-arch.log)"
    exit "$status"
}

# Lets the kernel run the programs of another processor, until this script ends.
emulate() {
    name=$(echo "$1" | sed 's/^arm64$/aarch64/; s/^armhf$/arm/; s/^ppc64el$/ppc64le/')
    if [ ! -e "/usr/lib/binfmt.d/qemu-$name.conf" ]; then
        echo "check-arch.sh: $1 is emulated here: install qemu-user-static" >&2
        exit 1
    fi
    formats=/proc/sys/fs/binfmt_misc
    [ -e $formats/register ] || mount -t binfmt_misc binfmt_misc $formats
    if [ ! -e "$formats/qemu-$name" ]; then
        cat "/usr/lib/binfmt.d/qemu-$name.conf" >$formats/register
        registered="$registered $formats/qemu-$name"
    fi
}

clean_up() {
    for format in $registered; do
        echo -1 >"$format"
    done
    rm -rf "$work"
}

release=12
case ${1:-} in
--here) shift && here ;;
--release) release=$2 && shift 2 ;;
esac
[ $# -gt 0 ] || set -- i386 arm64 s390x

registered=''
work=$(mktemp -d "${TMPDIR:-/var/tmp}/check-arch.XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
status=0
for architecture; do
    began=$(date +%s)
    emulated=''
    echo "== Debian $release, $architecture"
    case $(dpkg --print-architecture)/$architecture in
    "$architecture/$architecture" | amd64/i386 | arm64/armhf) ;;
    *) emulate "$architecture" && emulated=yes ;;
    esac
    { tools/fresh-machine.sh "$release" "$architecture" -- \
        env ${emulated:+EMULATED=yes} tools/check-arch.sh --here && echo 0 || echo $?; } | tee "$work/log"
    [ "$(tail -n 1 "$work/log")" = 0 ] || status=1
    grep '^| Debian ' "$work/log" >>"$work/rows" || echo "$architecture: no tests ran" >>"$work/rows"
    echo "in $(($(date +%s) - began)) seconds"
done
echo
cat "$work/rows"
exit $status
