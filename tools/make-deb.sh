#!/bin/sh
# Builds the Debian packages, source and binary, from the source tarball and packaging/debian.
#     make-deb.sh [OUTPUT_FOLDER]
# `apt-get build-dep ./packaging` installs the build dependencies.
set -eu
umask 022
out=$(mkdir -p "${1:-build-deb}" && cd "${1:-build-deb}" && pwd)
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

tarball=$(tools/dist.sh "$work")
name=$(basename "$tarball" .tar.gz)
version=${name#libpop3-}
mv "$tarball" "$work/libpop3_$version.orig.tar.gz"
tar -C "$work" -xzf "$work/libpop3_$version.orig.tar.gz"
cp -R "$work/$name/packaging/debian" "$work/$name/debian"
said=$(sed -n '1s/^libpop3 (\(.*\)-[^-]*) .*/\1/p' "$work/$name/debian/changelog")
[ "$said" = "$version" ] || {
    echo "packaging/debian/changelog is about $said, and meson.build about $version" >&2
    exit 1
}
(cd "$work/$name" && dpkg-buildpackage --no-sign --unsigned-changes) >"$out/build.log" 2>&1 || {
    tail -n 60 "$out/build.log" >&2
    exit 1
}
rm -f "$out"/libpop3* "$out"/pop3* "$out"/python3-cpoplib*
mv "$work"/*_* "$out"
ls "$out"
