"""What mirrors do to evidence: halves, doubles, losses, cuts, clocks."""

import subprocess
import time

from network import DEVICE
from play import finding, flow, play

WORKS = {"verdict": "works", "works_on": "5223"}
SYN = "tcp.flags.syn == 1 && tcp.flags.ack == 0"
SYN_ACK = "tcp.flags.syn == 1 && tcp.flags.ack == 1"


def two_devices(lab, *words):
    lab.couriers()
    lab.resolver()
    lab.devices_do((1, 2), "--ports=5223", "--pushes=300:640,600:900", *words)


def one_way(lab, way):
    lab.capture(words=("-Q", way))


@play("A mirror that carries only what devices send",
      findings=[finding("capture-one-sided")],
      devices={DEVICE[1]: {"verdict": "unknown"}},
      flows=[flow({"server_port": 5223}, outcome="one-sided", count=2)],
      requirements={"R0": ["warn", "fail"], "R1": "not-observed"},
      proof=[("ip.src == 17.0.0.0/8", "== 0"), ("ip.dst == 17.0.0.0/8", ">= 20")],
      point=None, uses="dnsmasq")
def one_sided_up(lab):
    """Nothing is in the way. The mirror is set to one direction of the port."""
    one_way(lab, "in")
    two_devices(lab)


@play("A mirror that carries only what is sent to devices",
      findings=[finding("capture-one-sided")],
      devices={DEVICE[1]: {"verdict": "unknown"}},
      flows=[flow({"server_port": 5223}, outcome="one-sided", count=2)],
      proof=[("ip.dst == 17.0.0.0/8", "== 0"), ("ip.src == 17.0.0.0/8", ">= 20")],
      point=None, uses="dnsmasq")
def one_sided_down(lab):
    """Nothing is in the way. The mirror is set to the other direction of the port."""
    one_way(lab, "out")
    two_devices(lab)


@play("5223 is dropped, and the mirror carries only what devices send",
      findings=[finding("port-blocked-silent", device=DEVICE[1], port=5223)],
      may=["fallback-443"],
      proof=[("ip.src == 17.0.0.0/8", "== 0"), (f"{SYN} && tcp.dstport == 5223", ">= 4"),
             ("tcp.dstport == 443 && tcp.len > 0", ">= 2")],
      point=None, uses="nftables dnsmasq")
def one_sided_dropped(lab):
    """The campus firewall drops 5223. The half that is mirrored proves it: the SYN is repeated and
    never acknowledged further, while 443 goes on."""
    one_way(lab, "in")
    lab.filter("fw", "tcp dport 5223 drop")
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--pushes=300:640")


def merge(lab, *words):
    """The captures of this play in one file, as a switch that mirrors two ports sends them."""
    lab.stop_captures()
    target = lab.work / "capture.merged"
    subprocess.run(["mergecap", "-F", "pcap", *words, "-w", target,
                    *(capture.path for capture in lab.captures)], check=True)
    lab.captures[:] = [type(lab.captures[0])(lab.captures[0].process, target)]


@play("Two ports of one network are mirrored: every frame comes twice",
      findings=[finding("capture-duplicated")],
      devices={DEVICE[1]: WORKS},
      flows=[flow({"server_port": 5223}, outcome="established", retransmissions_up=0,
                  retransmissions_down=0)],
      requirements={"R1": "pass"},
      proof=[(f"{SYN} && tcp.dstport == 5223", "== 2"), (f"{SYN_ACK} && ip.ttl == 54", "== 2")],
      point=None, uses="dnsmasq")
def duplicated(lab):
    """Nothing is in the way. The device's port and the router's port are both mirrored, so that
    each frame is captured as it enters the switch and as it leaves it."""
    lab.capture("core", "device1", "a.pcap")
    lab.capture("core", "lan", "b.pcap")
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--ports=5223", "--pushes=300:640,600:900")
    merge(lab)


@play("Both sides of a router are mirrored: every packet comes twice, a hop apart",
      findings=[finding("capture-duplicated")],
      devices={DEVICE[1]: WORKS},
      flows=[flow({"server_port": 5223}, outcome="established", retransmissions_up=0,
                  retransmissions_down=0)],
      proof=[(f"{SYN} && tcp.dstport == 5223 && ip.ttl == 64", "== 1"),
             (f"{SYN} && tcp.dstport == 5223 && ip.ttl == 63", "== 1")],
      point=None, uses="dnsmasq")
def duplicated_by_routing(lab):
    """Nothing is in the way. The mirror carries the devices' network and the uplink behind its
    router."""
    lab.capture("core", "lan", "a.pcap")
    lab.capture("core", "up", "b.pcap")
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--ports=5223", "--pushes=300:640,600:900")
    merge(lab)


@play("A capture that lost packets in its own kernel buffer",
      findings=[finding("capture-loss")],
      devices={DEVICE[1]: {"works_on": "5223"}},
      proof=[("tcp.analysis.ack_lost_segment || tcp.analysis.lost_segment", ">= 1"),
             (f"{SYN_ACK} && tcp.srcport == 5223", ">= 1")],
      point=None, uses="dnsmasq")
def kernel_drops(lab):
    """Nothing is in the way. The capturing machine is busy: tcpdump is stopped for two seconds while
    a courier sends a burst, and its small ring buffer overflows. It keeps 128 bytes of a frame."""
    capture = lab.capture(words=("-B", "32", "-s", "128"), may_lose=True)
    lab.couriers()
    lab.resolver()
    device = lab.device(1, "--ports=5223", "--hold=4500", "--stream=60:9000:25",
                        "--heartbeat=3200")
    lab.await_output(device, "works")
    time.sleep(0.1)
    lab.pause(capture.process, 2)
    lab.await_end(device)


@play("A capture of the first 96 bytes of each packet",
      findings=[finding("capture-truncated")],
      devices={DEVICE[1]: WORKS},
      proof=[("frame.cap_len < frame.len", ">= 10"), (f"{SYN_ACK} && tcp.srcport == 5223", "== 2")],
      point=None, uses="dnsmasq")
def short_snap_length(lab):
    """Nothing is in the way. tcpdump keeps 96 bytes: no certificate, no names."""
    lab.capture(words=("-s", "96"))
    two_devices(lab)


@play("A capture file cut off in the middle of a record",
      findings=[finding("capture-truncated")],
      devices={DEVICE[1]: {"works_on": "5223"}},
      proof=[(f"{SYN_ACK} && tcp.srcport == 5223", ">= 1")],
      uses="dnsmasq")
def cut_file(lab):
    """Nothing is in the way. The file was copied before tcpdump was done with it."""
    two_devices(lab)
    lab.stop_captures()
    path = lab.captures[0].path
    data = path.read_bytes()
    path.write_bytes(data[:len(data) * 4 // 5 - 3])


@play("The clock is set back in the middle of the capture",
      findings=[finding("capture-clock")],
      devices={DEVICE[1]: WORKS},
      proof=[("frame.time_delta < 0", "== 1"), (f"{SYN_ACK} && tcp.srcport == 5223", "== 2")],
      uses="dnsmasq")
def clock_set_back(lab):
    """Nothing is in the way. A time server sets the capture machine's clock back by 40 s while the
    first device is connected."""
    lab.couriers()
    lab.resolver()
    device = lab.device(1, "--ports=5223", "--pushes=300:640,1200:900", "--hold=2500")
    lab.await_output(device, "works")
    time.sleep(0.5)
    lab.time_passes(-40)
    lab.device(2, "--ports=5223", "--pushes=300:640")
    lab.devices_end()


# ---- two capture points of one path ----

def inside_and_outside(lab):
    lab.capture("core", "up", "inside.pcap")
    lab.capture("fw", "wan", "outside.pcap")


@play("Behind NAT, seen from both sides: every session passes unchanged",
      devices={DEVICE[1]: WORKS, DEVICE[2]: WORKS},
      flows=[flow({"server_port": 5223}, outcome="established", count=2)],
      proof=[(f"{SYN} && ip.src == 10.20.0.0/24 && tcp.dstport == 5223", "== 2"),
             (f"{SYN_ACK} && ip.ttl == 55", "== 2")],
      point=None, files=["compare-nat.pcap", "compare-nat-outside.pcap"], uses="nftables dnsmasq",
      compare={"passed": 2, "terminated": 0, "vanished": 0})
def compare_nat(lab):
    """The firewall translates addresses and does nothing else; captured inside and outside of
    it."""
    lab.filter("fw", 'oifname "wan" masquerade', hook="postrouting", kind="nat", priority=100,
               family="ip")
    inside_and_outside(lab)
    two_devices(lab)


@play("An inspecting box between the two capture points",
      findings=[finding("tls-intercepted", device=DEVICE[1], port=5223),
                finding("courier-unreachable", device=DEVICE[1])],
      may=["tls-rejected-by-client", "transparent-proxy", "tls-intercepted"],
      devices={DEVICE[1]: {"verdict": "broken"}},
      proof=[('x509sat.uTF8String == "Example Campus Inspection CA"', "== 2"),
             (f"{SYN_ACK} && ip.ttl == 64", "== 2")],
      point=None, files=["compare-inspected.pcap", "compare-inspected-outside.pcap"],
      uses="sslsplit nftables dnsmasq",
      compare={"passed": 0, "terminated": 2, "vanished": 0})
def compare_inspected(lab):
    """sslsplit on the firewall ends sessions and opens its own: the ClientHellos outside are not
    those of inside."""
    lab.sslsplit()
    inside_and_outside(lab)
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--tls=1.2", "--attempts=2", "--retry=400")


@play("A port dropped between the two capture points",
      findings=[finding("port-blocked-silent", device=DEVICE[1], port=5223),
                finding("fallback-443", device=DEVICE[1])],
      devices={DEVICE[1]: {"verdict": "degraded", "works_on": "443"}},
      proof=[(f"{SYN} && tcp.dstport == 5223", ">= 4"), (f"{SYN_ACK} && tcp.srcport == 443", "== 1")],
      point=None, files=["compare-dropped.pcap", "compare-dropped-outside.pcap"],
      uses="nftables dnsmasq",
      compare={"passed": 1, "terminated": 0, "vanished": 1})
def compare_dropped(lab):
    """The firewall drops 5223: its SYNs are seen inside and not outside; 443 passes."""
    lab.filter("fw", "tcp dport 5223 drop")
    inside_and_outside(lab)
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--pushes=300:640")
