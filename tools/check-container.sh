#!/bin/sh
# Runs what packaging/Containerfile's image runs, on a machine with the package pop3: as its user, without
# capabilities, with a secret of mode 0444 that root put in place. No container engine is needed, so none is tested.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${POP3_TEST_TLS_PORT:-}" ]; then
    exec tests/interop/dovecot.py run --mail examples/mail -- "$0"
fi
work=$(mktemp -d)
child=''
trap 'test -z "$child" || kill "$child" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 755 "$work"
mkdir "$work/secrets"
install -d -m 700 -o 10110 -g 10110 "$work/mail"
install -m 444 "$POP3_TEST_CA_FILE" "$work/ca.pem"
install -m 755 packaging/container/collect "$work/collect"
echo "$POP3_TEST_PASSWORD" >"$work/secrets/mail"
chmod 444 "$work/secrets/mail"
cat >"$work/config" <<EOF
state = $work/mail/state/state.db
maildir = $work/mail/Maildir
[demo]
url = pop3s://$POP3_TEST_USER@$POP3_TEST_HOST:$POP3_TEST_TLS_PORT
ca-file = $work/ca.pem
password-file = $work/secrets/mail
EOF

as_its_user() {
    exec setpriv --reuid 10110 --regid 10110 --clear-groups --bounding-set=-all --no-new-privs \
        env -i PATH="/usr/bin:/bin" HOME="$work/mail" POP3_CONFIG="$work/config" \
        POP3_RECORD="$work/mail/state/last-run" "$work/collect" "$@"
}

(as_its_user health) && exit 1
as_its_user --verbose &
child=$!
tries=0
until (as_its_user health) >"$work/health" 2>&1; do
    # The first run's end; a deadline, no measure.
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { cat "$work/health"; exit 1; }
    sleep 0.1
done
cat "$work/health"
[ "$(find "$work/mail/Maildir/new" -type f -user 10110 | wc -l)" = "$(find "$POP3_TEST_MAIL_DIR" -type f | wc -l)" ]
echo "the mail came, as the user 10110"
kill "$child"
wait "$child" || { echo "stopping ended with status $?"; exit 1; }
child=''
echo "75 $(date +%s)" >"$work/mail/state/last-run"
(as_its_user health)
for bad in "78 $(date +%s)" "0 $(($(date +%s) - 1200))"; do
    echo "$bad" >"$work/mail/state/last-run"
    (as_its_user health) && exit 1
done
echo "a failure for good, and a run too long ago, are not healthy"
