#!/bin/sh
# Builds the image of packaging/Containerfile and runs it with podman as docs/guide/services.md says: it retrieves a
# mailbox from a private Dovecot as the image's user, and the health check is tried.
# Needs root, podman, buildah, mmdebstrap and dovecot-pop3d. No registry is used: the base image is a minimal system of
# this machine's release, under the name in the Containerfile. Everything is removed at the end.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${POP3_TEST_TLS_PORT:-}" ]; then
    exec tests/interop/dovecot.py run --mail examples/mail -- "$0"
fi

work=$(mktemp -d /var/tmp/pop3-container.XXXXXX)
clean_up() {
    engine rm --force --all >/dev/null 2>&1 || true
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# vfs and chroot: no file system and no namespace that a machine within another might refuse.
engine() {
    podman --root "$work/storage" --runroot "$work/run" --storage-driver vfs --cgroup-manager cgroupfs "$@"
}

# The engine would raise these, which not even root may everywhere.
limits="--ulimit nofile=$(ulimit -Hn):$(ulimit -Hn) --ulimit nproc=4096:4096"

# $@: what the image gets. As docs/guide/services.md has it, but for the network: the server is on this machine's.
collect() {
    # shellcheck disable=SC2086 # a list of words
    engine run --network host --cgroups disabled --pull never --health-interval disable $limits $options \
        --read-only --cap-drop ALL --security-opt no-new-privileges -v "$work/config:/etc/pop3/config:ro" \
        -v "$work/ca.pem:/etc/pop3/ca.pem:ro" -v "$work/password:/run/secrets/mail:ro" -v mail:/mail pop3 "$@"
}

is_healthy() {
    options=--rm collect health
}

# systemd and engines want control groups: where none are mounted (in a chroot), the unified ones.
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup

# With what this machine's apt knows of mirrors and proxies.
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null >"$work/sources.list" || true
apt-config dump | grep '^Acquire::' >"$work/apt.conf" || true
mmdebstrap --quiet --variant=minbase --include=ca-certificates --aptopt="$work/apt.conf" \
    "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$work/base.tar" "$work/sources.list" >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}
base=docker.io/library/$(sed -n '1,/^FROM/s/^FROM \([^ ]*\).*/\1/p' packaging/Containerfile)
engine import "$work/base.tar" "$base" >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}
# shellcheck disable=SC2086 # a list of words
buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs build --format docker --isolation chroot \
    --network host --pull=never $limits -t pop3 -f packaging/Containerfile . >"$work/log" 2>&1 || {
    tail -n 60 "$work/log"
    exit 1
}
engine images

install -m 444 "$POP3_TEST_CA_FILE" "$work/ca.pem"
echo "$POP3_TEST_PASSWORD" >"$work/password"
chmod 444 "$work/password"
cat >"$work/config" <<EOF
state = /mail/state/state.db
maildir = /mail/Maildir
[demo]
url = pop3s://$POP3_TEST_USER@$POP3_TEST_HOST:$POP3_TEST_TLS_PORT
ca-file = /etc/pop3/ca.pem
password-file = /run/secrets/mail
EOF

if is_healthy; then
    echo "healthy before the first run"
    exit 1
fi
options='--detach --name collect' collect --verbose
mail=$(engine volume inspect --format '{{.Mountpoint}}' mail)
tries=0
until engine healthcheck run collect >"$work/log" 2>&1; do
    # The first run's end; a deadline, no measure.
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { engine logs collect; cat "$work/log"; exit 1; }
    sleep 0.1
done
engine logs collect
[ "$(find "$mail/Maildir/new" -type f -user 10110 | wc -l)" = "$(find "$POP3_TEST_MAIL_DIR" -type f | wc -l)" ]
echo "the mail came, as the user 10110"
engine stop --time 60 collect >/dev/null
status=$(engine inspect --format '{{.State.ExitCode}}' collect)
[ "$status" = 0 ] || { echo "stopping ended with status $status"; exit 1; }
echo "75 $(date +%s)" >"$mail/state/last-run"
is_healthy
for bad in "78 $(date +%s)" "0 $(($(date +%s) - 1200))"; do
    echo "$bad" >"$mail/state/last-run"
    if is_healthy; then
        exit 1
    fi
done
echo "a failure for good, and a run too long ago, are not healthy"
