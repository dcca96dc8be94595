"""A stage for live runs: a network namespace with pairs of virtual interfaces, traffic at one end,
apnscope at the other.

Used by the programs beside it. Runs as root or, where the kernel lets users have namespaces,
without. Deliberately knows nothing of what apnscope should find.
"""

import atexit
import os
import pathlib
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

SKIPPED = 77
READY = "watching"
READY_S, END_S = 30, 60


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def enter():
    """Goes on in a network namespace of its own, or skips."""
    if os.environ.get("APNSCOPE_STAGE") == "entered":
        # what /sys says of interfaces is that of the namespace in which it was mounted
        subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], capture_output=True)
        return
    for tool in ("ip", "unshare", "taskset", "tcpreplay", "tcpdump", "capinfos"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed (tools/install-packages test)")
    for options in (["-n", "-m"], ["-r", "-n", "-m"]):
        tried = subprocess.run(["unshare", *options, "ip", "link", "add", "name", "va0", "type",
                                "veth", "peer", "name", "vb0"], capture_output=True)
        if tried.returncode == 0:
            os.environ["APNSCOPE_STAGE"] = "entered"
            os.execvp("unshare", ["unshare", *options, sys.executable, *sys.argv])
    skip("no network namespace can be made here: it takes root, or user namespaces")


def run(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


failures = []


def check(holds, why):
    """The test goes on; what failed is counted."""
    if not holds:
        failures.append(why)
        print(f"FAILED: {why}")


started = []


@atexit.register
def end_what_was_started():
    for process in started:
        process.kill()


class Wire:
    """What is put in at `near` comes out at `far`, and nothing else does."""

    made = 0
    lock = threading.Lock()

    def __init__(self, mtu=65535):
        with Wire.lock:
            number = Wire.made
            Wire.made += 1
        self.near, self.far = f"va{number}", f"vb{number}"
        processors = sorted(os.sched_getaffinity(0))
        self.processor = processors[number % len(processors)]
        self.mtu = mtu
        self.make()

    def make(self):
        run("ip", "link", "add", "name", self.near, "type", "veth", "peer", "name", self.far)
        for end in (self.near, self.far):
            silence = pathlib.Path(f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6")
            if silence.exists():
                silence.write_text("1")
            run("ip", "link", "set", "dev", end, "mtu", self.mtu, "up")

    def replay(self, capture, multiplier=1.0, options=()):
        pace = ["--topspeed"] if not multiplier else [f"--multiplier={multiplier}"]
        # The kernel keeps frames in order only while their sender stays on one processor.
        done = subprocess.run(["taskset", "-c", str(self.processor), "tcpreplay", "--quiet", "--preload-pcap", *pace, *options,
                               f"--intf1={self.near}", str(capture)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"tcpreplay: {done.stderr}")

    def send(self, pace, *captures):
        for capture in captures:
            self.replay(capture, pace)

    def keep_replaying(self, capture, packets_a_second):
        """Over and over again until the process that is returned is ended."""
        return self.begin_replay(capture, [f"--pps={packets_a_second}", "--loop=0"])

    def begin_replay(self, capture, options):
        started.append(subprocess.Popen(
            ["taskset", "-c", str(self.processor), "tcpreplay", "--quiet", "--preload-pcap",
             *options, f"--intf1={self.near}", str(capture)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return started[-1]


class Live:
    """`apnscope live` on an interface: what it prints is kept, its database can be asked."""

    def __init__(self, program, interface, folder, options=(), database=None, prefix=(),
                 environment=()):
        self.folder = pathlib.Path(folder)
        self.database = database or self.folder / "live.db"
        self.out, self.err = self.folder / "live.out", self.folder / "live.err"
        # the sanitizer keeps what was freed for a while, which looks like growth
        environment = {**os.environ, "NO_COLOR": "1", "ASAN_OPTIONS": "quarantine_size_mb=1",
                       **dict(environment)}
        with open(self.out, "w") as out, open(self.err, "w") as err:
            self.process = subprocess.Popen(
                [*prefix, str(program), "live", "-i", interface, "--db", str(self.database),
                 *map(str, options)], stdout=out, stderr=err, env=environment)
        started.append(self.process)
        self.wait_for(self.err, READY, READY_S)

    def wait_for(self, path, word, seconds):
        end = time.monotonic() + seconds
        while word not in path.read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"no {word!r} in {path.name}: {self.told()}{self.said()}")
            time.sleep(0.02)

    def told(self):
        return self.err.read_text()

    def said(self):
        return self.out.read_text()

    def end(self, number=signal.SIGTERM):
        """The exit status."""
        self.process.send_signal(number)
        return self.process.wait(END_S)

    def status(self, name):
        """A line of /proc/PID/status, in kB where it is a size."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise KeyError(name)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def query(self, sql, *values):
        connection = sqlite3.connect(self.database, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(sql, values)]
        finally:
            connection.close()


class Recorder:
    """tcpdump beside a live run: the same frames with the same times."""

    def __init__(self, interface, path):
        self.path = path
        self.process = subprocess.Popen(
            ["tcpdump", "-i", interface, "-w", str(path), "-U", "-Z", "root", "-B", "65536",
             "--immediate-mode", "--time-stamp-precision=nano"], stderr=subprocess.PIPE, text=True)
        started.append(self.process)
        for line in self.process.stderr:
            if "listening on" in line:
                return
        raise RuntimeError("tcpdump does not record")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        counts = self.process.communicate(timeout=END_S)[1]
        if "\n0 packets dropped by kernel" not in counts:
            raise RuntimeError(f"tcpdump lost packets: {counts}")


def stretch(path, epoch_ns, factor):
    """Moves the times of a capture with nanoseconds as --replay-speed does."""
    data = bytearray(path.read_bytes())
    at = 24
    while at < len(data):
        seconds, fraction, size = struct.unpack_from("<III", data, at)
        now_ns = seconds * 10**9 + fraction
        now_ns = epoch_ns + int(float(now_ns - epoch_ns) * factor)
        struct.pack_into("<II", data, at, now_ns // 10**9, now_ns % 10**9)
        at += 16 + size
    path.write_bytes(data)


class Folder:
    """A folder that is gone afterwards, but for APNSCOPE_KEEP=1."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="apnscope-live-"))
        return self.path

    def __exit__(self, *_):
        if os.environ.get("APNSCOPE_KEEP"):
            print(f"kept: {self.path}")
        else:
            shutil.rmtree(self.path, ignore_errors=True)
