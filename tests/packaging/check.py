#!/usr/bin/env python3
"""What is installed: check.py CMAKE BUILD SOURCE PREFIX APNSCOPE

Installs into an empty folder and looks at the result with the programs that will read it, as far as
they are here: systemd-analyze, bash, zsh, fish, man.
"""
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CMAKE, BUILD, SOURCE, PREFIX, APNSCOPE = sys.argv[1:6]
SOURCE = pathlib.Path(SOURCE)
# As systemd-analyze security counts: 0 is sealed, 10 is open. A service that captures needs CAP_NET_RAW
# and packet sockets.
EXPOSURE = {"apnscope@.service": 2.0, "apnscope-report@.service": 1.0}
INSTALLED = [
    "bin/apnscope", "lib/apnscope/daily-report",
    "lib/systemd/system/apnscope@.service", "lib/systemd/system/apnscope-report@.service",
    "lib/systemd/system/apnscope-report@.timer", "lib/sysusers.d/apnscope.conf",
    "lib/tmpfiles.d/apnscope.conf", "share/man/man1/apnscope.1.gz",
    "share/bash-completion/completions/apnscope", "share/zsh/site-functions/_apnscope",
    "share/fish/vendor_completions.d/apnscope.fish", "share/doc/apnscope/sensor.md",
    "share/doc/apnscope/SECURITY.md", "share/doc/apnscope/copyright",
]
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=60, **more)


def install(folder):
    done = run(CMAKE, "--install", BUILD, env={**os.environ, "DESTDIR": str(folder)})
    check(done.returncode == 0, f"cmake --install: {done.stderr}")
    root = folder / PREFIX.lstrip("/")
    for name in INSTALLED:
        check((root / name).is_file() and (root / name).stat().st_size > 0, f"not there: {name}")
    return root


def words_of(table, pattern):
    text = (SOURCE / "cli" / table).read_text(encoding="utf-8")
    words = re.findall(pattern, text, re.M)
    check(len(words) > 5, f"{table} is read wrongly")
    return words


def units_are_right(root, folder):
    if not shutil.which("systemd-analyze"):
        return print("note: no systemd-analyze here: the units were not looked at")
    units = folder / "units"
    units.mkdir()
    for unit in (root / "lib/systemd/system").iterdir():
        text = unit.read_text(encoding="utf-8")
        for program in ("bin/apnscope", "lib/apnscope/daily-report"):
            check(unit.suffix == ".timer" or PREFIX in text, f"{unit.name} names no program")
            text = text.replace(f"{PREFIX}/{program}", str(root / program))
        check("%I" not in re.sub(r"^#.*$", "", text, flags=re.M),
              f"{unit.name}: %I makes br/lan of the interface br-lan")
        (units / unit.name).write_text(text, encoding="utf-8")
    where = {**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"}
    for unit in sorted(units.iterdir()):
        name = unit.name.replace("@", "@eth1")
        seen = run("systemd-analyze", "verify", "--man=no", name, env=where)
        ours = [line for line in seen.stderr.splitlines() if "apnscope" in line]
        check(not ours, f"systemd-analyze verify {name}: {ours}")
    live = (units / "apnscope@.service").read_text(encoding="utf-8")
    check("SuccessExitStatus=1 3\n" in live and "RestartForceExitStatus=3\n" in live,
          "a service that is stopped before it saw anything is no failure, one that ends so by itself is")
    for name, most in EXPOSURE.items():
        seen = run("systemd-analyze", "security", "--offline=yes", name, env=where)
        level = re.search(r"exposure level for \S+: ([0-9.]+)", seen.stdout)
        check(level and float(level.group(1)) <= most, f"{name}: more open than {most}: "
              f"{level.group(0) if level else seen.stdout + seen.stderr}")


BASH = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_apnscope
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completions_are_right(root):
    commands = words_of("command.def", r"^COMMAND\(\w+, (\w+)")
    options = words_of("option.def", r'^OPTION\(\w+, "([^"]+)"')
    bash = root / "share/bash-completion/completions/apnscope"

    def offered(*words):
        done = run("bash", "-uc", BASH, "bash", bash, "apnscope", *words)
        check(done.returncode == 0 and not done.stderr, f"bash completion of {words}: {done.stderr}")
        return done.stdout.split()

    check(set(commands) <= set(offered("")), "bash does not complete every command")
    everywhere = set()
    for command in commands:
        everywhere.update(offered(command, "--"))
        help_text = run(APNSCOPE, command, "--help").stdout
        real = set(re.findall(r"^  (--[\w-]+)", help_text, re.M))
        check(set(offered(command, "--")) == real, f"bash completes other options of {command}")
    check({"--" + option for option in options} <= everywhere, "options that bash never completes")
    check(offered("analyze", "--hash", "al") == ["always"], "values are not completed")
    check("flows" in offered("show", "fl"), "what to show is not completed")
    for shell, file in (("zsh", "share/zsh/site-functions/_apnscope"),
                        ("fish", "share/fish/vendor_completions.d/apnscope.fish")):
        text = (root / file).read_text(encoding="utf-8")
        check(all(option in text for option in options), f"{shell} lacks options")
        if shutil.which(shell):
            done = run(shell, "-n", root / file)
            check(done.returncode == 0 and not done.stderr, f"{shell}: {done.stderr}")


def manual_is_right(root):
    text = gzip.decompress((root / "share/man/man1/apnscope.1.gz").read_bytes())
    check(text == (SOURCE / "docs/apnscope.1").read_bytes(), "an old man page is installed")
    if shutil.which("man"):
        done = run("man", "--warnings", "-Tutf8", "-l", SOURCE / "docs/apnscope.1",
                   env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        check(done.returncode == 0 and not done.stderr, f"man: {done.stderr}")


def daily_report_is_made(root, folder):
    database, reports = folder / "eth1.db", folder / "reports"
    capture = SOURCE / "tests/pcaps/healthy-tls12.pcap"
    check(run(APNSCOPE, "analyze", "--db", database, capture).returncode == 0, "analyze failed")
    first_ns = run("python3", "-c", "import sqlite3, sys; print(sqlite3.connect(sys.argv[1])"
                   ".execute('SELECT min(first_ns) FROM run').fetchone()[0])", database).stdout
    day = run("date", "-u", "-d", f"@{int(first_ns) // 10**9}", "+%F").stdout.strip()
    env = {**os.environ, "APNSCOPE": APNSCOPE, "TZ": "UTC"}
    script = root / "lib/apnscope/daily-report"
    for attempt in ("first", "second"):
        done = run(script, database, reports, day, env=env)
        check(done.returncode == 0, f"daily-report, {attempt} time: {done.stderr}")
    for kind in ("html", "json"):
        report, latest = reports / f"{day}.{kind}", reports / f"latest.{kind}"
        check(report.is_file() and report.stat().st_mode & 0o777 == 0o600, f"{report} is not as it should be")
        check(latest.is_symlink() and os.readlink(latest) == report.name, f"{latest} does not lead there")
    check("works" in (reports / f"{day}.json").read_text(encoding="utf-8"), "that day has no devices")
    quiet = run(script, database, reports, env=env)
    check(quiet.returncode == 0, f"daily-report of yesterday, without packets: {quiet.stderr}")


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="apnscope-packaging-"))
    try:
        root = install(folder / "installed")
        units_are_right(root, folder)
        completions_are_right(root)
        manual_is_right(root)
        daily_report_is_made(root, folder)
    finally:
        shutil.rmtree(folder)
    print("\n".join(failures) if failures else "complete")
    return 1 if failures else 0


sys.exit(main())
