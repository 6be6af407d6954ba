"""A peer: Python's poplib, or cpoplib in its place, retrieves every message, or lists them.

poplib_all.py [--module-path DIR] [--listing] [--user USER] PORT     --module-path: use cpoplib from DIR
"""

import argparse
import sys

arguments = argparse.ArgumentParser()
arguments.add_argument("--module-path")
arguments.add_argument("--listing", action="store_true")
arguments.add_argument("--user", default="user")
arguments.add_argument("port", type=int)
options = arguments.parse_args()

if options.module_path:
    sys.path.insert(0, options.module_path)
    import cpoplib as poplib
else:
    import poplib

session = poplib.POP3("127.0.0.1", options.port)
session.user(options.user)
session.pass_("pass")
if options.listing:
    uids = dict(line.split() for line in session.uidl()[1])
    sizes = {number: int(size) for number, size in (line.split() for line in session.list()[1])}
    print(f"{len(uids)} messages, {sum(sizes.values())} octets")
else:
    count = session.stat()[0]
    octets = sum(session.retr(number)[2] for number in range(1, count + 1))
    print(f"{count} messages, {octets} octets")
session.quit()
