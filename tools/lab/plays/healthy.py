"""Networks that let APNs work, and the ordinary life of devices on them."""

import time

from network import DEVICE, DEVICE6, MDM, OUTSIDE
from play import flow, play

WORKS = {"verdict": "works", "works_on": "5223"}
FROM_APPLE = "(ip.src == 17.0.0.0/8)"
NO_RESET_FROM_APPLE = (f"tcp.flags.reset == 1 && {FROM_APPLE}", "== 0")


def courier(device, **columns):
    columns.setdefault("outcome", "established")
    return flow({"client_ip": device, "server_port": 5223}, role="courier", path="direct",
                **columns)


@play("TLS 1.2: two devices with notifications and heartbeats, and the bag",
      devices={DEVICE[1]: WORKS, DEVICE[2]: WORKS},
      flows=[courier(DEVICE[1], tls_version="TLS 1.2", ended_by="client-fin", hops_server=10,
                     cert_issuer="~Apple Server Authentication CA"),
             flow({"role": "bag"}, outcome="established")],
      requirements={"R0": "pass", "R1": "pass", "R2": "not-observed", "R4": "pass", "R7": "pass", "R8": "pass"},
      proof=[("tcp.port == 5223 && tcp.flags.syn == 1 && tcp.flags.ack == 1 && ip.ttl == 54",
              "== 2"),
             ("tls.handshake.type == 11 && tcp.srcport == 5223", "== 2"),
             ("tls.alert_message.desc == 48", "== 0"), NO_RESET_FROM_APPLE],
      uses="nginx curl dnsmasq")
def healthy_tls12(lab):
    """Nothing is in the way. Two devices fetch the bag, connect to couriers with TLS 1.2, get
    notifications and heartbeats, and close."""
    lab.apple()
    lab.resolver()
    lab.fetch_bag(1)
    lab.devices_do((1, 2), "--tls=1.2", "--heartbeat=700", "--pushes=300:640,900:1200")


@play("TLS 1.3 only: the certificate is encrypted",
      devices={DEVICE[1]: WORKS, DEVICE[2]: WORKS},
      flows=[courier(DEVICE[1], tls_version="TLS 1.3", cert_issuer=None, ended_by="client-fin"),
             courier(DEVICE[2], tls_version="TLS 1.3")],
      requirements={"R0": "pass", "R1": "pass", "R4": "pass", "R7": "pass", "R8": "pass"},
      proof=[("tcp.port == 5223 && tls.handshake.extensions.supported_version == 0x0304 && "
              "tls.handshake.type == 2", "== 2"),
             ("tls.handshake.type == 11", "== 0"), NO_RESET_FROM_APPLE],
      uses="dnsmasq")
def healthy_tls13(lab):
    """Nothing is in the way. Two devices connect with TLS 1.3 and nothing older, get notifications
    and heartbeats, and close."""
    lab.couriers()
    lab.resolver()
    lab.devices_do((1, 2), "--heartbeat=700", "--pushes=300:640,900:1200")


@play("IPv6: couriers by their IPv6 addresses",
      devices={DEVICE6[1]: WORKS},
      flows=[courier(DEVICE6[1], ip_version=6, hops_server=10)],
      requirements={"R1": "pass", "R8": "pass"},
      proof=[("ipv6 && tcp.port == 5223 && tcp.flags.syn == 1 && tcp.flags.ack == 1 && "
              "ipv6.hlim == 54", "== 1"),
             ("ip && tcp.port == 5223", "== 0"), ("dns.qry.type == 28", ">= 1")],
      uses="dnsmasq")
def healthy_ipv6(lab):
    """Nothing is in the way. A device learns IPv6 addresses from DNS and uses one."""
    lab.couriers()
    lab.resolver(ipv6=True)
    lab.device_does(1, "--heartbeat=700", "--pushes=300:640", family="6")


@play("Resumed sessions: the second handshake carries no certificate at all",
      devices={DEVICE[1]: WORKS, DEVICE[2]: WORKS},
      flows=[courier(DEVICE[1], count=3), courier(DEVICE[2], count=3)],
      proof=[("tls.handshake.extensions.psk.identity.identity_length", ">= 2"),
             ("tls.handshake.type == 11 && ip.dst == 10.20.0.12", "== 1")],
      uses="dnsmasq")
def healthy_resumed(lab):
    """Nothing is in the way. A device with TLS 1.3 and one with TLS 1.2 reconnect twice each and
    resume the session of before."""
    lab.couriers()
    lab.resolver()
    for number, version in ((1, "1.3"), (2, "1.2")):
        lab.device(number, f"--tls={version}", "--resume", "--sessions=3", "--attempts=3",
                   "--hold=600", "--pushes=200:640")
    lab.devices_end()


@play("HelloRetryRequest: the server asks for another key share",
      devices={DEVICE[1]: WORKS},
      flows=[courier(DEVICE[1], tls_version="TLS 1.3")],
      proof=[("tls.handshake.type == 1 && tcp.dstport == 5223", "== 2"),
             ("tls.handshake.type == 2 && tcp.srcport == 5223", "== 2")],
      uses="dnsmasq")
def healthy_hello_retry(lab):
    """Nothing is in the way. The courier accepts only P-384, the device offers a key share of
    X25519, so that the server answers its first ClientHello with a HelloRetryRequest."""
    lab.couriers(words=("-g", "P-384"))
    lab.resolver()
    lab.device_does(1, "--pushes=300:640")


@play("MDM server: notifications over HTTP/2 on 443 and 2197",
      devices={MDM: {"verdict": "works", "role": "mdm-server"}},
      flows=[flow({"server_port": 443}, role="provider", outcome="established"),
             flow({"server_port": 2197}, role="provider", outcome="established")],
      requirements={"R1": "not-observed", "R6": "pass"},
      proof=[("tls.handshake.extensions_server_name == \"api.push.apple.com\"", "== 2"),
             ("tls.alert_message.desc == 48", "== 0")],
      point=("core", "srv"), uses="nginx curl dnsmasq")
def healthy_mdm_server(lab):
    """Nothing is in the way. The MDM server posts a notification on each of its two ports."""
    lab.apple_web()
    lab.resolver()
    lab.send_notification()
    lab.send_notification(port=2197)


@play("Devices close by FIN, by RST, roam away without a word, and come back",
      devices={DEVICE[1]: WORKS, DEVICE[2]: WORKS},
      flows=[courier(DEVICE[1], count=3), courier(DEVICE[2], count=[1, 3])],
      requirements={"R1": "pass", "R4": "pass"},
      proof=[("tcp.flags.reset == 1 && ip.src == 10.20.0.11", ">= 2"), NO_RESET_FROM_APPLE,
             ("tcp.analysis.retransmission && ip.dst == 10.20.0.12", ">= 1")],
      uses="dnsmasq nftables")
def healthy_roaming(lab):
    """Nothing is in the way. Device 1 resets its sessions as it leaves, three times. Device 2 loses
    its radio in the middle of a session, so that the courier repeats a notification to nobody, and
    connects anew on its return."""
    lab.couriers()
    lab.resolver()
    lab.device(1, "--sessions=3", "--attempts=3", "--hold=800", "--end=reset",
               "--pushes=200:640")
    leaving = lab.device(2, "--hold=20000", "--pushes=600:640,1500:900")
    lab.await_output(leaving, "works")
    time.sleep(0.9)
    for hook in ("output", "input"):
        lab.filter("device2", "drop", hook=hook, name=hook)
    time.sleep(6)
    lab.stop(leaving)
    for hook in ("output", "input"):
        lab.lift_filter("device2", name=hook)
    lab.device_processes.remove(leaving)
    lab.device(2, "--first=2", "--pushes=300:640")
    lab.devices_end()


@play("Idle for half an hour between heartbeats, and it survives",
      devices={DEVICE[1]: WORKS},
      flows=[courier(DEVICE[1], ended_by="client-fin")],
      requirements={"R1": "pass", "R5": "pass"},
      proof=[("tcp.srcport == 5223 && tcp.time_delta > 1700", "== 3"), NO_RESET_FROM_APPLE],
      uses="dnsmasq")
def healthy_idle(lab):
    """Nothing is in the way. A heartbeat every 1800 s, three times; then the device closes."""
    lab.sysctl("device1", "net.ipv4.tcp_timestamps=0")
    lab.couriers()
    lab.resolver()
    device = lab.device(1, "--heartbeat=3000", "--hold=10500")
    lab.await_output(device, "works")
    for _ in range(3):
        time.sleep(1)
        lab.time_passes(1797)
        time.sleep(1.4)
    lab.devices_end()


@play("Couriers restart: sessions end, a few attempts are refused, then all is well",
      may=["fallback-443"],
      devices={DEVICE[1]: {"verdict": "works"}, DEVICE[2]: {"verdict": "works"}},
      flows=[courier(DEVICE[1], count=[1, 9])],
      proof=[("tcp.flags.reset == 1 && ip.src == 17.0.0.0/8 && ip.ttl == 54", ">= 2"),
             ("tcp.flags.reset == 1 && ip.src == 17.0.0.0/8 && ip.ttl != 54", "== 0"),
             ("tcp.flags.fin == 1 && ip.src == 17.0.0.0/8", ">= 2")],
      uses="dnsmasq")
def healthy_server_restart(lab):
    """Nothing is in the way. Apple's couriers stop, ending all sessions; for a second their kernel
    refuses connections, then they are back. All answers come from Apple's own distance."""
    couriers = lab.couriers()
    lab.resolver()
    for number in (1, 2):
        lab.device(number, "--sessions=2", "--attempts=9", "--hold=3000", "--pause=1500",
                   "--pushes=400:640", f"--first={number}")
    time.sleep(1.6)
    lab.stop(couriers)
    time.sleep(1)
    lab.couriers()
    lab.devices_end()


@play("A slow path: 300 ms each way, and a courier that thinks for 2 s",
      devices={DEVICE[1]: WORKS},
      flows=[courier(DEVICE[1])],
      proof=[("tcp.port == 5223 && tcp.flags.syn == 1 && tcp.flags.ack == 0", "== 1"),
             ("tls.handshake.type == 2 && tcp.time_delta > 2", "<= 1"), NO_RESET_FROM_APPLE],
      stage={"delay_ms": 300}, uses="dnsmasq")
def healthy_slow_path(lab):
    """Nothing is in the way but distance: a satellite's round trip, and a busy server that answers
    the ClientHello after two seconds."""
    lab.couriers(words=("-w", "2000"))
    lab.resolver()
    lab.device_does(1, "--hold=4000", "--pushes=600:640")


@play("A courier close by that is slow to answer the hello",
      devices={DEVICE[1]: WORKS, DEVICE[2]: WORKS},
      flows=[courier(DEVICE[1], count=2), courier(DEVICE[2], count=2)],
      proof=[("tcp.flags.syn == 1 && tcp.flags.ack == 1 && ip.ttl == 54", ">= 4"),
             NO_RESET_FROM_APPLE],
      stage={"delay_ms": 0.5}, uses="dnsmasq")
def healthy_near_courier(lab):
    """Nothing is in the way. Apple's servers are a millisecond away, and take 80 ms for the
    ServerHello: their SYN-ACK is fast, their TLS is not, and nobody stands between."""
    lab.couriers(words=("-w", "80"))
    lab.resolver()
    for number in (1, 2):
        lab.device(number, "--sessions=2", "--attempts=2", "--hold=700", "--pushes=200:640")
    lab.devices_end()


@play("Two percent of all packets are lost",
      devices={DEVICE[1]: WORKS},
      flows=[courier(DEVICE[1])],
      proof=[("tcp.port == 5223 && tcp.len > 0", ">= 220"),
             ("tcp.port == 5223 && tcp.analysis.retransmission", ">= 1"), NO_RESET_FROM_APPLE],
      uses="dnsmasq")
def healthy_loss_2(lab):
    """The line loses 2 % of TCP packets in both directions, as radio does; TCP repairs it."""
    lab.couriers()
    lab.resolver()
    lab.line_does("--loss=2", "--seed=5")
    lab.device_does(1, "--stream=220:70:30", "--hold=8500")


@play("Reordered by a few milliseconds, some packets twice",
      devices={DEVICE[1]: WORKS},
      flows=[courier(DEVICE[1])],
      proof=[("tcp.port == 5223 && tcp.len > 0", ">= 60"),
             ("tcp.analysis.out_of_order || tcp.analysis.retransmission", ">= 3"), NO_RESET_FROM_APPLE],
      uses="dnsmasq")
def healthy_reordered(lab):
    """The line delays every tenth packet by 8 ms more than the others and delivers some twice."""
    lab.couriers()
    lab.resolver()
    lab.line_does("--reorder=10", "--reorder-delay=8", "--duplicate=4")
    lab.device_does(1, "--stream=110:90:5", "--hold=1500")


@play("Behind NAT, seen from outside: three devices share one address",
      devices={OUTSIDE: WORKS},
      flows=[flow({"client_ip": OUTSIDE, "server_port": 5223}, count=3, outcome="established")],
      proof=[("tcp.dstport == 5223 && tcp.flags.syn == 1 && ip.src == 203.0.113.1 && ip.ttl == 62",
              "== 3"), ("ip.addr == 10.20.0.0/16", "== 0")],
      point=("fw", "wan"), stage={"devices": 3}, uses="dnsmasq nftables")
def healthy_nat_outside(lab):
    """The firewall translates addresses; the mirror is outside of it."""
    lab.filter("fw", 'oifname "wan" masquerade', hook="postrouting", kind="nat", priority=100,
               family="ip")
    lab.couriers()
    lab.resolver()
    lab.devices_do((1, 2, 3), "--pushes=300:640")


@play("The capture begins in the middle of a session and ends before its end",
      devices={DEVICE[1]: {"works_on": "5223"}},
      flows=[courier(DEVICE[1], outcome="midstream", ended_by="capture-end")],
      proof=[("tcp.flags.syn == 1", "== 0"), ("tcp.flags.fin == 1", "== 0"),
             ("tcp.srcport == 5223 && tls.record.content_type == 23", ">= 3")],
      point=None, uses="dnsmasq")
def healthy_midstream(lab):
    """Nothing is in the way. The capture starts after the device's session is up and stops while it
    goes on."""
    lab.couriers()
    lab.resolver()
    device = lab.device(1, "--hold=6000", "--heartbeat=500", "--stream=12:400:250")
    lab.await_output(device, "works")
    time.sleep(0.3)
    lab.capture()
    time.sleep(2.5)
    lab.stop_captures()
    lab.devices_end()


@play("A captive portal before the login, and a network that works after it",
      may=["fallback-443"],
      devices={DEVICE[1]: {"verdict": "works"}},
      flows=[courier(DEVICE[1], count=[1, 3])],
      proof=[("tcp.flags.reset == 1 && ip.src == 17.0.0.0/8 && ip.ttl == 63", ">= 1"),
             ("tcp.srcport == 5223 && tcp.flags.syn == 1 && tcp.flags.ack == 1 && ip.ttl == 54",
              ">= 1")],
      uses="nginx nftables dnsmasq curl")
def healthy_after_captive_portal(lab):
    """Before the login the firewall refuses 5223 and leads 443 to its portal, whose certificate the
    device refuses; after the login, some seconds later, everything passes."""
    lab.couriers()
    lab.resolver()
    lab.nginx("fw", "portal", [(["0.0.0.0:443"], "portal", "portal.campus.example")])
    lab.filter("fw", 'iifname "in" tcp dport 443 redirect to :443', hook="prerouting", kind="nat",
               priority=-100, family="ip", name="portal")
    lab.filter("fw", 'iifname "in" tcp dport 5223 reject with tcp reset', family="ip")
    device = lab.device(1, "--attempts=8", "--pause=2500", "--sessions=2", "--hold=1200",
                        "--pushes=300:640")
    lab.await_output(device, "TLS failed")
    time.sleep(1.5)
    lab.lift_filter("fw", family="ip", name="portal")
    lab.lift_filter("fw", family="ip")
    lab.devices_end()


@play("Other things on 5223 and other HTTPS of Apple's are nobody's fault",
      flows=[flow({"server_ip": "198.51.100.7"}, count=0)],
      proof=[("tcp.port == 5223 && ip.addr == 198.51.100.7 && tcp.flags.reset == 1", ">= 1"),
             ("tls.handshake.extensions_server_name == \"www.apple.com\"", "== 1")],
      uses="nginx curl dnsmasq")
def healthy_other_traffic(lab):
    """A chat client finds port 5223 closed at a server that is not Apple's; a browser reads a page
    of Apple's. Neither is APNs."""
    lab.apple_web()
    lab.resolver()
    lab.device(1, "--address=198.51.100.7", "--ports=5223", "--speak=<stream:stream>")
    lab.curl("device2", "https://www.apple.com/")
    lab.devices_end()
