#!/bin/sh
# Installs the programs that bench/run.py compares with, and what is needed to build them: Debian packages, without
# questions. Run as root, or where sudo works. Programs that Debian does not have are omitted from the benchmark.
set -eu

packages='libetpan-dev libcurl4-gnutls-dev mpop fetchmail fdm getmail6 perl python3 dovecot-pop3d dovecot-lmtpd dovecot-imapd
    openssl strace'

missing=''
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] && continue
    # Any libcurl will do; the kinds exclude each other.
    [ "$package" = libcurl4-gnutls-dev ] && pkg-config --exists libcurl && continue
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=''
if [ "$(id -u)" != 0 ]; then
    as_root=$(command -v sudo) || {
        echo "peers that are not installed, and neither root nor sudo:$missing" >&2
        exit 0
    }
fi
export DEBIAN_FRONTEND=noninteractive
{
    $as_root apt-get update -qq
    for package in $missing; do
        # --no-remove: a peer is not worth the loss of anything that is installed.
        $as_root apt-get install -y -qq --no-install-recommends --no-remove "$package" ||
            echo "not installed, the benchmark goes without it: $package"
    done
} >&2
