#!/usr/bin/env python3
"""What the program costs, and says, on broken captures and strange wrappings.

    limits.py [--sanitized] APNSCOPE ROOT FOLDER...

ROOT is where other people's captures lie, unless APNSCOPE_SHARED_PCAPS names another place.

Each file by itself, in a process of its own: the exit status is 0, 1 or 3; a file that cannot be
read is named in one sentence that says what to do; a sanitizer is silent; and it takes no more than
a second of processor time and 64 MiB (not asked of a build with sanitizers, which take their own).
Where none of the folders is there, the test is skipped (status 77)."""
import concurrent.futures
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

SECONDS, MEBIBYTES, SANITIZED_SECONDS = 1.0, 64, 10.0
ADVICE = ("copy", "take", "name", "check", "convert", "unpack", "fetch", "download", "widen", "let")


def files_of(folders):
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*")
                          if path.is_file() and path.name != "INDEX.md")


def run(program, path):
    """The exit status, what was said, processor seconds and MiB."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        with open(place / "errors", "w+", encoding="utf-8", errors="replace") as errors:
            child = subprocess.Popen([program, "analyze", "--db", place / "db", path],
                                     stdout=subprocess.DEVNULL, stderr=errors)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            errors.seek(0)
            said = errors.read()
    return child.returncode, said, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def complaints(path, result, is_sanitized):
    status, said, seconds, mebibytes = result
    if status not in (0, 1, 3):
        yield f"exit status {status}"
    if "Sanitizer" in said or "runtime error" in said:
        yield "a sanitizer speaks"
    if status == 3 and (path.name not in said or not any(word in said for word in ADVICE)):
        yield "the sentence does not name it, or not what to do"
    if said.count("\n") > 1:
        yield "more than one sentence"
    if seconds > (SANITIZED_SECONDS if is_sanitized else SECONDS):
        yield f"{seconds:.1f} s"
    if mebibytes > MEBIBYTES and not is_sanitized:
        yield f"{mebibytes:.0f} MiB"


def main():
    words = [word for word in sys.argv[1:] if word != "--sanitized"]
    is_sanitized = len(words) < len(sys.argv) - 1
    program, root, *folders = words
    root = pathlib.Path(os.environ.get("APNSCOPE_SHARED_PCAPS", root))
    paths = list(files_of(root / folder for folder in folders))
    if not paths:
        print(f"no captures in {root}: name a folder of them in APNSCOPE_SHARED_PCAPS")
        return 77
    wrong = 0
    most = [0.0, 0.0]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, result in zip(paths, pool.map(lambda path: run(program, path), paths)):
            most = [max(most[0], result[2]), max(most[1], result[3])]
            for complaint in complaints(path, result, is_sanitized):
                print(f"{path}: {complaint}: {result[1].strip()}")
                wrong += 1
    print(f"{len(paths)} captures; at most {most[0]:.2f} s and {most[1]:.0f} MiB")
    return 1 if wrong else 0


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.exit(main())
