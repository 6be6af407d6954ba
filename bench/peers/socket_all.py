"""The least that Python's sockets do: sends RETR and reads until a message's end, without parsing anything; or makes
lists of the lines of UIDL and LIST with one call of split(), without looking at them.

socket_all.py PORT MESSAGES         MESSAGES: how many to retrieve, or `lists`
"""

import socket
import sys

END = b"\r\n.\r\n"
room = bytearray(1 << 16)
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
line.recv(512)


def retrieve(number):
    line.sendall(b"RETR %d\r\n" % number)
    end = b""
    while end != END:
        got = line.recv_into(room)
        end = (end + room[max(0, got - 5) : got])[-5:]


def lines_of(command):
    line.sendall(command)
    reply = bytearray()
    while not reply.endswith(END):
        got = line.recv_into(room)
        reply += memoryview(room)[:got]
    return bytes(reply).split(b"\r\n")[1:-2]


for command in (b"USER user\r\n", b"PASS pass\r\n"):
    line.sendall(command)
    line.recv(512)
if sys.argv[2] == "lists":
    print(len(lines_of(b"UIDL\r\n")) + len(lines_of(b"LIST\r\n")), "lines")
else:
    for number in range(1, int(sys.argv[2]) + 1):
        retrieve(number)
line.sendall(b"QUIT\r\n")
line.recv(512)
