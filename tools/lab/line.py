#!/usr/bin/env python3
"""A line between two interfaces: carries Ethernet frames both ways, late, and loses some.

    line.py NEAR FAR [--delay MS] [--hops N] [--loss PERCENT] [--reorder PERCENT] [--largest BYTES]
            [--largest-from far] [--duplicate PERCENT] [--seed N]

The line stands for the routers of the Internet between the provider and Apple: --hops takes so much
from the TTL. --largest drops IP packets above that size without a word, which is what a path with a smaller MTU
and a filter on ICMP does. Deliberately looks no deeper into a frame than that, and keeps no state
of a connection; forge.py is for that.
"""

import argparse
import heapq
import itertools
import random
import select
import signal
import socket
import sys
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4
ETHERNET = 14


def port(interface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.bind((interface, ETH_P_ALL))
    sock.setblocking(False)
    # SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct packet_mreq with PACKET_MR_PROMISC
    index = socket.if_nametoindex(interface)
    sock.setsockopt(263, 1, index.to_bytes(4, sys.byteorder) + b"\x01\x00" + bytes(10))
    return sock


def is_tcp(frame):
    ether_type = frame[12:14]
    if ether_type == b"\x08\x00":
        return frame[ETHERNET + 9] == 6
    return ether_type == b"\x86\xdd" and frame[ETHERNET + 6] == 6


def age(frame, hops):
    """The frame after so many routers. IPv4's checksum changes with the TTL (RFC 1624). Neighbour
    discovery is the line's own and must keep its 255 (RFC 4861 section 11.2)."""
    aged = bytearray(frame)
    if frame[12:14] == b"\x86\xdd" and frame[ETHERNET + 7] != 255:
        aged[ETHERNET + 7] = max(frame[ETHERNET + 7] - hops, 1)
    elif frame[12:14] == b"\x08\x00":
        ttl = max(frame[ETHERNET + 8] - hops, 1)
        total = int.from_bytes(frame[ETHERNET + 10:ETHERNET + 12], "big")
        total += (frame[ETHERNET + 8] - ttl) << 8
        aged[ETHERNET + 8] = ttl
        aged[ETHERNET + 10:ETHERNET + 12] = ((total & 0xffff) + (total >> 16)).to_bytes(2, "big")
    return bytes(aged)


class Line:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.near, self.far = port(options.near), port(options.far)
        self.waiting, self.order = [], itertools.count()

    def is_lost(self, frame, is_from_far):
        options = self.options
        if not is_tcp(frame):
            return False
        is_too_large = options.largest and len(frame) - ETHERNET > options.largest
        if is_too_large and (is_from_far or options.largest_from == "both"):
            return True
        return self.random.random() * 100 < options.loss

    def take(self, sock):
        try:
            frame, address = sock.recvfrom(65536)
        except BlockingIOError:
            return
        if address[2] == PACKET_OUTGOING or self.is_lost(frame, sock is self.far):
            return
        delay = self.options.delay
        if is_tcp(frame) and self.random.random() * 100 < self.options.reorder:
            delay += self.options.reorder_delay
        out = self.far if sock is self.near else self.near
        due = time.monotonic() + delay / 1000
        frame = age(frame, self.options.hops)
        copies = 1 + (self.random.random() * 100 < self.options.duplicate)
        for _ in range(copies):
            heapq.heappush(self.waiting, (due, next(self.order), out, frame))

    def deliver(self):
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            _, _, out, frame = heapq.heappop(self.waiting)
            out.send(frame)

    def carry(self):
        while True:
            wait = max(0, self.waiting[0][0] - time.monotonic()) if self.waiting else None
            ready, _, _ = select.select([self.near, self.far], [], [], wait)
            for sock in ready:
                self.take(sock)
            self.deliver()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("near")
    parser.add_argument("far")
    parser.add_argument("--delay", type=float, default=12, help="one way, in ms")
    parser.add_argument("--hops", type=int, default=6)
    parser.add_argument("--loss", type=float, default=0)
    parser.add_argument("--reorder", type=float, default=0)
    parser.add_argument("--reorder-delay", type=float, default=6)
    parser.add_argument("--duplicate", type=float, default=0)
    parser.add_argument("--largest", type=int, default=0)
    parser.add_argument("--largest-from", choices=["far", "both"], default="far")
    parser.add_argument("--seed", type=int, default=1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    line = Line(parser.parse_args())
    print("ready", flush=True)
    line.carry()


main()
