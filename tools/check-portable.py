#!/usr/bin/env python3
"""Checks that interfaces of Linux are only used in files named NAME_linux.[ch], that each of these has a twin
NAME_posix.c, which replaces it on other systems and with -Dportable=true, and that ARCHITECTURE.md lists them.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"

# Headers that no other system has, or that have other things there.
HEADERS = re.compile(
    r"#\s*include\s+<(linux/[^>]+|asm/[^>]+|sched\.h|seccomp\.h|malloc\.h|features\.h|gnu/[^>]+"
    r"|sys/(epoll|eventfd|signalfd|timerfd|inotify|fanotify|prctl|syscall|vfs|statfs|random|sendfile|auxv|capability"
    r"|sysinfo|personality|xattr|ptrace)\.h)>"
)

# Calls and constants of Linux, of the GNU C library, or with other arguments on other systems. Where one is also
# on some BSDs, macOS lacks it. `name(2)` is what a message calls one.
NAMES = re.compile(
    r"\b(epoll_\w+|EPOLL\w+|eventfd\w*|EFD_\w+|signalfd|timerfd_\w+|inotify_\w+|accept4|pipe2|dup3"
    r"|SOCK_(CLOEXEC|NONBLOCK)|MSG_(CMSG_CLOEXEC|ZEROCOPY|MORE|ERRQUEUE)"
    r"|TCP_(QUICKACK|USER_TIMEOUT|CORK|DEFER_ACCEPT|KEEPIDLE|INFO)|SO_(ZEROCOPY|BUSY_POLL|PEERCRED|BINDTODEVICE|MARK)"
    r"|renameat2|RENAME_(NOREPLACE|EXCHANGE)|syncfs|sync_file_range|SYNC_FILE_RANGE_\w+|fallocate|posix_fadvise|readahead"
    r"|O_(TMPFILE|PATH|DIRECT|NOATIME)|AT_EMPTY_PATH|memfd_create|MFD_\w+|statx|f?statfs|openat2|close_range|splice|tee"
    r"|vmsplice|sendfile|copy_file_range|prctl|PR_[A-Z]+_\w+|SYS_landlock_\w+|SYS_seccomp|SECCOMP_\w+|syscall"
    r"|F_OFD_\w+|getrandom|madvise|MADV_\w+|mremap|MAP_(ANONYMOUS|POPULATE|STACK|NORESERVE)|sched_\w+affinity|CPU_\w+"
    r"|CLOCK_(BOOTTIME|MONOTONIC_RAW|MONOTONIC_COARSE|REALTIME_COARSE)|pidfd_\w+|waitid|gettid|clone3?|unshare|setns"
    r"|ppoll|recvmmsg|sendmmsg|explicit_bzero|qsort_r|mempcpy|memrchr|rawmemchr|strchrnul|canonicalize_file_name"
    r"|get_current_dir_name|program_invocation\w*|secure_getenv|strerrordesc_np|strerrorname_np|mallopt|malloc_trim"
    r"|malloc_usable_size|pthread_(setaffinity|tryjoin|timedjoin|setname)_np|pthread_cond_clockwait|getauxval"
    r"|PTHREAD_\w+_NP|RTLD_DEEPBIND|__GLIBC__|__linux__)\b(?!\(2\))"
    r'|"/(proc|sys)/'
)

# What only a Linux file needs has no twin.
PARTS = {"src/confine/socketcall_linux.c", "src/confine/syscall_list_linux.c"}

# Its paths are rules for Landlock, whose twin ignores them.
PATHS_FOR_LANDLOCK = "src/cli/sandbox_files.c"


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.DOTALL)


def of_linux(path: Path) -> list[str]:
    """What a file has that is Linux's alone. A twin may ask whether an optional part of POSIX is there."""
    name = str(path.relative_to(ROOT))
    found = []
    tested = set()
    for i, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
        condition = re.match(r"\s*#\s*ifdef\s+(\w+)", line)
        if condition:
            tested.add(condition[1].rsplit("_", 1)[0])
            continue
        for match in list(HEADERS.finditer(line)) + list(NAMES.finditer(line)):
            if match[0].startswith('"/') and name == PATHS_FOR_LANDLOCK:
                continue
            if name.endswith("_posix.c") and match[0] == "posix_fadvise" and "POSIX_FADV" in tested:
                continue
            found.append(f"{name}:{i}: {match[0]} is not on every system")
    return found


def twins() -> list[str]:
    """What is wrong with the pairs of files."""
    found = []
    table = (ROOT / "ARCHITECTURE.md").read_text()
    for path in sorted(SOURCE.glob("*/*_linux.c")):
        name = str(path.relative_to(ROOT))
        twin = path.with_name(path.name.replace("_linux.c", "_posix.c"))
        header = path.with_name(path.name.replace("_linux.c", ".h"))
        if name in PARTS:
            continue
        if not twin.exists():
            found.append(f"{name}: there is no {twin.name}")
        if not header.exists():
            found.append(f"{name}: there is no {header.name}, with what both promise")
        if f"`{path.name.removesuffix('_linux.c')}`" not in table:
            found.append(f"{name}: ARCHITECTURE.md does not list it")
    for path in sorted(SOURCE.glob("*/*_posix.c")):
        if not path.with_name(path.name.replace("_posix.c", "_linux.c")).exists():
            found.append(f"{path.relative_to(ROOT)}: the twin of nothing")
    return found


def main() -> int:
    found = twins()
    files = 0
    for path in sorted([*SOURCE.glob("*/*.[ch]"), *(ROOT / "include/pop3").glob("*.h")]):
        if not path.stem.endswith("_linux"):
            found += of_linux(path)
            files += 1
    for line in found:
        print(line)
    print(f"{files} files, {len(found)} complaints")
    return 1 if found or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
