#!/usr/bin/env python3
"""Rules of the house that the compiler does not enforce. Prints each breach as FILE:LINE: why."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
FOLDERS = ["base", "model", "capture", "dissect", "track", "detect", "store", "report", "feed", "cli"]

# What may be seen where: pattern of an include, and the only places for it.
LIBRARIES = [
    (r"<pcap", r"capture/"),
    (r"<ndpi|<nDPI", r"dissect/protocol\.c"),
    (r"<openssl/x509|<openssl/pem", r"dissect/certificate\w*\.[ch]"),
    (r"<sqlite3", r"store/"),
    (r"<curses|<ncurses", r"feed/top\w*\.c"),
    (r"<microhttpd", r"feed/metrics\w*\.c"),
    (r"<systemd|<syslog", r"feed/(journal|structured)\.c"),
]
# Packet bytes are read by base/reader.h; the clock and the environment by cli/ only.
CALLS = [
    (r"\b(ntohs|ntohl|htons|htonl)\s*\(", r"base/", "read bytes with base/reader.h"),
    (r"\bnow_(wall|monotonic)_ns\b", r"cli/|feed/|base/now\.[ch]", "time comes from packets"),
    (r"\b(gettimeofday|clock_gettime|time)\s*\(", r"base/now\.c|base/queue\.c", "time comes from packets"),
    (r"\bgetenv\s*\(", r"cli/", "only cli/ reads the environment"),
]

DOCUMENTS_OF_OTHERS = ["lz4_Frame_format.md", "JA4.md", "technical_details/JA4.md"]

breaches = []


def breach(path, line, why):
    breaches.append(f"{path.relative_to(ROOT)}:{line}: {why}")


def check_source(path):
    name = str(path.relative_to(ROOT))
    in_comment = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if "\t" in line:
            breach(path, number, "a tab")
        if line != line.rstrip():
            breach(path, number, "white space at the end")
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        if in_comment:
            in_comment = "*/" not in code
            continue
        in_comment = "/*" in code and "*/" not in code
        code = re.sub(r"/\*.*?(\*/|$)", "", code)
        for pattern, places in LIBRARIES:
            if re.match(r"\s*#\s*include\s*" + pattern, line) and not re.match(places, name):
                breach(path, number, "this library belongs to " + places)
        for pattern, places, why in CALLS:
            if re.search(pattern, code) and not re.match(places, name):
                breach(path, number, why)


def check_documents(path):
    """A document that a comment sends its reader to is there."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for name in re.findall(r"[\w/.-]+\.md\b", line):
            is_here = (ROOT / name).is_file() or (ROOT / "docs" / name).is_file()
            if not is_here and name not in DOCUMENTS_OF_OTHERS:
                breach(path, number, f"there is no {name}")


def check_opening(path):
    if not path.read_text(encoding="utf-8").lstrip().startswith("/*"):
        breach(path, 1, "a file opens with a comment that says what it is for")


def check_rules():
    """Every rule has a scenario in which it fires and one in which it stays silent."""
    words = {"proves": set(), "spares": set()}
    for scenario in (ROOT / "tests/scenarios").rglob("*.scn"):
        for line in scenario.read_text(encoding="utf-8").splitlines():
            parts = line.split("#")[0].split()
            if parts and parts[0] in words:
                words[parts[0]].update(parts[1:])
    for rule in sorted((ROOT / "detect/rules").glob("*.c")):
        code = rule.stem.replace("_", "-")
        if code not in words["proves"]:
            breach(rule, 1, f"no scenario proves {code}")
        if code not in words["spares"]:
            breach(rule, 1, f"no scenario spares {code}: write its healthy twin")


def check_root_map():
    path = ROOT / "CMakeLists.txt"
    lines = path.read_text(encoding="utf-8").count("\n")
    if lines > 80:
        breach(path, lines, "the root is a map of at most 80 lines")


def check_manual():
    """Every command and every option of the command line is in the man page."""
    manual = (ROOT / "docs/apnscope.1").read_text(encoding="utf-8").replace("\\-", "-")
    tables = [("option.def", r'OPTION\(\w+, "([^"]+)"', r"--{}(?![\w-])"),
              ("command.def", r"COMMAND\(\w+, (\w+)", r"^\.B apnscope {}\b")]
    for name, row, in_manual in tables:
        table = ROOT / "cli" / name
        found = 0
        for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
            word = re.match(row, line)
            found += word is not None
            if word and not re.search(in_manual.format(re.escape(word.group(1))), manual, re.M):
                breach(table, number, f"{word.group(1)} is not in docs/apnscope.1")
        if not found:
            breach(table, 1, "no rows: the table is read wrongly")


for folder in FOLDERS:
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix in (".c", ".h", ".def"):
            check_source(path)
            check_documents(path)
        if path.suffix in (".c", ".h"):
            check_opening(path)
check_rules()
check_root_map()
check_manual()
print("\n".join(breaches) if breaches else "the house is in order")
sys.exit(1 if breaches else 0)
