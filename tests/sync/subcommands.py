"""Runs the subcommands that look at one mailbox, also on a terminal of their own."""

import fcntl
import os
import re
import select
import struct
import subprocess
import termios

from world import COMMAND, DEADLINE


# Subcommands that ask no POP3 server for anything.
ELSEWHERE = {"authorize", "help", "retry", "setup", "token"}


def all_subcommands() -> set[str]:
    told = subprocess.run([COMMAND, "help"], env={}, check=True, capture_output=True, text=True, timeout=DEADLINE).stdout
    return set(re.findall(r"^    pop3 ([a-z]+) ", told, re.MULTILINE))


class Mailbox:
    """Runs subcommands against a server with the sample mailbox."""

    def __init__(self, world, server):
        self.world, self.server = world, server
        self.url = f"pop3://user@127.0.0.1:{server.port}"

    def words(self, name, *args):
        return [COMMAND, name, self.url, *map(str, args), "--allow-plaintext",
                "--password-file", str(self.world.password_file)]  # fmt: skip

    def run(self, name, *args, status=0, stdin=""):
        done = subprocess.run(self.words(name, *args), env=self.world.environment(), input=stdin,
                              capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def terminal(self, name, *args, columns=80, typed=(), status=0):
        """The same on a terminal of its own; `typed` are (a pattern that must show behind what matched the one
        before, what is typed then, the signal that is sent, or what is called with the terminal). However it ends, the terminal is as it was."""
        fd, its = os.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        before = termios.tcgetattr(its)
        env = self.world.environment(LANG="C.UTF-8", TERM="xterm")
        words = self.words(name, *args)
        pid = os.fork()
        if pid == 0:
            os.close(fd)
            os.login_tty(its)
            os.execve(words[0], words, env)
        os.close(its)
        shown = b""
        typed = list(typed)
        seen = 0
        while True:
            if not select.select([fd], [], [], DEADLINE)[0]:
                os.close(fd)
                raise AssertionError(shown)
            try:
                data = os.read(fd, 65536)
            except OSError:
                data = b""
            if not data:
                break
            shown += data
            while typed and (match := re.compile(typed[0][0].encode(), re.S).search(shown, seen)):
                seen = match.end()
                action = typed.pop(0)[1]
                if isinstance(action, str):
                    os.write(fd, action.encode())
                elif callable(action):
                    action(fd)
                else:
                    os.kill(pid, action)
        assert termios.tcgetattr(fd) == before
        os.close(fd)
        _, ended = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(ended) == status, shown
        return shown.decode(errors="replace").replace("\r\n", "\n")
