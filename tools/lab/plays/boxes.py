"""Boxes of other kinds: ways that are lost, portals, SYN proxies."""

from network import DEVICE, FIREWALL, HOPS_FIREWALL
from play import both_ports, finding, flow, play

BROKEN = {"verdict": "broken"}
SYN = "tcp.flags.syn == 1 && tcp.flags.ack == 0"
SYN_ACK = "tcp.flags.syn == 1 && tcp.flags.ack == 1"
HELLO = "tls.handshake.type == 1"


@play("A firewall on the way out sees only half and drops the rest of each handshake",
      findings=both_ports("stall-after-client-hello",
                          summary="~nothing that it sent after its SYN arrived")
      + [finding("courier-unreachable", device=DEVICE[1])],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"server_port": 5223}, outcome="tls-no-answer", count=2),
             flow({"server_port": 443}, outcome="tls-no-answer", count=2)],
      proof=[(SYN, "== 4"), (SYN_ACK, ">= 12"), (HELLO, "== 4"),
             ("ip.src == 17.0.0.0/8 && tcp.ack > 1", "== 0")],
      uses="nftables dnsmasq")
def half_seen(lab):
    """The way out and the way back run through different firewalls. The one on the way out never
    sees a SYN-ACK, takes the device's next packets for invalid and drops them: couriers answer
    the SYN, and nothing of what follows arrives."""
    lab.filter("isp", "ip daddr 17.0.0.0/8 tcp flags & (syn | rst) == 0 drop")
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--attempts=4", "--pause=1500")


@play("A captive portal answers everything with a web page",
      findings=both_ports("transparent-proxy", blocker_hops=HOPS_FIREWALL,
                          summary="~HTTP/1.1 400 Bad Request")
      + [finding("courier-unreachable", device=DEVICE[1])],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"server_port": 5223}, outcome="tls-failed", count=2),
             flow({"server_port": 443}, outcome="tls-failed", count=2)],
      requirements={"R4": "fail"},
      proof=[(f"{SYN_ACK} && ip.ttl == 63", "== 4"), (HELLO, "== 4"),
             ("http.response.code == 400 && ip.src == 17.0.0.0/8", "== 4")],
      uses="nginx nftables dnsmasq")
def captive_portal(lab):
    """Before login the firewall turns every connection to the portal, which speaks HTTP and nothing
    else."""
    config = lab.work / "portal.conf"
    config.write_text(
        f"daemon off; pid {lab.work}/portal.pid; error_log {lab.work}/portal.error;\n"
        "user root; worker_processes 1; events { worker_connections 64; }\n"
        "http { access_log off; server { listen 8088; return 302 http://portal.example/; } }\n")
    lab.filter("fw", 'iifname "in" tcp dport { 80, 443, 5223 } redirect to :8088',
               hook="prerouting", kind="nat", priority=-100, family="ip")
    lab.start("fw", "nginx", "-c", config, "-e", f"{lab.work}/portal.error")
    lab.await_port("fw", 8088)
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--attempts=4", "--pause=1500")


@play("Routes to Apple's addresses run in a circle",
      findings=both_ports("port-unreachable", blocker_ip=FIREWALL, summary="~time exceeded")
      + [finding("courier-unreachable", device=DEVICE[1])],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"server_port": 5223}, outcome="unreachable", count=2)],
      proof=[(f"icmp.type == 11 && ip.src == {FIREWALL}", "== 4"), (SYN_ACK, "== 0"),
             (f"{SYN} && ip.ttl == 64 && !icmp", "== 4")],
      uses="dnsmasq")
def routing_loop(lab):
    """The provider's router sends what goes to 17.0.0.0/8 back to the firewall: SYNs go to and fro
    between the two until their TTL is used up, at the firewall."""
    lab.ip("isp", "route", "add", "17.0.0.0/8", "via", "203.0.113.1")
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--attempts=4", "--pause=1500")


@play("The firewall proves each SYN itself before it lets it through",
      devices={DEVICE[n]: {"verdict": "works", "works_on": "5223"} for n in (1, 2)},
      flows=[flow({"server_port": 5223, "client_ip": DEVICE[1]}, outcome="established", count=3,
                  path="direct")],
      proof=[(f"{SYN_ACK} && ip.ttl == 63", "== 6"), ("tls.handshake.type == 2 && ip.ttl == 54",
                                                      "== 6")],
      uses="nftables dnsmasq")
def healthy_syn_proxy(lab):
    """nftables' SYN proxy on 5223: the SYN-ACK comes from the firewall, all the rest from Apple."""
    lab.execute("fw", "nft", "-f", "-", text="""
table ip labbox {
  chain early { type filter hook prerouting priority raw; tcp dport 5223 tcp flags syn notrack; }
  chain onward { type filter hook forward priority 0;
    tcp dport 5223 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
    ct state invalid drop
  }
}
""")
    lab.sysctl("fw", "net.netfilter.nf_conntrack_tcp_loose=0")
    lab.couriers()
    lab.resolver()
    lab.devices_do((1, 2), "--sessions=3", "--attempts=3", "--hold=500", "--pushes=200:640")
