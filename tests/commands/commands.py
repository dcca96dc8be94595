#!/usr/bin/env python3
"""What a person at a shell does wrongly, and what the program says to it: commands.py APNSCOPE PCAPS.

Each check is a sentence; a failed one is printed with what came instead. Runs in a folder of its
own, and where it may, once more as a user without rights."""
import os
import pathlib
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile

APNSCOPE, PCAPS = sys.argv[1], pathlib.Path(sys.argv[2])
OK, FAULT, USAGE, ENVIRONMENT = 0, 1, 2, 3
NOBODY = 65534
passed = failed = 0


def check(sentence, is_true, detail=None):
    global passed, failed
    passed += bool(is_true)
    failed += not is_true
    if not is_true:
        print(f"FAILED: {sentence}: {detail!r}"[:800])


def run(words, **more):
    return subprocess.run([APNSCOPE, *shlex.split(words)], capture_output=True, text=True, timeout=60, **more)


def answers(sentence, words, status, part="", **more):
    """The command ends with that status, and its one line on standard error holds that part."""
    done = run(words, **more)
    lines = done.stderr.strip().splitlines()
    fits = done.returncode == status and (not part or len(lines) == 1 and part in lines[0])
    check(sentence, fits, (words, done.returncode, done.stderr))


def bytes_of(name):
    return pathlib.Path(name).read_bytes()


def prepare():
    shutil.copy(PCAPS / "blocked-5223-and-443.pcap", "a.pcap")
    shutil.copy(PCAPS / "healthy-tls12.pcap", "b.pcap")
    pathlib.Path("folder").mkdir()
    check("a capture with a fault ends with 1", run("analyze --quiet --db a.db a.pcap").returncode == FAULT)


def asks_wrongly():
    answers("no command is a mistake", "", USAGE, "no command given")
    answers("a command that is none is named", "analyse a.pcap", USAGE, "analyse is not a command")
    answers("an option that is none is named", "analyze --bogus a.pcap", USAGE, "--bogus is not an option")
    answers("an option without its value is named", "analyze --db", USAGE, "--db needs a value")
    answers("analyze wants a capture", "analyze", USAGE, "needs a capture file")
    answers("a list takes no argument", "checks tls-intercepted", USAGE, "checks takes no argument")
    answers("interfaces take no argument", "interfaces eth0", USAGE, "interfaces takes no argument")
    answers("a report is not of a capture", "report a.pcap", USAGE, "apnscope analyze a.pcap")
    answers("help for a command is its help", "help extract", OK)
    check("and says its options", "--finding" in run("help extract").stdout)
    answers("help for none says so", "help me", USAGE, "me is not a command")
    answers("a domain is a name", "analyze --push-domain https://push.example.com/ a.pcap", USAGE, "not a name of DNS")
    answers("the filter refuses what live would refuse", "filter --also 'ether host 02:00:00:00:00:01'", USAGE,
            'the filter "ether host 02:00:00:00:00:01"')
    answers("a bad --also is quoted alone", "filter --also bad:expression", USAGE, 'the filter "bad:expression"')
    check("the version names the libraries", "SQLite 3" in run("--version").stdout)


def names_wrong_files():
    answers("a missing capture is named", "analyze none.pcap", ENVIRONMENT, "none.pcap: there is no such file")
    answers("a folder without captures", "analyze folder", ENVIRONMENT, "there is no file in it")
    answers("a database that is a folder", "analyze --db folder a.pcap", ENVIRONMENT, "is a folder")
    answers("a database that is a capture", "analyze --db b.pcap a.pcap", ENVIRONMENT, "not an apnscope database")
    answers("a report into a folder", "report --db a.db --json folder", ENVIRONMENT, "folder: is a folder")
    answers("a missing database", "show flows --db none.db", ENVIRONMENT, "there is no database")


def writes_over_what_it_reads():
    before = bytes_of("a.pcap"), bytes_of("a.db")
    answers("extract spares the capture that it reads", "extract --db a.db --flow 1 -o a.pcap", ENVIRONMENT,
            "left as it was")
    os.link("a.pcap", "link.pcap")
    answers("also by another name", "extract --db a.db --flow 1 -o link.pcap a.pcap", ENVIRONMENT, "left as it was")
    answers("extract spares the database", "extract --db a.db --flow 1 -o a.db a.pcap", ENVIRONMENT, "left as it was")
    answers("report spares the database", "report --db a.db --html a.db", ENVIRONMENT, "left as it was")
    answers("in each format", "report --db a.db --json a.db", ENVIRONMENT, "left as it was")
    check("and they are as they were", before == (bytes_of("a.pcap"), bytes_of("a.db")))


def knows_better(words, query):
    """What the database says of half an hour of silence when these options are given."""
    done = run(f"analyze --quiet --db idle.db {words} {PCAPS}/lab/healthy-idle.pcap")
    check("options that change the judgement are taken", done.returncode == OK, (words, done.stderr))
    with sqlite3.connect("idle.db") as database:
        answer = database.execute(query).fetchone()[0]
    for file in pathlib.Path().glob("idle.db*"):
        file.unlink()
    return answer


def changes_the_judgement():
    r5 = "SELECT status FROM requirement WHERE code = 'R5'"
    flows = "SELECT count(*) FROM flow"
    check("half an hour of silence survived is what 30 minutes between heartbeats ask for",
          knows_better("", r5) == "pass")
    check("it says nothing where heartbeats come every two hours", knows_better("--keepalive 2h", r5) == "not-observed")
    check("the options are kept with the run",
          "--keepalive 7200s" in knows_better("--keepalive 2h", "SELECT options FROM run"))
    check("a session that is silent beyond --idle-limit is over",
          knows_better("--idle-limit 10m", flows) > knows_better("", flows))


def writes_where_nothing_fits():
    with open("/dev/full", "w") as full:
        for words in ("checks", "filter", "interfaces", "--help", "analyze --db full.db a.pcap", "report --db a.db",
                      "show flows --db a.db", "compare a.db a.db", "extract --db a.db --flow 1 -o - a.pcap"):
            done = subprocess.run([APNSCOPE, *words.split()], stdout=full, stderr=subprocess.PIPE, text=True)
            check("output that does not arrive is told", done.returncode == ENVIRONMENT and
                  "cannot be written" in done.stderr, (words, done.returncode, done.stderr))


def changed(database, copy, *statements):
    """A copy of the database in which something is otherwise."""
    if copy != database:
        shutil.copy(database, copy)
    opened = sqlite3.connect(copy)  # whose foreign keys are not looked at
    for statement in statements:
        opened.execute(statement)
    opened.commit()
    opened.close()


def tells_it_everywhere():
    """What one output says of a capture, another does not leave out, garble or contradict."""
    for name in ("refused-at-campus-firewall", "mtu-black-hole-from-outside", "healthy-tls13", "compare-nat",
                 "healthy-sleeping-device"):
        run(f"analyze --quiet --db {name}.db {PCAPS}/lab/{name}.pcap")
    plain = {**os.environ, "LC_ALL": "C"}
    for words in ("show flow 1", "show flow 2", "report --text"):
        done = run(f"{words} --db refused-at-campus-firewall.db", env=plain)
        check("without UTF-8 microseconds are us", done.stdout.isascii() and " us" in done.stdout,
              [line for line in done.stdout.splitlines() if not line.isascii()])
    done = run("report --text --db mtu-black-hole-from-outside.db")
    said = " ".join(done.stdout.split())
    check("the summary says where, as other formats do",
          "Inside your network: what the client never got passes the capture point" in said, done.stdout)
    check("and what is blocked", "Blocked: large packets" in said, done.stdout)
    done = run("merge -o merged.db refused-at-campus-firewall.db healthy-tls13.db")
    check("merge says how to read of all runs", "--db merged.db --all-runs" in done.stderr, done.stderr)
    done = run("report --text --all-runs --db merged.db")
    check("several runs have no common beginning", "First seen 2026-" in " ".join(done.stdout.split()) and
          "the capture;" not in done.stdout and "into the" not in done.stdout, done.stdout)
    changed("healthy-tls13.db", "healthy-tls13.db",
            "UPDATE run SET first_ns = (SELECT min(started_ns) FROM flow) - 1000000000,"
            " last_ns = (SELECT max(started_ns) FROM flow) + 100000000000")
    changed("healthy-tls13.db", "nothing.db", "DELETE FROM flow")
    done = run("compare healthy-tls13.db nothing.db")
    check("sessions that worked did not vanish, they went another way",
          done.returncode == OK and "Not to be compared: 2 sessions" in done.stdout, done.stdout)


def fits_narrow_terminals():
    for columns in (40, 60, 80):
        narrow = {**os.environ, "COLUMNS": str(columns), "LC_ALL": "C"}
        for words in ("report --text --db a.db", "show devices --db a.db", "show flows --db a.db", "show findings --db a.db",
                      "show runs --db a.db", "show finding 1 --db a.db", "compare a.db a.db", "checks"):
            lines = run(words, env=narrow).stdout.splitlines()
            # a word alone may be longer: a name, a time, a display filter
            wide = [line for line in lines if len(line) > columns and len(line.split()) > 3]
            check(f"{words} fits {columns} columns", lines and not wide, wide[:3])
        done = run("show flow 1 --db a.db", env=narrow)
        ladder = done.stdout.split("Its packets")[1].split("\n\n")[0].splitlines()
        check("so do a session's packets", all(len(line) <= columns for line in ladder), ladder)
        check("and everything is ASCII", done.stdout.isascii())
    check("to a pipe each row is one line", len(run("show findings --db a.db").stdout.splitlines()) == 1 + int(
        sqlite3.connect("a.db").execute("SELECT count(*) FROM finding").fetchone()[0]))
    check("help is ASCII too", run("--help").stdout.isascii() and run("analyze --help").stdout.isascii())


def says_nothing_with_control_characters():
    """Names in a database of somebody else are shown as they are spelt, not obeyed; also in errors."""
    changed("a.db", "theirs.db", "UPDATE run SET source = 'x' || char(27) || '[7m' || char(8238) || '.pcap'")
    done = run("extract --db theirs.db --flow 1 -o x.pcapng b.pcap")
    check("an error spells out what a name hides", done.returncode == ENVIRONMENT and "x\\x1b[7m\\xe2\\x80\\xae.pcap" in done.stderr and "\x1b" not in done.stderr, done.stderr)
    done = run("report --db nowhere.db --change 2026-03-01 --text")
    check("a database that is not there is told of", done.returncode == ENVIRONMENT and "there is no database" in done.stderr and
          "leak" not in done.stderr, done.stderr)


def names_nobody_where_asked():
    """A name whose commas RFC 4514 escapes is a name without the escapes as well."""
    changed("a.db", "named.db", "UPDATE flow SET cert_issuer = 'CN=Schulamt\\, Nord,O=Example'",
            "UPDATE finding SET summary = 'a certificate of Schulamt, Nord was seen'")
    for words in ("report --markdown", "report --html -", "report --json -", "show findings", "show flow 1"):
        done = run(f"{words} --redact --db named.db")
        check("a name is found however it is spelt", "Schulamt" not in done.stdout and "Nord" not in done.stdout and
              "name-" in done.stdout, [line for line in done.stdout.splitlines() if "Nord" in line][:3])


def has_no_rights():
    """Root may read everything: these are run as nobody."""
    if os.geteuid() != 0:
        return
    pathlib.Path("mixed").mkdir()
    shutil.copy("a.pcap", "mixed/a.pcap")
    shutil.copy("b.pcap", "mixed/b.pcap")
    os.chmod("mixed/b.pcap", 0o600)
    pathlib.Path("theirs").mkdir()
    for name in (".", "mixed", "mixed/a.pcap", "a.pcap"):
        os.chmod(name, 0o755)
    os.chmod("theirs", 0o777)
    nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    if subprocess.run([APNSCOPE, "--version"], capture_output=True, **nobody).returncode != OK:
        return # the build lies where nobody may go
    answers("a capture that may not be read is no reason to judge the rest of its folder",
            "analyze --db theirs/x.db mixed", ENVIRONMENT, "mixed/b.pcap: no permission to read it", **nobody)
    answers("a folder that may not be written", "analyze --db x.db a.pcap", ENVIRONMENT, "Permission denied", **nobody)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        prepare()
        asks_wrongly()
        names_wrong_files()
        writes_over_what_it_reads()
        changes_the_judgement()
        writes_where_nothing_fits()
        tells_it_everywhere()
        fits_narrow_terminals()
        says_nothing_with_control_characters()
        names_nobody_where_asked()
        has_no_rights()
        os.chdir("/")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)
