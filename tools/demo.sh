#!/bin/sh
# Retrieves the sample mailbox from a real POP3 server on loopback, over TLS with the certificate
# verified, and shows what came. The server is Dovecot; where that cannot run, our own test server.
#     demo.sh BUILD_FOLDER
set -eu
cd "$(dirname "$0")/.."
build=$1

show() {
    # $1 host, $2 port, $3 user; the password comes on standard input, the other words are options
    host=$1 port=$2 user=$3
    shift 3
    "$build/examples/print_mailbox" "$@" "$host" "$port" "$user"
}

if [ "${2:-}" = with-server ]; then
    # Called below, by dovecot.py, with the server's particulars in the environment.
    echo "== A private Dovecot listens on $POP3_TEST_HOST, port $POP3_TEST_TLS_PORT (TLS)"
    echo "== \$ print_mailbox --tls --ca-file ca.pem $POP3_TEST_HOST $POP3_TEST_TLS_PORT $POP3_TEST_USER"
    printf '%s\n' "$POP3_TEST_PASSWORD" |
        show "$POP3_TEST_HOST" "$POP3_TEST_TLS_PORT" "$POP3_TEST_USER" \
            --tls --ca-file "$POP3_TEST_CA_FILE" >"$POP3_DEMO_OUT"
    cat "$POP3_DEMO_OUT"
    messages=$(ls "$POP3_TEST_MAIL_DIR" | wc -l)
    cat "$POP3_TEST_MAIL_DIR"/* | cmp - "$POP3_DEMO_OUT"
    echo "== $messages messages, $(wc -c <"$POP3_DEMO_OUT") octets: the same octets as the server has"
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
POP3_DEMO_OUT=$work/out
export POP3_DEMO_OUT

if tests/interop/dovecot.py available; then
    tests/interop/dovecot.py run --mail examples/mail -- "$0" "$build" with-server
    exit
fi

echo "== Dovecot cannot run here: our own test server serves the mailbox"
tests/server/make-certs.sh "$work"
"$build/tests/server/pop3-testserver" --mail examples/mail --tls \
    --cert "$work/good.pem" --key "$work/good.key" >"$work/ready" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$work"' EXIT
tries=0
until [ -s "$work/ready" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] && kill -0 "$server" || exit 1
    sleep 0.1
done
port=$(sed 's/.*tls-port=\([0-9]*\).*/\1/' "$work/ready")
echo demo | show 127.0.0.1 "$port" demo --tls --ca-file "$work/ca.pem"
