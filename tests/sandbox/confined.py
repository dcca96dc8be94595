#!/usr/bin/env python3
"""The program is in its sandbox: confined.py APNSCOPE WITHHOLD CAPTURE

Looks at the running process from outside (/proc), moves the ground under it, and runs it as on
kernels that lack a part of the sandbox.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

APNSCOPE, WITHHOLD, CAPTURE = sys.argv[1:4]
NOTE = "the sandbox is not whole"
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)


def run(*command, stdin=None):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=60, stdin=stdin)


def status_of(task):
    lines = (task / "status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def wait_until_reading(process):
    """It waits for its input once it is in the sandbox."""
    tasks = pathlib.Path(f"/proc/{process.pid}/task")
    for _ in range(500):
        if all(status_of(task)["Seccomp"] == "2" for task in tasks.iterdir()):
            time.sleep(0.2)
            return tasks
        time.sleep(0.02)
    return tasks


def start(folder, *options):
    return subprocess.Popen([APNSCOPE, "analyze", *options, "--db", folder / "x.db", "-"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def every_thread_is_confined(folder):
    process = start(folder)
    tasks = wait_until_reading(process)
    for task in tasks.iterdir():
        status = status_of(task)
        check(status["Seccomp"] == "2", f"a thread has no seccomp filter: {status['Seccomp']}")
        check(status["NoNewPrivs"] == "1", "a thread could get new privileges")
        # 1, 2: to read other people's captures, where root asks for it
        check(int(status["CapPrm"], 16) & ~0x6 == 0, f"capabilities left: {status['CapPrm']}")
        check(int(status["CapEff"], 16) & ~0x6 == 0, f"capabilities left: {status['CapEff']}")
    limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text().splitlines()
    core = next(line for line in limits if line.startswith("Max core"))
    check(core.split()[4:6] == ["0", "0"], f"core dumps are possible: {core}")
    process.communicate(pathlib.Path(CAPTURE).read_bytes(), timeout=60)
    check(process.returncode == 0, f"exit status {process.returncode} of a capture on stdin")
    check(os.stat(folder / "x.db").st_mode & 0o777 == 0o600, "a database that others may read")


def the_ground_moves(folder, *options):
    """The folder of the database becomes another one. Returns what lies in that one then."""
    named, elsewhere = folder / "named", folder / "elsewhere"
    named.mkdir()
    elsewhere.mkdir()
    process = start(named, *options)
    if options:
        time.sleep(0.5)
    else:
        wait_until_reading(process)
    named.rename(folder / "moved")
    named.symlink_to(elsewhere)
    process.communicate(pathlib.Path(CAPTURE).read_bytes(), timeout=60)
    return process.returncode, list(elsewhere.iterdir())


def nothing_is_written_elsewhere(folder):
    for name in "on", "off":
        (folder / name).mkdir()
    returned, made = the_ground_moves(folder / "on")
    check(returned == 3 and not made, f"wrote outside: status {returned}, {made}")
    returned, made = the_ground_moves(folder / "off", "--no-sandbox")
    check(returned == 0 and made, "without a sandbox nothing is written either: nothing is proved")


COMMANDS = {
    "analyze": ["analyze", "--db", "{folder}/a.db", CAPTURE],
    "report": ["report", "--db", "{db}", "--html", "{folder}/r.html", "--csv", "{folder}/csv",
               "--json", "-"],
    "show": ["show", "--db", "{db}", "flows"],
    "extract": ["extract", "--db", "{db}", "--flow", "1", "-o", "{folder}/x.pcapng", CAPTURE],
    "extract, the capture as the database has it":
        ["extract", "--db", "{db}", "--flow", "1", "-o", "{folder}/y.pcapng"],
    "merge": ["merge", "-o", "{folder}/merged.db", "{db}"],
    "compare": ["compare", "{db}", "{db}"],
}


def every_command_works_on_every_kernel(folder):
    run(APNSCOPE, "analyze", "--db", folder / "c.db", CAPTURE)
    for name, words in COMMANDS.items():
        words = [word.format(db=folder / "c.db", folder=folder) for word in words]
        words[1:1] = ["--log-level", "debug"]
        whole = run(APNSCOPE, *words)
        check(whole.returncode == 0, f"{name}: {whole.returncode} {whole.stderr}")
        check("sandbox: files by Landlock" in whole.stderr and "by seccomp" in whole.stderr,
              f"{name}: not in the sandbox: {whole.stderr}")
        without = run(APNSCOPE, *words, "--no-sandbox")
        check(without.returncode == 0 and "sandbox:" not in without.stderr,
              f"{name} --no-sandbox: {without.returncode} {without.stderr}")
        words[1:3] = []
        for lacks, told in (("landlock", "no Landlock"), ("seccomp", "no seccomp filter"),
                            ("both", "no Landlock")):
            lacking = run(WITHHOLD, lacks, APNSCOPE, *words)
            check(lacking.returncode == 0, f"{name} without {lacks}: {lacking.stderr}")
            notes = [line for line in lacking.stderr.splitlines() if NOTE in line]
            check(len(notes) == 1 and told in notes[0], f"{name} without {lacks}: {notes}")


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="apnscope-confined-"))
    try:
        if NOTE in run(APNSCOPE, "analyze", "--db", folder / "k.db", CAPTURE).stderr:
            print("this kernel lacks a part of the sandbox")
            return 77
        every_thread_is_confined(folder)
        nothing_is_written_elsewhere(folder)
        every_command_works_on_every_kernel(folder)
    finally:
        shutil.rmtree(folder)
    print("\n".join(failures) if failures else "held")
    return 1 if failures else 0


sys.exit(main())
