#!/bin/sh
# Builds the library and the examples without TLS, and sees that what needs TLS says so.
#     check-without-tls.sh SOURCE_FOLDER SCRATCH_FOLDER
set -eu
build=$2/without-tls
rm -rf "$build"
meson setup "$build" "$1" -Dtls=disabled -Dtests=false -Dcommand=disabled -Dpython=disabled >"$2/without-tls.log" 2>&1 &&
    ninja -C "$build" >>"$2/without-tls.log" 2>&1 || {
    tail -n 40 "$2/without-tls.log"
    exit 1
}
if ldd "$build/src/libpop3.so" | grep -E 'libssl|libcrypto'; then
    echo "the library without TLS links OpenSSL"
    exit 1
fi
said=$(echo x | "$build/examples/print_mailbox" --tls localhost 995 user 2>&1) && exit 1
echo "print_mailbox --tls says: $said"
echo "$said" | grep -q 'no TLS'
