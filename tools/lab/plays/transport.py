"""Sessions that come up and then suffer: forged resets, lost state, loss, large packets."""

import time

from network import COURIERS, DEVICE, FIREWALL, HOPS_FIREWALL, HOPS_PROVIDER
from play import both_ports, finding, flow, play

WORKS = {"verdict": "works", "works_on": "5223"}
BROKEN = {"verdict": "broken"}
DEGRADED = {"verdict": "degraded"}
SYN_ACK = "tcp.flags.syn == 1 && tcp.flags.ack == 1"
SERVER_HELLO = "tls.handshake.type == 2"
RESET_FROM_APPLE = "tcp.flags.reset == 1 && ip.src == 17.0.0.0/8"
FROM_COURIER = "tcp.srcport == 5223 && tcp.len > 0"


# ---- resets ----

@play("A box beside the path resets sessions in the middle",
      findings=[finding("reset-injected", device=DEVICE[1], port=5223,
                        blocker_hops=HOPS_PROVIDER)],
      may=["session-churn"],
      devices={DEVICE[1]: {"works_on": "5223"}},
      flows=[flow({"server_port": 5223}, outcome="established", ended_by="forged-reset", count=3)],
      proof=[(f"{RESET_FROM_APPLE} && ip.ttl == 62 && ip.id == 256", "== 9"),
             (f"{RESET_FROM_APPLE} && ip.ttl == 54 && tcp.ack > 0", "== 0"),
             (f"{SYN_ACK} && ip.ttl == 54", "== 4")],
      uses="dnsmasq")
def reset_injected(lab):
    """At the provider's router a box sends three resets to each end once the courier has sent
    6,000 bytes; the device connects anew, three times, and the fourth session is left alone."""
    forger = lab.forger("isp", "customer", "--when=data:6000", "--to=both", "--copies=3")
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--ports=5223", "--sessions=3", "--attempts=3", "--hold=4000",
                    "--stream=20:700:100")
    lab.stop(forger)
    lab.device_does(1, "--ports=5223", "--pushes=300:640")


@play("A box beside the path resets sessions towards the device only",
      findings=[finding("reset-injected", device=DEVICE[1], port=5223,
                        blocker_hops=HOPS_PROVIDER)],
      may=["session-churn"],
      devices={DEVICE[1]: {"works_on": "5223"}},
      proof=[(f"{RESET_FROM_APPLE} && ip.ttl == 62", "== 2"),
             (f"{FROM_COURIER} && ip.ttl == 54", ">= 12")],
      uses="dnsmasq")
def reset_injected_one_side(lab):
    """At the provider's router a box sends one reset to the device when the courier has sent
    6,000 bytes. The courier knows nothing of it and goes on: its next packet meets a closed
    port."""
    lab.forger("isp", "customer", "--when=data:6000")
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--ports=5223", "--sessions=2", "--attempts=2", "--hold=4000",
                    "--stream=20:700:100")


@play("A courier resets one session itself",
      devices={DEVICE[1]: WORKS},
      flows=[flow({"server_port": 5223}, outcome="established", count=2)],
      proof=[(f"{RESET_FROM_APPLE} && ip.ttl == 54", ">= 1"),
             (f"{RESET_FROM_APPLE} && ip.ttl != 54", "== 0")],
      uses="dnsmasq")
def healthy_server_reset(lab):
    """Nothing is in the way. A courier aborts a session (SO_LINGER 0); the device connects anew and
    stays."""
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--ports=5223", "--reset=900", "--pushes=200:640,400:640", "--hold=3000")
    lab.device_does(1, "--ports=5223", "--pushes=200:640")


@play("A home router writes another TTL into a courier's own reset",
      devices={DEVICE[1]: WORKS},
      flows=[flow({"server_port": 5223}, outcome="established", count=2)],
      proof=[(f"{RESET_FROM_APPLE} && ip.ttl == 254", ">= 1"),
             (f"{RESET_FROM_APPLE} && ip.ttl != 254", "== 0")],
      uses="nftables dnsmasq")
def healthy_reset_with_rewritten_ttl(lab):
    """Nothing is in the way. A courier aborts a session; the gateway sets the TTL of resets to 255,
    as some home routers do. The reset comes from Apple all the same."""
    lab.filter("fw", "tcp flags rst ip saddr 17.0.0.0/8 ip ttl set 255")
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--ports=5223", "--reset=900", "--pushes=200:640,400:640", "--hold=3000")
    lab.device_does(1, "--ports=5223", "--pushes=200:640")


# ---- state that is forgotten ----

def forgetful_firewall(lab, seconds, *verdicts):
    """A stateful filter whose conntrack forgets established sessions after so many seconds, and
    does not take up what it does not know."""
    lab.sysctl("fw", "net.netfilter.nf_conntrack_tcp_loose=0")
    lab.filter("fw", "ct state established,related accept", "ct state new tcp flags syn accept",
               *verdicts)
    lab.sysctl("fw", f"net.netfilter.nf_conntrack_tcp_timeout_established={seconds}",
               # what the kernel uses while data is not acknowledged
               f"net.netfilter.nf_conntrack_tcp_timeout_unacknowledged={seconds}",
               f"net.netfilter.nf_conntrack_tcp_timeout_max_retrans={seconds}")


def prepare_for_silences(lab):
    """No TCP timestamps, and closed sessions that are soon given up: their last retransmissions
    must not fall into the next silence."""
    for space in ("device1", "apple"):
        lab.sysctl(space, "net.ipv4.tcp_timestamps=0", "net.ipv4.tcp_orphan_retries=4")


@play("The firewall forgets idle sessions: heartbeats are lost",
      findings=[finding("idle-timeout", device=DEVICE[1], port=5223)],
      may=["session-churn", "fallback-443"],
      devices={DEVICE[1]: {"works_on": "5223"}},
      flows=[flow({"server_port": 5223}, outcome="established", count=4)],
      requirements={"R1": "pass", "R5": "fail"},
      proof=[("tcp.dstport == 5223 && tcp.time_delta > 1700", ">= 3"),
             ("tcp.analysis.retransmission && tcp.dstport == 5223", ">= 3"),
             (f"{SYN_ACK} && tcp.srcport == 5223", "== 4")],
      uses="nftables dnsmasq")
def idle_heartbeat_lost(lab):
    """The firewall forgets sessions that were silent for some minutes and drops what it does not
    know. The courier's heartbeat, due after 1800 s, does not arrive; 35 s later the device closes
    (unanswered) and connects anew. Three times; the fourth session lasts to the end. While the
    session was young, pauses of 240 s survived."""
    prepare_for_silences(lab)
    forgetful_firewall(lab, 3, "drop")
    lab.couriers()
    lab.resolver()
    device = lab.device(1, "--ports=5223", "--sessions=4", "--attempts=4", "--hold=20000",
                        "--heartbeat=10500", "--grace=900",
                        "--pushes=600:640,2600:640,4600:640,6600:640")
    for number in range(3):
        lab.await_output(device, "(works[^$]*){%d}" % (number + 1))
        time.sleep(5.2)
        lab.time_passes(240)  # before the push at 6.6 s
        time.sleep(1.2)
        lab.time_passes(1796)  # the heartbeat at 10.5 s comes too late
        time.sleep(5)
        lab.time_passes(34)
    lab.await_output(device, "(works[^$]*){4}")
    time.sleep(2)
    lab.stop(device)
    lab.device_processes.clear()


@play("The firewall forgets idle sessions: the device's next words go unanswered",
      findings=[finding("idle-timeout", device=DEVICE[1], port=5223)],
      may=["session-churn", "fallback-443"],
      devices={DEVICE[1]: {"works_on": "5223"}},
      flows=[flow({"server_port": 5223}, outcome="established", count=3)],
      requirements={"R1": "pass", "R5": "fail"},
      proof=[("tcp.dstport == 5223 && tcp.len > 0 && tcp.time_delta > 800", ">= 2"),
             ("tcp.analysis.retransmission && tcp.dstport == 5223", ">= 6"),
             (f"{SYN_ACK} && tcp.srcport == 5223", "== 3"),
             (RESET_FROM_APPLE, "== 0")],
      uses="nftables dnsmasq")
def idle_unanswered(lab):
    """The firewall forgets sessions that were silent for ten minutes and drops what it does not
    know. After 900 s the device sends something, repeats it, gives up and connects anew; twice."""
    prepare_for_silences(lab)
    forgetful_firewall(lab, 3, "drop")
    lab.couriers()
    lab.resolver()
    for _ in range(2):
        device = lab.device(1, "--ports=5223", "--hold=16000", "--late=9000",
                            "--pushes=600:640,2600:640,4400:640")
        lab.await_output(device, "works")
        time.sleep(4.8)
        lab.time_passes(898)
        lab.await_end(device)
    lab.device_does(1, "--ports=5223", "--pushes=300:640")
    lab.device_processes.clear()


@play("The firewall forgets idle sessions, and answers with resets",
      findings=[finding("idle-timeout", device=DEVICE[1], port=5223,
                        blocker_hops=[HOPS_FIREWALL, None])],
      may=["session-churn", "reset-injected", "fallback-443"],
      devices={DEVICE[1]: {"works_on": "5223"}},
      flows=[flow({"server_port": 5223}, outcome="established", count=3)],
      requirements={"R1": "pass", "R5": "fail"},
      proof=[("tcp.dstport == 5223 && tcp.len > 0 && tcp.time_delta > 1000", ">= 2"),
             (f"{RESET_FROM_APPLE} && ip.ttl == 63", ">= 2"),
             (f"{RESET_FROM_APPLE} && ip.ttl == 54", "== 0"),
             (f"{SYN_ACK} && tcp.srcport == 5223", "== 3")],
      uses="nftables dnsmasq")
def idle_reset(lab):
    """The firewall forgets sessions that were silent for twenty minutes and answers what it does
    not know with a reset. After 1300 s the device sends something and is reset; twice."""
    prepare_for_silences(lab)
    forgetful_firewall(lab, 2, "meta l4proto tcp reject with tcp reset")
    lab.couriers()
    lab.resolver()
    for _ in range(2):
        device = lab.device(1, "--ports=5223", "--hold=9000", "--late=4500",
                            "--pushes=600:640")
        lab.await_output(device, "works")
        time.sleep(1.1)
        lab.time_passes(1297)
        lab.await_end(device)
    lab.device_does(1, "--ports=5223", "--pushes=300:640")
    lab.device_processes.clear()


@play("A device sleeps through its heartbeats and comes back",
      devices={DEVICE[1]: WORKS},
      proof=[("tcp.analysis.retransmission && tcp.srcport == 5223", ">= 3"),
             (f"{SYN_ACK} && tcp.srcport == 5223", "== 2"), (RESET_FROM_APPLE, "== 0")],
      uses="nftables dnsmasq")
def healthy_sleeping_device(lab):
    """Nothing is in the way. A device falls asleep; the courier's heartbeat after 1800 s is
    repeated to nobody. Awake again, the device does not remember the session and opens another."""
    prepare_for_silences(lab)
    lab.couriers()
    lab.resolver()
    device = lab.device(1, "--ports=5223", "--hold=30000", "--heartbeat=3000")
    lab.await_output(device, "works")
    for hook in ("output", "input"):
        lab.filter("device1", "drop", hook=hook, name=hook)
    lab.stop(device)
    lab.device_processes.clear()
    time.sleep(0.8)
    lab.time_passes(1797)
    time.sleep(5)
    for hook in ("output", "input"):
        lab.lift_filter("device1", name=hook)
    lab.device_does(1, "--ports=5223", "--pushes=300:640", f"--address={COURIERS[2]}")


# ---- large packets ----

LARGE = "--hello-pad=1400"


def small_hellos(lab):
    """Two sessions of device 2 on each port."""
    for port in (5223, 443):
        lab.device_does(2, f"--ports={port}", "--sessions=2", "--attempts=2", "--pushes=300:640",
                        "--hold=600")


@play("A box passes only hellos of one segment",
      findings=both_ports("large-hello-blocked")
      + [finding("courier-unreachable", device=DEVICE[1])],
      devices={DEVICE[1]: BROKEN, DEVICE[2]: {"verdict": "works"}},
      proof=[("ip.src == 10.20.0.11 && tcp.len > 1000", "== 4"),
             ("ip.src == 10.20.0.11 && tcp.analysis.retransmission && tcp.len > 100", ">= 4"),
             (f"ip.dst == 10.20.0.11 && {SERVER_HELLO}", "== 0"),
             (f"ip.dst == 10.20.0.12 && {SERVER_HELLO}", "== 4")],
      uses="nftables dnsmasq")
def large_hello_dropped(lab):
    """The campus firewall looks for names in the first segment and drops what else a client says
    before the server does. Device 1 has a hello of two segments, as one with a post-quantum key
    share is; device 2 has a small one and works."""
    lab.sysctl("fw", "net.netfilter.nf_conntrack_acct=1")
    lab.filter("fw", "tcp dport { 443, 5223 } ct reply bytes < 250 @ih,0,8 != 0x16 drop")
    lab.couriers()
    lab.resolver()
    small_hellos(lab)
    lab.device(1, LARGE, "--attempts=4")
    lab.devices_end()


@play("A box resets hellos of two segments",
      findings=both_ports("large-hello-blocked")
      + [finding("courier-unreachable", device=DEVICE[1])],
      devices={DEVICE[1]: BROKEN, DEVICE[2]: {"verdict": "works"}},
      proof=[("ip.src == 10.20.0.11 && tcp.len > 1000", "== 4"),
             (f"{RESET_FROM_APPLE} && ip.ttl == 63 && ip.dst == 10.20.0.11", ">= 4"),
             (f"ip.dst == 10.20.0.11 && {SERVER_HELLO}", "== 0"),
             (f"ip.dst == 10.20.0.12 && {SERVER_HELLO}", "== 4")],
      uses="nftables dnsmasq")
def large_hello_reset(lab):
    """The same box, answering the second segment with a reset."""
    lab.sysctl("fw", "net.netfilter.nf_conntrack_acct=1")
    lab.filter("fw", "tcp dport { 443, 5223 } ct reply bytes < 250 @ih,0,8 != 0x16 "
                     "reject with tcp reset")
    lab.couriers()
    lab.resolver()
    small_hellos(lab)
    lab.device(1, LARGE, "--attempts=4", "--pause=1200")
    lab.devices_end()


@play("Large hellos pass, even with loss",
      devices={DEVICE[1]: WORKS, DEVICE[2]: WORKS},
      flows=[flow({"server_port": 5223}, outcome="established", count=4)],
      proof=[("tcp.dstport == 5223 && tcp.len > 1000", ">= 4"), (SERVER_HELLO, "== 4"),
             (RESET_FROM_APPLE, "== 0")],
      uses="dnsmasq")
def healthy_large_hello(lab):
    """Nothing is in the way of hellos of two segments; the line loses 2 % of packets and reorders
    some."""
    lab.couriers()
    lab.resolver()
    lab.line_does("--loss=2", "--reorder=10", "--seed=3")
    for number in (1, 2):
        lab.device(number, LARGE, "--ports=5223", "--sessions=2", "--attempts=2", "--hold=800",
                   "--pushes=300:640")
    lab.devices_end()


@play("Large packets from Apple vanish: an MTU black hole",
      findings=[finding("path-mtu-blackhole", device=DEVICE[1]),
                finding("courier-unreachable", device=DEVICE[1])],
      may=["path-mtu-blackhole"],
      devices={DEVICE[1]: BROKEN},
      proof=[("ip.src == 17.0.0.0/8 && ip.len > 1400", "== 0"),
             (f"{SYN_ACK} && ip.ttl == 54", "== 2"),
             ("ip.src == 17.0.0.0/8 && tcp.len > 0", ">= 1"), (SERVER_HELLO, "== 0"), ("icmp", "== 0"),
             ("tcp.analysis.duplicate_ack || tcp.analysis.lost_segment", ">= 1")],
      uses="dnsmasq")
def mtu_black_hole(lab):
    """Behind the provider the path carries 1400 bytes, and nobody says so by ICMP. The handshake
    and the hello pass; of the server's flight only the last, short segment arrives."""
    lab.couriers()
    lab.resolver()
    lab.line_does("--largest=1400")
    lab.device_does(1)


@play("A path of 1400 bytes whose router clamps the segment size",
      devices={DEVICE[1]: WORKS},
      proof=[("ip.src == 17.0.0.0/8 && ip.len > 1400", "== 0"),
             ("tcp.options.mss_val <= 1360 && tcp.flags.syn == 1", ">= 1"), (SERVER_HELLO, "== 1")],
      uses="nftables dnsmasq")
def healthy_small_mtu(lab):
    """The same path, and a provider's router that tells both ends a smaller segment size, as it
    should."""
    lab.filter("isp", "tcp flags syn tcp option maxseg size set 1360")
    lab.couriers()
    lab.resolver()
    lab.line_does("--largest=1400", "--largest-from=both")
    lab.device_does(1, "--pushes=300:3000")


@play("Every ninth packet is lost",
      findings=[finding("high-loss")],
      devices={DEVICE[1]: {"works_on": "5223"}},
      proof=[("tcp.port == 5223 && tcp.len > 0", ">= 400"),
             ("tcp.port == 5223 && (tcp.analysis.retransmission || tcp.analysis.out_of_order || "
              "tcp.analysis.duplicate_ack)", ">= 40")],
      uses="dnsmasq")
def loss_11(lab):
    """The line loses 11 % of TCP packets in both directions. What it loses of the courier's is
    missing before the mirror, what it loses of the device's is seen twice."""
    lab.couriers()
    lab.resolver()
    lab.line_does("--loss=11", "--seed=2")
    lab.device_does(1, "--stream=260:110:30", "--hold=14000")


@play("Large packets vanish, seen from the far side of the hole",
      findings=[finding("path-mtu-blackhole", device=DEVICE[1]),
                finding("courier-unreachable", device=DEVICE[1])],
      may=["path-mtu-blackhole", "stall-after-client-hello"],
      devices={DEVICE[1]: BROKEN},
      proof=[("ip.src == 17.0.0.0/8 && ip.len > 1400", ">= 6"),
             ("tcp.analysis.retransmission && ip.src == 17.0.0.0/8 && ip.len > 1400", ">= 3"),
             (f"{SYN_ACK}", "== 2"), ("icmp", "== 0")],
      point=("fw", "wan"), uses="nftables dnsmasq")
def mtu_black_hole_from_outside(lab):
    """The hole is on the campus: its router drops packets of more than 1400 bytes. The mirror is
    outside of the firewall, where Apple's full segments are seen again and again."""
    lab.filter("core", "ip saddr 17.0.0.0/8 meta length > 1400 drop")
    lab.couriers()
    lab.resolver()
    lab.device_does(1)


@play("A smaller MTU on the way, told by ICMP and heard",
      devices={DEVICE[1]: WORKS},
      proof=[("ip.src == 17.0.0.0/8 && ip.len > 1300", "== 0"),
             ("ip.src == 17.0.0.0/8 && ip.len == 1300", ">= 2"),
             ("tcp.analysis.out_of_order", ">= 1")],
      uses="dnsmasq")
def healthy_path_mtu_discovery(lab):
    """The provider's line to the campus carries 1300 bytes. Its router tells Apple so by ICMP, and
    Apple sends smaller segments from then on."""
    lab.ip("isp", "link", "set", "dev", "customer", "mtu", "1300")
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--pushes=300:3000")


@play("A stateful firewall with timers long enough",
      devices={DEVICE[1]: WORKS},
      flows=[flow({"server_port": 5223}, outcome="established", ended_by="client-fin", count=1)],
      requirements={"R1": "pass", "R5": "pass"},
      proof=[("tcp.srcport == 5223 && tcp.time_delta > 1700", "== 2"), (RESET_FROM_APPLE, "== 0"),
             (f"{SYN_ACK} && tcp.srcport == 5223", "== 1")],
      uses="nftables dnsmasq")
def healthy_idle_with_firewall(lab):
    """The firewall keeps state for longer than any heartbeat takes: two heartbeats of 1800 s pass,
    then the device closes."""
    prepare_for_silences(lab)
    forgetful_firewall(lab, 3600, "drop")
    lab.couriers()
    lab.resolver()
    device = lab.device(1, "--ports=5223", "--heartbeat=3000", "--hold=7000")
    lab.await_output(device, "works")
    for _ in range(2):
        time.sleep(1)
        lab.time_passes(1797)
        time.sleep(1.4)
    lab.devices_end()


@play("Sessions are ended by the far side every two minutes",
      findings=[finding("session-churn", device=DEVICE[1])],
      devices={DEVICE[1]: {"works_on": "5223"}},
      flows=[flow({"server_port": 5223}, outcome="established", count=9)],
      proof=[(f"{SYN_ACK} && tcp.srcport == 5223 && ip.ttl == 54", "== 9"),
             (f"{RESET_FROM_APPLE} && ip.ttl == 54", ">= 9"),
             (f"{RESET_FROM_APPLE} && ip.ttl != 54", "== 0")],
      uses="dnsmasq")
def session_churn(lab):
    """Something at the far end resets each session of a device two minutes after it came up; the
    device connects anew at once, nine times in twenty minutes. The resets come from Apple's own
    distance."""
    prepare_for_silences(lab)
    lab.couriers()
    lab.resolver()
    device = lab.device(1, "--ports=5223", "--sessions=9", "--attempts=9", "--hold=9000",
                        "--pushes=200:640", "--reset=1500")
    for number in range(9):
        lab.await_output(device, "(works[^$]*){%d}" % (number + 1))
        time.sleep(0.5)
        lab.time_passes(119)
    lab.devices_end()


@play("A device ends its own sessions, often",
      devices={DEVICE[1]: WORKS},
      flows=[flow({"server_port": 5223}, outcome="established", count=9)],
      proof=[(f"{SYN_ACK} && tcp.srcport == 5223", "== 9"), (RESET_FROM_APPLE, "== 0"),
             (f"tcp.flags.fin == 1 && ip.src == {DEVICE[1]}", ">= 9")],
      uses="dnsmasq")
def healthy_device_churn(lab):
    """Nothing is in the way. A device that switches its radio off and on closes nine sessions in
    twenty minutes, each properly."""
    prepare_for_silences(lab)
    lab.couriers()
    lab.resolver()
    device = lab.device(1, "--ports=5223", "--sessions=9", "--attempts=9", "--hold=1500",
                        "--pushes=200:640")
    for number in range(9):
        lab.await_output(device, "(works[^$]*){%d}" % (number + 1))
        time.sleep(0.5)
        lab.time_passes(119)
    lab.devices_end()
