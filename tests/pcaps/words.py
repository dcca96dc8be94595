#!/usr/bin/env python3
"""Is what a report says of a capture true of that capture?

    words.py APNSCOPE FOLDER

What was once read wrongly, by hand, in reports of the lab's captures: each row names a capture, the
words that its report must hold, and those that it must not."""
import pathlib
import subprocess
import sys
import tempfile

ROWS = [
    # a warning has a beginning, and a dropped fetch asks for no exemption from inspection
    ("bag-dropped", ["Since when:** From the start", "| Allow | devices, here in 10.20.0.0/24 | "
                     "init.push.apple.com, by name | TCP 443 |", "no answer reached the client) and asks DNS"],
     ["No fault was seen.\n", "Exempt from inspection"]),
    # what came by itself is closed towards the inside, and Apple is not the one affected
    ("inbound-from-apple", ["| Close | 17.0.0.0/8 | your own networks |", "which accepted it, at 2026"],
     ["affected:** 17."]),
    # an MDM server is no device
    ("inspected-provider", ["| Exempt from inspection and proxy | MDM servers, here in 10.20.1.0/24 |"],
     ["| devices, here in"]),
    ("mdm-server-dropped", ["| Allow | MDM servers, here in 10.20.1.0/24 |"], ["| Allow | devices"]),
    # resets and short lives are not cured by longer idle time-outs
    ("reset-injected", ["| Exempt from inspection and proxy |"], ["| Keep idle sessions |"]),
    ("session-churn", ["| Do not end sessions |", "&& (tcp.port == 5223 || tcp.port == 443) ``"],
     ["| Keep idle sessions |", "9 sessions that worked of"]),
    ("idle-reset", ["| Keep idle sessions |", "a reset that the server did not send"], []),
    # a session that died after half an hour was watched for longer
    ("idle-heartbeat-lost", ["was seen to work for longer than 30 min"], ["was watched for longer"]),
    # refusals are counted by port
    ("inspected-courier-tls13", ["17.57.144.11:5223, by alert unknown\\_ca; 3 times",
                                 "17.188.168.10:443, by alert unknown\\_ca; 3 times"], ["4 times"]),
    # an ICMP error ends an attempt
    ("icmp-admin-prohibited", ["ICMP error from 10.20.255.2"], ["open when the capture ended"]),
    # what follows stands where its time belongs
    ("large-hello-dropped", ["(session 6): tls-no-answer                 :\n+1 min 01 s"], []),
    # where no name was read no filter by name did it, and where a route is missing no rule did
    ("half-seen", ["| Route both ways through one firewall |", "Blocked: all that follows a device's SYN"],
     ["| Exempt from inspection", "Blocked: a name"]),
    ("icmp-host-unreachable", ["| Repair the route |"], ["| Allow |"]),
    ("routing-loop", ["| Repair the route |"], ["| Allow |"]),
    ("icmp-admin-prohibited", ["| Allow |"], ["| Repair the route |"]),
    # each flaw is told once
    ("one-sided-up", ["Sessions captured in one direction only"], ["* Sessions that were captured in one direction only"]),
    # full packets that are seen here are lost further in
    ("mtu-black-hole-from-outside", ["Inside your network: what the client never got passes the "
                                     "capture point"], ["a second one further out"]),
    ("mtu-black-hole", ["Somewhere between the capture point and Apple"], []),
    # what Apple's own distance says, and what is only possible
    ("refused-at-the-far-end", ["Something, perhaps the network, hinders",
                                "Beyond your network: it answers from where Apple's servers are"],
     ["a second one further out", "Blocked: a port"]),
    ("proxy-inspects", ["it came through the proxy 10.20.1.80, which made it",
                        "goes to 7-courier.push.apple.com:443 through"], ["reaches 7-courier"]),
    # who answers IPv6 is known
    ("ipv6-no-route", ["Where: At 2001:db8:ffff:1::2, 2 hops", "first seen 2026"], []),
    # sessions that worked are somewhere
    ("transparent-proxy", ["0 through a proxy, 6 answered by somebody else"], []),
    ("dns-redirected", ["1 answered by somebody else"], []),
    ("healthy-tls13", ["0 through a proxy."], ["somebody else"]),
    # nothing is lost that was not
    ("cut-file", ["not without loss: the end of the capture cut"], ["0 dropped", " 0 acknowledged"]),
    ("kernel-drops", ["375,820 acknowledged bytes missing, 2 push packets captured in part."],
     ["0 dropped"]),
    ("healthy-port-probe", ["broken off by the client"], ["had no outcome yet"]),
]


def report_of(program, capture, database):
    subprocess.run([program, "analyze", "--quiet", "--db", database, capture], check=False,
                   capture_output=True)
    return subprocess.run([program, "report", "--db", database, "--markdown"], check=True,
                          capture_output=True, text=True).stdout


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        for name, wanted, unwanted in ROWS:
            said = report_of(program, folder / f"{name}.pcap", f"{place}/{name}.db")
            for words in wanted:
                if words not in said:
                    wrong += 1
                    print(f"{name}: it does not say {words!r}")
            for words in unwanted:
                if words in said:
                    wrong += 1
                    print(f"{name}: it says {words!r}")
    print(f"{len(ROWS)} reports, {wrong} wrong")
    return 1 if wrong else 0


sys.exit(main())
