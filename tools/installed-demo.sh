#!/bin/sh
# The demonstration with an installed prefix: the command, and the example compiled with the library, retrieve a mailbox
# from a private Dovecot on loopback, over TLS, octet for octet.
#     installed-demo.sh [PREFIX]       default: /usr
# POP3_EXAMPLES is the directory with the sources of the examples, by default that of this tree.
set -eu
cd "$(dirname "$0")/.."
prefix=${1:-/usr}
examples=${POP3_EXAMPLES:-examples}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$work/src/cli" "$work/examples" "$work/tests/server"
ln -s "$prefix/bin/pop3" "$work/src/cli/pop3"
ln -s "$prefix/bin/pop3-testserver" "$work/tests/server/pop3-testserver"
pc=$(dirname "$(find -L "$prefix/lib" "$prefix/lib64" -name libpop3.pc 2>/dev/null | head -n 1)")
libraries=$(dirname "$pc")
# shellcheck disable=SC2046 # lists of words
cc -o "$work/examples/print_mailbox" "$examples/print_mailbox.c" "$examples/account.c" \
    $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs libpop3) "-Wl,-rpath,$libraries"
ldd "$work/examples/print_mailbox" | grep -F "$libraries/libpop3.so.0" || {
    echo "the example does not run with the library below $prefix"
    exit 1
}
tests/interop/dovecot.py available
tools/demo.sh "$work"
