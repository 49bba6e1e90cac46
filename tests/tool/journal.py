#!/usr/bin/python3
"""Stands in for systemd's journal: receives what is sent to the socket SOCKET and appends each
record to FILE, as one JSON object a line, in which each field is a list of values.

	journal.py SOCKET FILE		receives until it is killed
	journal.py SOCKET		receives nothing: who sends meets a full queue
"""
import json
import signal
import socket
import struct
import sys


def parse(data):
    """Return the fields of a record: lines KEY=VALUE, or KEY, length and value in binary."""
    fields = {}
    while data:
        line, _, data = data.partition(b"\n")
        key, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack("<Q", data[:8])
            value, data = data[8:8 + length], data[9 + length:]
        fields.setdefault(key.decode(), []).append(value.decode(errors="backslashreplace"))
    return fields


server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
if len(sys.argv) < 3:
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.connect(sys.argv[1])
    sender.setblocking(False)
    try:
        while True:
            sender.send(b"X=1\n")
    except BlockingIOError:
        print("full", flush=True)
    signal.pause()
print("ready", flush=True)
while True:
    message = server.recv(1 << 20)
    with open(sys.argv[2], "a", encoding="utf-8") as out:
        out.write(json.dumps(parse(message)) + "\n")
