#!/bin/sh
# Installs the library into a scratch folder and builds programs against what was installed, found
# through pkg-config: in C99, C17 and C++, shared and static, as one who only has the package would.
#     check-consumers.sh BUILD_FOLDER SCRATCH_FOLDER
set -eu
source=$(cd "$(dirname "$0")" && pwd)
scratch=$2
root=$scratch/installed
rm -rf "$root"
DESTDIR=$root meson install -C "$1" --no-rebuild --quiet
pc=$(find "$root" -name libpop3.pc)
[ -n "$pc" ] || { echo "no libpop3.pc was installed"; exit 1; }
libs=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH="${pc%/libpop3.pc}" PKG_CONFIG_SYSROOT_DIR="$root"
strict='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'

built=0
compile() {
    # $1 the program's name, then the compiler and its flags
    program=$scratch/$1
    shift
    # shellcheck disable=SC2046,SC2086 # lists of words
    "$@" $strict -o "$program" "$source/consumer.c" $(pkg-config --cflags $link libpop3) \
        $(pkg-config --libs $link libpop3)
    version=$(LD_LIBRARY_PATH=$libs "$program")
    [ "$version" = "$(pkg-config --modversion libpop3)" ] || {
        echo "$program says $version"
        exit 1
    }
    built=$((built + 1))
}

link=''
compile consumer-c99 cc -std=c99
compile consumer-c17 cc -std=c17
compile consumer-cxx c++ -std=c++17 -x c++
# What OpenSSL itself is linked with statically may be missing: Debian's libssl-dev does not bring it.
echo 'int main(void) { return 0; }' >"$scratch/empty.c"
# shellcheck disable=SC2046 # a list of words
if ! cc -o "$scratch/empty" "$scratch/empty.c" $(pkg-config --static --libs openssl) 2>"$scratch/empty.log"; then
    cat "$scratch/empty.log"
    echo "$built programs built and run; skipped: OpenSSL cannot be linked statically here (zlib1g-dev, libzstd-dev)"
    exit 77
fi
link=--static
rm -f "$libs"/libpop3.so* # so that only the static library can be found
compile consumer-static cc -std=c17
echo "$built programs built against the installed library and run"
