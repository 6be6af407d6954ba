#!/bin/sh
# Tests the command, the library and cpoplib with real POP3 servers, in a fresh Debian system, which is removed
# afterwards. Needs root (tools/fresh-machine.sh).
#
#     tools/interop.sh [RELEASE]...       default: bookworm trixie
#     tools/interop.sh --here [SERVER]... in this system, which must be disposable
#
# The results are TAP; docs/guide/servers.md has the table, which --here writes to build/interop.md.
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
