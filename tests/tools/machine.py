"""Makes a machine lack something for one process: its entry in passwd, IPv6, /dev/shm, a resolvable host name.

Everything happens in namespaces of the calling process, and ends with it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct
import sys
import tempfile
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Optional

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x4000000, 0x10000000, 0x40000000
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 4096, 8192, 16384, 1 << 18
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
# seccomp(2)'s name for the processor, and its number of socket(2).
SOCKET_CALL = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}

libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Lacks:
    """What the machine does not have."""

    passwd: bool = False  # an entry for the user
    ipv6: bool = False  # socket(2) knows no AF_INET6
    ipv6_address: bool = False  # not even ::1 can be bound, as in many containers
    shared_memory: bool = False  # /dev/shm
    tmp: bool = False  # /tmp on the file system of everything else
    host_name: bool = False  # a host name that resolves


def call(name: str, *arguments: object) -> None:
    """A function of the C library that says with a non-zero result that it failed."""
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())


def namespaces(lacks: Lacks) -> int:
    """The namespaces that are needed; a user's own when an ordinary user is to have others."""
    flags = 0
    if lacks.shared_memory or lacks.tmp:
        flags |= CLONE_NEWNS
    if lacks.ipv6_address or lacks.host_name:  # without a network there is no name service, either
        flags |= CLONE_NEWNET
    if lacks.host_name:
        flags |= CLONE_NEWUTS
    if os.geteuid() != 0 and (flags != 0 or lacks.passwd or lacks.ipv6):
        flags |= CLONE_NEWUSER
    return flags


def enter_namespaces(flags: int, user: Optional[int]) -> None:
    """Unshares; an ordinary user becomes `user`, or stays who it is."""
    outside_user, outside_group = os.geteuid(), os.getegid()
    if flags != 0:
        call("unshare", flags)
    if flags & CLONE_NEWUSER:
        inside = outside_user if user is None else user
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"{inside} {outside_group} 1")
        Path("/proc/self/uid_map").write_text(f"{inside} {outside_user} 1")
    if flags & CLONE_NEWNS:
        mount("none", "/", flags=MS_REC | MS_PRIVATE)


def remove_shared_memory() -> None:
    """Gives the process a /dev with nothing but what every program may count on."""
    with tempfile.TemporaryDirectory(prefix="pop3-dev-") as new:
        mount("tmpfs", new, "tmpfs", data="mode=755")
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            (Path(new) / name).touch()
            mount(f"/dev/{name}", f"{new}/{name}", flags=MS_BIND)
        os.mkdir(f"{new}/pts")
        mount("devpts", f"{new}/pts", "devpts", data="newinstance,ptmxmode=0666,mode=620")
        for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"),
                             ("stderr", "fd/2"), ("ptmx", "pts/ptmx")):  # fmt: skip
            os.symlink(target, f"{new}/{name}")
        mount(new, "/dev", flags=MS_MOVE)


def mount_tmp(kept: list[Path]) -> None:
    """Puts /tmp on a file system of its own, in which the directories `kept` still are where they were."""
    held = {path: os.open(path, os.O_PATH) for path in kept if path.is_relative_to("/tmp")}
    mount("tmpfs", "/tmp", "tmpfs", data="mode=1777")
    for path, descriptor in held.items():
        if not path.exists():
            path.mkdir(parents=True)
            mount(f"/proc/self/fd/{descriptor}", str(path), flags=MS_BIND | MS_REC)
        os.close(descriptor)


def start_loopback() -> None:
    """A new network has nothing but a loopback device, which is not up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sh22x", b"lo", 0))
        flags = struct.unpack("16sh22x", request)[1] | IFF_UP
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags))


def refuse_ipv6() -> None:
    """From now on socket(2) knows no AF_INET6, as on a kernel without IPv6."""
    architecture, number = SOCKET_CALL[platform.machine()]
    load, jump_if_equal, end = 0x20, 0x15, 0x06
    program = [
        (load, 0, 0, 4),  # the processor
        (jump_if_equal, 0, 5, architecture),
        (load, 0, 0, 0),  # the system call
        (jump_if_equal, 0, 3, number),
        (load, 0, 0, 16),  # its first argument, of a little-endian machine
        (jump_if_equal, 0, 1, socket.AF_INET6),
        (end, 0, 0, 0x00050000 | errno.EAFNOSUPPORT),
        (end, 0, 0, 0x7FFF0000),  # allowed
    ]
    text = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(text)
    header = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(buffer)))
    call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0)


def become(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def enter(lacks: Lacks, kept: list[Path], user: Optional[int]) -> None:
    """Makes the process lack it, and become `user` if root is to. Raises OSError where that cannot be done."""
    was_root = os.geteuid() == 0
    flags = namespaces(lacks)
    enter_namespaces(flags, user if lacks.passwd else None)
    if flags & CLONE_NEWNET:
        if lacks.ipv6_address:
            Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
        start_loopback()
    if lacks.host_name:
        name = b"unresolvable.invalid"
        call("sethostname", name, len(name))
    if lacks.shared_memory:
        remove_shared_memory()
    if lacks.tmp:
        mount_tmp(kept)
    if flags & CLONE_NEWNS:
        os.chdir(os.getcwd())  # into what is mounted there now
    if lacks.ipv6:
        refuse_ipv6()
    if user is not None and was_root:
        become(user)


def why_impossible(lacks: Lacks, root: Path, user: Optional[int]) -> Optional[str]:
    """Why this machine cannot be made to lack it, found out by trying; None when it can."""
    if lacks.ipv6 and platform.machine() not in SOCKET_CALL:
        return f"there is no filter of system calls for {platform.machine()} here"
    if lacks == Lacks() and user is None:
        return None
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            enter(lacks, [root, Path(os.getcwd())], user)
            os.stat(root / "meson.build")
        except OSError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        reason = told.read()
    os.waitpid(child, 0)
    return reason or None
