"""Captures taken on the gateway itself, on all of its interfaces at once (`tcpdump -i any`): every
session is in them twice, before the translation of addresses and after it."""

from network import DEVICE, OUTSIDE
from play import finding, flow, play

ITSELF = "~captured on both of its sides"  # the box that blocks is the one that was captured on
DEGRADED = {"verdict": "degraded", "works_on": "443"}
SYN = "tcp.flags.syn == 1 && tcp.flags.ack == 0"
WORKS = {"verdict": "works", "works_on": "5223"}
EVERYWHERE = ("fw", "any")


def translated(lab, *devices):
    """Two devices behind the NAT."""
    lab.filter("fw", 'oifname "wan" masquerade', hook="postrouting", kind="nat", priority=100,
               family="ip")
    lab.couriers()
    lab.resolver()
    lab.devices_do((1, 2), *devices)


@play("On the gateway, on all interfaces: every session on both sides of the NAT",
      devices={DEVICE[1]: WORKS, DEVICE[2]: WORKS},
      flows=[flow({"server_port": 5223}, outcome="established", count=2),
             flow({"client_ip": OUTSIDE}, count=0)],
      requirements={"R0": "pass", "R1": "pass"},
      proof=[(f"{SYN} && ip.src == 10.20.0.0/24", "== 2"), (f"{SYN} && ip.src == {OUTSIDE}", "== 2")],
      point=EVERYWHERE, uses="nftables dnsmasq")
def healthy_on_the_gateway(lab):
    """The gateway translates addresses and does nothing else."""
    translated(lab, "--heartbeat=700", "--pushes=300:640,900:1200")


@play("On the gateway, on all interfaces: it routes and translates nothing",
      devices={DEVICE[1]: WORKS, DEVICE[2]: WORKS},
      flows=[flow({"server_port": 5223}, outcome="established", count=2)],
      requirements={"R0": "pass", "R1": "pass"},
      proof=[(f"{SYN} && ip.src == 10.20.0.0/24", "== 4")],
      point=EVERYWHERE, uses="dnsmasq")
def healthy_on_a_router(lab):
    """Every packet is there twice, the second time with a hop less to live."""
    lab.couriers()
    lab.resolver()
    lab.devices_do((1, 2), "--heartbeat=700", "--pushes=300:640,900:1200")


def falls_back(code, outcome, **columns):
    return dict(
        findings=[finding(code, device=DEVICE[n], port=5223, **columns) for n in (1, 2)]
        + [finding("fallback-443", device=DEVICE[n]) for n in (1, 2)],
        devices={DEVICE[1]: DEGRADED, DEVICE[2]: DEGRADED},
        flows=[flow({"server_port": 5223}, count=2, outcome=outcome),
               flow({"server_port": 443}, outcome="established", count=2),
               flow({"client_ip": OUTSIDE}, count=0)],
        point=EVERYWHERE, uses="nftables dnsmasq")


@play("On the gateway, on all interfaces: it drops 5223 itself",
      proof=[(f"{SYN} && tcp.dstport == 5223 && ip.src == 10.20.0.0/24", ">= 8"),
             (f"{SYN} && tcp.dstport == 5223 && ip.src == {OUTSIDE}", "== 0"),
             (f"{SYN} && tcp.dstport == 443 && ip.src == {OUTSIDE}", "== 2")],
      **falls_back("port-blocked-silent", "no-answer", evidence=ITSELF))
def gateway_drops_5223(lab):
    """SYNs to 5223 come in and never go out; 443 works."""
    lab.filter("fw", "tcp dport 5223 drop")
    translated(lab, "--pushes=300:640")


@play("On the gateway, on all interfaces: the provider drops 5223",
      proof=[(f"{SYN} && tcp.dstport == 5223 && ip.src == {OUTSIDE}", ">= 8"),
             ("tcp.srcport == 5223", "== 0")],
      **falls_back("port-blocked-silent", "no-answer", evidence="~cannot be told"))
def gateway_sees_5223_dropped(lab):
    """SYNs to 5223 go out and nothing comes back; 443 works."""
    lab.filter("isp", "tcp dport 5223 drop")
    translated(lab, "--pushes=300:640")


@play("On the gateway, on all interfaces: the provider refuses 5223",
      proof=[("tcp.flags.reset == 1 && tcp.srcport == 5223 && ip.ttl == 64", "== 2"),
             ("tcp.flags.reset == 1 && tcp.srcport == 5223 && ip.ttl == 63", "== 2")],
      **falls_back("port-refused", "refused", evidence="~cannot be told"))
def gateway_sees_5223_refused(lab):
    """Resets come back from the provider, one hop further out."""
    lab.filter("isp", "tcp dport 5223 reject with tcp reset")
    translated(lab, "--pushes=300:640")


@play("On the gateway, on all interfaces: it refuses 5223 itself",
      proof=[("tcp.flags.reset == 1 && tcp.srcport == 5223 && ip.ttl == 64", "== 2"),
             (f"{SYN} && tcp.dstport == 5223 && ip.src == {OUTSIDE}", "== 0")],
      **falls_back("port-refused", "refused", evidence=ITSELF, blocker_hops=0))
def gateway_refuses_5223(lab):
    """The gateway itself answers SYNs to 5223 with resets; 443 works."""
    lab.filter("fw", "tcp dport 5223 reject with tcp reset")
    translated(lab, "--pushes=300:640")


@play("On the gateway, on all interfaces: it inspects",
      findings=[finding("tls-intercepted", device=DEVICE[1], port=5223),
                finding("courier-unreachable", device=DEVICE[1])],
      may=["tls-rejected-by-client", "transparent-proxy", "tls-intercepted"],
      devices={DEVICE[1]: {"verdict": "broken"}},
      flows=[flow({"client_ip": DEVICE[1]}, count=2),
             flow({"client_ip": OUTSIDE}, count=2)],
      proof=[('x509sat.uTF8String == "Example Campus Inspection CA"', "== 2"),
             (f"{SYN} && ip.src == {OUTSIDE}", "== 2")],
      point=EVERYWHERE, uses="sslsplit nftables dnsmasq")
def gateway_inspects(lab):
    """sslsplit on the gateway: the device gets its certificate, Apple's goes to the gateway."""
    lab.sslsplit()
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--tls=1.2", "--attempts=2", "--retry=400")
