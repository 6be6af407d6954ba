#!/bin/sh
# Retrieves the sample mailbox from a real POP3 server on loopback, over TLS with a verified certificate, into
# demo/Maildir, and shows it. The server is Dovecot; if that cannot run, pop3-testserver. Then delivers the mail to Dovecot
# by LMTP and by IMAP.
#     demo.sh BUILD_FOLDER
set -eu
cd "$(dirname "$0")/.."
build=$1
out=demo

say() {
    printf '\n== %s\n' "$*"
}

keep_password() {
    (umask 077 && printf '%s\n' "$1" >"$work/password")
}

retrieve() {
    # $1 user, $2 host, $3 port, $4 file with the authority; the password is in $work/password
    set -- "$1" "$2" "$3" "$4" "pop3s://$1@$2:$3" \
        --ca-file "$4" --password-file "$work/password"
    user=$1 host=$2 port=$3 ca=$4 url=$5
    shift 5

    say "What the server has: pop3 headers $url"
    "$build/src/cli/pop3" headers "$url" "$@"

    say "Into a Maildir: pop3 sync $url --maildir $out/Maildir --state $out/state"
    "$build/src/cli/pop3" sync "$url" --maildir "$out/Maildir" --state "$out/state" "$@"

    say "Again: nothing is delivered twice"
    "$build/src/cli/pop3" sync "$url" --maildir "$out/Maildir" --state "$out/state" "$@"

    say "What is in $out/Maildir/new"
    ls -l "$out/Maildir/new"

    say "The library's example: print_mailbox --tls $host $port $user"
    "$build/examples/print_mailbox" --tls --ca-file "$ca" "$host" "$port" "$user" \
        <"$work/password" >"$work/printed"
    cat "$work/printed"
}

# Into mailboxes of the same Dovecot: `lmtp` and `imap` are the users that have them.
deliver() {
    # $1 how, $2 where, further options; there must be as many messages then as in the Maildir
    how=$1 where=$2
    shift 2
    from=pop3s://$POP3_TEST_USER@$POP3_TEST_HOST:$POP3_TEST_TLS_PORT
    to=pop3s://$how@$POP3_TEST_HOST:$POP3_TEST_TLS_PORT

    say "To Dovecot by $how: pop3 sync $from --$how $where --state $out/state-$how"
    "$build/src/cli/pop3" sync "$from" "--$how" "$where" --state "$out/state-$how" "$@" \
        --ca-file "$POP3_TEST_CA_FILE" --password-file "$work/password"

    say "What it has there: pop3 headers $to"
    "$build/src/cli/pop3" headers "$to" --ca-file "$POP3_TEST_CA_FILE" \
        --password-file "$work/password" | tee "$work/there"
    [ "$(wc -l <"$work/there")" -eq "$(ls "$out/Maildir/new" | wc -l)" ]
}

work=$(mktemp -d)
server=''
trap 'test -z "$server" || { kill "$server"; wait "$server"; } 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ "${2:-}" = with-dovecot ]; then
    # Called below, by dovecot.py, with the server's particulars in the environment.
    say "A private Dovecot listens on $POP3_TEST_HOST, port $POP3_TEST_TLS_PORT, with TLS"
    keep_password "$POP3_TEST_PASSWORD"
    retrieve "$POP3_TEST_USER" "$POP3_TEST_HOST" "$POP3_TEST_TLS_PORT" "$POP3_TEST_CA_FILE"
    cat "$POP3_TEST_MAIL_DIR"/* | cmp - "$work/printed"
    say "$(ls "$out/Maildir/new" | wc -l) messages in $out/Maildir;" \
        "$(wc -c <"$work/printed") octets printed, the same as the server has"
    for how in $POP3_TEST_TARGETS; do
        case $how in
        lmtp) deliver lmtp "unix:$POP3_TEST_LMTP" --recipient lmtp ;;
        imap) deliver imap "imaps://imap@$POP3_TEST_HOST:$POP3_TEST_IMAPS_PORT/INBOX" \
            --imap-ca-file "$POP3_TEST_CA_FILE" --imap-password-file "$work/password" ;;
        esac
    done
    exit 0
fi

rm -rf "$out"
mkdir "$out"
if tests/interop/dovecot.py available; then
    tests/interop/dovecot.py run --mail examples/mail --targets -- "$0" "$build" with-dovecot
    exit
fi

say "Dovecot cannot run here: our own test server serves the mailbox"
tests/server/make-certs.sh "$work/certificates"
mkfifo "$work/ready"
"$build/tests/server/pop3-testserver" --mail examples/mail --tls \
    --cert "$work/certificates/good.pem" --key "$work/certificates/good.key" >"$work/ready" &
server=$!
read -r ready <"$work/ready"
port=${ready#*tls-port=}
keep_password demo
retrieve demo 127.0.0.1 "${port%% *}" "$work/certificates/ca.pem"
