#!/usr/bin/env python3
"""A box that watches connections on an interface and sends segments in the name of their ends.

    forge.py INTERFACE --when hello:TEXT | data:BYTES | silence:SECONDS [--send rst|rst-ack|fin]
             [--to client|server|both] [--ttl N] [--ip-id N] [--copies N] [--port N]

hello:TEXT      when the client's data contains TEXT (a server name)
data:BYTES      when the server has sent so many bytes
silence:SECONDS when the client speaks again after so long

Nothing is taken off the wire: the real segments travel on, as they do past a box beside the path.
What must not pass is dropped by the packet filter. IPv4 only.
"""

import argparse
import signal
import socket
import struct
import sys
import time

ETHERNET = 14
FIN, SYN, RST, ACK = 1, 2, 4, 16
MSS = 1460
FLAGS = {"rst": RST, "rst-ack": RST | ACK, "fin": FIN | ACK}


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def tcp_segment(source, target, ports, seq, ack, flags, window):
    """`ports`: from, to. Without options, as forged ones usually are."""
    head = struct.pack("!HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, window, 0, 0)
    pseudo = source + target + struct.pack("!BBH", 0, 6, len(head))
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]


class Segment:
    """What is needed of an IPv4 TCP frame; `good` is False for all others."""

    def __init__(self, frame):
        self.good = frame[12:14] == b"\x08\x00" and len(frame) >= ETHERNET + 40 and frame[23] == 6
        if not self.good:
            return
        ip = ETHERNET
        tcp = ip + (frame[ip] & 15) * 4
        end = ip + struct.unpack_from("!H", frame, ip + 2)[0]
        self.source, self.target = frame[ip + 12:ip + 16], frame[ip + 16:ip + 20]
        self.from_port, self.to_port, self.seq, self.ack = struct.unpack_from("!HHII", frame, tcp)
        self.flags = frame[tcp + 13]
        self.data = frame[tcp + (frame[tcp + 12] >> 4) * 4:end]


class Session:
    def __init__(self, segment):
        self.client, self.server = segment.source, segment.target
        self.ports = segment.from_port, segment.to_port
        self.heard = time.monotonic()
        self.server_bytes = 0
        self.is_done = False


class Forger:
    def __init__(self, options):
        self.options, self.sessions = options, {}
        self.kind, _, self.argument = options.when.partition(":")
        self.out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(self, source, target, ports, seq, ack):
        options = self.options
        segment = tcp_segment(source, target, ports, seq & 0xffffffff, ack, FLAGS[options.send], 0)
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), options.ip_id, 0,
                           options.ttl, 6, 0, source, target)
        self.out.sendto(head + segment, (socket.inet_ntoa(target), 0))

    def strike(self, session, segment):
        """From a segment of the client's all four numbers are known."""
        session.is_done = True
        after = segment.seq + len(segment.data)
        for copy in range(self.options.copies):
            if self.options.to in ("client", "both"):
                self.send(session.server, session.client, session.ports[::-1],
                          segment.ack + copy * MSS, after & 0xffffffff)
            if self.options.to in ("server", "both"):
                self.send(session.client, session.server, session.ports, after + copy * MSS,
                          segment.ack)

    def is_time(self, session, segment):
        if self.kind == "hello":
            return self.argument.encode() in segment.data
        if self.kind == "data":
            return session.server_bytes >= int(self.argument)
        return bool(segment.data) and time.monotonic() - session.heard >= float(self.argument)

    def take(self, segment):
        key = segment.source, segment.from_port, segment.target, segment.to_port
        back = segment.target, segment.to_port, segment.source, segment.from_port
        if segment.flags & (SYN | ACK) == SYN:
            self.sessions[key] = Session(segment)
        elif back in self.sessions:
            self.sessions[back].server_bytes += len(segment.data)
        elif key in self.sessions:
            session = self.sessions[key]
            if not session.is_done and self.is_time(session, segment):
                self.strike(session, segment)
            session.heard = time.monotonic()

    def watch(self, interface):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind((interface, 3))
        print("ready", flush=True)
        while True:
            segment = Segment(sock.recv(65536))
            if segment.good and self.options.port in (segment.from_port, segment.to_port, 0):
                self.take(segment)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("interface")
    parser.add_argument("--when", required=True)
    parser.add_argument("--send", choices=FLAGS, default="rst")
    parser.add_argument("--to", choices=["client", "server", "both"], default="client")
    parser.add_argument("--ttl", type=int, default=64)
    parser.add_argument("--ip-id", type=int, default=256)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Forger(options).watch(options.interface)


main()
