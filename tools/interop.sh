#!/bin/sh
# Plays the command, the library and cpoplib to real POP3 servers, in a fresh Debian system of its own, which goes
# with its servers and users when done. Needs root (tools/fresh-machine.sh).
#
#     tools/interop.sh [RELEASE]...       default: bookworm trixie
#     tools/interop.sh --here [SERVER]... in this very system: only for one that may be thrown away
#
# The results are TAP; docs/guide/servers.md has the table, which --here leaves in build/interop.md.
set -eu
cd "$(dirname "$0")/.."
if [ "${1:-}" = --here ]; then
    shift
    tools/dependencies.sh demo >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-dev >/dev/null
    [ -f build/build.ninja ] || meson setup build -Dpython=enabled >/dev/null
    ninja -C build >/dev/null
    exec tests/interop/real/play.py --table build/interop.md "$@"
fi
status=0
for release in "${@:-bookworm trixie}"; do
    for one in $release; do
        echo "== $one"
        tools/fresh-machine.sh "$one" -- sh -c 'tools/interop.sh --here; status=$?; cat build/interop.md; exit $status' || status=1
    done
done
exit $status
