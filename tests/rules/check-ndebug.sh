#!/bin/sh
# Builds the library as a release, without assertions and with a warning being an error, and sees that it works.
#     check-ndebug.sh SOURCE_FOLDER SCRATCH_FOLDER MAIL_FOLDER   (POP3_TESTSERVER names the test server)
set -eu
build=$2/ndebug
rm -rf "$build"
meson setup "$build" "$1" --buildtype=release --werror -Db_ndebug=true -Dtests=false -Dcommand=disabled -Dpython=disabled \
    >"$2/ndebug.log" 2>&1 && ninja -C "$build" >>"$2/ndebug.log" 2>&1 || {
    tail -n 40 "$2/ndebug.log"
    exit 1
}
grep -q DNDEBUG "$build/compile_commands.json"
mkfifo "$build/ready"
"$POP3_TESTSERVER" --mail "$3" --once >"$build/ready" &
read -r ready <"$build/ready"
port=$(echo "$ready" | sed 's/.* port=\([0-9]*\) .*/\1/')
echo secret | "$build/examples/print_mailbox" localhost "$port" joe >"$build/said"
wait
grep -q 'Message-ID: <third@example.org>' "$build/said"
echo "a session with the release build: $(wc -l <"$build/said") lines"
