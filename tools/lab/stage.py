"""The people of the lab: Apple's servers, resolver, MDM server, proxies, devices, mirror ports.

Each method starts a real program, waits until it serves, and returns its process. What a play's
middleboxes do is the play's own business (plays/*.py).
"""

import contextlib
import os
import re
import signal
import time

import network
from network import (BAG, COURIERS, COURIERS6, HERE, LabError, MDM, Network, PROVIDER_SIDE,
                     PROVIDER_SIDE6, PROXY, RESOLVER, WEBSITE)

POP = "pop-eur-central-courier.push-apple.com.akadns.net"
COURIER_NUMBERS = range(0, 51)
NAMES = {
    "api.push.apple.com": [PROVIDER_SIDE, PROVIDER_SIDE6],
    "init.push.apple.com": [BAG],
    "www.apple.com": [WEBSITE],
    "gdmf.apple.com": [WEBSITE],
}


def at(addresses, *ports):
    return [f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip in addresses
            for port in ports]


class Capture:
    """A running tcpdump, and the file it leaves."""

    def __init__(self, process, path, may_lose=False):
        self.process, self.path, self.may_lose = process, path, may_lose


class Stage(Network):
    def __init__(self, name, work, programs, certificates, **options):
        super().__init__(name, work, **options)
        self.programs, self.certificates = programs, certificates
        self.captures, self.silences = [], []
        self.device_processes = []

    # ---- mirror ports ----

    def capture(self, space="core", interface="lan", name="capture.pcap", words=(),
                may_lose=False):
        path = self.work / name
        process = self.start(space, "tcpdump", "-n", "-U", "--immediate-mode", "-Z", "root", "-s", "0", "-B", "8192", "-i", interface,
                             "-w", path, *words)
        self.await_output(process, "listening on")
        capture = Capture(process, path, may_lose)
        self.captures.append(capture)
        return capture

    def stop_captures(self):
        """Also checks what tcpdump says of itself."""
        time.sleep(0.3)
        for capture in self.captures:
            if capture.process.poll() is None:
                self.stop(capture.process, signal.SIGINT)
            said = capture.process.log.read_text(errors="replace")
            has_lost = not re.search(r"\b0 packets dropped by kernel", said)
            if has_lost != capture.may_lose:
                raise LabError("tcpdump says of its losses: " + said[-200:])

    def pause(self, process, seconds):
        """Stops a program for a while, as a busy machine does."""
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGCONT)

    def time_passes(self, seconds, real=0.6):
        """A silence: it lasts a moment, and is made as long as said in the finished captures."""
        time.sleep(real / 2)
        self.silences.append((time.time(), seconds - real))
        time.sleep(real / 2)

    # ---- Apple's side ----

    def couriers(self, addresses=None, ports=(5223, 443), words=(), pinned="courier"):
        addresses = COURIERS + COURIERS6 if addresses is None else addresses
        process = self.start(
            "apple", self.programs / "courier", "-p", self.certificates.chain(pinned),
            "-u", self.certificates.chain("courier-public"), *words, *at(addresses, *ports))
        self.await_output(process, "ready")
        return process

    def nginx(self, space, name, servers):
        """`servers`: (listen addresses, certificate, hosts) each; a web server of Apple's."""
        blocks = "".join(
            "server {" + "".join(f"listen {each} ssl http2;" for each in listen)
            + f"server_name {hosts}; ssl_certificate {self.certificates.chain(certificate)};"
            + f"ssl_certificate_key {self.certificates.key(certificate)};"
            + 'location / { add_header apns-id 00000000-0000-0000-0000-000000000000;'
            + 'default_type application/x-plist; return 200 "' + "a bag of settings " * 20
            + '"; } }\n' for listen, certificate, hosts in servers)
        config = self.work / f"{name}.conf"
        config.write_text(
            f"daemon off; pid {self.work}/{name}.pid; error_log {self.work}/{name}.error;\n"
            "user root; worker_processes 1; events { worker_connections 64; }\n"
            f"http {{ access_log off; server_tokens off; ssl_protocols TLSv1.2 TLSv1.3;\n{blocks}}}"
            "\n")
        process = self.start(space, "nginx", "-c", config, "-e", f"{self.work}/{name}.error")
        self.await_port(space, 443)
        return process

    def apple_web(self):
        """api.push.apple.com, init.push.apple.com and a website of Apple's."""
        return self.nginx("apple", "nginx", [
            (at([PROVIDER_SIDE, PROVIDER_SIDE6], 443, 2197), "provider", "api.push.apple.com"),
            (at([BAG], 443), "bag", "init.push.apple.com"),
            (at([WEBSITE], 443), "website", "www.apple.com")])

    def apple(self, **options):
        return self.couriers(**options), self.apple_web()

    # ---- the campus ----

    def resolver(self, ipv6=False, couriers=None, words=(), knows_push=True):
        """dnsmasq with Apple's names and their chain of aliases."""
        couriers = couriers or COURIERS + (COURIERS6 if ipv6 else [])
        hosts = self.work / "hosts"
        lines = [f"{ip} {POP}" for ip in couriers]
        lines += [f"{ip} {name}" for name, addresses in NAMES.items() for ip in addresses
                  if (ipv6 or ":" not in ip) and (knows_push or "push" not in name)]
        hosts.write_text("\n".join(lines) + "\n")
        aliases = []
        for number in COURIER_NUMBERS if knows_push else ():
            middle = f"{number}.courier-push-apple.com.akadns.net"
            aliases += [f"--cname={number}-courier.push.apple.com,{middle}",
                        f"--cname={middle},{POP}"]
        local = ["--local=/apple.com/", "--local=/akadns.net/"] if knows_push else []
        process = self.start(
            "res", "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--user=root",
            f"--pid-file={self.work}/dnsmasq.pid", f"--listen-address={RESOLVER}",
            "--bind-interfaces", "--local-ttl=60", "--conf-file=/dev/null",
            f"--addn-hosts={hosts}", *local, *aliases, *words)
        self.await_port("res", 53)
        self.resolve_by(RESOLVER)
        return process

    def unbound(self, kind):
        """A resolver with a policy for push.apple.com: what unbound calls a type of local zone."""
        config = self.work / "unbound.conf"
        config.write_text(
            f'server:\n interface: {RESOLVER}\n username: ""\n chroot: ""\n do-daemonize: no\n'
            f' pidfile: "{self.work}/unbound.pid"\n access-control: 0.0.0.0/0 allow\n'
            f' use-syslog: no\n local-zone: "push.apple.com." {kind}\n'
            f' local-data: "www.apple.com. 60 A {WEBSITE}"\n'
            "remote-control:\n control-enable: no\n")
        process = self.start("res", "unbound", "-d", "-c", config)
        self.await_port("res", 53)
        self.resolve_by(RESOLVER)
        return process

    def resolve_by(self, resolver):
        for space in [*(f"device{n}" for n in range(1, self.devices + 1)), "mdm", "prx"]:
            self.resolver_of(space, resolver)

    def squid(self, rules, ports="http_port 3128"):
        config = self.work / "squid.conf"
        config.write_text(
            f"{ports}\n{rules}\nhttp_access deny all\n"
            f"pid_filename {self.work}/squid.pid\naccess_log none\ncache_log {self.work}/squid.log\n"
            "cache deny all\nshutdown_lifetime 0 seconds\nvisible_hostname proxy.campus.example\n"
            f"coredump_dir {self.work}\ndns_nameservers {RESOLVER}\nnetdb_filename none\n"
            "pinger_enable off\nlogfile_daemon /bin/true\n")
        run_folder = self.work / "squid-run"
        run_folder.mkdir(exist_ok=True)
        network.run("chmod", "-R", "a+rwX", str(self.work))
        process = self.start("prx", "squid", "-N", "-f", config)
        self.await_port("prx", 3128)
        return process

    def squid_password(self):
        """Rules under which squid passes user phone with password phone."""
        helper = self.work / "password"
        helper.write_text('#!/bin/sh\nwhile read user password; do\n'
                          '[ "$user" = phone ] && echo OK || echo ERR\ndone\n')
        helper.chmod(0o755)
        return (f"auth_param basic program {helper}\nauth_param basic realm campus\n"
                "acl known proxy_auth REQUIRED\nhttp_access allow known")

    def squid_bump(self):
        """The http_port of a squid that makes certificates of the campus's authority."""
        authority = self.work / "bump.pem"
        authority.write_text(self.certificates.key("inspection").read_text()
                             + self.certificates.certificate("inspection").read_text())
        database = self.work / "bump-db"
        network.run("/usr/lib/squid/security_file_certgen", "-c", "-s", str(database), "-M", "4MB")
        return (f"http_port 3128 ssl-bump generate-host-certificates=on tls-cert={authority}\n"
                f"sslcrtd_program /usr/lib/squid/security_file_certgen -s {database} -M 4MB\n"
                "sslcrtd_children 1")

    # ---- devices ----

    def device(self, number=1, *words, pinned=True, family="4"):
        """Starts a device; devices_end waits for all of them."""
        trust = [f"--trust={self.certificates.certificate('apple-root')}"] if pinned else []
        process = self.start(f"device{number}", self.programs / "device", f"--family={family}",
                             *trust, *words)
        self.device_processes.append(process)
        return process

    def devices_end(self, timeout=180):
        said = [self.await_end(process, timeout) for process in self.device_processes]
        for process in self.device_processes:
            if process.returncode not in (0, 1):
                raise LabError(f"{process.label} ended with {process.returncode}")
        self.device_processes.clear()
        return said

    def devices_do(self, numbers, *words):
        """Several devices side by side from beginning to end, each first with another courier."""
        for number in numbers:
            self.device(number, f"--first={number}", *words)
        self.devices_end()

    def device_does(self, number, *words, expect=None, **options):
        """A device from beginning to end; `expect` must be in what it says."""
        said = self.await_end(self.device(number, *words, **options), 180)
        if expect and not re.search(expect, said):
            raise LabError(f"the device did not say {expect!r}: {said[-800:]}")
        return said

    def curl(self, space, url, *words, root="public-root", expect=0):
        """curl, as an MDM server or whoever fetches a page."""
        command = ["curl", "-sS", "-o", "/dev/null", "--max-time", "40", "--cacert",
                   str(self.certificates.certificate(root)), *words, url]
        process = self.start(space, *command)
        with contextlib.suppress(LabError):
            self.await_end(process, 60)
        if expect is not None and process.returncode != expect:
            raise LabError(f"curl {url} ended with {process.returncode}: "
                           f"{process.log.read_text(errors='replace')[-300:]}")

    def send_notification(self, *words, port=443, **options):
        """The MDM server's side: a POST over HTTP/2."""
        self.curl("mdm", f"https://api.push.apple.com:{port}/3/device/00fc13adff785122b4ad28809a34"
                         "20982341241421348097878e577c991de8f0", "--http2", "-d",
                  '{"mdm":"A1B2C3D4-0000-0000-0000-000000000000"}', *words, **options)

    def fetch_bag(self, number=1, **options):
        self.curl(f"device{number}", "https://init.push.apple.com/bag", "-A", "apsd/1.0",
                  root=options.pop("root", "apple-root"), **options)

    # ---- boxes ----

    def line_does(self, *words):
        """The same path, behaving otherwise from now on."""
        self.stop(self.line)
        self.line = self.start("line", "python3", HERE / "line.py", "near", "far",
                               f"--delay={self.delay_ms}", *words)
        self.await_output(self.line, "ready")

    def forger(self, space, interface, *words):
        process = self.start(space, "python3", HERE / "forge.py", interface, *words)
        self.await_output(process, "ready")
        return process

    def sslsplit(self, space="fw", ports=(5223, 443, 2197), words=(), only=""):
        """A TLS-inspecting box in the way of `ports`: connections are turned to sslsplit."""
        for family in ("ip",) if only else ("ip", "ip6"):
            self.filter(space, f'iifname "in" {only} tcp dport {{ {", ".join(map(str, ports))} }} '
                               "redirect to :8443", hook="prerouting", kind="nat", priority=-100,
                        family=family, name="inspect")
        process = self.start(space, "sslsplit", "-D", "-k", self.certificates.key("inspection"),
                             "-c", self.certificates.certificate("inspection"), *words,
                             "ssl", "0.0.0.0", "8443")
        self.await_port(space, 8443)
        return process

    def mitmproxy(self, space="fw", ports=(5223, 443)):
        self.filter(space, f'iifname "in" tcp dport {{ {", ".join(map(str, ports))} }} '
                           "redirect to :8080", hook="prerouting", kind="nat", priority=-100,
                    family="ip", name="inspect")
        process = self.start(space, "mitmdump", "--mode", "transparent", "--ssl-insecure",
                             "--set", f"confdir={self.work}/mitmproxy", "--showhost")
        self.await_port(space, 8080)
        return process

    def relay(self, space, ways):
        """haproxy, passing bytes: (listen address, server); server None: where the client wanted
        to go, for connections that a redirect brought here."""
        parts = [f"listen way{i}\n bind {listen}\n server s {server or '*'}\n"
                 for i, (listen, server) in enumerate(ways)]
        config = self.work / "haproxy.cfg"
        config.write_text("global\n log stderr local0\ndefaults\n mode tcp\n timeout connect 30s\n"
                          " timeout client 1h\n timeout server 1h\n" + "".join(parts))
        process = self.start(space, "haproxy", "-db", "-f", config)
        self.await_port(space, *(listen.rsplit(":", 1)[1] for listen, _ in ways))
        return process

    def keep_certificate(self, name, file):
        """Leaves an authority beside the capture, for an option of its label."""
        (self.work / file).write_text(self.certificates.certificate(name).read_text())


__all__ = ["Stage", "MDM", "PROXY", "at"]
