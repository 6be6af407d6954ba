#!/bin/sh
# Runs the tests of the core, the client, logging in, libpop3-collect and the parts of the command on other processors,
# each in a fresh Debian system; with --command also those of the whole command (hours, under emulation). Programs for a
# processor that this one cannot run are cross-built and run by qemu-user-static; the tests' Python, Dovecot and so on are
# this processor's.
#     check-arch.sh [--release RELEASE] [--command] [ARCHITECTURE...]     default: 12, i386 arm64 s390x
#     check-arch.sh --here [--command]                        on this machine
#     check-arch.sh --across ARCHITECTURE [--command]         on this machine, which can run programs for ARCHITECTURE
#
# Needs root. The last lines are rows for docs/records/platforms.md; the exit status is 0 if no test failed.
set -eu
cd "$(dirname "$0")/.."

# Runs the tests, with arguments for check.py, and prints the row: the processor, the compiler's name, the arguments.
check() {
    processor=$1 compiler=$2
    shift 2
    status=0
    tools/check.py --only processor "$@" >check-arch.log 2>&1 || status=$?
    grep -E '^ *(failed|skipped): |^(FAILED|.* error: )|warning: | passed, .* seconds$' check-arch.log || true
    [ "$status" = 0 ] || tail -n 200 check-arch.log
    echo "| Debian $(cat /etc/debian_version) | $processor | GCC $("$compiler" -dumpfullversion)" \
        "| OpenSSL $(openssl version | cut -d ' ' -f 2)" \
        "| $(dovecot --version | cut -d ' ' -f 1)" \
        "| $(python3 -c 'import platform; print(platform.python_version())')" \
        "| \`make check-arch\`, at commit $(git rev-parse --short HEAD)" \
        "| $(tail -n 1 check-arch.log | sed 's/ [a-z]*, / | /g; s/ [a-z]*$//; s/^[0-9]* | [0-9]*$/& | 0/') |"
    exit "$status"
}

here() {
    tools/dependencies.sh processor
    [ "$(getconf LONG_BIT)" = 64 ] || set -- --only 'processor in 2040' "$@"
    check "$(dpkg --print-architecture)" gcc "$@"
}

across() {
    target=$1
    shift
    dpkg --add-architecture "$target"
    tools/dependencies.sh processor "$target"
    meson env2mfile --cross --debarch "$target" -o cross.ini
    printf '[properties]\nneeds_exe_wrapper = false\n' >emulated.ini
    check "$target (qemu-user)" "$(dpkg-architecture -f -a "$target" -q DEB_HOST_GNU_TYPE)-gcc" \
        --across cross.ini --across emulated.ini "$@"
}

# Takes the lock under which formats are registered and removed. A shared lock on $formats_used says that somebody uses
# them; its lines are those that scripts like this one registered.
formats_used=/run/lock/libpop3-check-arch
begin_change() {
    exec 8>>"$formats_used.lock"
    flock 8
    exec 9>>"$formats_used"
}

# Lets the kernel run the programs of another processor, until the last script like this one ends.
emulate() {
    name=$(echo "$1" | sed 's/^arm64$/aarch64/; s/^armhf$/arm/; s/^ppc64el$/ppc64le/')
    if [ ! -e "/usr/lib/binfmt.d/qemu-$name.conf" ]; then
        echo "check-arch.sh: $1 is emulated here: install qemu-user-static" >&2
        exit 1
    fi
    formats=/proc/sys/fs/binfmt_misc
    [ -e $formats/register ] || mount -t binfmt_misc binfmt_misc $formats
    begin_change
    if [ ! -e "$formats/qemu-$name" ]; then
        cat "/usr/lib/binfmt.d/qemu-$name.conf" >$formats/register
        echo "$formats/qemu-$name" >&9
    fi
    flock --shared 9
    exec 8>&-
}

clean_up() {
    rm -rf "$work"
    [ -e "$formats_used" ] || return 0
    begin_change
    if flock --nonblock 9; then
        while read -r format; do
            [ ! -e "$format" ] || echo -1 >"$format"
        done <"$formats_used"
        rm -f "$formats_used"
    fi
}

release=12 command=''
while :; do
    case ${1:-} in
    --here) shift && here "$@" ;;
    --across) shift && across "$@" ;;
    --release) release=$2 && shift ;;
    --command) command=--command ;;
    *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || set -- i386 arm64 s390x

work=$(mktemp -d "${TMPDIR:-/var/tmp}/check-arch.XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
status=0
for architecture; do
    began=$(date +%s)
    echo "== Debian $release, $architecture"
    machine=$architecture kind=--here updates=''
    case $(dpkg --print-architecture)/$architecture in
    "$architecture/$architecture" | amd64/i386 | arm64/armhf) ;;
    *)
        # Libraries of two processors have the same version, or are not installed together: updates come to one of them
        # before the other, or not at all (the long-term support of Debian 12 has no s390x).
        emulate "$architecture"
        machine=$(dpkg --print-architecture) kind="--across $architecture" updates=--no-updates
        ;;
    esac
    # shellcheck disable=SC2086 # none, one word or two
    {
        tools/fresh-machine.sh $updates "$release" "$machine" -- tools/check-arch.sh $kind $command && echo 0 || echo $?
    } 9>&- | tee "$work/log" 9>&-
    [ "$(tail -n 1 "$work/log")" = 0 ] || status=1
    grep '^| Debian ' "$work/log" >>"$work/rows" || echo "$architecture: no tests ran" >>"$work/rows"
    echo "in $(($(date +%s) - began)) seconds"
done
echo
cat "$work/rows"
exit $status
