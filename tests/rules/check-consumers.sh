#!/bin/sh
# Installs the library into a scratch directory and builds a program against what was installed, as one does who only
# has the package: in C99, C17 and C++11 to C++23, shared and static.
#     check-consumers.sh pkg-config|cmake|meson SOURCE_FOLDER BUILD_FOLDER SCRATCH_FOLDER
# pkg-config and cmake find the installed library; meson has the source as a subproject, found by libpop3.wrap.
set -eu
way=$1
source=$(cd "$2" && pwd)
program=$source/tests/rules/consumer.c
collector=$source/tests/rules/consumer_collect.c
scratch=$4/$way
root=$scratch/installed
strict='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'
rm -rf "$scratch"
mkdir -p "$scratch"
built=0

# Runs a program that was built, which tells the library's version.
run() {
    version=$("$1")
    [ "$version" = "$expected" ] || {
        echo "$1 says $version, and this is $expected"
        exit 1
    }
    built=$((built + 1))
}

needs() {
    command -v "$1" >/dev/null || {
        echo "there is no $1"
        exit 77
    }
}

install_tree() {
    DESTDIR=$root meson install -C "$1" --no-rebuild --quiet
    pc=$(find "$root" -name libpop3.pc)
    [ -n "$pc" ] || { echo "no libpop3.pc was installed"; exit 1; }
    collect=$(find "$root" -name libpop3-collect.pc)
    libs=$(dirname "$(dirname "$pc")")
    export LD_LIBRARY_PATH="$libs"
}

# Whether OpenSSL itself, or what $1 names, can be linked statically: Debian's libssl-dev does not bring what it needs.
can_link_static() {
    echo 'int main(void) { return 0; }' >"$scratch/empty.c"
    # shellcheck disable=SC2046 # a list of words
    cc -o "$scratch/empty" "$scratch/empty.c" $(pkg-config --static --libs "${1:-openssl}") 2>"$scratch/empty.log"
}

done_with() {
    [ -z "$1" ] || {
        echo "$built programs built and run; skipped: $1"
        exit 77
    }
    echo "$built programs built and run"
}

no_static='OpenSSL cannot be linked statically here (zlib1g-dev, libzstd-dev)'

# The adapters for event loops whose libraries are here: no warning in C and C++.
check_adapters() {
    include=$root$(pkg-config --variable=includedir "$pc")
    for library in libuv libevent; do
        pkg-config --exists "$library" || continue
        echo "#include <pop3/adapters/$library.h>" >"$scratch/$library.c"
        for standard in gnu99 gnu17 c++11 c++14 c++17 c++20 c++2b; do
            language=c
            [ "${standard#c++}" = "$standard" ] || language=c++
            # shellcheck disable=SC2046 # a list of words
            cc -x $language "-std=$standard" -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$include" \
                $(pkg-config --cflags "$library") "$scratch/$library.c"
            built=$((built + 1))
        done
    done
}

by_pkg_config() {
    check_adapters
    # Only the package files of what the library is linked with are to be found: no other may be needed.
    mkdir "$scratch/pc"
    for name in openssl libssl libcrypto zlib libzstd sqlite3; do
        from=$(pkg-config --variable=pcfiledir "$name" 2>/dev/null)/$name.pc
        [ ! -f "$from" ] || cp "$from" "$scratch/pc/"
    done
    export PKG_CONFIG_LIBDIR="${pc%/libpop3.pc}:$scratch/pc" PKG_CONFIG_SYSROOT_DIR="$root"
    expected=$(pkg-config --modversion libpop3)
    compile_all libpop3 "$program"
    [ -z "$collect" ] || compile_all libpop3-collect "$collector"
    rm -f "$libs"/libpop3*.so* # so that only the static libraries can be found
    PKG_CONFIG_SYSROOT_DIR='' can_link_static || done_with "$no_static"
    link=--static
    compile consumer-static libpop3 "$program" cc -std=c17
    if [ -n "$collect" ] && PKG_CONFIG_SYSROOT_DIR='' can_link_static sqlite3; then
        compile collector-static libpop3-collect "$collector" cc -std=c17
    fi
    done_with ''
}

# $1 the package, $2 the program
compile_all() {
    compile "$1-c99" "$1" "$2" cc -std=c99
    compile "$1-c17" "$1" "$2" cc -std=c17
    for standard in 11 14 17 20 2b; do
        compile "$1-c++$standard" "$1" "$2" c++ "-std=c++$standard" -Wold-style-cast -x c++
    done
}

link=''
compile() {
    # $1 the program's name, $2 the package, $3 the source, then the compiler and its flags
    to=$scratch/$1
    package=$2
    from=$3
    shift 3
    # shellcheck disable=SC2046,SC2086 # lists of words
    "$@" $strict -o "$to" "$from" $(pkg-config --cflags $link "$package") $(pkg-config --libs $link "$package")
    run "$to"
}

by_cmake() {
    expected=$(pkg-config --modversion "$pc")
    mv "$root" "$scratch/elsewhere" # the tree can be moved
    export LD_LIBRARY_PATH="$scratch/elsewhere${libs#"$root"}"
    mkdir "$scratch/project"
    cat >"$scratch/project/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.18)
project(consumer C)
find_package(libpop3 $expected REQUIRED)
add_executable(shared $program)
target_link_libraries(shared libpop3::libpop3)
if(TARGET libpop3::collect)
  add_executable(collector $collector)
  target_link_libraries(collector libpop3::collect)
endif()
if(STATIC)
  add_executable(static $program)
  target_link_libraries(static libpop3::static \${STATIC})
  if(TARGET libpop3::collect_static)
    add_executable(collector_static $collector)
    target_link_libraries(collector_static libpop3::collect_static \${STATIC})
  endif()
endif()
END
    static=''
    can_link_static && static=$(pkg-config --static --libs openssl | tr ' ' ';')
    cmake -S "$scratch/project" -B "$scratch/project/build" -DSTATIC="$static" \
        -DCMAKE_PREFIX_PATH="$(dirname "$(find "$scratch/elsewhere" -name libpop3-config.cmake)")" >"$scratch/cmake.log"
    cmake --build "$scratch/project/build" >>"$scratch/cmake.log"
    run "$scratch/project/build/shared"
    [ -z "$collect" ] || run "$scratch/project/build/collector"
    [ -n "$static" ] || done_with "$no_static"
    run "$scratch/project/build/static"
    [ -z "$collect" ] || run "$scratch/project/build/collector_static"
    # A newer one than there is is not found.
    sed -i "s/find_package(libpop3 [^ ]*/find_package(libpop3 99/" "$scratch/project/CMakeLists.txt"
    ! cmake -S "$scratch/project" -B "$scratch/project/newer" \
        -DCMAKE_PREFIX_PATH="$(dirname "$(find "$scratch/elsewhere" -name libpop3-config.cmake)")" >>"$scratch/cmake.log" 2>&1 || {
        echo "version 99 was found"
        exit 1
    }
    done_with ''
}

by_meson() {
    expected=$(sed -n "s/^ *version: '\([^']*\)',$/\1/p" "$source/meson.build" | head -n 1)
    mkdir -p "$scratch/project/subprojects"
    ln -s "$source" "$scratch/project/subprojects/libpop3-$expected" # as the tarball has it
    cp "$source/packaging/meson/libpop3.wrap" "$scratch/project/subprojects/"
    cat >"$scratch/project/meson.build" <<'END'
project('consumer', 'c', default_options: ['c_std=c17'])
foreach kind : ['shared', 'static']
  executable(kind, 'consumer.c', dependencies: dependency('libpop3', static: kind == 'static'))
  executable('collector-' + kind, 'consumer_collect.c',
    dependencies: dependency('libpop3-collect', static: kind == 'static'))
endforeach
END
    cp "$program" "$collector" "$scratch/project/"
    # The library alone is configured and built: nothing of the command or the tests.
    meson setup "$scratch/project/build" "$scratch/project" --wrap-mode=forcefallback >"$scratch/meson.log"
    ninja -C "$scratch/project/build" shared static collector-shared collector-static >>"$scratch/meson.log"
    for kind in shared static; do
        run "$scratch/project/build/$kind"
        run "$scratch/project/build/collector-$kind"
    done
    ldd "$scratch/project/build/static" "$scratch/project/build/collector-static" | grep -q 'libpop3.*=>' && { echo "the static program needs libpop3.so"; exit 1; }
    [ ! -e "$scratch/project/build/subprojects/libpop3/src/cli" ] || { echo "the command was built"; exit 1; }
    done_with ''
}

case $way in
pkg-config)
    install_tree "$3"
    by_pkg_config
    ;;
cmake)
    needs cmake
    install_tree "$3"
    by_cmake
    ;;
meson) by_meson ;;
esac
