#!/usr/bin/env python3
"""Compares what apnscope says of a capture of the lab with the label beside it.

    lab.py APNSCOPE LABEL.json

The label holds everything that must be found, so any other finding above severity info is a false
alarm. Expectations about codes that this build has no rule for are skipped, loudly: the exit
status is then 77, which CTest shows as skipped. So are labels with an "open" sentence, as long as
they are not met. Deliberately knows nothing of packets:
tools/lab/prove shows that a label is true.
"""

import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

SKIPPED = 77


class Judgement:
    """The database of one run, and what is wrong in it."""

    def __init__(self, program, label_path):
        self.program, self.folder = program, label_path.parent
        self.label = json.loads(label_path.read_text())
        self.wrong, self.skipped = [], []
        self.known = self.known_codes()

    def known_codes(self):
        done = subprocess.run([self.program, "checks"], capture_output=True, text=True, check=True)
        return {line.split()[0] for line in done.stdout.splitlines()
                if line and not line.startswith(" ") and " (" in line}

    def analyze(self, database):
        label = self.label
        options = [word.replace("{here}", str(self.folder)) for word in label["options"]]
        captures = [str(self.folder / label["captures"][0])]  # a second one is for compare
        done = subprocess.run([self.program, "analyze", "--quiet", "--db", database, *options,
                               *captures], capture_output=True, text=True)
        missing = [each["code"] for each in label["findings"] if each["code"] not in self.known]
        wanted = label["exit"] if isinstance(label["exit"], list) else [label["exit"]]
        if done.returncode not in wanted and not (missing and done.returncode in (0, 1)):
            self.wrong.append(f"exit status {done.returncode}, not {label['exit']}: {done.stderr}")
        self.database = sqlite3.connect(database)
        self.database.row_factory = sqlite3.Row

    def rows(self, table):
        return [dict(row) for row in self.database.execute(f"SELECT * FROM {table}")]


NAMES = {"device": "client_ip", "port": "server_port", "server": "server_ip"}


def column_fits(row, column, wanted):
    """A value "~text" must be contained; None is no value."""
    found = row[NAMES.get(column, column)]
    if isinstance(wanted, str) and wanted.startswith("~"):
        return found is not None and wanted[1:] in str(found)
    if isinstance(wanted, list):
        return found in wanted
    return found == wanted


def misfits(row, wanted):
    return [f"{column}={row[NAMES.get(column, column)]!r}, not {value!r}"
            for column, value in wanted.items() if not column_fits(row, column, value)]


def text_of(finding):
    return (f"{finding['code']} ({finding['severity']}, {finding['confidence']}) "
            f"blocker {finding['blocker_ip']}/{finding['blocker_hops']}: {finding['summary']}")


def check_findings(judgement):
    found = judgement.rows("finding")
    explained = set()
    for wanted in judgement.label["findings"]:
        if wanted["code"] not in judgement.known:
            judgement.skipped.append(f"no rule yet: {wanted}")
            continue
        of_code = [row for row in found if row["code"] == wanted["code"]]
        fitting = [row for row in of_code if not misfits(row, wanted)]
        explained |= {row["id"] for row in fitting}
        if not fitting:
            judgement.wrong.append(f"missing: {wanted}" + "".join(
                f"\n      near: {text_of(row)}: {', '.join(misfits(row, wanted))}"
                for row in of_code))
    for row in found:
        is_allowed = row["code"] in judgement.label["may"] or row["severity"] == "info"
        if row["id"] not in explained and not is_allowed:
            judgement.wrong.append(f"false alarm: {text_of(row)}")


def check_devices(judgement):
    rows = {row["ip"]: row for row in judgement.rows("device")}
    unjudged = [each for each in judgement.label["findings"]
                if each["code"] not in judgement.known]
    for ip, wanted in judgement.label["devices"].items():
        if any(each.get("device", ip) == ip for each in unjudged):
            judgement.skipped.append(f"device {ip}: its verdict hangs on a missing rule")
        elif ip not in rows:
            judgement.wrong.append(f"no row for device {ip}")
        else:
            wrong = misfits(rows[ip], wanted)
            if wrong:
                judgement.wrong.append(f"device {ip}: {', '.join(wrong)} ({rows[ip]['reason']})")


def check_flows(judgement):
    rows = judgement.rows("flow")
    for each in judgement.label["flows"]:
        columns = {name: value for name, value in each.items() if name not in ("where", "count")}
        there = [row for row in rows if not misfits(row, each["where"])]
        fitting = [row for row in there if not misfits(row, columns)]
        least, most = each["count"] if isinstance(each["count"], list) else [each["count"]] * 2
        if not least <= len(fitting) <= most:
            judgement.wrong.append(
                f"{len(fitting)} flows, not {each['count']}, are {columns} where {each['where']}"
                + "".join(f"\n      there: flow {row['number']}: {', '.join(misfits(row, columns))}"
                          for row in there if row not in fitting))


def check_requirements(judgement):
    rows = {row["code"]: row for row in judgement.rows("requirement")}
    is_unjudged = any(each["code"] not in judgement.known for each in judgement.label["findings"])
    for code, wanted in judgement.label["requirements"].items():
        if is_unjudged:
            judgement.skipped.append(f"{code}: it hangs on a missing rule")
        elif misfits(rows[code], {"status": wanted}):
            judgement.wrong.append(f"{code} is {rows[code]['status']}, not {wanted}: "
                                   f"{rows[code]['summary']}")


FATES = {"passed": "Passed", "terminated": "Terminated in between",
         "vanished": "Vanished in between"}


def check_compare(judgement, inside, outside):
    """What `compare` says of the sessions between the label's two captures."""
    if "compare" not in judgement.label:
        return
    capture = judgement.folder / judgement.label["captures"][1]
    subprocess.run([judgement.program, "analyze", "--quiet", "--db", outside, capture])
    said = subprocess.run([judgement.program, "compare", inside, outside], capture_output=True,
                          text=True)
    for fate, wanted in judgement.label["compare"].items():
        found = re.search(rf"^{FATES[fate]}: (\d+) session", said.stdout, re.MULTILINE)
        count = int(found.group(1)) if found else 0
        if count != wanted:
            judgement.wrong.append(f"compare: {count} sessions {fate}, not {wanted}: {said.stderr}")


def main():
    program, label_path = sys.argv[1], pathlib.Path(sys.argv[2])
    judgement = Judgement(program, label_path)
    with tempfile.TemporaryDirectory() as folder:
        judgement.analyze(f"{folder}/lab.db")
        check_findings(judgement)
        check_devices(judgement)
        check_flows(judgement)
        check_requirements(judgement)
        judgement.database.close()
        check_compare(judgement, f"{folder}/lab.db", f"{folder}/outside.db")
    print(f"{label_path.stem}: {judgement.label['title']}")
    for line in judgement.skipped:
        print(f"  SKIPPED  {line}")
    is_open = judgement.label.get("open")
    for line in judgement.wrong:
        print(f"  {'OPEN    ' if is_open else 'WRONG   '} {line}")
    if is_open:
        print(f"  {'' if judgement.wrong else 'RIGHT NOW, take the mark away: '}{is_open}")
        sys.exit(SKIPPED if judgement.wrong else 0)
    if judgement.wrong:
        sys.exit(1)
    sys.exit(SKIPPED if judgement.skipped else 0)


main()
