"""Boxes that end TLS or TCP in somebody else's name, and proxies that are asked by name."""

from network import COURIERS, DEVICE, MDM, PROVIDER_SIDE, PROXY
from play import finding, flow, play

BROKEN = {"verdict": "broken"}
SYN = "tcp.flags.syn == 1 && tcp.flags.ack == 0"
SYN_ACK = "tcp.flags.syn == 1 && tcp.flags.ack == 1"
CAMPUS = 'x509sat.uTF8String == "Example Campus Inspection CA"'
UNKNOWN_CA = "tls.alert_message.desc == 48"
CERTIFICATE = "tls.handshake.type == 11"
CONNECT = 'http.request.method == "CONNECT"'


@play("sslsplit inspects courier sessions of TLS 1.2; the device pins and alerts",
      findings=[finding("tls-intercepted", device=DEVICE[1], port=5223,
                        summary="~Example Campus Inspection CA"),
                finding("tls-intercepted", device=DEVICE[1], port=443),
                finding("courier-unreachable", device=DEVICE[1])],
      may=["tls-rejected-by-client", "transparent-proxy"],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"server_port": 5223}, outcome="tls-failed", tls_version="TLS 1.2",
                  cert_issuer="~Example Campus Inspection CA", count=2)],
      requirements={"R4": "fail"},
      proof=[(f"{SYN_ACK} && ip.ttl == 63", "== 4"), (f"{SYN_ACK} && ip.ttl == 54", "== 0"),
             (f"{CERTIFICATE} && {CAMPUS}", "== 4"), (UNKNOWN_CA, "== 4")],
      uses="sslsplit nftables dnsmasq")
def inspected_courier_tls12(lab):
    """sslsplit on the campus firewall ends TLS on 5223 and 443 and shows certificates of the
    campus's own authority. A device with TLS 1.2 answers with the alert unknown_ca."""
    lab.sslsplit()
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--tls=1.2", "--attempts=4", "--pause=1500")


@play("sslsplit inspects courier sessions of TLS 1.3; the device pins and alerts",
      findings=[finding("tls-rejected-by-client", device=DEVICE[1]),
                finding("courier-unreachable", device=DEVICE[1])],
      may=["transparent-proxy", "tls-rejected-by-client"],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"server_port": 5223}, outcome="tls-failed", tls_version="TLS 1.3", count=3)],
      requirements={"R4": "fail"},
      proof=[(f"{SYN_ACK} && ip.ttl == 63", "== 6"), (CERTIFICATE, "== 0"),
             ("tls.handshake.type == 2", ">= 6"), (UNKNOWN_CA, "== 6")],
      uses="sslsplit nftables dnsmasq")
def inspected_courier_tls13(lab):
    """The same box, and a device with TLS 1.3: the certificate cannot be seen, its refusal is one
    alert right after the server's flight, every time, on both ports. sslsplit answers with a
    HelloRetryRequest, and OpenSSL alerts in clear text then."""
    lab.sslsplit()
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--attempts=6", "--pause=1500")


@play("sslsplit inspects; the device says nothing and closes",
      findings=[finding("tls-rejected-by-client", device=DEVICE[1]),
                finding("courier-unreachable", device=DEVICE[1])],
      may=["transparent-proxy", "tls-rejected-by-client"],
      devices={DEVICE[1]: BROKEN},
      requirements={"R4": "fail"},
      proof=[(f"{SYN_ACK} && ip.ttl == 63", "== 6"), (UNKNOWN_CA, "== 0"),
             ("tls.handshake.type == 2", ">= 6")],
      uses="sslsplit nftables dnsmasq")
def inspected_courier_client_closes(lab):
    """The same box, and a device that completes the handshake of TLS 1.3, looks at the certificate,
    and closes without a Connect message."""
    lab.sslsplit()
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--attempts=6", "--pause=1500", "--refuse=close")


@play("mitmproxy inspects courier sessions of TLS 1.2",
      findings=[finding("tls-intercepted", device=DEVICE[1], port=5223, summary="~mitmproxy"),
                finding("courier-unreachable", device=DEVICE[1])],
      may=["tls-rejected-by-client", "transparent-proxy", "tls-intercepted"],
      devices={DEVICE[1]: BROKEN},
      proof=[(f"{SYN_ACK} && ip.ttl == 63", "== 4"), (f"{CERTIFICATE}", "== 4"),
             ('x509sat.uTF8String == "mitmproxy"', "== 4"), (UNKNOWN_CA, ">= 3")],
      uses="mitmproxy nftables dnsmasq")
def inspected_by_mitmproxy(lab):
    """mitmproxy on the campus firewall, as a transparent proxy on 5223 and 443."""
    lab.mitmproxy()
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--tls=1.2", "--attempts=4", "--pause=1500")


@play("Only 443 is inspected; 5223 is direct",
      findings=[finding("tls-intercepted", port=443, device=DEVICE[1])],
      may=["bag-unreachable", "tls-rejected-by-client", "transparent-proxy"],
      devices={DEVICE[1]: {"works_on": "5223"}},
      flows=[flow({"server_port": 5223}, outcome="established", path="direct"),
             flow({"role": "bag"}, outcome="tls-failed", count=2)],
      proof=[(f"{CERTIFICATE} && {CAMPUS}", "== 2"), (f"{UNKNOWN_CA}", "== 2"),
             (f"{SYN_ACK} && tcp.srcport == 5223 && ip.ttl == 54", "== 1")],
      uses="sslsplit nftables curl nginx dnsmasq")
def inspected_bag(lab):
    """The campus firewall inspects HTTPS (443). The fetch of the configuration from
    init.push.apple.com, which is pinned too, shows the campus's certificate and is given up; the
    courier's port passes."""
    lab.sslsplit(ports=(443,))
    lab.apple()
    lab.resolver()
    for _ in range(2):
        lab.curl("device1", "https://init.push.apple.com/bag", "--tls-max", "1.2",
                 root="apple-root", expect=60)
    lab.device_does(1, "--tls=1.2", "--pushes=300:640")


@play("The MDM server's notifications are inspected",
      findings=[finding("tls-intercepted", port=443, device=MDM)],
      may=["tls-rejected-by-client", "transparent-proxy"],
      devices={MDM: BROKEN},
      flows=[flow({"role": "provider"}, outcome="tls-failed", count=3)],
      requirements={"R4": "fail", "R6": "fail"},
      proof=[(f"{CERTIFICATE} && {CAMPUS}", "== 3"), (UNKNOWN_CA, "== 3")],
      point=("core", "srv"), uses="sslsplit nftables curl nginx dnsmasq")
def inspected_provider(lab):
    """sslsplit on the campus firewall ends the MDM server's sessions with api.push.apple.com; the
    server does not know the campus's authority and gives up."""
    lab.sslsplit()
    lab.apple_web()
    lab.resolver()
    for _ in range(3):
        lab.send_notification("--tls-max", "1.2", expect=60)


@play("The MDM server's store of authorities is too old",
      findings=[finding("provider-untrusting", device=MDM)],
      may=["tls-rejected-by-client"],
      devices={MDM: BROKEN},
      flows=[flow({"role": "provider"}, outcome="tls-failed", count=3,
                  cert_issuer="~Apple Public Server RSA CA")],
      requirements={"R6": "fail"},
      proof=[(f"{SYN_ACK} && ip.ttl == 54", "== 3"), (UNKNOWN_CA, "== 3"),
             (f"{CERTIFICATE} && ip.src == {PROVIDER_SIDE}", "== 3"), (CAMPUS, "== 0")],
      point=("core", "srv"), uses="curl nginx dnsmasq")
def provider_with_old_store(lab):
    """Nothing is in the way. The MDM server knows only the authority that Apple used before, and
    rejects Apple's true certificate."""
    lab.apple_web()
    lab.resolver()
    for _ in range(3):
        lab.send_notification("--tls-max", "1.2", root="old-root", expect=60)


@play("A port test with openssl s_client against a courier",
      proof=[("tls.handshake.type == 2", "== 1"), (f"{SYN_ACK} && ip.ttl == 54", "== 1")],
      flows=[flow({"server_port": 5223}, role="courier")])
def healthy_port_test(lab):
    """Nothing is in the way. An administrator tries a courier with openssl s_client, which does not
    offer apns-* and is shown the public chain."""
    lab.couriers()
    lab.await_end(lab.start("device1", "openssl", "s_client", "-connect", f"{COURIERS[0]}:5223",
                            "-servername", "courier.push.apple.com", "-tls1_2"))


@play("An authority of the house that --trust names",
      options=["--trust", "{here}/healthy-trusted-authority.pem"],
      devices={DEVICE[1]: {"verdict": "works", "works_on": "5223"}},
      flows=[flow({"server_port": 5223}, outcome="established",
                  cert_issuer="~Example Lab Push CA")],
      proof=[('x509sat.uTF8String == "Example Lab Push CA"', ">= 1"), (UNKNOWN_CA, "== 0")],
      uses="dnsmasq")
def healthy_trusted_authority(lab):
    """A laboratory with couriers of its own, whose devices trust the house's authority; apnscope is
    told so."""
    lab.couriers(pinned="house-courier")
    lab.resolver()
    lab.keep_certificate("house-root", "healthy-trusted-authority.pem")
    lab.device_does(1, "--tls=1.2", "--pushes=300:640",
                    f"--trust={lab.certificates.certificate('house-root')}")


@play("The same authority of the house, and nobody says that it is right",
      findings=[finding("tls-intercepted", device=DEVICE[1], summary="~Example Lab Push CA")],
      devices={DEVICE[1]: {"works_on": "5223"}},
      proof=[('x509sat.uTF8String == "Example Lab Push CA"', ">= 1"), (UNKNOWN_CA, "== 0")],
      uses="dnsmasq")
def untrusted_authority(lab):
    """Couriers with certificates of a house authority, and devices that accept them. Without
    --trust the chain is not Apple's, whether or not the device minds."""
    lab.couriers(pinned="house-courier")
    lab.resolver()
    lab.device_does(1, "--tls=1.2", "--pushes=300:640",
                    f"--trust={lab.certificates.certificate('house-root')}")


# ---- TCP ended on the way, TLS untouched ----

@play("A transparent proxy ends TCP at the firewall and leaves TLS alone",
      findings=[finding("transparent-proxy", device=DEVICE[n]) for n in (1, 2)],
      devices={DEVICE[1]: {"works_on": "5223"}},
      flows=[flow({"server_port": 5223, "client_ip": DEVICE[1]}, outcome="established", count=3)],
      requirements={"R4": "fail"},
      proof=[(f"{SYN_ACK} && tcp.srcport == 5223 && ip.ttl == 63", "== 6"),
             ("tcp.flags.syn == 1 && ip.ttl == 54", "== 0"),
             (f"{SYN_ACK} && tcp.srcport == 5223 && tcp.time_delta < 0.005", "== 6"),
             ("tls.handshake.type == 2 && tcp.time_relative > 0.02", "== 6")],
      uses="haproxy nftables dnsmasq")
def transparent_proxy(lab):
    """The campus firewall turns connections to 5223 to haproxy, which opens its own to the true
    destination and passes the bytes. SYN-ACKs come from 1 hop within a millisecond, the
    ServerHello needs the whole path."""
    lab.filter("fw", 'iifname "in" tcp dport 5223 redirect to :7000', hook="prerouting",
               kind="nat", priority=-100, family="ip")
    lab.relay("fw", [("0.0.0.0:7000", None)])
    lab.couriers()
    lab.resolver()
    lab.devices_do((1, 2), "--sessions=3", "--attempts=3", "--hold=500", "--pushes=200:640")


# ---- proxies that are asked by name ----

@play("Devices use an explicit proxy, which passes them",
      findings=[finding("explicit-proxy", device=DEVICE[1])],
      devices={DEVICE[1]: {"verdict": "degraded", "works_on": "proxy"}},
      flows=[flow({"role": "proxy"}, path="explicit-proxy", proxy_status=200,
                  connect_host="~courier.push.apple.com")],
      requirements={"R4": "warn"},
      proof=[(f'{CONNECT} && http.request.uri contains "courier.push.apple.com"', "== 1"),
             ("http.response.code == 200", "== 1"), ("ip.dst == 17.0.0.0/8", "== 0")],
      uses="squid dnsmasq")
def proxy_allows(lab):
    """squid passes CONNECT to push hosts; the device asks for 443 there."""
    lab.couriers()
    lab.resolver()
    lab.squid("http_access allow all")
    lab.device_does(1, f"--proxy={PROXY}:3128", "--ports=443", "--pushes=300:640", expect="works")


@play("5223 is dropped, and the proxy denies push hosts with 403",
      findings=[finding("proxy-denied", device=DEVICE[1], summary="~403"),
                finding("port-blocked-silent", device=DEVICE[1], port=5223)],
      may=["courier-unreachable"],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"role": "proxy"}, outcome="proxy-denied", proxy_status=403, count=2)],
      requirements={"R4": "fail", "R1": "fail"},
      proof=[(CONNECT, "== 2"), ("http.response.code == 403", "== 2"),
             (f"{SYN} && tcp.dstport == 5223", ">= 4"), (f"{SYN_ACK} && tcp.srcport == 5223",
                                                        "== 0")],
      uses="squid nftables dnsmasq")
def proxy_denies_403(lab):
    """The campus firewall drops 5223; the proxy's list does not have push hosts."""
    lab.filter("fw", "tcp dport 5223 drop")
    lab.couriers()
    lab.resolver()
    lab.squid("acl push dstdomain .push.apple.com\nhttp_access deny push")
    lab.device_does(1, "--ports=5223", "--attempts=1")
    lab.device_does(1, f"--proxy={PROXY}:3128", "--ports=443", "--attempts=2", "--pause=500")


@play("The proxy wants a password that devices do not have",
      findings=[finding("proxy-denied", device=DEVICE[1], summary="~407")],
      may=["courier-unreachable"],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"role": "proxy"}, outcome="proxy-denied", proxy_status=407, count=3)],
      proof=[(CONNECT, "== 3"), ("http.response.code == 407", "== 3")],
      uses="squid dnsmasq")
def proxy_denies_407(lab):
    """squid asks for authentication, three times, and gets none."""
    lab.couriers()
    lab.resolver()
    lab.squid(lab.squid_password())
    lab.device_does(1, f"--proxy={PROXY}:3128", "--ports=443", "--attempts=3", "--pause=700")


@play("The proxy asks for a password and gets it",
      findings=[finding("explicit-proxy", device=DEVICE[1])],
      devices={DEVICE[1]: {"works_on": "proxy"}},
      proof=[("http.response.code == 407", "== 1"), ("http.response.code == 200", "== 1")],
      uses="squid dnsmasq")
def proxy_asks_for_a_password(lab):
    """A 407 is followed by the same CONNECT with credentials, and passes: ordinary
    authentication."""
    lab.couriers()
    lab.resolver()
    lab.squid(lab.squid_password())
    lab.device_does(1, f"--proxy={PROXY}:3128", "--ports=443", "--attempts=1")
    lab.device_does(1, f"--proxy={PROXY}:3128", "--ports=443", "--credentials=cGhvbmU6cGhvbmU=",
                    "--pushes=300:640", expect="works")


@play("XMPP is spoken to a courier's port",
      findings=[finding("unexpected-protocol", port=5223)],
      flows=[flow({"role": "unknown-push-port"}, count=1)],
      proof=[('tcp.dstport == 5223 && frame contains "stream:stream"', "== 1"),
             ("tls.handshake.type == 1", "== 0")])
def xmpp_to_a_courier(lab):
    """A chat client is pointed at an address of Apple's by mistake and says "<stream:stream>" to
    port 5223."""
    lab.couriers()
    lab.device_does(1, f"--address={COURIERS[0]}", "--ports=5223", "--attempts=1",
                    "--speak=<?xml version='1.0'?><stream:stream to='chat.example' "
                    "xmlns='jabber:client' version='1.0'>")


@play("A box of TLS 1.2 answers devices of TLS 1.3",
      findings=[finding("transparent-proxy", device=DEVICE[1]),
                finding("courier-unreachable", device=DEVICE[1])],
      may=["tls-rejected-by-client", "transparent-proxy"],
      devices={DEVICE[1]: BROKEN},
      proof=[("tls.alert_message.desc == 70 && ip.src == 17.0.0.0/8", "== 6"),
             (f"{SYN_ACK} && ip.ttl == 63", "== 6"), ("tls.handshake.type == 2", "== 0")],
      uses="sslsplit nftables dnsmasq")
def inspected_downgrade(lab):
    """sslsplit on the campus firewall speaks TLS 1.2 at most. A device whose hello offers only
    TLS 1.3 gets the alert protocol_version."""
    lab.sslsplit(words=("-r", "tls12"))
    lab.couriers()
    lab.resolver()
    lab.device_does(1, "--attempts=6", "--pause=1500")


@play("Other HTTPS of Apple's is inspected, push is exempt",
      devices={DEVICE[1]: {"verdict": "works", "works_on": "5223"}},
      flows=[flow({"server_port": 5223}, outcome="established", path="direct")],
      requirements={"R4": "pass", "R1": "pass"},
      proof=[(f"{CERTIFICATE} && {CAMPUS}", ">= 1"),
             ('tls.handshake.extensions_server_name == "www.apple.com"', "== 1"),
             (f"{SYN_ACK} && tcp.srcport == 5223 && ip.ttl == 54", "== 1")],
      uses="sslsplit nftables curl nginx dnsmasq")
def healthy_inspects_other_https(lab):
    """The campus firewall inspects a website of Apple's and leaves push hosts alone, as Apple
    asks."""
    lab.sslsplit(ports=(443,), only="ip daddr 17.253.144.10")
    lab.apple()
    lab.resolver()
    lab.curl("device1", "https://www.apple.com/", "--tls-max", "1.2", root="inspection")
    lab.fetch_bag(1)
    lab.device_does(1, "--tls=1.2", "--pushes=300:640")


@play("An explicit proxy inspects inside its tunnel",
      findings=[finding("tls-intercepted", device=DEVICE[1],
                        summary="~Example Campus Inspection CA")],
      may=["explicit-proxy", "tls-rejected-by-client", "courier-unreachable"],
      devices={DEVICE[1]: BROKEN},
      proof=[(CONNECT, "== 3"), ("http.response.code == 200", "== 3"),
             ('frame contains "Example Campus Inspection CA"', ">= 3")],
      uses="squid dnsmasq")
def proxy_inspects(lab):
    """squid grants the CONNECT and then, by ssl-bump, shows a certificate of the campus's own; the
    device alerts."""
    lab.couriers()
    lab.resolver()
    lab.squid("acl all_steps at_step SslBump1\nssl_bump bump all\n"
              "sslproxy_cert_error allow all\ntls_outgoing_options flags=DONT_VERIFY_PEER\n"
              "http_access allow all", ports=lab.squid_bump())
    lab.device_does(1, f"--proxy={PROXY}:3128", "--ports=443", "--tls=1.2", "--attempts=3",
                    "--pause=900")


@play("The proxy cannot reach Apple itself",
      findings=[finding("proxy-denied", device=DEVICE[1], summary="~503")],
      may=["courier-unreachable"],
      devices={DEVICE[1]: BROKEN},
      flows=[flow({"role": "proxy"}, outcome="proxy-denied", proxy_status=503, count=3)],
      proof=[(CONNECT, "== 3"), ("http.response.code == 503", "== 3")],
      uses="squid nftables dnsmasq")
def proxy_503(lab):
    """The campus firewall does not let the proxy out to Apple; squid answers 503 after its
    time-out, three times."""
    lab.filter("fw", f"ip saddr {PROXY} meta l4proto tcp ip daddr 17.0.0.0/8 reject with tcp reset")
    lab.couriers()
    lab.resolver()
    lab.squid("http_access allow all\nconnect_retries 0\nforward_timeout 3 seconds\n"
              "connect_timeout 2 seconds")
    lab.device_does(1, f"--proxy={PROXY}:3128", "--ports=443", "--attempts=3", "--pause=1500")
