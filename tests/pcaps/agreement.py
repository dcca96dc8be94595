#!/usr/bin/env python3
"""Do we see in captures what tshark sees?

    agreement.py FACTS ROOT TABLE [--write]

FACTS is the program of facts.c; ROOT is where other people's captures lie, unless
APNSCOPE_SHARED_PCAPS names another place. Of every capture there that tshark reads, compared are the
number of frames, of TCP packets inside all link layers and tunnels, of flows (tcp.stream), of resets,
and the name and ALPN of every ClientHello. Where the two differ, TABLE says who is right and why; a
difference that it does not explain fails, and so does a row of it that is not true any more. With
--write the table is written anew, with "?" where nobody has said why.

tshark is asked through sharkd, which comes with it and reads one capture after the other in one
process; what sharkd cannot read (damaged files) tshark itself is asked for. Skipped (status 77) where
tshark or the captures are missing."""
import collections
import concurrent.futures
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import time

FIELDS = ["frame.protocols", "tcp.stream", "tcp.flags.reset", "tls.handshake.type",
          "tls.handshake.extensions_server_name", "tls.handshake.extensions_alpn_str"]
HEAD = ["capture", "what", "tshark", "apnscope", "who is right, and why"]
QUOTING = ("icmp", "icmpv6")  # what they carry is a quotation, not a packet
PATIENCE_S = 30


class Sharkd:
    """One process for many captures. It may hang or die on one: the next gets a new process."""

    def __init__(self):
        self.process = None
        self.rest = b""

    def ask(self, method, **params):
        if not self.process:
            self.process = subprocess.Popen(["sharkd", "-"], stdin=subprocess.PIPE, bufsize=0,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.rest = b""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.process.stdin.write((json.dumps(request) + "\n").encode())
        line = self.line(time.monotonic() + PATIENCE_S)
        answer = json.loads(line.decode("utf-8", "replace")) if line else {}
        return answer.get("result")

    def line(self, deadline):
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        max(0.0, deadline - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 1 << 20) if ready else b""
            if not piece:
                self.stop()
                return None
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None

    def frames(self, path):
        """The fields of each frame; None: it cannot read the capture."""
        loaded = self.ask("load", file=str(path))
        if not loaded or loaded.get("status") != "OK":
            return None
        columns = {f"column{i}": field + ":0" for i, field in enumerate(FIELDS)}
        frames = self.ask("frames", **columns)
        return None if frames is None else [frame["c"] for frame in frames]


def tshark_frames(path):
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
    lines = done.stdout.decode("utf-8", "replace").split("\n")[:-1]
    frames = [line.split("\t") for line in lines]
    is_read = (bool(frames) or done.returncode == 0) and not is_shown_as_file(frames)
    return [frame + [""] * (len(FIELDS) - len(frame)) for frame in frames] if is_read else None


def is_shown_as_file(frames):
    """Of what is no capture tshark shows the bytes as one frame."""
    return len(frames) == 1 and frames[0][0].startswith("mime")


def is_tcp(protocols):
    for protocol in protocols.split(":"):
        if protocol in QUOTING:
            return False
        if protocol == "tcp":
            return True
    return False


def name_of(text):
    return ",".join(name.lower().removesuffix(".") for name in text.split(",")) if text else ""


def facts_of_frames(frames):
    """The same facts as FACTS gives, from Wireshark's fields."""
    tcp = [(number, fields) for number, fields in enumerate(frames, 1) if is_tcp(fields[0])]
    hellos = collections.Counter()
    for _, fields in tcp:
        count = sum(kind in ("Client Hello", "1") for kind in fields[3].split(","))
        if count:
            hellos[f"{name_of(fields[4])} [{fields[5]}]"] += count
    return {"frames": len(frames), "tcp": len(tcp),
            "flows": len({fields[1].split(",")[0] for _, fields in tcp}),
            "resets": sum(fields[2].split(",")[0] in ("1", "True", "Set") for _, fields in tcp),
            "hellos": hellos}


def our_facts(program, paths):
    done = subprocess.run([program, *map(str, paths)], stdout=subprocess.PIPE, check=True)
    facts = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        fact = json.loads(line)
        fact["hellos"] = collections.Counter(f"{name_of(sni)} [{alpn}]"
                                             for _, sni, alpn in fact.get("hellos", []))
        facts[pathlib.Path(fact["path"])] = fact
    return facts


def differences(theirs, ours):
    """(what, tshark's, ours) of everything that is not the same."""
    if "error" in ours:
        yield "capture", f"{theirs['frames']} frames", ours["error"].split(": ", 1)[-1]
        return
    for what in ("frames", "tcp", "flows", "resets"):
        if theirs[what] != ours[what]:
            yield what, str(theirs[what]), str(ours[what])
    for hello in sorted(theirs["hellos"].keys() | ours["hellos"].keys()):
        if theirs["hellos"][hello] != ours["hellos"][hello]:
            yield f"hello {hello}", str(theirs["hellos"][hello]), str(ours["hellos"][hello])


def read_table(path):
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {(row[0], row[1]): row[2:] for row in rows[1:]}


def write_table(path, found, known):
    rows = [HEAD]
    for (name, what), (theirs, ours) in sorted(found.items()):
        row = known.get((name, what), ["", "", "?"])
        rows.append([name, what, theirs, ours, row[2]])
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def their_facts(paths, ours):
    """What Wireshark says of each capture that it reads."""
    sharkd, facts = Sharkd(), {}
    for path in paths:
        is_damaged = ours[path].get("damaged") or "error" in ours[path]
        frames = None if is_damaged else sharkd.frames(path)
        frames = tshark_frames(path) if frames is None else frames
        if frames is not None:
            facts[path] = facts_of_frames(frames)
    sharkd.stop()
    return facts


def compare(program, root, paths):
    """Everything that differs, by capture and what; and how much was compared."""
    found, seen = {}, collections.Counter()
    ours = our_facts(program, paths)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        halves = pool.map(lambda half: their_facts(half, ours), (paths[::2], paths[1::2]))
        theirs = {path: fact for half in halves for path, fact in half.items()}
    for path, fact in theirs.items():
        seen.update(captures=1, frames=fact["frames"], hellos=fact["hellos"].total())
        for what, wanted, got in differences(fact, ours[path]):
            found[(str(path.relative_to(root)), what)] = (wanted, got)
    return found, seen


def complain(found, known):
    wrong = 0
    for key, (theirs, ours) in sorted(found.items()):
        row = known.get(key)
        if not row or row[2] == "?" or row[:2] != [theirs, ours]:
            print(f"{key[0]}: {key[1]}: tshark {theirs}, we {ours}:",
                  "the table says otherwise" if row and row[2] != "?" else "nobody has said why")
            wrong += 1
    for key in sorted(known.keys() - found.keys()):
        print(f"{key[0]}: {key[1]}: the table explains a difference that is not there")
        wrong += 1
    return wrong


def main():
    program, root, table = sys.argv[1:4]
    root = pathlib.Path(os.environ.get("APNSCOPE_SHARED_PCAPS", root)).resolve()
    table = pathlib.Path(table)
    if not shutil.which("tshark") or not shutil.which("sharkd"):
        print("tshark is not installed: skipped")
        return 77
    paths = sorted(path for path in root.rglob("*")
                   if path.is_file() and path.name != "INDEX.md")
    if not paths:
        print(f"no captures in {root}: name a folder of them in APNSCOPE_SHARED_PCAPS")
        return 77
    known = read_table(table)
    begun = time.monotonic()
    found, seen = compare(program, root, paths)
    print(f"{seen['captures']} captures, {seen['frames']} frames and {seen['hellos']} ClientHellos"
          f" compared in {time.monotonic() - begun:.0f} s; {len(found)} differences")
    if "--write" in sys.argv[4:]:
        write_table(table, found, known)
        return 0
    return 1 if complain(found, known) else 0


if __name__ == "__main__":
    sys.exit(main())
