#!/bin/sh
# Runs a command on a fresh Debian machine: a minimal system with only make and git, in a temporary directory, with a
# clone of this checkout (the last commit) as the working directory.
#     fresh-machine.sh [OPTION...] RELEASE [ARCHITECTURE] -- COMMAND [ARGUMENT...]
#
#     RELEASE        12, 13, or a code name such as trixie
#     ARCHITECTURE   Debian's name, such as i386 or arm64; what this processor cannot run needs
#                    qemu-user-static (default: this machine's)
#     --user         run COMMAND as an ordinary user with sudo (default: root)
#     --share DIR    DIR is /share on the machine, writable
#     --include LIST additional packages, separated by commas
#     --no-updates   the packages of the last point release, without later updates
#     --cache        keep the minimal system in ${XDG_CACHE_HOME:-~/.cache}/libpop3 for a day
#
# Needs root, or sudo. The mirror, the proxy and the certificates are those of this machine's apt. COMMAND has an
# environment with only PATH and HOME, its own processes, mounts, /dev and host name, and this machine's
# network. The exit status is COMMAND's. Everything is removed at the end, also after a signal; the mounts
# and processes are in separate namespaces, and end even if this script is killed.
set -eu

usage() {
    sed -n '2,/^set -eu/s/^#\( \|$\)//p' "$0" >&2
    exit 2
}

# 12 -> bookworm
codename() {
    case $1 in
    11) echo bullseye ;;
    12) echo bookworm ;;
    13) echo trixie ;;
    14) echo forky ;;
    *[!a-z]* | '') usage ;;
    *) echo "$1" ;;
    esac
}

# The sources of release $1, made of this machine's: apt itself reads them, whatever their format.
sources() {
    here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    lists=$(apt-config shell lists Dir::State::lists/d | sed "s/^lists='\(.*\)'$/\1/")
    if [ -z "$(find "$lists" -name '*Release' -print -quit)" ]; then
        lists=$work/lists
        mkdir "$lists"
        apt-get -qq -o Dir::State::lists="$lists" update >&2
    fi
    found=$(apt-get -o Dir::State::lists="$lists" indextargets 'Identifier: Packages' \
        --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' |
        awk -v here="$here" -v wanted="$1" '
            $3 == "main" && $4 == "Debian" && index($2, here) == 1 {
                pocket = substr($2, length(here) + 1)
                if (pocket == "" || pocket == "-updates" || pocket == "-security")
                    print "deb", $1, wanted pocket, "main"
            }' | sort -u)
    if [ -z "$found" ]; then
        echo "fresh-machine.sh: apt has no source of Debian's main section here: add one" >&2
        return 1
    fi
    echo "$found"
}

# What this machine's apt is told about proxies, certificates and the age of snapshots.
apt_configuration() {
    apt-config dump | grep -E '^Acquire::((https?|ftp)::|Retries|Check-Valid-Until|Check-Date)' || true
    for scheme in http https; do
        eval "proxy=\${${scheme}_proxy:-}"
        [ -z "$proxy" ] || echo "Acquire::$scheme::Proxy \"$proxy\";"
    done
}

# Runs a command, with the descriptor 3 as its input, in namespaces that end with it.
contained() {
    unshare --mount --pid --ipc --uts --fork --kill-child --mount-proc -- "$@" <&3 3<&- &
    container=$!
    wait "$container"
}

# The file that keeps the system of these packages from these sources, or nothing without --cache.
kept() {
    [ -z "$cache" ] || echo "$cache/$release-$architecture-$(echo "$include" | tr , -)-$(
        cat "$work/sources.list" "$work/apt.conf" | cksum | cut -d ' ' -f 1
    ).tar"
}

# Unpacks the kept system into $root. False when there is none.
from_cache() {
    file=$(kept)
    [ -n "$file" ] && [ -f "$file" ] && mkdir "$root" && tar -C "$root" -xpf "$file" --numeric-owner
}

# Makes the minimal system in $root, and keeps a copy if that is wanted. What is thrown away need not outlive a
# power cut.
bootstrap() {
    contained env TMPDIR="$work" mmdebstrap --quiet --variant=minbase --architectures="$architecture" \
        --include="$include" --aptopt="$work/apt.conf" --dpkgopt=force-unsafe-io "$release" "$root" "$work/sources.list" >&2 ||
        return
    file=$(kept)
    [ -z "$file" ] || {
        mkdir -p "$cache"
        tar -C "$root" --one-file-system --numeric-owner -cf "$file.$$" . && mv "$file.$$" "$file" || rm -f "$file.$$"
    }
}

clean_up() {
    trap '' INT TERM HUP
    if [ -n "$container" ] && [ -d "/proc/$container" ]; then
        # The namespace's first process: unshare ends when all the others have.
        # shellcheck disable=SC2046 # none or one word
        kill -KILL $(cat "/proc/$container/task/$container/children") 2>/dev/null || true
        wait "$container" 2>/dev/null || true
    fi
    rm -rf --one-file-system "$work"
}

# Within the namespaces: completes the machine's file systems, enters it, and runs the command.
enter() {
    root=$1 user=$2 home=$3 personality=$4 share=$5
    shift 5
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
    mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
    for device in null zero full random urandom tty; do
        : >"$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    for stream in 0:stdin 1:stdout 2:stderr; do
        ln -s "/proc/self/fd/${stream%:*}" "$root/dev/${stream#*:}"
    done
    if [ -n "$share" ]; then
        mkdir "$root/share"
        mount --bind "$share" "$root/share"
    fi
    hostname fresh
    cd "$root"
    pivot_root . .
    umount -l .
    cd "$home/libpop3"
    # Started in the background, this has SIGINT and SIGQUIT ignored: the command has not.
    env -i --default-signal PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" \
        setpriv --reuid "$user" --regid "$user" --init-groups \
        ${personality:+setarch "$personality"} "$@"
}

if [ "${1:-}" = --enter ]; then
    shift
    enter "$@"
    exit
fi

if [ "$(id -u)" != 0 ]; then
    exec sudo env TMPDIR="${TMPDIR:-/var/tmp}" XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}" \
        ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} "$0" "$@"
fi

user=root home=/root share='' include=make,git cache='' updates=yes
while :; do
    case ${1:-} in
    --user) user=tester home=/home/tester include=$include,sudo ;;
    --share) share=$(cd "$2" && pwd) && shift ;;
    --include) include=$include,$2 && shift ;;
    --no-updates) updates='' ;;
    --cache) cache=${XDG_CACHE_HOME:-$HOME/.cache}/libpop3 ;;
    -*) usage ;;
    *) break ;;
    esac
    shift
done
release=$(codename "${1:-}") && shift
architecture=$(dpkg --print-architecture)
if [ "${1:-}" != -- ]; then
    [ $# -gt 0 ] || usage
    architecture=$1 && shift
fi
[ "${1:-}" = -- ] && [ $# -gt 1 ] || usage
shift
case $architecture in
i386 | armhf | armel) personality=linux32 ;;
*) personality='' ;;
esac

script=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
checkout=$(dirname "$(dirname "$script")")
{ command -v mmdebstrap && command -v arch-test; } >/dev/null || "$checkout/tools/dependencies.sh" machines
[ -e /proc/self/fd/0 ] || exec </dev/null
exec 3<&0
umask 022
container=''
work=$(mktemp -d "${TMPDIR:-/var/tmp}/libpop3-machine.XXXXXX")
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 755 "$work"
root=$work/root

without_updates() {
    sed -i "/ $release-/d" "$work/sources.list"
}

# The system: from the cache, where that is wanted and has it. Its name there tells the sources that it is made of.
sources "$release" >"$work/sources.list"
[ -n "$updates" ] || without_updates
apt_configuration >"$work/apt.conf"
if [ -n "$cache" ]; then
    find "$cache" -name '*.tar' -mtime +0 -delete 2>/dev/null || true
fi
if ! from_cache && ! bootstrap; then
    echo "fresh-machine.sh: once more, without the release's updates: a mirror may lack them for a while" >&2
    without_updates
    rm -rf --one-file-system "$root"
    from_cache || bootstrap
fi

# What a machine has beyond its packages. Services are not started: the network is this machine's.
printf '127.0.0.1 localhost\n127.0.1.1 fresh\n::1 localhost ip6-localhost\n' >"$root/etc/hosts"
echo fresh >"$root/etc/hostname"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
if grep -q ' https:' "$work/sources.list"; then
    authorities=$(sed -n 's/^Acquire::https::C[aA]Info "\(.*\)";/\1/p' "$work/apt.conf" | tail -n 1)
    authorities=${authorities:-/etc/ssl/certs/ca-certificates.crt}
    mkdir -p "$root$(dirname "$authorities")"
    cp -L "$authorities" "$root$authorities"
fi
if [ "$user" != root ]; then
    chroot "$root" useradd --create-home --shell /bin/bash "$user"
    echo "$user ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/$user"
fi

# Tests run as other users, too: they find the checkout.
chmod a+x "$root$home"

# The checkout, whoever owns it. What was not committed stays here.
printf '[safe]\n\tdirectory = *\n[advice]\n\tdetachedHead = false\n' >"$work/gitconfig"
export GIT_CONFIG_GLOBAL="$work/gitconfig"
[ -z "$(git -C "$checkout" status --porcelain --untracked-files=no)" ] ||
    echo "fresh-machine.sh: changes that are not committed are left out" >&2
git clone --quiet --depth 1 "file://$checkout" "$root$home/libpop3"
[ "$user" = root ] || chroot "$root" chown -R "$user:$user" "$home/libpop3"

contained "$script" --enter "$root" "$user" "$home" "$personality" "$share" "$@"
