#!/bin/sh
# Checks the Debian packages on fresh machines: two builds are identical, lintian has no complaints, shared paths are the
# same on every architecture, the packages upgrade, pass their autopkgtests, run as systemd units, and leave nothing behind.
#     check-packages.sh [RELEASE...]      default: 12 and 13
#     check-packages.sh --here            on this machine, which must be disposable: what the
#                                         fresh machine runs
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" != --here ]; then
    [ $# -gt 0 ] || set -- 12 13
    for release in "$@"; do
        began=$(date +%s)
        echo "== the packages on a fresh Debian $release"
        tools/fresh-machine.sh "$release" -- tools/check-packages.sh --here
        echo "Debian $release: passed in $(($(date +%s) - began)) seconds"
    done
    exit
fi

packages='libpop3-0 libpop3-collect0 libpop3-dev libpop3-doc pop3 pop3-testserver python3-cpoplib'
export DEBIAN_FRONTEND=noninteractive
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() {
    echo "-- $*"
}

# $1: a log's name, then a command, which is silent unless it fails.
quietly() {
    log=$work/$1.log
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 60 "$log"
        exit 1
    }
}

get() {
    quietly apt apt-get -o Dpkg::Use-Pty=0 "$@"
}

# What has a name of ours on this machine, beside logs and caches and what is here.
names() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/tmp -o -path "$PWD" -o -path /share \
        -o -path /var/log -o -path /var/cache -o -path /var/lib/apt \) -prune \
        -o \( -iname '*pop3*' -o -iname '*cpoplib*' \) -print | sort
}

# The files of the packages $1, a directory.
binaries() {
    find "$1" -name '*.deb' ! -name '*dbgsym*' | sort
}

say "what building and checking needs"
get update
get build-dep -y --no-install-recommends ./packaging
get install -y --no-install-recommends lintian autopkgtest dpkg-dev diffutils python3 man-db \
    systemd-sysv systemd-container libpam-systemd dbus-user-session dovecot-pop3d openssl procps podman buildah crun mmdebstrap

say "built twice, elsewhere, at another time of day, in another language, without tests"
quietly first tools/make-deb.sh "$work/first"
grep -E '^(Ok|Fail|Skipped):' "$work/first/build.log"
(
    umask 077
    export TZ=Asia/Kathmandu LC_ALL=C.UTF-8 HOME=/nonexistent TMPDIR=/var/tmp DEB_BUILD_OPTIONS='nocheck parallel=1'
    quietly second tools/make-deb.sh "$work/second"
)
same=0
for file in "$work/first"/*.deb "$work/first"/*.dsc "$work/first"/*.tar.*; do
    cmp "$file" "$work/second/$(basename "$file")"
    same=$((same + 1))
done
say "$same files are the same to the octet"

say "lintian: no errors, no warnings but those explained in packaging/lintian.suppressed"
tags=$(sed '/^#/d' packaging/lintian.suppressed | paste -sd ,)
lintian --allow-root --fail-on error,warning --suppress-tags "$tags" "$work/first"/*.changes

say "multi-arch: no path is shared whose file another architecture would have otherwise"
for package in $packages; do
    deb=$(binaries "$work/first" | grep "/${package}_")
    wanted=same
    case $package in
    pop3 | pop3-testserver | libpop3-doc) wanted=foreign ;;
    python3-cpoplib) wanted=no ;; # its scripts compile modules, and remove them for all architectures at once
    esac
    multi=$(dpkg-deb -f "$deb" Multi-Arch)
    [ "${multi:-no}" = "$wanted" ] || {
        echo "$package: is not Multi-Arch: $wanted"
        exit 1
    }
    [ "$wanted" = same ] || continue
    # Below a directory with the architecture's name, with it in the file's name, or the same text everywhere.
    dpkg-deb -c "$deb" | awk '$1 ~ /^-/ { print $6 }' |
        grep -v -e "/$(dpkg-architecture -qDEB_HOST_MULTIARCH)[/.]" -e "-$(dpkg-architecture -qDEB_HOST_MULTIARCH)\.so$" \
            -e '^./usr/share/' -e '^./usr/include/pop3/.*\.h$' -e '\.pyi$' -e '/py.typed$' >"$work/shared" || true
    [ ! -s "$work/shared" ] || {
        cat "$work/shared"
        echo "$package: the files above would be other ones on another architecture"
        exit 1
    }
done

say "installed as an older version, then upgraded"
names >"$work/names.before"
mkdir "$work/old"
for deb in $(binaries "$work/first"); do
    dpkg-deb -R "$deb" "$work/tree"
    sed -i 's/^Version: \(.*\)-[^-]*$/Version: \1-0/; s/(= \([^)]*\)-[^-)]*)/(= \1-0)/g' "$work/tree/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$work/tree" "$work/old" >/dev/null
    rm -rf "$work/tree"
done
# shellcheck disable=SC2046 # lists of words
get install -y $(binaries "$work/old")
for package in $packages; do
    dpkg-query -W -f '${Version}' "$package" | grep -q -- '-0$'
done
# shellcheck disable=SC2046
get install -y $(binaries "$work/first")
for package in $packages; do
    dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' "$package"
    dpkg --verify "$package"
done
pop3 --version
man -w pop3 pop3-authorize pop3-config pop3-testserver >/dev/null
[ ! -e /etc/systemd/user/timers.target.wants/pop3.timer ]

say "autopkgtests against the installed packages"
autopkgtest --output-dir "$work/tests" "$work/first"/*.changes -- null >"$work/autopkgtest.log" 2>&1 || {
    tail -n 80 "$work/autopkgtest.log"
    exit 1
}
cat "$work/tests/summary"

say "units of systemd, by systemd"
tools/check-units.sh

say "from the tarball, without git, below another prefix, and staged"
tar -C "$work" -xzf "$work/first"/libpop3_*.orig.tar.gz
mkdir "$work/no-git"
printf '#!/bin/sh\necho "git was run: $*" >&2\nexit 1\n' >"$work/no-git/git"
chmod +x "$work/no-git/git"
(
    cd "$work"/libpop3-*
    export PATH="$work/no-git:$PATH"
    quietly again tools/dist.sh "$work/again"
    quietly install make install PREFIX=/opt/pop3
    quietly opt tools/installed-demo.sh /opt/pop3
    tail -n 1 "$work/opt.log"
    quietly staged make install PREFIX=/usr DESTDIR="$work/staged"
)
for tarball in "$work/first"/libpop3_*.orig.tar.gz "$work/again"/libpop3-*.tar.gz; do
    tar -tzf "$tarball" | sed 's,/$,,' | sort >"$work/list.$(basename "$(dirname "$tarball")")"
done
cmp "$work/list.first" "$work/list.again"
[ -x "$work/staged/usr/bin/pop3" ]
grep -q '^ExecStart=/usr/bin/pop3 ' "$work/staged/usr/lib/systemd/user/pop3.service"
rm -rf /opt/pop3

say "the SBOM lists what is in the tarball, and is the same when it is made again"
quietly sbom tools/sbom.py "$work/sbom"
quietly sbom tools/sbom.py "$work/sbom-again"
cmp "$work/sbom"/*.json "$work/sbom-again"/*.json
python3 - "$work/sbom"/*.json <<'END' >"$work/digests"
import json, sys
bom = json.load(open(sys.argv[1]))
known = {one["SPDXID"] for kind in ("packages", "files") for one in bom[kind]} | {bom["SPDXID"]}
used = {one[end] for one in bom["relationships"] for end in ("spdxElementId", "relatedSpdxElement")}
assert used <= known, used - known
for one in bom["files"]:
    print(one["checksums"][1]["checksumValue"], "", one["fileName"])
END
(cd "$work"/libpop3-*/ && rm -rf build-install && sha256sum --quiet -c "$work/digests" &&
    [ "$(find . -type f ! -path ./demo/\* ! -name '*.pyc' | wc -l)" = "$(wc -l <"$work/digests")" ])

say "the image, built and run by a container engine"
tools/check-container.sh

say "removed, then purged"
mkdir -p /etc/systemd/system/timers.target.wants
ln -s /usr/lib/systemd/system/pop3@.timer /etc/systemd/system/timers.target.wants/pop3@demo.timer
# shellcheck disable=SC2086 # a list of words
{
    get remove -y $packages
    quietly purge dpkg --purge $packages
}
names >"$work/names.after"
cmp "$work/names.before" "$work/names.after" || {
    diff "$work/names.before" "$work/names.after"
    exit 1
}
say "all passed"
