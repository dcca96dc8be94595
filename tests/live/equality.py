#!/usr/bin/env python3
"""Replays captures to a live run: its rows and findings must be those of `analyze`.

    equality.py APNSCOPE WRAP CAPTURES

CAPTURES is the lab's folder. tcpdump records beside the run what passes, with the kernel's time
stamps, and of that record `analyze` must say the same to the nanosecond. Of the capture that was
replayed it must say the same but for what hangs on times, which a replay keeps only roughly.

Every form of a mirror is tried with a few captures; with APNSCOPE_EVERY_CAPTURE=1 all captures in
all forms (some minutes). APNSCOPE_ONLY=TEXT picks those whose name has it. Long captures are
replayed faster, and the run is told so (--replay-speed).
"""

import concurrent.futures
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import time

import stage

AT_ONCE = 6
TOGETHER_S = 3.0  # a replay takes about so long
WORKERS_MAX = 3   # each case is captured by one, two or three threads in turn
CAREFUL = 60      # faster than this, the jitter of a replay is that of seconds
SETTLE_S = 0.5    # until the kernel's ring has handed over its last block

# Form of the mirror, and what the run needs to be told to see into it.
FORMS = {"ethernet": [], "vlan": [], "qinq": [], "priority": [], "vxlan": ["--decap"]}

# For every ordinary test run.
SAMPLE = {
    "ethernet": ["healthy-tls13", "refused-at-campus-firewall", "inspected-courier-tls12",
                 "dns-refused", "proxy-denies-403", "dropped-5223-falls-back", "healthy-idle"],
    "vlan": ["healthy-mdm-server", "icmp-admin-prohibited"],
    "qinq": ["healthy-ipv6", "inspected-courier-tls12"],
    "priority": ["healthy-tls13", "sni-filter-reset"],
    "vxlan": ["healthy-tls13", "refused-at-campus-firewall", "sni-filter-reset"],
}

# Ids, and numbers of frames (R0 says how many), count also what the kernel's filter kept from the
# live run; so does the capture's own beginning, from which findings about it count.
NUMBERS = {"id", "run_id", "device_id", "flow_id", "number", "flow_number", "device_number",
           "first_frame", "last_frame", "evidence"}


def counts_frames(table, key, name):
    return (table == "requirement" and key == ("R0",) and name == "summary") or (
        table == "finding" and key[0].startswith("capture-") and name == "first_ns")


TABLES = {
    "flow": ("client_ip", "client_port", "server_ip", "server_port", "vlan", "syn_count"),
    "finding": ("code", "scope", "client_ip", "server_port", "server_ip"),
    "device": ("ip",),
    "requirement": ("code",),
    "dns_answer": ("client_ip", "name", "type", "answer"),
}
# Of the capture itself, compared with what does not hang on times: not who ended a session after a
# silence, who answered too soon to be Apple, what is a copy and what a repetition.
OF_THE_CAPTURE = {
    "flow": ("role", "outcome", "sni", "alpn", "cert_issuer", "bytes_up", "bytes_down"),
    "finding": ("severity",),
    "device": ("verdict", "works_on", "sessions"),
    "requirement": ("status",),
}
# What the capture's own clock did cannot be replayed.
CANNOT_BE_REPLAYED = {"clock-set-back"}
ETHERNET = "ether"  # as capinfos calls it: others have no frames that could be sent
# Judged by delays of microseconds, which a replay does not keep: compared with the record only.
RESTS_ON_DELAYS = {"transparent-proxy", "reset-injected"}
# What the kernel's filter keeps back by itself: answers about other names.
LETS_PASS = {"dns-silent": ["--also", "udp port 53"]}


def rows_of(database, table):
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    return rows


def key_of(table, row, columns=None):
    """With `columns`, a finding's server, the first of several, is left out."""
    names = TABLES[table][:-1] if columns and table == "finding" else TABLES[table]
    return tuple(str(row[name]) for name in names)


def sorted_rows(database, table, columns):
    def order(row):
        return key_of(table, row, columns), row.get("started_ns") or row.get("first_ns") or 0
    return sorted(rows_of(database, table), key=order)


def differences(table, live, file, names, tolerance_ns):
    live_keys, file_keys = [[key_of(table, row, names) for row in rows] for rows in (live, file)]
    if live_keys != file_keys:
        yield (f"{table}: live alone {[key for key in live_keys if key not in file_keys]}, file "
               f"alone {[key for key in file_keys if key not in live_keys]}, "
               f"{len(live_keys)} and {len(file_keys)} rows")
        return
    for one, other in zip(live, file):
        for name in names or [name for name in other if name not in NUMBERS]:
            found, wanted = one[name], other[name]
            same = found == wanted
            if not same and name.endswith("_ns") and None not in (found, wanted):
                same = abs(found - wanted) <= tolerance_ns
            if not same and not counts_frames(table, key_of(table, one), name):
                yield f"{table} {key_of(table, one)}: {name} is {found!r}, in the file {wanted!r}"


def compare(live, file, columns=None, tolerance_ns=0):
    wrong = []
    for table in columns or TABLES:
        rows = [sorted_rows(database, table, columns) for database in (live, file)]
        wrong += differences(table, *rows, columns and columns[table], tolerance_ns)
    return wrong


def duration_of(capture):
    done = subprocess.run(["capinfos", "-T", "-r", "-u", "-S", str(capture)], capture_output=True,
                          text=True, check=True)
    return float(done.stdout.split()[-1])


def is_of_ethernet(capture):
    done = subprocess.run(["capinfos", "-T", "-r", "-E", str(capture)], capture_output=True,
                          text=True, check=False)  # which fails at the cut of a file, and tells
    return done.stdout.split()[-1:] == [ETHERNET]


class Case:
    def __init__(self, program, wrap, capture, form, workers):
        self.program, self.wrap, self.capture, self.form = program, wrap, capture, form
        self.workers = workers
        label = json.loads(capture.with_suffix(".json").read_text())
        self.options = [word.replace("{here}", str(capture.parent)) for word in label["options"]]

    def __str__(self):
        return f"{self.capture.stem} ({self.form}, {self.workers} workers)"

    def analyze(self, database, capture):
        done = subprocess.run([self.program, "analyze", "--quiet", "--db", database, *self.options,
                               capture], capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"analyze {capture.name}: {done.stderr}")
        return database

    def play(self, wire, folder, capture, speed):
        options = [*self.options, *FORMS[self.form], *LETS_PASS.get(self.capture.stem, []),
                   "--workers", self.workers]
        if speed > 1:
            options += ["--replay-speed", f"{speed:.3f}"]
        recorder = stage.Recorder(wire.far, folder / "recorded.pcap")
        live = stage.Live(self.program, wire.far, folder, options)
        wire.replay(capture, speed)
        time.sleep(SETTLE_S)
        status = live.end()
        recorder.end()
        if status not in (0, 1):
            raise RuntimeError(f"exit status {status}: {live.told()}")
        if speed > 1:
            stage.stretch(recorder.path, rows_of(live.database, "run")[0]["analyzed_ns"], speed)
        recorded = self.analyze(folder / "recorded.db", recorder.path)
        replayed = self.analyze(folder / "replayed.db", capture)
        exact = compare(live.database, recorded, tolerance_ns=1000 if speed > 1 else 0)
        rough = [] if self.capture.stem in RESTS_ON_DELAYS else compare(
            live.database, replayed, OF_THE_CAPTURE)
        return [*exact, *(line + " that was replayed" for line in rough)]

    def run(self, wire):
        with stage.Folder() as folder:
            wrapped = folder / "wrapped.pcap"
            subprocess.run([self.wrap, self.form + ",pcap", self.capture, wrapped], check=True,
                           capture_output=True)
            speed = max(1.0, round(duration_of(wrapped) / TOGETHER_S, 3))
            if os.environ.get("APNSCOPE_EVERY_CAPTURE"):
                speed = min(speed, CAREFUL)
            return self.play(wire, folder, wrapped, speed)


def cases(program, wrap, folder):
    everything = os.environ.get("APNSCOPE_EVERY_CAPTURE")
    only = os.environ.get("APNSCOPE_ONLY")
    workers = 0
    for form in FORMS:
        for label in sorted(folder.glob("*.json")):
            capture = folder / json.loads(label.read_text())["captures"][0]
            wanted = everything or label.stem in SAMPLE[form]
            if only:
                wanted = only in f"{label.stem} ({form})"
            wanted = wanted and label.stem not in CANNOT_BE_REPLAYED
            wanted = wanted and capture.suffix == ".pcap" and capture.stem == label.stem
            if wanted and is_of_ethernet(capture):
                workers += 1
                yield Case(program, wrap, capture, form, 1 + workers % WORKERS_MAX)


def main():
    program, wrap, folder = sys.argv[1:]
    stage.enter()
    todo = list(cases(program, wrap, pathlib.Path(folder)))
    wires = [stage.Wire() for _ in range(AT_ONCE)]

    def work(case):
        wire = wires.pop()
        try:
            return case, case.run(wire)
        except (RuntimeError, OSError, sqlite3.Error, subprocess.SubprocessError) as error:
            return case, [repr(error)]
        finally:
            wires.append(wire)

    bad = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for case, wrong in pool.map(work, todo):
            bad += bool(wrong)
            for line in wrong:
                print(f"{case}: {line}", flush=True)
    print(f"{len(todo)} replays, {bad} of them told another story than the file")
    sys.exit(1 if bad or not todo else 0)


main()
