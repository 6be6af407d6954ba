#!/bin/sh
# Makes the source tarball, which builds without git: libpop3-VERSION.tar.gz of the last commit, or of this tree if it came
# out of such a tarball. The same commit always gives the same octets.
#     dist.sh [OUTPUT_FOLDER]        prints the tarball's path
set -eu
umask 022
out=$(mkdir -p "${1:-build-dist}" && cd "${1:-build-dist}" && pwd)
cd "$(dirname "$0")/.."
version=$(sed -n "s/^ *version: '\([^']*\)',$/\1/p" meson.build | head -n 1)
name=libpop3-$version

if [ -e .git ]; then
    [ -z "$(git status --porcelain --untracked-files=no)" ] ||
        echo "dist.sh: changes that are not committed are left out" >&2
    git -c tar.umask=0022 archive --format=tar --prefix="$name/" HEAD
else
    # What was built here is left out. The date of a tarball's files is its commit's.
    tar --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX \
        --mtime="@$(stat -c %Y meson.build)" --exclude='./build*' --exclude=./demo --exclude=./debian --exclude=__pycache__ \
        --transform="s,^\.,$name," -cf - .
fi | gzip -9n >"$out/$name.tar.gz"
echo "$out/$name.tar.gz"
