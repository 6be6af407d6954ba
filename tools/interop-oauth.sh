#!/bin/sh
# Tests `pop3 authorize` and `pop3 sync` with a real authorization server (oidc-provider, by npm), a real headless browser
# (Chromium), and a Dovecot that asks that server about tokens.
#
#     tools/interop-oauth.sh [PYTEST-ARGUMENT]...
#
# The results are TAP. If something is not available, it is named, and its tests are skipped.
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
modules=$BUILD/oidc-provider

# Debian's packages for the programs that are missing.
wanted=''
need() {
    command -v "$1" >/dev/null || wanted="$wanted $2"
}
need node nodejs
need npm npm
need chromium chromium
need chromedriver chromium-driver
if [ -n "$wanted" ]; then
    as_root=''
    [ "$(id -u)" = 0 ] || as_root=$(command -v sudo) || as_root=false
    # shellcheck disable=SC2086 # lists of words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >&2 ||
        echo "missing, and not installed:$wanted" >&2
fi

mkdir -p "$modules"
cp tests/token/real/package.json tests/token/real/package-lock.json "$modules"
(cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --silent >&2) ||
    echo "npm cannot fetch oidc-provider" >&2

[ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" >&2
ninja -C "$BUILD" >&2
export POP3_NODE_MODULES="$PWD/$modules/node_modules"
exec /usr/bin/python3 tests/tools/pytest_tap.py tests/token/real "$@"
