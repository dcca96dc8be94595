#!/usr/bin/env python3
"""Scenarios of whole sites for the pictures of the documents: sites.py healthy|blocked|intercepted|empty.

Prints a scenario (docs/scenarios.md) of a few dozen devices; the same one every time."""
import random
import sys

NETWORKS = ["17.57.144.10", "17.57.146.24", "17.188.143.21", "17.249.8.9", "17.252.12.33", "17.57.145.4"]
INSPECTED = ('certificate issuer="CN=Example Inspection CA,O=Example School,C=DE" '
             'root="CN=Example Root,O=Example School,C=DE"')


class Site:
    def __init__(self, title):
        self.random = random.Random(title)
        self.heads = [f"title   {title}", "start   2026-03-03T07:30:00Z"]
        self.flows, self.lines, self.count = [], [], 0
        for i, address in enumerate(NETWORKS):
            self.heads.append(f"host    apple{i} {address} hops={11 + i % 3}")

    def host(self, name, address, ttl=""):
        self.heads.append(f"host    {name} {address}{ttl}")

    def flow(self, client, port, server=None, rtt=None):
        self.count += 1
        server = self.random.randrange(len(NETWORKS)) if server is None else server
        rtt = rtt or f"{self.random.randint(14, 46)}ms"
        self.flows.append(f"flow    f{self.count} {client}:{49152 + self.count} -> apple{server}:{port} rtt={rtt}")
        return f"f{self.count}"

    def say(self, time, line):
        self.lines.append(f"{time:.3f} {line}")

    def courier(self, client, port, start, until, server=None):
        """A session with its keepalives; some devices close and come back."""
        flow = self.flow(client, port, server)
        interval = self.random.choice([600, 900, 1800])
        self.say(start, f"{flow} courier")
        at = start + interval
        while at < until - 1:
            self.say(at, f"{flow} heartbeat")
            if self.random.random() < 0.3:
                self.say(at + 40 + self.random.random() * 90, f"{flow} push")
            at += interval
        return flow

    def life(self, client, port, start, end):
        while start < end:
            until = start + self.random.choice([end, 1500, 2600, 4000])
            flow = self.courier(client, port, start, min(until, end))
            if until >= end:
                return
            self.say(until, f"{flow} close")
            start = until + 2 + self.random.random() * 20

    def dns(self, client, time):
        n = self.random.randrange(1, 50)
        self.say(time, f"dns {client} > resolver {n}-courier.push.apple.com A")
        self.lines.append(f"+4ms dns {client} < resolver {self.random.choice(NETWORKS)}")

    def text(self):
        return "\n".join(["# Made by tools/sites.py.", *self.heads, *self.flows, *self.lines]) + "\n"


def devices(site, count, network, first=21):
    for i in range(count):
        name = f"d{network.split('.')[2]}x{i}"
        site.host(name, f"{network}.{first + i}")
        yield i, name


def mdm_server(site):
    site.host("mdm", "10.20.1.5")
    flow = site.flow("mdm", 443, 2, "22ms")
    site.say(4, f"{flow} handshake")
    site.lines.append(f"+1ms {flow} tls sni=api.push.apple.com alpn=h2")
    site.lines.append(f"+2ms {flow} > data 900 acked")
    site.lines.append(f"+10ms {flow} < data 150 acked")


def healthy():
    site = Site("A school where push works")
    site.host("resolver", "10.20.0.53")
    mdm_server(site)
    for i, name in devices(site, 26, "10.20.30"):
        start = 6 + i * 11.3
        site.dns(name, start)
        site.life(name, 5223, start + 0.3, 5400)
    return site


def blocked():
    site = Site("A school whose firewall drops 5223 for one network")
    site.host("resolver", "10.20.0.53")
    for i, name in devices(site, 18, "10.20.30"):
        at = 3 + i * 9.7
        site.dns(name, at)
        for _ in range(2 + i % 2):
            flow = site.flow(name, 5223)
            first = at + 0.4
            for wait in (0, 1, 2, 3, 5, 9, 17):
                site.say(first + wait, f"{flow} > S{' again' if wait else ''} dropped")
            if i % 6 == 5:
                last = site.flow(name, 443)
                for wait in (30, 31, 33, 37, 45):
                    site.say(first + wait, f"{last} > S{' again' if wait > 30 else ''} dropped")
                at += 900
                continue
            until = at + 900 + site.random.random() * 300
            other = site.courier(name, 443, first + 30.01, until)
            site.say(until, f"{other} close")
            at = until + 1
    for i, name in devices(site, 6, "10.20.60"):
        site.life(name, 5223, 8 + i * 14.2, 3600)
    for i, name in devices(site, 3, "10.20.70"):
        flow = site.flow(name, 5223)
        site.say(12 + i * 7, f"{flow} > S")
        site.lines.append(f"+2ms {flow} < RA ttl=61 ipid=0")
        site.courier(name, 443, 12.4 + i * 7, 3600)
    return site


def intercepted():
    site = Site("A company that inspects TLS")
    site.host("resolver", "10.40.0.53")
    for i, name in devices(site, 14, "10.40.30"):
        at = 2 + i * 6.1
        site.dns(name, at)
        for attempt in range(4):
            flow = site.flow(name, 443 if attempt % 2 else 5223, None, "3ms")
            site.say(at + 0.4 + attempt * 31, f"{flow} handshake")
            site.lines.append(f"+1ms {flow} > client-hello versions=1.2")
            site.lines.append(f"+24ms {flow} < server-hello version=1.2 + {INSPECTED} + "
                              "server-key-exchange + server-hello-done acked")
            site.lines.append(f"+3ms {flow} > alert level=fatal description=unknown_ca")
            site.lines.append(f"+1ms {flow} > FA")
            site.lines.append(f"+20ms {flow} < FA")
            site.lines.append(f"+1ms {flow} > A")
    for i, name in devices(site, 4, "10.40.80"):
        site.life(name, 5223, 5 + i * 8.2, 2700)
    return site


def empty():
    site = Site("Nothing of push in an hour")
    site.host("d0", "10.20.30.21")
    site.host("other", "203.0.113.9")
    for i in range(40):
        site.say(i * 80, f"udp d0:{40000 + i} > other:443 size=900")
    return site


if __name__ == "__main__":
    made = {"healthy": healthy, "blocked": blocked, "intercepted": intercepted, "empty": empty}
    if len(sys.argv) != 2 or sys.argv[1] not in made:
        sys.exit("usage: sites.py " + "|".join(made))
    sys.stdout.write(made[sys.argv[1]]().text())
