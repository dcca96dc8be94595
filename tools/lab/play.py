"""What a play is, and the label that stands beside its capture.

A play is a function with a docstring; the decorator holds what must be concluded from its capture,
written from what the play's boxes do. `proof` says how the packets themselves show it: display
filters of Wireshark and how many frames each must select. apnscope is never asked here.
"""

import dataclasses
import json
import platform
import re
import subprocess

from network import DEVICE

PLAYS = {}


@dataclasses.dataclass
class Play:
    name: str
    title: str
    function: object
    about: str
    label: dict
    proof: list
    stage: dict
    point: object
    uses: str


def play(title, *, findings=(), may=(), devices=None, flows=(), proof=(), requirements=None,
         options=(), stage=None,
         point=("core", "lan"), uses="", exit=None, files=None, compare=None, open=""):
    """Registers a play.

    findings  findings that must be there; any other above severity info is wrong
    may       codes that may be there besides, because the boxes do make them true as well
    devices   address: columns of its row
    flows     {where: {column: value}, count: N or [least, most], columns...}
    proof     (display filter, "== 3")
    requirements  R1: its status, or several
    options   of `apnscope analyze`
    point     (namespace, interface) of the mirror; None: the play captures by itself
    open      what apnscope still gets wrong here: its test then says so and is skipped
    compare   what `apnscope compare` must count between the first file and the second
    files     what the play leaves, when it is more than one capture
    """

    def register(function):
        name = function.__name__.replace("_", "-")
        fails = any(is_fail(each["code"]) for each in findings)
        label = {
            "exit": int(fails) if exit is None else exit,
            "options": list(options),
            "findings": list(findings),
            "may": list(may),
            "devices": devices or {},
            "flows": list(flows),
            "requirements": requirements or {},
        }
        if compare:
            label["compare"] = compare
        if open:
            label["open"] = open
        PLAYS[name] = Play(name, title, function, " ".join(function.__doc__.split()), label,
                           list(proof), stage or {}, point, uses)
        PLAYS[name].files = files or [f"{name}.pcap"]
        return function

    return register


# Codes of severity warn and info; all others make the exit status 1.
NO_FAIL = """fallback-443 ipv6-broken explicit-proxy bag-unreachable session-churn high-loss
inbound-from-apple legacy-provider-port unexpected-protocol capture-one-sided capture-loss
capture-truncated capture-clock capture-duplicated""".split()


def is_fail(code):
    return code not in NO_FAIL


def finding(code, **columns):
    """A finding that must be there: device= port= blocker_ip= blocker_hops= confidence= …"""
    return {"code": code, **columns}


def both_ports(code, device=DEVICE[1], **columns):
    """The same about 5223 and 443, of which a device tries one after the other."""
    return [finding(code, device=device, port=port, **columns) for port in (5223, 443)]


def flow(where, count=1, **columns):
    return {"where": where, "count": count, **columns}


# ---- the packets' own word ----

def count_frames(capture, filters):
    """How many frames each display filter selects, in one run of tshark."""
    if not filters:
        return []
    words = ["tshark", "-n", "-q", "-r", str(capture), "-o", "tcp.desegment_tcp_streams:TRUE",
             "-d", "tcp.port==5223,tls", "-d", "tcp.port==2197,tls",
             "-z", "io,stat,0," + ",".join(filters)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0 and "cut short in the middle" not in done.stderr:
        raise RuntimeError(f"tshark: {done.stderr.strip()}")
    row = next(line for line in done.stdout.splitlines() if "<>" in line and "Dur" not in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
    return [int(cell) for cell in cells[:2 * len(filters):2]]


def check_proof(capture, proof):
    """Sentences about each claim that the packets do not bear out."""
    wrong = []
    counts = count_frames(capture, [each["filter"] for each in proof])
    for each, count in zip(proof, counts):
        operator, number = re.fullmatch(r"(==|>=|<=) (\d+)", each["frames"]).groups()
        holds = {"==": count == int(number), ">=": count >= int(number),
                 "<=": count <= int(number)}[operator]
        if not holds:
            wrong.append(f"{each['filter']}: {count} frames, not {each['frames']}")
    return wrong


# ---- the label ----

def version_of(program):
    words = {"openssl": ["openssl", "version"], "nftables": ["nft", "--version"],
             "traceroute": ["traceroute", "--version"],
             "sslsplit": ["sslsplit", "-V"], "mitmproxy": ["mitmdump", "--version"],
             "squid": ["squid", "-v"], "haproxy": ["haproxy", "-v"], "nginx": ["nginx", "-v"],
             "curl": ["curl", "--version"], "dnsmasq": ["dnsmasq", "--version"],
             "tcpdump": ["tcpdump", "--version"], "dumpcap": ["dumpcap", "--version"],
             "iptables": ["iptables-nft", "--version"], "unbound": ["unbound", "-V"]}[program]
    done = subprocess.run(words, capture_output=True, text=True)
    found = re.search(r"\d+(\.\d+)+\w*", done.stdout + done.stderr)
    return found.group(0) if found else "?"


def write_label(play, folder, silences):
    programs = ["tcpdump", "openssl", *play.uses.split()]
    label = {
        "title": play.title,
        "about": play.about,
        "captures": play.files,
        **play.label,
        "proof": [{"filter": text, "frames": frames} for text, frames in play.proof],
        "made": {
            "by": "tools/lab/make " + play.name,
            "licence": "Apache-2.0",
            "kernel": "Linux " + platform.release().split("-")[0],
            "programs": {name: version_of(name) for name in dict.fromkeys(programs)},
            "silences made longer, s": [round(seconds) for _, seconds in silences],
        },
    }
    path = folder / f"{play.name}.json"
    path.write_text(json.dumps(label, indent=1, ensure_ascii=False) + "\n")
    return label
