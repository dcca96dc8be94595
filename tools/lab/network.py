"""The lab's network: namespaces, links and addresses, and the programs that run in them.

    device1..4 --+                                                     +-- apple (17/8, IPv6)
                 +- core ----- fw -------- isp --- line --- edge ------+
    mdm, res, prx+  (L3       campus      provider's  (delay, loss)    +-- other (the rest of
                    switch)   firewall    router                           the Internet)

The mirror port is core's `lan` (devices and their resolver and proxy) or `srv` (the MDM server);
plays with two capture points use fw's `up` (inside) and `wan` (outside). Seen from core, the
firewall is 1 hop away, the provider's router 2, Apple's servers 10: the line takes six from the TTL,
for the Internet that it stands for.

Nothing here is connected to the machine's own network, and nothing in here knows a play.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent

DEVICE = {n: f"10.20.0.{10 + n}" for n in range(1, 5)}
DEVICE6 = {n: f"2001:db8:20::{10 + n}" for n in range(1, 5)}
MDM, RESOLVER, PROXY = "10.20.1.10", "10.20.1.53", "10.20.1.80"
FIREWALL, PROVIDER = "10.20.255.2", "203.0.113.2"
FIREWALL6, PROVIDER6 = "2001:db8:20:ff::2", "2001:db8:ffff:1::2"
OUTSIDE = "203.0.113.1"  # the firewall's own address towards the provider

# Seen from the mirror at core.
HOPS_FIREWALL, HOPS_PROVIDER, HOPS_APPLE = 1, 2, 10

COURIERS = [
    "17.57.144.10", "17.57.144.11", "17.57.146.24", "17.188.168.10",
    "17.188.168.11", "17.249.12.5", "17.252.28.9", "17.188.20.7",
]
COURIERS6 = ["2620:149:a44:1::10", "2403:300:a42:2::11", "2403:300:a51:3::12", "2a01:b740:a42::13"]
PROVIDER_SIDE, PROVIDER_SIDE6 = "17.188.143.10", "2620:149:a44:9::10"
BAG = "17.188.143.20"
WEBSITE = "17.253.144.10"  # other HTTPS of Apple's
ELSEWHERE = ["198.51.100.7", "198.51.100.8"]  # not Apple's

# name: (namespaces joined, interface names, IPv4 and IPv6 of each end with prefix length)
LINKS = [
    ("core", "up", "10.20.255.1/30", "2001:db8:20:ff::1/64",
     "fw", "in", "10.20.255.2/30", "2001:db8:20:ff::2/64"),
    ("fw", "wan", "203.0.113.1/30", "2001:db8:ffff:1::1/64",
     "isp", "customer", "203.0.113.2/30", "2001:db8:ffff:1::2/64"),
    ("isp", "far", "203.0.113.5/30", "2001:db8:ffff:2::1/64", "line", "near", None, None),
    ("line", "far", None, None, "edge", "near", "203.0.113.6/30", "2001:db8:ffff:2::2/64"),
    ("edge", "apple", "203.0.113.9/30", "2001:db8:ffff:3::1/64",
     "apple", "up", "203.0.113.10/30", "2001:db8:ffff:3::2/64"),
    ("edge", "other", "203.0.113.13/30", "2001:db8:ffff:4::1/64",
     "other", "up", "203.0.113.14/30", "2001:db8:ffff:4::2/64"),
]
ROUTES = [
    ("core", "default", "10.20.255.2", "2001:db8:20:ff::2"),
    ("fw", "default", "203.0.113.2", "2001:db8:ffff:1::2"),
    ("isp", "default", "203.0.113.6", "2001:db8:ffff:2::2"),
    ("apple", "default", "203.0.113.9", "2001:db8:ffff:3::1"),
    ("other", "default", "203.0.113.13", "2001:db8:ffff:4::1"),
]
# Ways back towards the campus, and from the edge to what is beyond.
STATIC = [
    ("fw", "10.20.0.0/16", "10.20.255.1"), ("fw", "2001:db8:20::/48", "2001:db8:20:ff::1"),
    ("isp", "10.20.0.0/16", "203.0.113.1"), ("isp", "2001:db8:20::/48", "2001:db8:ffff:1::1"),
    ("edge", "10.20.0.0/16", "203.0.113.5"), ("edge", "2001:db8:20::/48", "2001:db8:ffff:2::1"),
    ("edge", "203.0.113.0/30", "203.0.113.5"),
    ("edge", "17.0.0.0/8", "203.0.113.10"), ("edge", "198.51.100.0/24", "203.0.113.14"),
    ("edge", "2620:149::/32", "2001:db8:ffff:3::2"), ("edge", "2403:300::/32", "2001:db8:ffff:3::2"),
    ("edge", "2a01:b740::/32", "2001:db8:ffff:3::2"),
]
ROUTERS = ["core", "fw", "isp", "edge"]
OFFLOADS = "tx off rx off tso off gso off gro off".split()


class LabError(Exception):
    """The lab could not do what a play asked for."""


def run(*words, text=None, check=True):
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    if check and done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-300:]
        raise LabError(f"{' '.join(words)}: {said}")
    return done.stdout


class Network:
    """One network, built afresh for one play. Use as a context: leaving it takes all down."""

    def __init__(self, name, work, devices=2, delay_ms=12):
        self.name, self.work, self.devices, self.delay_ms = name, work, devices, delay_ms
        self.spaces, self.processes = [], []
        self.etc = []
        self.macs = 0

    # ---- building ----

    def space(self, space):
        return f"lab.{self.name}.{space}"

    def ip(self, space, *words):
        return run("ip", "-n", self.space(space), *words)

    def execute(self, space, *words, text=None, check=True):
        return run("ip", "netns", "exec", self.space(space), *words, text=text, check=check)

    def add_space(self, space):
        name = self.space(space)
        run("ip", "netns", "add", name)
        self.spaces.append(space)
        settings = ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
                    "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0",
                    "net.ipv4.conf.all.rp_filter=0", "net.ipv4.tcp_slow_start_after_idle=0"]
        if space in ROUTERS:
            settings += ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                         "net.ipv4.conf.all.send_redirects=0",
                         "net.ipv4.conf.default.send_redirects=0"]
        self.execute(space, "sysctl", "-q", "-w", *settings)
        self.ip(space, "link", "set", "dev", "lo", "up")

    def sysctl(self, space, *settings):
        self.execute(space, "sysctl", "-q", "-w", *settings)

    def next_mac(self):
        self.macs += 1
        return f"02:00:5e:10:00:{self.macs:02x}"

    def join(self, one, interface1, two, interface2):
        """A cable."""
        run("ip", "link", "add", "name", interface1, "netns", self.space(one),
            "address", self.next_mac(), "type", "veth", "peer", "name", interface2,
            "netns", self.space(two), "address", self.next_mac())
        for space, interface in ((one, interface1), (two, interface2)):
            self.execute(space, "ethtool", "-K", interface, *OFFLOADS)
            self.ip(space, "link", "set", "dev", interface, "up")

    def address(self, space, interface, *addresses):
        for address in addresses:
            if address:
                nodad = ["nodad"] if ":" in address else []
                self.ip(space, "addr", "add", address, "dev", interface, *nodad)

    def build_segment(self, interface, members, gateway):
        """A switch of core's: a bridge with the members' ports, core itself being the gateway."""
        self.ip("core", "link", "add", "name", interface, "address", self.next_mac(),
                "type", "bridge", "mcast_snooping", "0")
        self.execute("core", "ethtool", "-K", interface, "tx", "off", "tso", "off", "gso", "off",
                     "gro", "off", check=False)
        self.ip("core", "link", "set", "dev", interface, "up")
        self.address("core", interface, *gateway)
        for member, addresses in members.items():
            self.add_space(member)
            self.join("core", member, member, "eth0")
            self.ip("core", "link", "set", "dev", member, "master", interface)
            self.address(member, "eth0", *addresses)
            for address in gateway:
                self.ip(member, "route", "add", "default", "via", address.split("/")[0])

    def build(self):
        for space in ("core", "fw", "isp", "line", "edge", "apple", "other"):
            self.add_space(space)
        devices = {f"device{n}": (DEVICE[n] + "/24", DEVICE6[n] + "/64")
                   for n in range(1, self.devices + 1)}
        self.build_segment("lan", devices, ("10.20.0.1/24", "2001:db8:20::1/64"))
        servers = {"mdm": (MDM + "/24", "2001:db8:20:1::10/64"), "res": (RESOLVER + "/24", "2001:db8:20:1::53/64"),
                   "prx": (PROXY + "/24", "2001:db8:20:1::80/64")}
        self.build_segment("srv", servers, ("10.20.1.1/24", "2001:db8:20:1::1/64"))
        for one, if1, v4, v6, two, if2, w4, w6 in LINKS:
            self.join(one, if1, two, if2)
            self.address(one, if1, v4, v6)
            self.address(two, if2, w4, w6)
        for space, where, via4, via6 in ROUTES:
            self.ip(space, "route", "add", where, "via", via4)
            self.ip(space, "-6", "route", "add", where, "via", via6)
        for space, where, via in STATIC:
            self.ip(space, "route", "add", where, "via", via)
        for address in [*COURIERS, PROVIDER_SIDE, BAG, WEBSITE]:
            self.address("apple", "lo", address + "/32")
        for address in [*COURIERS6, PROVIDER_SIDE6]:
            self.address("apple", "lo", address + "/128")
        for address in ELSEWHERE:
            self.address("other", "lo", address + "/32")
        self.line = self.start("line", "python3", HERE / "line.py", "near", "far",
                               f"--delay={self.delay_ms}")
        self.await_output(self.line, "ready")
        for address in (COURIERS[0], COURIERS6[0], ELSEWHERE[0]):  # routers get to know each other
            self.execute("core", "ping", "-c", "1", "-W", "3", address)

    def __enter__(self):
        self.clear()
        try:
            self.build()
        except BaseException:
            self.clear()
            raise
        return self

    def __exit__(self, *_):
        self.clear()

    def clear(self):
        for process in reversed(self.processes):
            self.stop(process, signal.SIGKILL)
        self.processes.clear()
        names = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line]
        for name in names:
            if name.startswith(self.space("")):
                for pid in run("ip", "netns", "pids", name).split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
                run("ip", "netns", "del", name)
        for folder in self.etc:
            run("rm", "-rf", str(folder))
        self.etc.clear()
        self.spaces.clear()

    # ---- programs ----

    def start(self, space, *words, **options):
        """Starts a program in a namespace; what it says goes to a file of the work folder."""
        words = [str(word) for word in words]
        label = f"{space}-{len(self.processes):02}-{pathlib.Path(words[0]).name}"
        log = self.work / f"{label}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.space(space), *words], stdout=out,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                cwd=self.work, **options)
        process.log, process.label = log, label
        self.processes.append(process)
        return process

    def stop(self, process, number=signal.SIGTERM, timeout=5):
        """Ends a program and all its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return process.wait(timeout)

    def await_output(self, process, pattern, timeout=15):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            text = process.log.read_text(errors="replace")
            if re.search(pattern, text):
                return text
            if process.poll() is not None:
                break
            time.sleep(0.02)
        raise LabError(f"{process.label} did not say {pattern!r}: "
                       f"{process.log.read_text(errors='replace')[-600:]}")

    def await_end(self, process, timeout=150):
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"{process.label} is still running after {timeout} s: "
                           f"{process.log.read_text(errors='replace')[-600:]}") from None
        return process.log.read_text(errors="replace")

    def await_port(self, space, *ports, timeout=15):
        """Until something listens on each of the ports."""
        end = time.monotonic() + timeout
        missing = ports
        while time.monotonic() < end:
            listening = self.execute(space, "ss", "-Hltun")
            missing = [port for port in ports if not re.search(rf":{port}\s", listening)]
            if not missing:
                return
            time.sleep(0.05)
        raise LabError(f"nothing listens on {missing} in {space}")

    # ---- filters, names and routes ----

    def nft(self, space, text):
        return run("ip", "netns", "exec", self.space(space), "nft", "-f", "-", text=text)

    def filter(self, space, *rules, hook="forward", kind="filter", priority=0, family="inet",
               name="lab"):
        """A chain of nftables rules, in a table of its own that lift_filter takes away again."""
        self.nft(space, "\n".join([f"table {family} {name} {{", f"chain {hook} {{",
                                   f"type {kind} hook {hook} priority {priority};", *rules,
                                   "}", "}", ""]))

    def lift_filter(self, space, family="inet", name="lab"):
        self.nft(space, f"delete table {family} {name}\n")

    def resolver_of(self, space, address):
        folder = pathlib.Path("/etc/netns") / self.space(space)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resolv.conf").write_text(f"nameserver {address}\noptions timeout:2 attempts:2\n")
        self.etc.append(folder)
