"""A stage for live runs: a network namespace with pairs of virtual interfaces, traffic at one end,
apnscope at the other.

Used by the programs beside it. Runs as root or, where the kernel lets users have namespaces,
without. Deliberately knows nothing of what apnscope should find.
"""

import os
import pathlib
import shutil
import signal
import sqlite3
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
        return
    for tool in ("ip", "unshare", "taskset", "tcpreplay", "tcpdump", "capinfos"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed (tools/install-packages test)")
    for options in (["-n"], ["-r", "-n"]):
        tried = subprocess.run(["unshare", *options, "ip", "link", "add", "name", "va0", "type",
                                "veth", "peer", "name", "vb0"], capture_output=True)
        if tried.returncode == 0:
            os.environ["APNSCOPE_STAGE"] = "entered"
            os.execvp("unshare", ["unshare", *options, sys.executable, *sys.argv])
    skip("no network namespace can be made here: it takes root, or user namespaces")


def run(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


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
        run("ip", "link", "add", "name", self.near, "type", "veth", "peer", "name", self.far)
        for end in (self.near, self.far):
            silence = pathlib.Path(f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6")
            if silence.exists():
                silence.write_text("1")
            run("ip", "link", "set", "dev", end, "mtu", mtu, "up")

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


class Live:
    """`apnscope live` on an interface: what it prints is kept, its database can be asked."""

    def __init__(self, program, interface, folder, options=(), prefix=(), environment=()):
        self.folder = pathlib.Path(folder)
        self.database = self.folder / "live.db"
        self.out, self.err = self.folder / "live.out", self.folder / "live.err"
        environment = dict(os.environ, NO_COLOR="1", **dict(environment))
        with open(self.out, "w") as out, open(self.err, "w") as err:
            self.process = subprocess.Popen(
                [*prefix, str(program), "live", "-i", interface, "--db", str(self.database),
                 *map(str, options)], stdout=out, stderr=err, env=environment)
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
        for line in self.process.stderr:
            if "listening on" in line:
                return
        raise RuntimeError("tcpdump does not record")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        counts = self.process.communicate(timeout=END_S)[1]
        if "\n0 packets dropped by kernel" not in counts:
            raise RuntimeError(f"tcpdump lost packets: {counts}")


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
