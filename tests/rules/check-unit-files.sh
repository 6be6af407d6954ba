#!/bin/sh
# What the units of systemd promise: the system's is exposed below 2.0 of 10, each run has an end, and a user's units name
# no target that only the system has. check-units.sh in tools/ runs them.
#     check-unit-files.sh BUILD_FOLDER
set -eu
source=$(cd "$(dirname "$0")/../../systemd" && pwd)
built=$1/systemd
if grep -l 'network-online\.target' "$source/pop3.service.in" "$source/pop3.timer"; then
    echo "the user's manager has no network-online.target"
    exit 1
fi
grep -q '^After=network-online\.target$' "$built/pop3@.service"
for unit in "$built/pop3.service" "$built/pop3@.service"; do
    grep -q '^TimeoutStartSec=[1-9]' "$unit" || { echo "$unit: no start timeout: a oneshot unit has none by default"; exit 1; }
done
command -v systemd-analyze >/dev/null || { echo "systemd-analyze is not there"; exit 77; }
systemd-analyze security --offline=true --no-pager --threshold=20 "$built/pop3@.service" >"$built/security.txt" 2>&1 || {
    cat "$built/security.txt"
    exit 1
}
if grep -i 'ignoring' "$built/security.txt"; then
    echo "a directive that this systemd does not know"
    exit 1
fi
sed -n 's/^.*Overall/Overall/p' "$built/security.txt"
