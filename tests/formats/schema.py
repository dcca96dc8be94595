#!/usr/bin/env python3
"""The JSON Schema of `apnscope report --json`, made from docs/schema.md: schema.py ROOT [--write].

Tables and columns have one home, the store's .def files, from which docs/schema.md is made; this
turns it into docs/report.schema.json. Without --write: fails where the file is not that."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
TARGET = ROOT / "docs/report.schema.json"
# Columns for SQL users and the store itself; reports lack them.
HIDDEN = {"run": {"rows_lost", "writer", "flow_base", "device_base", "finding_base"},
          "flow": {"lane"}, "device": {"lane"}, "finding": {"flow_number", "lane"},
          "dns_answer": {"id"}, "attempts": {"id"}}
STATUSES = ["pass", "warn", "fail", "not-observed"]


def record(properties, description=None):
    made = {"type": "object", "required": list(properties), "additionalProperties": False,
            "properties": properties}
    return {"description": description, **made} if description else made


def kind(name, *more, **extra):
    return {"type": [name, *more] if more else name, **extra}


def rows(properties):
    return {"type": "array", "items": record(properties)}


TEXT, COUNT = kind("string"), kind("integer", minimum=0)
MAYBE_TEXT, MAYBE_INTEGER = kind("string", "null"), kind("integer", "null")


def evidence():
    frame = {"type": "object", "required": ["number", "shows"],
             "properties": {"number": COUNT, "time": TEXT, "time_ns": kind("integer"), "shows": TEXT}}
    block = {"type": "object", "additionalProperties": True, "required": ["kind"],
             "properties": {"kind": TEXT, "side": TEXT, "place": TEXT, "mac": TEXT}}
    return {"type": ["object", "string", "null"],
            "properties": {"frames": {"type": "array", "items": frame}, "reasoning": TEXT, "block": block,
                           "limits": TEXT}}


def tables():
    found, table = {}, None
    for line in (ROOT / "docs/schema.md").read_text(encoding="utf-8").splitlines():
        head = re.match(r"## (\w+)$", line)
        cell = re.match(r"\| `(\w+)` \| (INTEGER|TEXT)(, NULL)? \| (.*) \|$", line)
        if head:
            table = found.setdefault(head.group(1), {})
        elif cell and cell.group(1) not in HIDDEN.get(head_of(found), set()):
            name, type_, null, meaning = cell.groups()
            column = {"description": meaning, "type": "integer" if type_ == "INTEGER" else "string"}
            if null:
                column["type"] = [column["type"], "null"]
            table[name] = {**evidence(), "description": meaning} if name == "evidence" else column
    return found


def head_of(found):
    return list(found)[-1]


def schema():
    verdict = record({
        "name": kind("string", enum=["nothing-seen", "not-conclusive", "works", "works-with-warnings",
                                     "fault-found"]),
        "word": TEXT, "sentence": TEXT, "what": TEXT, "who": TEXT, "since": TEXT, "coverage": TEXT,
        "affected": COUNT, "fault_first_ns": MAYBE_INTEGER, "fault_last_ns": MAYBE_INTEGER,
        "first_ns": MAYBE_INTEGER, "last_ns": MAYBE_INTEGER, "sessions": COUNT,
        "findings_fail": COUNT, "findings_warn": COUNT, "findings_info": COUNT},
        "the verdict, in words and counts")
    of_role = record({word: COUNT for word in ["unknown", "works", "degraded", "broken"]})
    properties = {
        "format": kind("string", const="apnscope-report"),
        "version": kind("integer", const=1),
        "verdict": verdict,
        "devices_by_verdict": record({"device": of_role, "mdm-server": of_role}),
        "sites": rows({"site": MAYBE_TEXT, "name": verdict["properties"]["name"], "sentence": TEXT,
                       "sessions": COUNT,
                       "devices_by_verdict": record({"device": of_role, "mdm-server": of_role}),
                       "requirements": record({f"R{i}": kind("string", enum=STATUSES)
                                               for i in range(10)})}),
        "trend": {"oneOf": [{"type": "null"}, record({
            "change_ns": kind("integer"), "sentence": TEXT,
            "ports": rows({"port": kind("integer"), "side": kind("string", enum=["before", "after"]),
                           "devices": COUNT, "devices_worked": COUNT, "worked": COUNT, "failed": COUNT})})]},
        "what_to_change": rows({"code": TEXT, "remedy": TEXT, "where": TEXT}),
        "rules": rows({"requirement": TEXT, "action": TEXT, "from": TEXT, "to": TEXT,
                       "service": TEXT, "how": TEXT}),
        "how_sure": {"type": "array", "items": TEXT},
        "requirements": rows({"code": kind("string", pattern="^R[0-9]$"), "title": TEXT,
                              "status": kind("string", enum=STATUSES), "seen": kind("integer"),
                              "failed": kind("integer"), "summary": TEXT}),
        "ports": rows({"port": kind("integer"), "direction": TEXT, "purpose": TEXT,
                       "status": kind("string", enum=STATUSES), "worked": COUNT, "failed": COUNT,
                       "not_judged": COUNT, "observed": TEXT}),
        "networks": rows({"prefix": TEXT, "port": kind("integer"), "worked": COUNT, "failed": COUNT}),
        "codes": rows({"code": TEXT, "title": TEXT,
                       "severity": kind("string", enum=["fail", "warn", "info"]),
                       "findings": COUNT, "occurrences": COUNT, "clients": COUNT,
                       "first_ns": MAYBE_INTEGER, "last_ns": MAYBE_INTEGER, "meaning": MAYBE_TEXT,
                       "innocent": MAYBE_TEXT, "remedy": MAYBE_TEXT, "where": TEXT}),
        "tables": record({name: rows(columns) for name, columns in tables().items()},
                         "the rows of the database, by its column names"),
    }
    return {"$schema": "http://json-schema.org/draft-07/schema#",
            "title": "apnscope report", **record(properties,
                "What `apnscope report --json` writes. Made by tests/formats/schema.py.")}


def main():
    made = json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
    if "--write" in sys.argv:
        TARGET.write_text(made, encoding="utf-8")
    if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != made:
        sys.exit("docs/report.schema.json is out of date: python3 tests/formats/schema.py . --write")
    print("docs/report.schema.json is fresh")


if __name__ == "__main__":
    main()
