#!/usr/bin/env python3
"""A live run with all its outputs at once, fed with a capture of the lab.

    outputs.py APNSCOPE CAPTURES DOCUMENT

CAPTURES is the lab's folder, DOCUMENT docs/json-lines.md: every line of JSON must be what its table
of fields says. Prometheus' page is read by a parser that forgives nothing. A journal, a syslog daemon
and a collector are played by this program; excerpts are opened by tshark and judged again by
apnscope itself.
"""

import ctypes
import datetime
import http.client
import ipaddress
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import stage
from stage import check, failures

PROGRAM, CAPTURES, DOCUMENT = (pathlib.Path(word) for word in sys.argv[1:4])
PORT = 19723

# ---- JSON lines ----

ALLOWED = {  # https://www.elastic.co/guide/en/ecs/8.11/ecs-category-field-values-reference.html
    "event.kind": {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error",
                   "signal"},
    "event.category": {"configuration", "host", "network", "process", "session", "threat"},
    "event.type": {"access", "allowed", "change", "connection", "denied", "end", "error", "info",
                   "protocol", "start"},
    "event.outcome": {"failure", "success", "unknown"},
    "network.type": {"ipv4", "ipv6"},
}


def is_date(value):
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value)
                and datetime.datetime.fromisoformat(value[:-1]))


def is_ip(value):
    return str(ipaddress.ip_address(value)) == value


TYPES = {
    "date": lambda value: isinstance(value, str) and is_date(value),
    "ip": lambda value: isinstance(value, str) and is_ip(value),
    "keyword": lambda value: isinstance(value, str) and value != "",
    "text": lambda value: isinstance(value, str) and value != "",
    "long": lambda value: type(value) is int and 0 <= value < 2**63,
    "boolean": lambda value: type(value) is bool,
    "object": lambda value: isinstance(value, dict),
}


def field_table():
    rows = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `([@\w.*]+)` \| ([a-z]+)(\[\])? \| ([a-z ]+) \|", line)
        if row:
            rows[row[1]] = (row[2], bool(row[3]), row[4].split())
    return rows


def flatten(value, name=""):
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from flatten(inner, f"{name}.{key}" if name else key)


def row_of(rows, name):
    return rows.get(name) or rows.get(name.rpartition(".")[0] + ".*")


def check_line(rows, text):
    check(all(" " <= letter <= "~" for letter in text), f"bytes beyond ASCII in {text}")
    line = json.loads(text)
    dataset = line["event"]["dataset"].removeprefix("apnscope.")
    for name, value in flatten(line):
        row = row_of(rows, name)
        if not row:
            check(False, f"{name} is not in {DOCUMENT.name}")
            continue
        kind, is_list, datasets = row
        check(isinstance(value, list) == is_list, f"{name} is{' not' * is_list} a list: {value}")
        for one in value if is_list else [value]:
            check(TYPES[kind](one), f"{name} is no {kind}: {one!r}")
            check(name not in ALLOWED or one in ALLOWED[name], f"{name} may not be {one!r}")
        check(dataset in datasets or datasets == ["all"], f"{name} in {dataset}")
    for name, (_, _, datasets) in rows.items():
        if datasets == ["all"] and name != "apnscope.site":
            check(name in dict(flatten(line)), f"{name} is missing in {text}")
    return line


def check_lines(lines):
    rows = field_table()
    check(len(rows) > 80, "the document's table was not read")
    read = [check_line(rows, line) for line in lines]
    actions = {line["event"]["action"] for line in read}
    wanted = {"finding-new", "session-ended", "device-verdict", "statistics", "notice"}
    check(wanted <= actions, f"no {wanted - actions} in {actions}")
    return read


# ---- Prometheus ----

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?\d+(?:\.\d+)?)")


def read_page(page, is_open):
    """Families and samples; complains of all that promtool check metrics would, and more."""
    check(page.endswith("# EOF\n" if is_open else "\n"), "the page's end")
    samples, types, helps, done, family = {}, {}, {}, set(), None
    for line in page.removesuffix("# EOF\n").splitlines():
        head = re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.+)", line)
        if head:
            table = helps if head[1] == "HELP" else types
            check(head[2] not in table, f"{head[1]} of {head[2]} twice")
            table[head[2]] = head[3]
            if head[1] == "HELP":
                check(head[2] not in done, f"{head[2]} is in two places")
                family = head[2]
                done.add(family)
            else:
                check(head[2] == family, f"TYPE of {head[2]} under {family}")
                check(head[3] in ("counter", "gauge"), f"type {head[3]}")
            continue
        sample = SAMPLE.fullmatch(line)
        check(sample, f"no sample: {line!r}")
        if not sample:
            continue
        name = sample[1]
        of = name.removesuffix("_total") if is_open and types.get(family) == "counter" else name
        check(of == family and family in types, f"{name} under {family}")
        check((types.get(family) == "counter") == name.endswith("_total"), f"{name}: _total")
        labels = tuple(re.findall(LABEL, sample[2] or ""))
        check(len({label for label, _ in labels}) == len(labels), f"a label twice: {line}")
        check((name, labels) not in samples, f"twice: {line}")
        samples[name, labels] = float(sample[sample.re.groups])
    check(set(types) == set(helps), "HELP and TYPE for each")
    for name in types:
        check(name.startswith("apnscope_"), name)
        check(not re.search(r"_(ms|us|ns|kb|mb|minutes|milliseconds)(_|$)", name), f"unit: {name}")
    return samples


def ask(method="GET", path="/metrics", headers=None, unix=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    if unix:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(unix))
    connection.request(method, path, body=body, headers=headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def check_metrics(expected):
    answer, page = ask()
    check(answer.status == 200, f"status {answer.status}")
    check(answer.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8",
          answer.getheader("Content-Type"))
    samples = read_page(page, False)
    for name, labels, value in expected:
        check(samples.get((name, labels)) == value, f"{name}{labels}: {samples.get((name, labels))}"
              f", not {value}")
    answer, page = ask(headers={"Accept": "application/openmetrics-text;version=1.0.0,*/*;q=0.1"})
    check(answer.getheader("Content-Type").startswith("application/openmetrics-text"), "OpenMetrics")
    check(set(read_page(page, True)) == set(samples), "OpenMetrics has other samples")
    check(ask(path="/")[0].status == 404, "another page")
    check(ask("POST", body=b"abc")[0].status in (405, 413), "POST")
    check(ask("HEAD")[1] == "", "HEAD has a body")


# ---- journal, syslog, collector ----

class Receiver:
    """Datagrams or connections at a Unix socket, kept until they are asked for."""

    def __init__(self, path, kind):
        self.path, self.kind = pathlib.Path(path), kind
        self.received = []
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.open()

    def open(self):
        self.path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX, self.kind)
        self.listener.bind(str(self.path))
        if self.kind == socket.SOCK_STREAM:
            self.listener.listen()
        self.connection = None
        threading.Thread(target=self.run, args=(self.listener,), daemon=True).start()

    def run(self, listener):
        try:
            source = listener
            if self.kind == socket.SOCK_STREAM:
                source = self.connection = listener.accept()[0]
            while data := source.recv(1 << 18):
                self.received.append(data)
        except OSError:
            pass

    def vanish(self):
        for open_one in (self.connection, self.listener):
            if open_one:
                open_one.shutdown(socket.SHUT_RDWR)
                open_one.close()

    def text(self):
        return b"".join(self.received).decode()


def read_entry(data):
    """https://systemd.io/JOURNAL_NATIVE_PROTOCOL/"""
    fields = {}
    while data:
        line, _, data = data.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
        else:
            size = int.from_bytes(data[:8], "little")
            name, value, data = line, data[8:8 + size], data[9 + size:]
        fields[name.decode()] = value.decode()
    return fields


def check_journal(received):
    entries = [read_entry(data) for data in received]
    found = [entry for entry in entries if entry.get("APNSCOPE_CODE") == "port-refused"]
    check(found, f"no finding among {len(entries)} entries of the journal")
    for entry in found:
        check(entry["PRIORITY"] == "3", "priority")
        check(entry["MESSAGE_ID"] == "a5474479fec54e379b82528731e316b5", "MESSAGE_ID")
        check(entry["SYSLOG_IDENTIFIER"] == "apnscope", "identifier")
        check(entry["APNSCOPE_CLIENT_IP"].startswith("10.20.0."), "client")
        check(entry["MESSAGE"].startswith("port-refused: "), "message")
        check(pathlib.Path(entry["APNSCOPE_EVIDENCE_FILE"]).exists(), "evidence")


def check_syslog(received):
    lines = [data.decode() for data in received]
    found = [line for line in lines if 'code="port-refused"' in line]
    check(found, f"no finding among {len(lines)} lines of syslog")
    for line in found:
        check(re.match(r"<27>.* apnscope\[\d+\]: \[apnscope@32473 code=\"port-refused\" ", line), line)
        check("] port-refused: " in line, line)


# ---- evidence ----

def check_excerpts(folder, findings):
    files = sorted(folder.iterdir())
    check(len(files) == len(findings), f"{len(files)} excerpts of {len(findings)} findings")
    for finding in findings:
        named = [file for file in files if f"-{finding['number']:06}-" in file.name]
        check(len(named) == 1, f"no excerpt of finding {finding['number']}")
        for file in named:
            check_excerpt(file, finding)


def check_excerpt(file, finding):
    check(file.stat().st_mode & 0o777 == 0o600, f"{file.name} is not private")
    check(f"-{finding['code']}-{finding['client_ip'] or 'site'}" in file.name, file.name)
    shown = subprocess.run(["tshark", "-r", file, "-Y", "frame.comment", "-T", "fields", "-e",
                            "frame.comment"], capture_output=True, text=True)
    check(shown.returncode == 0, f"tshark: {shown.stderr}")
    check(f"({finding['code']}): " in shown.stdout, f"no comment in {file.name}: {shown.stdout}")
    database = file.parent.parent / "again.db"
    subprocess.run([PROGRAM, "analyze", "--quiet", "--db", database, file], check=False)
    rows = sqlite3.connect(database).execute(
        "SELECT summary FROM finding WHERE code = ? AND client_ip IS ?",
        (finding["code"], finding["client_ip"])).fetchall()
    check((finding["summary"],) in rows, f"{file.name} gives {rows}, not {finding['summary']}")
    database.unlink()


# ---- the run ----

def wait_until(happened, why, seconds=20):
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            check(False, why)
            return
        time.sleep(0.05)


def own_folders():
    """/run and /dev/log of our own, so that a journal and a syslog daemon can be played."""
    if os.environ.get("APNSCOPE_OUTPUTS") == "entered":
        return
    os.environ["APNSCOPE_OUTPUTS"] = "entered"
    os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])


def mount(kind, where):
    check(ctypes.CDLL(None, use_errno=True).mount(kind, where.encode(), kind, 0, None) == 0,
          f"mount {where}")


def play_daemons():
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    log = pathlib.Path("/dev/log")
    if not log.exists():
        # A name that is seen in this namespace alone would need another /dev; so a link is made
        # only where the file system under it is ours.
        devices = pathlib.Path("/run/devices")
        devices.mkdir()
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            (devices / name).touch()
            subprocess.run(["mount", "--bind", f"/dev/{name}", devices / name], check=True)
        subprocess.run(["mount", "--rbind", devices, "/dev"], check=True)
    return (Receiver("/run/systemd/journal/socket", socket.SOCK_DGRAM),
            Receiver("/dev/log", socket.SOCK_DGRAM))


def all_at_once(folder):
    capture = CAPTURES / "refused-at-campus-firewall.pcap"
    journal, syslog = play_daemons()
    lines, excerpts = folder / "lines.json", folder / "excerpts"
    wire = stage.Wire()
    live = stage.Live(PROGRAM, wire.far, folder,
                      ["--json-lines", lines, "--journal", "--syslog", "--metrics", PORT,
                       "--evidence", excerpts, "--statistics", "1s", "--site", "here"])
    wire.replay(capture)
    wait_until(lambda: excerpts.exists() and len(list(excerpts.glob("*.pcapng"))) >= 4,
               "no excerpts")
    moved = folder / "lines.1"
    lines.rename(moved)
    live.process.send_signal(signal.SIGHUP)
    wait_until(lines.exists, "SIGHUP did not open the lines anew")
    wait_until(lambda: '"statistics"' in lines.read_text(), "nothing after SIGHUP")
    check_metrics([("apnscope_findings", (("code", "port-refused"), ("severity", "fail")), 2),
                   ("apnscope_packets_dropped_total", (("interface", wire.far), ("by", "queue")), 0),
                   ("apnscope_store_rows_dropped_total", (), 0)])
    check(live.end() == 1, "the exit status")
    check_lines(moved.read_text().splitlines() + lines.read_text().splitlines())
    check_journal(journal.received)
    check_syslog(syslog.received)
    findings = live.query("SELECT * FROM finding WHERE client_ip IS NOT NULL")
    for number, finding in enumerate(findings, 1):
        finding.setdefault("number", number)
    check(len(findings) == 4, f"{len(findings)} findings")
    check_excerpts(excerpts, findings)
    check(oct(lines.stat().st_mode & 0o777) == "0o600", "lines are not private")


def a_collector_that_goes_away(folder):
    collector = Receiver(folder / "collector", socket.SOCK_STREAM)
    wire = stage.Wire()
    live = stage.Live(PROGRAM, wire.far, folder,
                      ["--json-lines", f"unix:{collector.path}", "--metrics",
                       f"unix:{folder / 'metrics'}", "--statistics", "1s"])
    wait_until(lambda: '"statistics"' in collector.text(), "nothing reached the collector")
    collector.vanish()
    time.sleep(1.5)
    collector.received.clear()
    collector.open()
    wait_until(lambda: "JSON lines: cannot" in collector.text(), "the collector was not found again")
    answer, page = ask(unix=folder / "metrics")
    check(answer.status == 200, "metrics at a Unix socket")
    read_page(page, False)
    live.end()
    check("; works again" in live.told() or ": works again" in live.told(), f"not told: {live.told()}")
    check(not (folder / "metrics").exists(), "the metrics' socket was left behind")
    for line in collector.text().splitlines():
        json.loads(line)


def lines_alone_on_standard_output(folder):
    wire = stage.Wire()
    live = stage.Live(PROGRAM, wire.far, folder, ["--json-lines", "-"])
    wire.replay(CAPTURES / "dns-refused.pcap", 0)
    wait_until(lambda: '"finding-new"' in live.said(), "no finding on standard output")
    live.end()
    lines = [json.loads(line) for line in live.said().splitlines()]
    check(lines, "no lines")


def a_terminal_that_has_ascii_alone(folder):
    wire = stage.Wire()
    live = stage.Live(PROGRAM, wire.far, folder, environment={"LC_ALL": "C"})
    wire.replay(CAPTURES / "refused-at-campus-firewall.pcap", 0)
    wait_until(lambda: "port-refused" in live.said(), "no finding on standard output")
    live.end()
    told = [line for line in live.said().splitlines() if " answered its SYN after " in line]
    check(told and all(line.isascii() for line in told), f"not ASCII: {told}")


def main():
    stage.enter()
    own_folders()
    stage.run("ip", "link", "set", "dev", "lo", "up")
    for test in (all_at_once, a_collector_that_goes_away, lines_alone_on_standard_output,
                 a_terminal_that_has_ascii_alone):
        with stage.Folder() as folder:
            print(test.__name__.replace("_", " "))
            test(folder)
    sys.exit(1 if failures else 0)


main()
