#!/usr/bin/env python3
"""Every format read back by other programs: formats.py APNSCOPE MAKE_PAGES ROOT.

CSV by Python's csv and by SQLite, JSON against its published schema, extracted packets by this
program itself and by a reader of pcapng written here; redacted reports are searched for what they
must not hold. Prints what fails, then "N passed, N failed"."""
import csv
import json
import pathlib
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile

import jsonschema

APNSCOPE, MAKE_PAGES, ROOT = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
passed = failed = 0


def check(sentence, is_true, detail=None):
    global passed, failed
    if is_true:
        passed += 1
        return
    failed += 1
    print(f"FAILED: {sentence}" + (f": {detail!r}"[:600] if detail is not None else ""))


def run(*words, status=(0,)):
    done = subprocess.run([APNSCOPE, *map(str, words)], capture_output=True, text=True, encoding="utf-8")
    check(f"{' '.join(map(str, words[:1]))} ends as it should", done.returncode in status,
          (done.returncode, done.stderr))
    return done


# ---- CSV and the database hold the same

HIDDEN = json.loads((ROOT / "docs/report.schema.json").read_text())["properties"]["tables"]["properties"]


def columns_of(table):
    return list(HIDDEN[table]["items"]["properties"])


def as_text(value):
    """As the CSV has it: NULL is empty, what a spreadsheet would run has an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    shown, raw = "", value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    text = raw.decode("utf-8", "surrogateescape")
    for character in text:
        code = ord(character)
        if 0xdc80 <= code <= 0xdcff:
            shown += f"\\x{code - 0xdc00:02x}"
        elif code < 0x20 or 0x7f <= code < 0xa0 or code in HIDDEN_CODES:
            shown += "".join(f"\\x{byte:02x}" for byte in character.encode())
        else:
            shown += character
    return "'" + shown if text and text[0] in "=+-@\t\r" else shown


HIDDEN_CODES = {0xad, 0x61c, 0x180e, 0xfeff, *range(0x200b, 0x2010), *range(0x2028, 0x202f),
                *range(0x2060, 0x2070), *range(0xfff9, 0xfffc), *range(0xe0000, 0xe1000)}
ORDER = {"requirement": "run_id, code", "skipped": "run_id, rowid", "capture_quality": "run_id, rowid",
         "step": "flow_id, number"}


def same_as_database(name, database, folder):
    connection = sqlite3.connect(database)
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    for table in HIDDEN:
        path = folder / f"{table}.csv"
        with open(path, newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file, strict=True))
        wanted = columns_of(table)
        check(f"{name}: {table}.csv has the published columns", lines[0] == wanted, lines[0])
        rows = connection.execute(f"SELECT {', '.join(wanted)} FROM {table} "
                                  f"ORDER BY {ORDER.get(table, 'id')}").fetchall()
        told = [[as_text(value) for value in row] for row in rows]
        check(f"{name}: {table}.csv holds what the database holds", lines[1:] == told,
              next(((a, b) for a, b in zip(lines[1:], told) if a != b), (len(lines) - 1, len(told))))
        imported = subprocess.run(["sqlite3", ":memory:", f".import --csv {path} t",
                                   "SELECT count(*) FROM t"], capture_output=True, text=True)
        check(f"{name}: SQLite imports {table}.csv", imported.stdout.strip() == str(len(rows)) or not rows,
              imported.stdout + imported.stderr)
        raw = path.read_bytes()
        check(f"{name}: {table}.csv ends its lines with CRLF and has no control bytes",
              not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f]|[^\r]\n", raw))


# ---- pcapng, read here

def packets_of(path):
    """(bytes, comment) of each enhanced packet block."""
    raw, at, found = path.read_bytes(), 0, []
    while at < len(raw):
        kind, size = struct.unpack_from("<II", raw, at)
        assert size % 4 == 0 and struct.unpack_from("<I", raw, at + size - 4)[0] == size
        if kind == 6:
            captured = struct.unpack_from("<I", raw, at + 20)[0]
            option, comment = at + 28 + (captured + 3 & ~3), None
            while option < at + size - 4:
                code, length = struct.unpack_from("<HH", raw, option)
                if code == 1:
                    comment = raw[option + 4:option + 4 + length].decode()
                option += 4 + (length + 3 & ~3)
            found.append((raw[at + 28:at + 28 + captured], comment))
        at += size
    return found


def extraction(folder, database):
    connection = sqlite3.connect(database)
    finding, code, flow, evidence = connection.execute(
        "SELECT id, code, flow_id, evidence FROM finding WHERE code = 'tls-intercepted' ORDER BY id").fetchone()
    frames = json.loads(evidence)["frames"]
    out = folder / "finding.pcapng"
    run("extract", "--db", database, "--finding", finding, "-o", out)
    packets = packets_of(out)
    notes = [comment for _, comment in packets if comment]
    check("each frame of the evidence has its comment", len(notes) >= len({f["number"] for f in frames})
          and all(code in note for note in notes), notes)
    check("the comment names the frame in the capture",
          {int(re.search(r"frame (\d+) of the capture", note).group(1)) for note in notes}
          >= {f["number"] for f in frames}, notes)
    again = folder / "again.db"
    run("analyze", "--quiet", "--db", again, out, status=(1,))
    codes = {row[0] for row in sqlite3.connect(again).execute("SELECT code FROM finding")}
    check("what was extracted shows the same finding", code in codes, codes)
    one = folder / "flow.pcapng"
    run("extract", "--db", database, "--flow", flow, "-o", one)
    expected = connection.execute("SELECT packets_up + packets_down FROM flow WHERE id = ?", (flow,)).fetchone()[0]
    check("a session is extracted whole and alone", len(packets_of(one)) == expected, (len(packets_of(one)), expected))
    other = run("extract", "--db", database, "--flow", flow, "-o", folder / "no.pcapng",
                ROOT / "tests/pcaps/healthy-tls13.pcap", status=(3,))
    wanted = connection.execute("SELECT sha256 FROM run").fetchone()[0]
    check("another capture is refused by its hash, and leaves no file",
          wanted in other.stderr and not (folder / "no.pcapng").exists(), other.stderr)
    connection.execute("UPDATE run SET source = 'gone.pcap'")
    connection.commit()
    gone = run("extract", "--db", database, "--flow", flow, "-o", folder / "no.pcapng", status=(3,))
    check("a capture that is gone is named with its hash", "gone.pcap" in gone.stderr and wanted in gone.stderr, gone.stderr)
    check("no session of that number is said so",
          "not every session" in run("extract", "--db", database, "--flow", "99999", "-o", "-", status=(3,)).stderr)


# ---- several databases as one

def merging(folder):
    one, two, all_ = folder / "faulty.db", folder / "samples.db", folder / "all.db"
    run("merge", "-o", all_, one, two)
    again = run("merge", "-o", all_, one)
    check("a run that is there is not copied again", "1 was there already" in again.stderr, again.stderr)
    merged = sqlite3.connect(all_)
    merged.text_factory = bytes
    check("the merged database is sound", merged.execute("PRAGMA integrity_check").fetchall() == [(b"ok",)]
          and not merged.execute("PRAGMA foreign_key_check").fetchall())
    check("it is this program's", merged.execute("PRAGMA application_id").fetchone() == (1095782003,))
    ids = {"run": "id", "flow": "id", "device": "id", "finding": "id"}
    for run_id, path in ((1, one), (2, two)):
        source = sqlite3.connect(path)
        source.text_factory = bytes
        for table in HIDDEN:
            kept = [c for c in columns_of(table) if c not in ("run_id", "flow_id", "device_id", ids.get(table))]
            where = f"WHERE {'id' if table == 'run' else 'run_id'} = "
            query = f"SELECT {', '.join(kept)} FROM {table} {{}} ORDER BY {ORDER.get(table, 'id')}"
            check(f"merging keeps the rows of {table}", merged.execute(query.format(where + str(run_id))).fetchall()
                  == source.execute(query.format(where + "1")).fetchall())
        named = ("SELECT f.client_ip, w.client_ip, d.ip FROM finding f LEFT JOIN flow w ON w.id = f.flow_id "
                 "LEFT JOIN device d ON d.id = f.device_id WHERE f.run_id = {} ORDER BY f.id")
        check("findings name the same sessions and devices as before",
              merged.execute(named.format(run_id)).fetchall() == source.execute(named.format(1)).fetchall())
    check("a newer or strange file is refused", "newer" in refused(folder, all_, "PRAGMA user_version = 99")
          and "apnscope" in refused(folder, all_, "PRAGMA application_id = 7"))


def refused(folder, into, change):
    strange = folder / "strange.db"
    strange.write_bytes((folder / "faulty.db").read_bytes())
    connection = sqlite3.connect(strange)
    connection.execute(change)
    connection.commit()
    connection.close()
    return run("merge", "-o", into, strange, status=(3,)).stderr


# ---- before and after

def trend(folder):
    database = folder / "faulty.db"
    moment = "2026-03-01T10:03:00"
    document = json.loads(run("report", "--db", database, "--change", moment, "--json", "-").stdout)["trend"]
    connection = sqlite3.connect(database)
    for port in document["ports"]:
        sign = "<" if port["side"] == "before" else ">="
        tried, worked = connection.execute(
            f"SELECT count(DISTINCT client_ip), count(DISTINCT CASE WHEN outcome IN ('established', 'midstream') "
            f"THEN client_ip END) FROM flow WHERE server_port = ? AND started_ns {sign} ? "
            f"AND outcome NOT IN ('one-sided', 'unfinished')", (port["port"], document["change_ns"])).fetchone()
        check("before and after count devices as SQL does", (port["devices"], port["devices_worked"]) == (tried, worked), port)
    for words in (["--text"], ["--markdown"], ["--html", "-"]):
        said = " ".join(run("report", "--db", database, "--change", moment, *words).stdout.split())
        check("each format says what changed", "Since the change at" in said and "TCP 443 works for" in said)


# ---- pseudonyms

def redaction(folder, database):
    tables = folder / "redacted"
    formats = {
        "html": run("report", "--db", database, "--redact", "--html", "-").stdout,
        "json": run("report", "--db", database, "--redact", "--json", "-").stdout,
        "text": run("report", "--db", database, "--redact", "--text").stdout,
        "markdown": run("report", "--db", database, "--redact", "--markdown").stdout,
        "show": run("show", "findings", "--db", database, "--redact").stdout,
    }
    run("report", "--db", database, "--redact", "--csv", tables)
    formats["csv"] = "".join(path.read_text() for path in sorted(tables.glob("*.csv")))
    connection = sqlite3.connect(database)
    secret = {"Hamburg school 12", "core switch"}
    for query in ("SELECT client_ip FROM flow", "SELECT ip FROM device", "SELECT client_mac FROM flow",
                  "SELECT resolver_ip FROM dns_answer", "SELECT blocker_ip FROM finding",
                  "SELECT cert_issuer FROM flow", "SELECT community_id FROM flow", "SELECT source FROM run"):
        secret |= {row[0] for row in connection.execute(query) if row[0] and "O=Apple" not in row[0]}
    secret |= {"Example Corp", "Inspection CA"}
    for name, text in formats.items():
        left = sorted(word for word in secret if re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", text))
        check(f"redacted {name} names nobody", not left, left)
        check(f"redacted {name} keeps Apple's addresses or its pseudonyms", "17.57." in text or "host-" in text)
    row = json.loads(formats["json"])["tables"]["device"]
    broken = [device["ip"] for device in row if device["verdict"] == "broken"]
    check("a pseudonym is the same in every format",
          broken and all(re.search(rf"\b{ip}\b", text) for ip in broken for name, text in formats.items() if name != "text"), broken)
    ladder = connection.execute("SELECT max(id) FROM flow").fetchone()[0]
    check("one session alone has the pseudonyms of the whole",
          re.search(r"host-\d+", run("show", "flow", ladder, "--db", database, "--redact").stdout) is not None)


def main():
    schema = json.loads((ROOT / "docs/report.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([MAKE_PAGES, name, "--keep"], check=True)
        samples = folder / "samples.db"
        run("analyze", "--quiet", "--site", "Hamburg school 12", "--sensor", "core switch", "--db", samples,
            *sorted((ROOT / "tests/pcaps").glob("*.pcap")), status=(1,))
        for kind in ("samples", "faulty", "healthy", "hostile", "empty"):
            database, tables = folder / f"{kind}.db", folder / kind
            run("report", "--db", database, "--csv", tables, "--json", folder / f"{kind}.json")
            same_as_database(kind, database, tables)
            document = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))
            errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}"[:200] for e in validator.iter_errors(document)]
            check(f"{kind}: the JSON is as its schema says", not errors, errors[:5])
        merging(folder)
        trend(folder)
        redaction(folder, samples)
        extraction(folder, samples)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
