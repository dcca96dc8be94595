"""Boxes that judge by names: filters that read the ClientHello, and resolvers."""

import time

from network import (COURIERS, DEVICE, ELSEWHERE, HOPS_FIREWALL, HOPS_PROVIDER, RESOLVER)
from play import both_ports, finding, flow, play

BROKEN = {"verdict": "broken"}
SYN = "tcp.flags.syn == 1 && tcp.flags.ack == 0"
SYN_ACK = "tcp.flags.syn == 1 && tcp.flags.ack == 1"
HELLO = "tls.handshake.type == 1"
SERVER_HELLO = "tls.handshake.type == 2"
PUSH_QUESTION = 'dns.flags.response == 0 && dns.qry.name contains "push.apple.com"'
PUSH_ANSWER = 'dns.flags.response == 1 && dns.qry.name contains "push.apple.com"'
RESET_FROM_APPLE = "tcp.flags.reset == 1 && ip.src == 17.0.0.0/8"


def string_rule(lab, space, verdict, text="push.apple.com"):
    """iptables looks for the name in every packet, as cheap filters do."""
    lab.execute(space, "iptables-nft", "-A", "FORWARD", "-p", "tcp", "-m", "string", "--algo", "bm",
                "--string", text, "-j", *verdict)


@play("A name filter resets the connection after the ClientHello",
      findings=both_ports("reset-after-client-hello", blocker_hops=HOPS_FIREWALL)
      + [finding("courier-unreachable", device=DEVICE[1])],
      may=["reset-injected"],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"server_port": 5223}, outcome="tls-reset", count=2),
             flow({"server_port": 443}, outcome="tls-reset", count=2)],
      requirements={"R4": "fail"},
      proof=[(f"{SYN_ACK} && ip.ttl == 54", "== 4"), (HELLO, ">= 4"), (SERVER_HELLO, "== 0"),
             (f"{RESET_FROM_APPLE} && ip.ttl == 63", ">= 4")],
      uses="iptables dnsmasq")
def sni_filter_reset(lab):
    """The campus firewall rejects every packet with "push.apple.com" in it by a TCP reset to its
    sender: the handshake passes, the ClientHello does not."""
    string_rule(lab, "fw", ["REJECT", "--reject-with", "tcp-reset"])
    lab.couriers()
    lab.device_does(1, "--attempts=4", "--pause=2000", *(f"--address={ip}" for ip in COURIERS[:4]))


@play("A name filter beside the provider's path resets both sides",
      findings=both_ports("reset-after-client-hello", blocker_hops=HOPS_PROVIDER)
      + [finding("courier-unreachable", device=DEVICE[1])],
      may=["reset-injected"],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"server_port": 5223}, outcome="tls-reset", count=2)],
      proof=[(f"{RESET_FROM_APPLE} && ip.ttl == 62 && ip.id == 256", "== 12"), (HELLO, "== 4"),
             (f"{SYN_ACK} && ip.ttl == 54", "== 4")],
      uses="dnsmasq")
def sni_filter_reset_beside_the_path(lab):
    """At the provider's router a box reads along. When a ClientHello names push.apple.com it sends
    three resets to each end, with rising sequence numbers and one IP identification. What the
    server sent meanwhile still arrives after the reset."""
    lab.forger("isp", "customer", "--when=hello:push.apple.com", "--to=both", "--copies=3")
    lab.couriers()
    lab.device_does(1, "--attempts=4", "--pause=2000", *(f"--address={ip}" for ip in COURIERS[:4]))


@play("A name filter ends the connection with a FIN after the ClientHello",
      findings=both_ports("reset-after-client-hello")
      + [finding("courier-unreachable", device=DEVICE[1])],
      devices={DEVICE[1]: BROKEN},
      proof=[(HELLO, ">= 4"), (SERVER_HELLO, "== 0"),
             ("tcp.flags.fin == 1 && ip.src == 17.0.0.0/8 && ip.ttl == 63 && ip.id == 256",
              "== 4")],
      uses="iptables dnsmasq")
def sni_filter_fin(lab):
    """The campus firewall swallows packets with "push.apple.com" in them and closes the connection
    towards the device with a FIN in the server's name."""
    string_rule(lab, "fw", ["DROP"])
    lab.forger("fw", "in", "--when=hello:push.apple.com", "--send=fin")
    lab.couriers()
    lab.device_does(1, "--attempts=4", "--pause=2000", *(f"--address={ip}" for ip in COURIERS[:4]))


@play("A name filter swallows the ClientHello",
      findings=both_ports("stall-after-client-hello")
      + [finding("courier-unreachable", device=DEVICE[1])],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"server_port": 5223}, outcome="tls-no-answer"),
             flow({"server_port": 443}, outcome="tls-no-answer")],
      requirements={"R4": "fail"},
      proof=[(SYN_ACK, "== 2"), ("tcp.analysis.retransmission && tcp.len > 200 && ip.src == 10.20.0.11", ">= 4"),
             (SERVER_HELLO, "== 0"), (RESET_FROM_APPLE, "== 0")],
      uses="iptables dnsmasq")
def sni_filter_silent(lab):
    """The campus firewall drops packets with "push.apple.com" in them: the device repeats its hello
    for 30 s on each port."""
    string_rule(lab, "fw", ["DROP"])
    lab.couriers()
    lab.device_does(1, *(f"--address={ip}" for ip in COURIERS[:2]))


@play("A courier answers the hello after 3 s, once",
      devices={DEVICE[1]: {"verdict": "works", "works_on": "5223"}},
      proof=[(f"{SERVER_HELLO} && tcp.srcport == 5223", "== 1"), (RESET_FROM_APPLE, "== 0")],
      uses="dnsmasq")
def healthy_slow_hello(lab):
    """Nothing is in the way. A busy courier lets a device wait three seconds for its
    ServerHello."""
    lab.couriers(words=("-w", "3000"))
    lab.resolver()
    lab.device_does(1, "--pushes=300:640")


@play("A courier restarts between the handshake and the hello of one session",
      may=["fallback-443"],
      devices={DEVICE[1]: {"verdict": "works"}},
      proof=[(f"{HELLO} && tcp.dstport == 5223", "== 2"),
             ("tcp.flags.reset == 1 && ip.src == 17.0.0.0/8 && ip.ttl == 54", "== 1"),
             (f"{SERVER_HELLO}", "== 2")],
      uses="dnsmasq")
def healthy_server_closes_after_hello(lab):
    """Nothing is in the way. A courier goes down while a ClientHello waits for its answer, and
    resets the session; the next attempts work."""
    couriers = lab.couriers(words=("-w", "1500"))
    lab.resolver()
    device = lab.device(1, "--attempts=4", "--sessions=2", "--pushes=300:640", "--pause=1000",
                        "--retry=600")
    time.sleep(0.8)
    lab.stop(couriers)
    lab.couriers()
    lab.await_end(device)


# ---- DNS ----

@play("DNS says that couriers do not exist",
      findings=[finding("dns-blocked", device=DEVICE[n]) for n in (1, 2)],
      requirements={"R8": "fail"},
      proof=[("dns.flags.rcode == 3 && dns.qry.name contains \"courier.push.apple.com\"", ">= 4"),
             ("dns.a", "== 0"), (SYN, "== 0")],
      uses="dnsmasq")
def dns_nxdomain(lab):
    """The campus resolver answers NXDOMAIN for everything under push.apple.com."""
    lab.couriers()
    lab.resolver(knows_push=False, words=("--address=/push.apple.com/",))
    for number in (1, 2):
        for courier in (7, 21):
            lab.device(number, f"--name={courier}-courier.push.apple.com", "--attempts=2",
                       "--pause=800")
    lab.devices_end()


@play("DNS refuses to answer for couriers",
      findings=[finding("dns-blocked", device=DEVICE[1])],
      requirements={"R8": "fail"},
      proof=[("dns.flags.rcode == 5 && dns.qry.name contains \"courier.push.apple.com\"", ">= 4"),
             ("dns.a", "== 0"), (SYN, "== 0")],
      uses="dnsmasq")
def dns_refused(lab):
    """The campus resolver has nowhere to ask for push.apple.com and refuses."""
    lab.couriers()
    lab.resolver(knows_push=False)
    for courier in (7, 21, 33):
        lab.device_does(1, f"--name={courier}-courier.push.apple.com", "--attempts=2",
                        "--pause=800")


@play("DNS sends push names into a sinkhole",
      findings=[finding("dns-blocked", device=DEVICE[1])],
      may=["courier-unreachable"],
      proof=[("dns.a == 0.0.0.0 && dns.qry.name contains \"courier.push.apple.com\"", ">= 2")],
      uses="dnsmasq")
def dns_sinkhole(lab):
    """The campus resolver answers 0.0.0.0 for everything under push.apple.com."""
    lab.couriers()
    lab.resolver(knows_push=False, words=("--address=/push.apple.com/0.0.0.0",))
    for courier in (7, 21):
        lab.device_does(1, f"--name={courier}-courier.push.apple.com", "--attempts=2",
                        "--pause=800")


@play("DNS leads push names to a host that is not Apple's",
      findings=[finding("dns-redirected", device=DEVICE[1]),
                finding("off-net-courier", device=DEVICE[1], server=ELSEWHERE[0])],
      flows=[flow({"server_ip": ELSEWHERE[0], "server_port": 5223}, path="off-net",
                  outcome="established")],
      requirements={"R8": "fail", "R4": "fail"},
      proof=[(f"dns.a == {ELSEWHERE[0]}", ">= 1"),
             (f"{HELLO} && ip.dst == {ELSEWHERE[0]} && "
              "tls.handshake.extensions_server_name == \"courier.push.apple.com\"", ">= 1"),
             ("ip.dst == 17.0.0.0/8", "== 0")],
      uses="dnsmasq haproxy")
def dns_redirected(lab):
    """The campus resolver answers with an address that is not Apple's. A relay there (haproxy)
    passes the bytes to a courier: the session works, and is not direct."""
    lab.couriers()
    lab.relay("other", [(f"{ELSEWHERE[0]}:{port}", f"{COURIERS[0]}:{port}") for port in (5223, 443)])
    lab.resolver(knows_push=False, words=(f"--address=/push.apple.com/{ELSEWHERE[0]}",))
    lab.device_does(1, "--pushes=300:640", expect="works")


@play("Push names have no IPv6 addresses, and a resolver fails once",
      devices={DEVICE[1]: {"verdict": "works", "works_on": "5223"}},
      proof=[("dns.flags.rcode == 5", "== 0"), ("dns.qry.type == 28 && dns.flags.response == 1 && "
                                               "dns.count.answers == 0", "== 0"),
             ("dns.qry.type == 28 && dns.flags.response == 1", ">= 1"),
             (f"{SYN_ACK} && tcp.srcport == 5223", "== 1")],
      uses="dnsmasq")
def healthy_dns_without_ipv6(lab):
    """Nothing is in the way. AAAA questions get the aliases and no address; while the resolver is
    down for a moment questions go unanswered, and are asked again."""
    lab.couriers()
    resolver = lab.resolver()
    lab.stop(resolver)
    device = lab.device(1, "--attempts=4", "--pause=500", "--pushes=300:640", family="46")
    time.sleep(1)
    lab.resolver()
    lab.await_end(device)


@play("The configuration cannot be fetched",
      findings=[finding("bag-unreachable", device=DEVICE[1])],
      devices={DEVICE[1]: {"works_on": "5223"}},
      proof=[(f"{SYN} && ip.dst == 17.188.143.20", ">= 4"),
             (f"{SYN_ACK} && ip.src == 17.188.143.20", "== 0"),
             ("dns.qry.type == 16 && dns.qry.name == \"push.apple.com\"", ">= 1"),
             (f"{SYN_ACK} && tcp.srcport == 5223", "== 1")],
      uses="nftables dnsmasq curl nginx")
def bag_dropped(lab):
    """The campus firewall drops what goes to init.push.apple.com. The device asks DNS for the TXT
    record of push.apple.com instead, and connects to a courier it remembers."""
    lab.filter("fw", "ip daddr 17.188.143.20 drop")
    lab.apple()
    lab.resolver(words=("--txt-record=push.apple.com,count=50",))
    lab.curl("device1", "https://init.push.apple.com/bag", "--max-time", "10", expect=28)
    lab.execute("device1", "dig", "+tries=1", f"@{RESOLVER}", "push.apple.com", "TXT")
    lab.device_does(1, "--pushes=300:640", "--address=" + COURIERS[0])


# ---- resolvers with a policy ----

@play("The resolver drops questions for push names",
      findings=[finding("dns-blocked", device=DEVICE[1], summary="~does not answer the questions")],
      devices={DEVICE[1]: BROKEN},
      requirements={"R8": "fail"},
      proof=[(f"{PUSH_QUESTION}", ">= 6"), (PUSH_ANSWER, "== 0"),
             ('dns.flags.response == 1 && dns.qry.name == "www.apple.com"', "== 1")],
      uses="unbound")
def dns_silent(lab):
    """unbound drops every question about push.apple.com (RPZ calls it DROP) and answers others."""
    lab.unbound("deny")
    lab.device(1, "--attempts=4", "--pause=1500")
    time.sleep(3)
    lab.execute("device1", "dig", "+tries=1", f"@{RESOLVER}", "www.apple.com")
    lab.devices_end()


@play("The resolver answers push names with 0.0.0.0",
      findings=[finding("dns-blocked", device=DEVICE[1], confidence="certain",
                        summary="~leads nowhere")],
      devices={DEVICE[1]: BROKEN},
      requirements={"R8": "fail"},
      proof=[(f"{PUSH_ANSWER} && dns.a == 0.0.0.0", ">= 2"), (SYN, "== 0")],
      uses="unbound")
def dns_null(lab):
    """unbound's always_null for push.apple.com, what ad blockers do."""
    lab.unbound("always_null")
    lab.device_does(1, "--attempts=4", "--pause=1500")


@play("The resolver knows no address for push names",
      findings=[finding("dns-blocked", device=DEVICE[1], summary="~without an address")],
      devices={DEVICE[1]: BROKEN},
      requirements={"R8": "fail"},
      proof=[(f"{PUSH_ANSWER} && dns.flags.rcode == 0 && dns.count.answers == 0", ">= 2"),
             (SYN, "== 0")],
      uses="unbound")
def dns_nodata(lab):
    """unbound's always_nodata for push.apple.com (RPZ calls it NODATA)."""
    lab.unbound("always_nodata")
    lab.device_does(1, "--attempts=4", "--pause=1500")
