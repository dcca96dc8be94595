"""Packet filters: ports dropped, refused and prohibited, by whom and how far away."""

from network import (COURIERS, COURIERS6, DEVICE, DEVICE6, FIREWALL, FIREWALL6, HOPS_FIREWALL,
                     HOPS_PROVIDER, MDM, PROVIDER, PROVIDER6)
from play import finding, flow, play

DEGRADED = {"verdict": "degraded", "works_on": "443"}
BROKEN = {"verdict": "broken"}
PUSH_PORTS = "tcp dport { 443, 2197, 5223 }"
APPLE = "ip daddr 17.0.0.0/8"
SYN = "tcp.flags.syn == 1 && tcp.flags.ack == 0"
SYN_ACK = "tcp.flags.syn == 1 && tcp.flags.ack == 1"


def attempts(device, port, outcome, **columns):
    return flow({"client_ip": device, "server_port": port}, outcome=outcome, **columns)


@play("5223 is dropped, 443 works: two devices fall back",
      findings=[finding("port-blocked-silent", device=DEVICE[n], port=5223, confidence="certain")
                for n in (1, 2)]
      + [finding("fallback-443", device=DEVICE[n]) for n in (1, 2)],
      devices={DEVICE[1]: DEGRADED, DEVICE[2]: DEGRADED},
      flows=[attempts(DEVICE[1], 5223, "no-answer"), attempts(DEVICE[1], 443, "established")],
      requirements={"R1": "fail", "R2": "pass", "R4": "pass"},
      proof=[(f"{SYN} && tcp.dstport == 5223", ">= 8"), (f"{SYN_ACK} && tcp.srcport == 5223",
                                                        "== 0"),
             (f"{SYN_ACK} && tcp.srcport == 443", "== 2")],
      uses="nftables dnsmasq")
def dropped_5223_falls_back(lab):
    """The campus firewall drops SYNs to 5223 without a word. Each device waits its 30 s and then
    connects to another courier on 443."""
    lab.filter("fw", "tcp dport 5223 drop")
    lab.couriers()
    lab.resolver()
    lab.devices_do((1, 2), "--pushes=300:640")


@play("5223 and 443 are dropped: nothing works",
      findings=[finding("port-blocked-silent", device=DEVICE[1], port=5223),
                finding("port-blocked-silent", device=DEVICE[1], port=443),
                finding("courier-unreachable", device=DEVICE[1])],
      devices={DEVICE[1]: BROKEN},
      flows=[attempts(DEVICE[1], 5223, "no-answer"), attempts(DEVICE[1], 443, "no-answer")],
      requirements={"R1": "fail", "R2": "fail"},
      proof=[(f"{SYN} && tcp.dstport == 5223", ">= 4"), (f"{SYN} && tcp.dstport == 443", ">= 4"),
             (SYN_ACK, "== 0"), ("tcp.flags.reset == 1", "== 0"), ("icmp", "== 0")],
      uses="nftables dnsmasq")
def dropped_both(lab):
    """The campus firewall drops everything to Apple's addresses. A device tries each port for its
    30 s."""
    lab.filter("fw", f"{APPLE} drop")
    lab.couriers()
    lab.resolver()
    lab.device_does(1)


@play("5223 is refused by a TCP reset of the campus firewall",
      findings=[finding("port-refused", device=DEVICE[n], port=5223, blocker_hops=HOPS_FIREWALL)
                for n in (1, 2)] + [finding("fallback-443", device=DEVICE[n]) for n in (1, 2)],
      devices={DEVICE[1]: DEGRADED, DEVICE[2]: DEGRADED},
      flows=[attempts(DEVICE[1], 5223, "refused"), attempts(DEVICE[1], 443, "established")],
      requirements={"R1": "fail", "R2": "pass"},
      proof=[("tcp.flags.reset == 1 && tcp.srcport == 5223 && ip.ttl == 63", "== 2"),
             (f"{SYN_ACK} && tcp.srcport == 443 && ip.ttl == 54", "== 2")],
      uses="nftables dnsmasq")
def refused_at_campus_firewall(lab):
    """The campus firewall, 1 hop from the mirror, answers SYNs to 5223 with a reset in the server's
    name. Apple is 10 hops away."""
    lab.filter("fw", "tcp dport 5223 reject with tcp reset")
    lab.couriers()
    lab.resolver()
    lab.devices_do((1, 2), "--pushes=300:640")


@play("5223 is refused by a TCP reset of the provider's router",
      findings=[finding("port-refused", device=DEVICE[1], port=5223,
                        blocker_hops=HOPS_PROVIDER),
                finding("fallback-443", device=DEVICE[1])],
      devices={DEVICE[1]: DEGRADED},
      flows=[attempts(DEVICE[1], 5223, "refused"), attempts(DEVICE[1], 443, "established")],
      requirements={"R1": "fail", "R2": "pass"},
      proof=[("tcp.flags.reset == 1 && tcp.srcport == 5223 && ip.ttl == 62", "== 1"),
             (f"{SYN_ACK} && ip.ttl == 54", "== 1")],
      uses="nftables dnsmasq")
def refused_at_provider(lab):
    """The provider's router, 2 hops from the mirror, answers SYNs to 5223 with a reset; Apple is
    10 hops away."""
    lab.filter("isp", "tcp dport 5223 reject with tcp reset")
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--pushes=300:640")


@play("5223 is refused over IPv6 too, by the campus firewall",
      findings=[finding("port-refused", device=DEVICE6[1], port=5223, blocker_hops=HOPS_FIREWALL),
                finding("fallback-443", device=DEVICE6[1])],
      devices={DEVICE6[1]: DEGRADED},
      flows=[attempts(DEVICE6[1], 5223, "refused", ip_version=6)],
      proof=[("tcp.flags.reset == 1 && tcp.srcport == 5223 && ipv6.hlim == 63", "== 1"),
             (f"{SYN_ACK} && tcp.srcport == 443 && ipv6.hlim == 54", "== 1")],
      uses="nftables dnsmasq")
def refused_ipv6_at_campus_firewall(lab):
    """The campus firewall answers SYNs to 5223 with a reset; the device has only IPv6."""
    lab.filter("fw", "tcp dport 5223 reject with tcp reset")
    lab.couriers()
    lab.resolver(ipv6=True)
    lab.device_does(1, "--pushes=300:640", family="6")


@play("Nothing listens on 5223 at the far end",
      findings=[finding("port-refused", device=DEVICE[n], port=5223, blocker_hops=None,
                        summary="~from Apple's own distance") for n in (1, 2)]
      + [finding("fallback-443", device=DEVICE[n]) for n in (1, 2)],
      devices={DEVICE[1]: DEGRADED, DEVICE[2]: DEGRADED},
      flows=[attempts(DEVICE[1], 5223, "refused"), attempts(DEVICE[1], 443, "established")],
      proof=[("tcp.flags.reset == 1 && tcp.srcport == 5223 && ip.ttl == 54", "== 2"),
             (f"{SYN_ACK} && ip.ttl == 54", "== 2")],
      uses="dnsmasq")
def refused_at_the_far_end(lab):
    """The addresses are Apple's, but only 443 is served there: the servers' own kernel refuses 5223,
    from Apple's own distance."""
    lab.couriers(ports=(443,))
    lab.resolver()
    lab.devices_do((1, 2), "--pushes=300:640")


def icmp_play(name, title, text, box, address, rule, proof, number=1, ipv6=False):
    """The same play for each kind of ICMP error."""
    device = DEVICE6[number] if ipv6 else DEVICE[number]

    def function(lab):
        lab.filter(box, f"tcp dport 5223 {rule}")
        lab.couriers()
        lab.resolver(ipv6=ipv6)
        lab.device_does(number, "--pushes=300:640", family="6" if ipv6 else "4")

    function.__name__, function.__doc__, function.__module__ = name, text, __name__
    play(title,
         findings=[finding("port-unreachable", device=device, port=5223, blocker_ip=address),
                   finding("fallback-443", device=device)],
         devices={device: DEGRADED},
         flows=[attempts(device, 5223, "unreachable"), attempts(device, 443, "established")],
         proof=[(proof, ">= 1"), (f"{SYN_ACK} && tcp.srcport == 5223", "== 0"),
                (f"{SYN_ACK} && tcp.srcport == 443", "== 1")],
         uses="nftables dnsmasq")(function)


icmp_play("icmp_admin_prohibited", "5223 is prohibited: the firewall says so by ICMP",
          """The campus firewall rejects 5223 with ICMP 3.13, administratively prohibited.""",
          "fw", FIREWALL, "reject with icmp type admin-prohibited",
          f"icmp.type == 3 && icmp.code == 13 && ip.src == {FIREWALL}")
icmp_play("icmp_port_unreachable", "5223 is rejected as nftables does where nothing else is said",
          """The campus firewall rejects 5223 with the ICMP error that `reject` sends by default:
          3.3, port unreachable, from the firewall's own address, not the server's.""",
          "fw", FIREWALL, "reject",
          f"icmp.type == 3 && icmp.code == 3 && ip.src == {FIREWALL}")
icmp_play("icmp_host_unreachable", "5223 is rejected by the provider with host unreachable",
          """The provider's router rejects 5223 with ICMP 3.1, host unreachable.""",
          "isp", PROVIDER, "reject with icmp type host-unreachable",
          f"icmp.type == 3 && icmp.code == 1 && ip.src == {PROVIDER}")
icmp_play("icmpv6_admin_prohibited", "5223 is prohibited over IPv6",
          """The campus firewall rejects 5223 with ICMPv6 1.1, administratively prohibited; the
          device has only IPv6.""",
          "fw", FIREWALL6, "reject with icmpv6 type admin-prohibited",
          f"icmpv6.type == 1 && icmpv6.code == 1 && ipv6.src == {FIREWALL6}", ipv6=True)
icmp_play("icmpv6_port_unreachable", "5223 is rejected over IPv6 as nftables does by default",
          """The provider's router rejects 5223 with ICMPv6 1.4, port unreachable; the device has
          only IPv6.""",
          "isp", PROVIDER6, "reject",
          f"icmpv6.type == 1 && icmpv6.code == 4 && ipv6.src == {PROVIDER6}", ipv6=True)
@play("An allow-list that knows only a part of Apple's addresses",
      findings=[finding("partial-reachability", port=5223)],
      devices={DEVICE[1]: {"works_on": "5223"}, DEVICE[2]: {"works_on": "5223"}},
      flows=[flow({"server_ip": "17.188.168.10", "server_port": 5223}, outcome="no-answer",
                  count=2),
             flow({"server_ip": "17.57.144.10", "server_port": 5223}, outcome="established",
                  count=2)],
      requirements={"R3": "fail"},
      proof=[(f"{SYN_ACK} && (ip.src == 17.57.144.0/22 || ip.src == 17.249.0.0/16)", "== 4"),
             (f"{SYN_ACK} && !(ip.src == 17.57.144.0/22 || ip.src == 17.249.0.0/16)", "== 0"),
             (f"{SYN} && (ip.dst == 17.188.0.0/16 || ip.dst == 17.252.0.0/16)", ">= 16")],
      uses="nftables")
def allow_list_too_narrow(lab):
    """The campus firewall allows 17.57.144.0/22 and 17.249.0.0/16 on every port and drops the rest
    of 17.0.0.0/8. Two devices try couriers of both groups on 5223."""
    lab.filter("fw", "ip daddr { 17.57.144.0/22, 17.249.0.0/16 } accept", f"{APPLE} drop")
    lab.couriers()
    order = ["17.188.168.10", "17.57.144.10", "17.252.28.9", "17.249.12.5"]
    for number in (1, 2):
        lab.device(number, "--ports=5223", "--attempts=4", "--sessions=2", "--hold=600",
                   *(f"--address={each}" for each in order[2 * (number - 1):] + order[:2 * (
                       number - 1)]))
    lab.devices_end()


@play("One courier is down while its neighbours answer",
      may=["fallback-443"],
      devices={DEVICE[1]: {"verdict": "works"}, DEVICE[2]: {"verdict": "works"}},
      flows=[flow({"server_ip": "17.57.144.10"}, outcome="no-answer", count=2)],
      proof=[(f"{SYN} && ip.dst == 17.57.144.10", ">= 8"),
             (f"{SYN_ACK} && ip.src == 17.57.144.11 && tcp.srcport == 5223", "== 2"),
             (f"{SYN_ACK} && ip.src == 17.57.144.10", "== 0")],
      uses="nftables")
def healthy_one_courier_down(lab):
    """One of Apple's servers is switched off and swallows SYNs; its neighbour in the same prefix
    answers. Apple's side, and no list of addresses."""
    lab.filter("apple", "ip daddr 17.57.144.10 tcp dport { 443, 5223 } drop", hook="input")
    lab.couriers()
    for number in (1, 2):
        lab.device(number, "--ports=5223", "--attempts=3", "--sessions=2", "--hold=500",
                   "--address=17.57.144.10", "--address=17.57.144.11", "--address=17.57.146.24")
    lab.devices_end()


@play("IPv6 to Apple is dropped, IPv4 works",
      findings=[finding("ipv6-broken")],
      devices={DEVICE[1]: {"verdict": "works", "works_on": "5223"}},
      flows=[flow({"ip_version": 6, "server_port": 5223}, outcome="no-answer", count=3),
             attempts(DEVICE[1], 5223, "established", count=3)],
      requirements={"R1": "pass", "R9": ["warn", "fail"]},
      proof=[(f"ipv6 && {SYN}", ">= 9"), (f"ipv6 && {SYN_ACK}", "== 0"),
             (f"ip && {SYN_ACK} && tcp.srcport == 5223", "== 3")],
      uses="nftables")
def ipv6_dropped(lab):
    """The campus firewall drops IPv6 to Apple. A device with both addresses tries IPv6 for some
    seconds, then IPv4, and does so three times."""
    lab.filter("fw", "ip6 daddr { 2620:149::/32, 2403:300::/32, 2a01:b740::/32 } drop")
    lab.couriers()
    both = [f"--address={ip}" for pair in zip(COURIERS6, COURIERS) for ip in pair]
    lab.device_does(1, "--ports=5223", "--attempts=6", "--sessions=3", "--hold=500",
                    "--timeout=8000", *both[:6], family="46")


@play("IPv6 is prohibited by ICMPv6, IPv4 works",
      findings=[finding("ipv6-broken")],
      may=["port-unreachable"],
      devices={DEVICE[1]: {"works_on": "5223"}},
      flows=[flow({"ip_version": 6, "server_port": 5223}, outcome="unreachable", count=3),
             attempts(DEVICE[1], 5223, "established", count=3)],
      proof=[(f"icmpv6.type == 1 && icmpv6.code == 1 && ipv6.src == {FIREWALL6}", ">= 3"),
             (f"ip && {SYN_ACK} && tcp.srcport == 5223", "== 3")],
      uses="nftables")
def ipv6_prohibited(lab):
    """The campus firewall rejects IPv6 to Apple with ICMPv6; the device turns to IPv4 at once."""
    lab.filter("fw", "ip6 daddr { 2620:149::/32, 2403:300::/32, 2a01:b740::/32 } "
                     "reject with icmpv6 type admin-prohibited")
    lab.couriers()
    both = [f"--address={ip}" for pair in zip(COURIERS6, COURIERS) for ip in pair]
    lab.device_does(1, "--ports=5223", "--attempts=6", "--sessions=3", "--hold=500", *both[:6],
                    family="46")


@play("The provider has no IPv6 route to Apple, IPv4 works",
      findings=[finding("ipv6-broken")],
      devices={DEVICE[1]: {"works_on": "5223"}},
      flows=[flow({"ip_version": 6, "server_port": 5223}, outcome="unreachable", count=3),
             attempts(DEVICE[1], 5223, "established", count=3)],
      proof=[(f"icmpv6.type == 1 && icmpv6.code == 0 && ipv6.src == {PROVIDER6}", ">= 3"),
             (f"ip && {SYN_ACK} && tcp.srcport == 5223", "== 3")],
      uses="nftables")
def ipv6_no_route(lab):
    """The provider's router answers IPv6 to Apple with ICMPv6 1.0, no route; the device turns to
    IPv4 at once."""
    lab.filter("isp", "ip6 daddr { 2620:149::/32, 2403:300::/32, 2a01:b740::/32 } "
                      "reject with icmpv6 type no-route")
    lab.couriers()
    both = [f"--address={ip}" for pair in zip(COURIERS6, COURIERS) for ip in pair]
    lab.device_does(1, "--ports=5223", "--attempts=6", "--sessions=3", "--hold=500", *both[:6],
                    family="46")


@play("Both families work, and the device leaves the slower attempt",
      devices={DEVICE[1]: {"verdict": "works", "works_on": "5223"}},
      flows=[attempts(DEVICE[1], 5223, "established", count=2)],
      proof=[(f"ipv6 && {SYN}", "== 2"), (f"ipv6 && {SYN_ACK}", "== 0"),
             (f"ip && {SYN_ACK} && tcp.srcport == 5223", "== 2")],
      uses="nftables")
def healthy_abandoned_ipv6(lab):
    """IPv6 answers late, and a device that gives it only 250 ms (RFC 8305) goes on with IPv4: two
    attempts over IPv6 with one SYN each prove nothing."""
    lab.filter("isp", "ip6 daddr 2620:149::/32 drop")
    lab.couriers()
    lab.device_does(1, "--ports=5223", "--attempts=4", "--sessions=2", "--hold=500",
                    "--timeout=250", f"--address={COURIERS6[0]}", f"--address={COURIERS[0]}",
                    family="46")


@play("The MDM server cannot reach APNs: 443 and 2197 are dropped",
      findings=[finding("port-blocked-silent", device=MDM, port=443),
                finding("port-blocked-silent", device=MDM, port=2197)],
      devices={MDM: BROKEN},
      flows=[flow({"server_port": 2197}, outcome="no-answer")],
      requirements={"R6": "fail", "R1": "not-observed"},
      proof=[(f"{SYN} && tcp.dstport == 443", ">= 4"), (f"{SYN} && tcp.dstport == 2197", ">= 4"),
             (SYN_ACK, "== 0")],
      point=("core", "srv"), uses="nftables curl dnsmasq")
def mdm_server_dropped(lab):
    """The campus firewall drops what the MDM server sends to Apple."""
    lab.filter("fw", f"ip saddr {MDM} {APPLE} drop")
    lab.apple_web()
    lab.resolver()
    lab.send_notification("--max-time", "12", expect=28)
    lab.send_notification("--max-time", "12", port=2197, expect=28)


@play("A stale MDM server tries 2195 and 2196",
      findings=[finding("legacy-provider-port", device=MDM)],
      may=["legacy-provider-port"],
      devices={MDM: {"verdict": "unknown"}},
      flows=[flow({"server_port": 2195}, outcome="refused"),
             flow({"server_port": 2196}, outcome="refused")],
      requirements={"R6": ["warn", "not-observed"], "R1": "not-observed"},
      proof=[(f"{SYN} && (tcp.dstport == 2195 || tcp.dstport == 2196)", "== 2"),
             ("tcp.flags.reset == 1 && ip.ttl == 54", "== 2")],
      point=("core", "srv"))
def legacy_ports(lab):
    """Nothing is in the way. The MDM server still speaks the binary interface that Apple retired;
    nothing listens there any more."""
    for port in (2195, 2196):
        lab.await_end(lab.start("mdm", "openssl", "s_client", "-connect", f"{COURIERS[0]}:{port}"))


@play("A connection from Apple's range to the inside",
      findings=[finding("inbound-from-apple", port=8080)],
      flows=[flow({"role": "inbound"}, count=1)],
      requirements={"R7": ["warn", "fail"]},
      proof=[(f"{SYN} && ip.src == 17.0.0.0/8 && tcp.dstport == 8080", "== 1"),
             (f"{SYN_ACK} && ip.src == 10.20.0.11", "== 1")],
      uses="curl")
def inbound_from_apple(lab):
    """The firewall lets everything in. A host in 17.0.0.0/8 opens a connection to a device."""
    lab.start("device1", "python3", "-m", "http.server", "8080")
    lab.await_port("device1", 8080)
    lab.curl("apple", f"http://{DEVICE[1]}:8080/", "--interface", COURIERS[0])


@play("One device of four is blocked",
      findings=[finding("port-blocked-silent", device=DEVICE[3], port=5223, confidence="certain"),
                finding("fallback-443", device=DEVICE[3])],
      devices={DEVICE[1]: {"verdict": "works", "works_on": "5223"},
               DEVICE[2]: {"verdict": "works", "works_on": "5223"},
               DEVICE[3]: DEGRADED,
               DEVICE[4]: {"verdict": "works", "works_on": "5223"}},
      flows=[attempts(DEVICE[3], 5223, "no-answer", count=2)],
      requirements={"R1": "fail", "R2": "pass"},
      proof=[(f"{SYN} && tcp.dstport == 5223 && ip.src == {DEVICE[3]}", ">= 8"),
             (f"{SYN_ACK} && tcp.srcport == 5223 && ip.dst == {DEVICE[3]}", "== 0"),
             (f"{SYN_ACK} && tcp.srcport == 5223", "== 3")],
      stage={"devices": 4}, uses="nftables dnsmasq")
def dropped_for_one_device(lab):
    """The campus firewall drops 5223 for one device's address only, twice; the other three connect
    on 5223."""
    lab.filter("fw", f"ip saddr {DEVICE[3]} tcp dport 5223 drop")
    lab.couriers()
    lab.resolver()
    for number in (1, 2, 4):
        lab.device(number, f"--first={number}", "--pushes=300:640")
    lab.device(3, "--attempts=4", "--sessions=2", "--pushes=300:640", "--hold=600")
    lab.devices_end()


@play("An administrator traces the route to a courier with TCP",
      devices={DEVICE[2]: {"verdict": "works", "works_on": "5223"}},
      proof=[("icmp.type == 11 && icmp.code == 0", ">= 6"), (f"{SYN} && ip.ttl < 10", ">= 6"),
             (f"{SYN_ACK} && tcp.srcport == 5223", ">= 2")],
      uses="traceroute")
def healthy_traceroute(lab):
    """Nothing is in the way. traceroute sends SYNs to port 5223 with small times to live, which
    routers answer by ICMP; another device works."""
    lab.couriers()
    lab.device(2, f"--address={COURIERS[1]}", "--pushes=300:640")
    lab.execute("device1", "traceroute", "-n", "-T", "-p", "5223", "-w", "1", "-m", "12", "-q", "2",
                COURIERS[0])
    lab.devices_end()


@play("A port test that connects and closes without a word",
      devices={DEVICE[2]: {"verdict": "works", "works_on": "5223"}},
      proof=[(f"{SYN_ACK} && tcp.srcport == 5223", "== 3"),
             (f"{SYN_ACK} && tcp.srcport == 443", "== 1"),
             (f"tcp.flags.fin == 1 && ip.src == {DEVICE[1]}", "== 2"),
             (f"tcp.len > 0 && ip.src == {DEVICE[1]}", "== 0"),
             (f"tls.alert_message && ip.dst == {DEVICE[1]}", "== 2")])
def healthy_port_probe(lab):
    """Nothing is in the way. An administrator's script opens 5223 and 443 and closes at once;
    another device works."""
    lab.couriers()
    for port in (5223, 443):
        lab.execute("device1", "python3", "-c", "import socket; socket.create_connection(("
                    f"'{COURIERS[0]}', {port})).close()")
    lab.device_does(2, f"--address={COURIERS[0]}", "--pushes=300:640")
    lab.device_does(2, f"--address={COURIERS[1]}", "--pushes=300:640")
