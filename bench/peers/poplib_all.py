"""A peer: Python's poplib, or cpoplib in its place.

poplib_all.py [--module-path DIR] [--tls] [--work WORK] [--user USER] PORT

--module-path: use cpoplib from DIR. WORK: `retrieve` every message (the default), `list` them and parse the
lists, only `take` the lists, `connect` 500 times and quit, only `import` the module, or do `nothing`.
"""

import sys

# No argparse: its import would take a good part of what is measured.
options = {"--module-path": "", "--work": "retrieve", "--user": "user", "--tls": ""}
words = sys.argv[1:]
while len(words) > 1:
    name = words.pop(0)
    options[name] = "yes" if name == "--tls" else words.pop(0)
port, work = int(words[0]), options["--work"]

if work == "nothing":
    sys.exit()
if options["--module-path"]:
    sys.path.insert(0, options["--module-path"])
    import cpoplib as poplib
else:
    import poplib


def begin():
    if options["--tls"]:
        return poplib.POP3_SSL("127.0.0.1", port)  # without a context poplib verifies nothing: nor does cpoplib
    return poplib.POP3("127.0.0.1", port)


def log_in():
    session = begin()
    session.user(options["--user"])
    session.pass_("pass")
    return session


if work == "connect":
    for _ in range(500):
        log_in().quit()
elif work == "list":
    session = log_in()
    uids = dict(line.split() for line in session.uidl()[1])
    sizes = {number: int(size) for number, size in (line.split() for line in session.list()[1])}
    print(f"{len(uids)} messages, {sum(sizes.values())} octets")
    session.quit()
elif work == "take":
    session = log_in()
    print(f"{len(session.uidl()[1]) + len(session.list()[1])} lines")
    session.quit()
elif work == "retrieve":
    session = log_in()
    count = session.stat()[0]
    octets = sum(session.retr(number)[2] for number in range(1, count + 1))
    print(f"{count} messages, {octets} octets")
    session.quit()
