#!/usr/bin/env python3
"""Lives the day of a synthetic site and holds what apnscope finds against what happened.

    check.py FLEET APNSCOPE [--devices N] [--hours N] [--seed N] [--fault NAME|all|none|poor]
             [--keep DIR]

Without a fault: no finding above severity info, whatever the devices do; but a device of which
more than 5 % of the segments really were repeated may be said to lose packets. Through a poor
mirror too, and what is poor about it is told. With a fault: its finding for each device that it hit
often enough, none for a device that it did not hit, and no other finding than those that fault.def
allows beside it. Each device's verdict is the one that its sessions and findings demand.
Deliberately knows no packets: truth comes from the program that made them.
"""

import argparse
import csv
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

# How a healthy site is mirrored: once, twice, twice and late, on both sides of a NAT. A faulty one
# gets copies that are late.
HEALTHY = [["--copies", "none"], ["--copies", "routed"], ["--copies", "same", "--delay", "50"],
           ["--copies", "translated"]]
FAULTY = ["--copies", "routed", "--delay", "50"]
# A mirror that shows too little, and the note of severity info that says so.
POOR = [("half-up", ["--half", "up"], "capture-one-sided"),
        ("half-down", ["--half", "down"], "capture-one-sided"),
        ("loses-2-percent", ["--mirror-loss", "0.02"], "capture-loss"),
        ("loses-20-percent", ["--mirror-loss", "0.2"], "capture-loss"),
        ("cut-at-96-bytes", ["--snap", "96"], "capture-truncated"),
        ("clock-set-back", ["--set-back", "120"], "capture-clock"),
        ("routed-cut-at-128-bytes", ["--copies", "routed", "--snap", "128"], "capture-duplicated")]
LOSS_LIMIT = 0.05
SHOWN = 12


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("fleet")
    parser.add_argument("apnscope")
    parser.add_argument("--devices", default="100")
    parser.add_argument("--hours", default="24")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--fault", default="all", help="a name of `fleet --list`, all, none or poor")
    parser.add_argument("--keep", help="leave captures and databases in this folder")
    return parser.parse_args()


class Day:
    """A capture, its truth, and what was found in it."""

    def __init__(self, given, folder, name, options):
        self.name, self.wrong = name, []
        capture, truth, database = (folder / f"{name}.{end}" for end in ("pcap", "tsv", "db"))
        subprocess.run([given.fleet, "--devices", given.devices, "--hours", given.hours, "--seed",
                        given.seed, *options, "--truth", truth, capture], check=True)
        self.megabytes = capture.stat().st_size / 1e6
        database.unlink(missing_ok=True)
        began = time.monotonic()
        done = subprocess.run([given.apnscope, "analyze", "--quiet", "--db", database, capture],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.seconds = time.monotonic() - began
        self.status = done.returncode
        if done.returncode not in (0, 1):
            self.wrong.append(f"exit status {done.returncode}: {done.stderr}")
        with open(truth, encoding="utf-8") as rows:
            self.devices = list(csv.DictReader(rows, delimiter="\t"))
        self.device_of = {row[ip]: row for row in self.devices for ip in ("ip", "ip6")}
        self.notes, self.fail_codes = set(), {}
        self.findings, self.verdicts = self.read(database)
        if not given.keep:
            capture.unlink()

    def read(self, path):
        database = sqlite3.connect(path)
        database.row_factory = sqlite3.Row
        findings = []
        for row in database.execute("SELECT code, severity, confidence, client_ip, summary FROM finding"):
            if row["severity"] == "info":
                self.notes.add(row["code"])
                continue
            findings.append(dict(row))
            if row["severity"] == "fail" and row["confidence"] != "possible":
                self.fail_codes.setdefault(row["client_ip"], set()).add(row["code"])
        verdicts = [dict(row) for row in
                    database.execute("SELECT ip, role, verdict, reason FROM device")]
        database.close()
        return findings, verdicts

    def complain(self, what, finding):
        self.wrong.append(f"{what}: {finding['code']} of {finding['client_ip']}: "
                          f"{finding['summary']}")

    def loses_packets(self, device):
        return any(int(device[f"repeated_{way}"]) > LOSS_LIMIT * int(device[f"said_{way}"])
                   for way in ("up", "down"))

    def is_true_anyway(self, finding):
        device = self.device_of.get(finding["client_ip"])
        return finding["code"] == "high-loss" and device and self.loses_packets(device)


def fitting_verdicts(device, ip, is_at_fault, is_poor):
    """What may be said of an address: sessions that began before the capture are not in the truth."""
    which = "worked6" if ip == device["ip6"] else "worked"
    worked, worked_5223 = int(device[which]), int(device[f"{which}_5223"])
    if is_at_fault and worked:
        return ("degraded", "works") if worked_5223 else ("degraded",)  # it may be over
    if is_at_fault:
        return ("broken", "degraded")
    if device["hit"] == "1" and not worked:
        return ("works", "unknown", "degraded")  # by the fault, with a session from before the capture
    if is_poor:
        return ("works", "unknown") if worked_5223 or not worked else ("works", "unknown", "degraded")
    if worked and (worked_5223 or device["server"] == "1"):
        return ("works",)
    return ("degraded",) if worked else ("works", "unknown")


def judge_verdicts(day, is_poor=False):
    for row in day.verdicts:
        device = day.device_of.get(row["ip"])
        if not device:
            day.wrong.append(f"a device that does not exist: {row['ip']}, {row['reason']}")
            continue
        codes = day.fail_codes.get(row["ip"], set())
        fitting = fitting_verdicts(device, row["ip"], bool(codes), is_poor)
        if row["verdict"] not in fitting:
            day.wrong.append(f"verdict of {row['ip']} is {row['verdict']}, not {'/'.join(fitting)}: "
                             f"{row['reason']}; {device['attempts']} attempts, worked "
                             f"{device['worked']}+{device['worked6']}")
        if (row["role"] == "mdm-server") != (device["server"] == "1") and row["verdict"] != "unknown":
            day.wrong.append(f"{row['ip']} is taken for a {row['role']}: {row['reason']}")


def judge_healthy(day, note=None):
    for finding in day.findings:
        if not day.is_true_anyway(finding):
            day.complain("false alarm", finding)
    judge_verdicts(day, is_poor=note is not None)
    if note and note not in day.notes:
        day.wrong.append(f"not told: {note}")


def judge_fallbacks(day, fell_back, codes):
    for device in day.devices if "fallback-443" in codes else []:
        times = int(device["fallbacks"])
        # Once is an ordinary answer to one failure, where 5223 works otherwise.
        must = times > 1 or (times and device["worked_5223"] == "0")
        if device["ip"] in fell_back and not times or \
                device["ip"] not in fell_back and must and device["worked6"] == "0":
            day.wrong.append(f"fallback-443 of {device['ip']}, which fell back "
                             f"{device['fallbacks']} times")


def judge_faulty(day, code, also, instead, needed, is_of_site):
    found, excused, fell_back = set(), set(), set()
    for finding in day.findings:
        device = day.device_of.get(finding["client_ip"])
        is_hit = is_of_site or (device and device["hit"] == "1")
        if day.is_true_anyway(finding) and code != finding["code"]:
            continue
        if finding["code"] == "fallback-443" and device:
            fell_back.add(device["ip"])
        if finding["code"] not in (code, *also):
            day.complain("another finding", finding)
        elif not is_hit:
            day.complain("a device that was not hit", finding)
        elif finding["code"] == code:
            found.add(device["ip"] if device else None)
        elif finding["code"] == instead:
            excused.add(device["ip"])
    if is_of_site and None not in found:
        day.wrong.append(f"missing: {code} of the site")
    for device in day.devices:
        if not is_of_site and int(device["bites"]) >= needed and device["ip"] not in found | excused:
            day.wrong.append(f"missing: {code} of {device['ip']}, hit {device['bites']} times "
                             f"in {device['attempts']} attempts, {device['sessions']} sessions")
    judge_fallbacks(day, fell_back, {code, *also})
    judge_verdicts(day)
    hit = [row for row in day.devices if int(row["bites"]) >= needed and row["hit"] == "1"]
    if not hit:
        day.wrong.append("the fault hit nobody")
    return f"{len(found)} found of {len(hit)}"


def tell(day, what):
    print(f"{'WRONG' if day.wrong else 'right'}  {day.name:32} {what:22} {day.megabytes:7.1f} MB, "
          f"{day.seconds:5.1f} s to analyse")
    for line in day.wrong[:SHOWN]:
        print(f"       {line}")
    if len(day.wrong) > SHOWN:
        print(f"       and {len(day.wrong) - SHOWN} more")
    sys.stdout.flush()
    return not day.wrong


def run(given, folder):
    listed = subprocess.run([given.fleet, "--list"], capture_output=True, text=True, check=True)
    faults = [line.split("\t") for line in listed.stdout.splitlines()]
    good = True
    for options in HEALTHY if given.fault in ("all", "none") else []:
        day = Day(given, folder, "healthy-" + "-".join(options[1::2]), options)
        judge_healthy(day)
        good &= tell(day, f"{len(day.devices)} devices")
    for name, options, note in POOR if given.fault in ("all", "poor") else []:
        day = Day(given, folder, f"healthy-{name}", options)
        judge_healthy(day, note)
        good &= tell(day, f"{len(day.devices)} devices")
    for name, code, needed, scope, also, instead in faults:
        if given.fault not in ("all", name):
            continue
        day = Day(given, folder, name, ["--fault", name, *FAULTY])
        good &= tell(day, judge_faulty(day, code, also.split(), instead, int(needed), scope == "site"))
    return good


def main():
    given = arguments()
    if given.keep:
        pathlib.Path(given.keep).mkdir(parents=True, exist_ok=True)
        return 0 if run(given, pathlib.Path(given.keep)) else 1
    with tempfile.TemporaryDirectory() as folder:
        return 0 if run(given, pathlib.Path(folder)) else 1


sys.exit(main())
