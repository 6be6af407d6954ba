"""The least that Python's sockets do: sends RETR and reads until a message's end, without parsing anything.

socket_all.py PORT MESSAGES
"""

import socket
import sys

END = b"\r\n.\r\n"
room = bytearray(1 << 16)
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
line.recv(512)
for command in (b"USER user\r\n", b"PASS pass\r\n"):
    line.sendall(command)
    line.recv(512)
for number in range(1, int(sys.argv[2]) + 1):
    line.sendall(b"RETR %d\r\n" % number)
    end = b""
    while end != END:
        got = line.recv_into(room)
        end = (end + room[max(0, got - 5) : got])[-5:]
line.sendall(b"QUIT\r\n")
line.recv(512)
