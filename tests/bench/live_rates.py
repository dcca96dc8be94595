#!/usr/bin/env python3
"""At which packet rates a live run loses nothing, beside tcpdump with the same filter.

    python3 tests/bench/live_rates.py APNSCOPE FLEET [SECONDS]

Prints the tables of docs/performance.md: packets of push sessions at rising rates, to tcpdump
(-w /dev/null) and to apnscope in turn; then nothing but foreign traffic, and what it costs. Sender
and receiver share the processors, so that the highest rate is the machine's, not the program's.
"""

import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "live"))
import stage  # noqa: E402

RATES = [int(rate) for rate in os.environ.get("APNSCOPE_RATES", "").split()] or [
    10_000, 25_000, 50_000, 100_000, 200_000, 400_000, 0]  # packets a second; 0: as fast as it goes
TICKS = os.sysconf("SC_CLK_TCK")


def foreign_capture(path):
    """TLS sessions with somebody else: full packets and acknowledgements."""
    draw = random.Random(7)
    frames = []
    for _ in range(2000):
        client, port = draw.randrange(1, 250), draw.randrange(49152, 65535)
        size = 1448 if draw.random() < 0.6 else 0
        payload = b"\x17\x03\x03" + draw.randbytes(size - 3) if size else b""
        tcp = struct.pack(">HHIIBBHHH", 443, port, draw.getrandbits(32), draw.getrandbits(32), 0x50,
                          0x10, 500, 0, 0)
        ip = struct.pack(">BBHHHBBHBBBBBBBB", 0x45, 0, 40 + len(payload), 0, 0, 60, 6, 0,
                         93, 184, 216, 34, 10, 0, 0, client)
        frames.append(b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + ip + tcp + payload)
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame)


def processor_s(process):
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Sender:
    """Sends a capture over and over for a while; knows what the kernel took of it."""

    def __init__(self, wire):
        self.wire = wire
        self.counter = pathlib.Path(f"/sys/class/net/{wire.near}/statistics/tx_packets")

    def send(self, capture, rate, seconds):
        pace = [f"--pps={rate}"] if rate else ["--topspeed"]
        before, begun = int(self.counter.read_text()), time.monotonic()
        replay = self.wire.begin_replay(capture, [*pace, "--loop=0"])
        time.sleep(seconds)
        replay.kill()
        replay.wait()
        sent = int(self.counter.read_text()) - before
        return sent, sent / (time.monotonic() - begun)


def with_tcpdump(sender, program, capture, rate, seconds, workers):
    expression = subprocess.run([program, "filter"], capture_output=True, text=True, check=True)
    process = subprocess.Popen(["tcpdump", "-i", sender.wire.far, "-w", "/dev/null", "-Z", "root",
                                "-B", "32768", expression.stdout.strip()], stderr=subprocess.PIPE,
                               text=True)
    for line in process.stderr:
        if "listening on" in line:
            break
    sent, reached = sender.send(capture, rate, seconds)
    time.sleep(1.5)
    used_s = processor_s(process.pid)
    process.send_signal(signal.SIGINT)
    counts = process.communicate()[1]
    captured = int(re.search(r"(\d+) packets? captured", counts)[1])
    lost = int(re.search(r"(\d+) packets? dropped by kernel", counts)[1])
    return sent, reached, captured, lost, used_s / seconds


def with_apnscope(sender, program, capture, rate, seconds, workers):
    with stage.Folder() as folder:
        live = stage.Live(program, sender.wire.far, folder, ["--workers", workers, "--quiet"])
        time.sleep(0.5)
        idle_s = processor_s(live.process.pid)
        sent, reached = sender.send(capture, rate, seconds)
        time.sleep(1.5)
        used_s = processor_s(live.process.pid) - idle_s
        live.end()
        row = live.query("SELECT packets, packets_dropped FROM run")[0]
        if os.environ.get("APNSCOPE_WHERE"):
            print(live.query("SELECT name, value FROM capture_quality WHERE name LIKE 'dropped%'"))
        return sent, reached, row["packets"], row["packets_dropped"], used_s / seconds


def print_row(name, measured):
    sent, reached, captured, lost, share = measured
    print(f"| {name} | {reached:,.0f} | {captured:,} of {sent:,} | {lost:,} | {100 * share:.0f} % |",
          flush=True)


def main():
    program, fleet = (os.path.abspath(path) for path in sys.argv[1:3])
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 6
    stage.enter()
    sender = Sender(stage.Wire())
    with stage.Folder() as folder:
        push, foreign = folder / "push.pcap", folder / "foreign.pcap"
        subprocess.run([fleet, "--devices", "200", "--hours", "2", push], check=True,
                       capture_output=True)
        foreign_capture(foreign)
        print("| receiver | packets a second | taken of those sent | lost | of one processor |\n"
              "|---|---|---|---|---|")
        for rate in RATES:
            print_row("tcpdump", with_tcpdump(sender, program, push, rate, seconds, 1))
            print_row("apnscope", with_apnscope(sender, program, push, rate, seconds, 1))
            print_row("apnscope, 2 workers", with_apnscope(sender, program, push, rate, seconds, 2))
        print("\nNothing but foreign traffic:\n")
        print("| receiver | packets a second | taken of those sent | lost | of one processor |\n"
              "|---|---|---|---|---|")
        print_row("tcpdump", with_tcpdump(sender, program, foreign, 0, seconds, 1))
        print_row("apnscope", with_apnscope(sender, program, foreign, 0, seconds, 1))


main()
